package app

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	kmsapi "github.com/aws/aws-sdk-go-v2/service/kms"

	"larder/internal/caller"
	"larder/internal/servicetest"
	"larder/internal/store"
)

// Statements of key policies, as modules/kms has them.
const (
	forAccount = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + servicetest.Account +
		`:root"},"Action":"kms:*","Resource":"*"}`
	forLogs = `,{"Effect":"Allow","Principal":{"Service":"logs.` + servicetest.Region + `.amazonaws.com"},"Action":` +
		`["kms:Decrypt*","kms:Describe*","kms:Encrypt*","kms:GenerateDataKey*","kms:ReEncrypt*"],"Resource":"*",` +
		`"Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:` + servicetest.Region + `:` +
		servicetest.Account + `:log-group:mine*"}}}`
	forAlarms = `,{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},` +
		`"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}`
)

// keyPolicy is a policy that lets the account in, and whom else statements name.
func keyPolicy(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + forAccount + statements + `]}`
}

// TestWhatAKeySealsNeedsItsPolicy: services read and write what a key seals as far as its policy lets them, or the
// users whom they do it for.
func TestWhatAKeySealsNeedsItsPolicy(t *testing.T) {
	t.Parallel()
	w := newSealedFixture(t)
	const unusable = "The KMS key of the log group cannot be used: "
	deny := func(action string) string {
		return `,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"` + action + `","Resource":"*"}`
	}
	type refusals map[string][2]string
	noLogs := refusals{"logs read": {"AccessDeniedException", unusable}, "logs write": {"AccessDeniedException", unusable}}
	for _, c := range []struct {
		what, statements string
		want             refusals
	}{
		{"logs and alarms", forLogs + forAlarms, nil},
		{"nobody else", "", noLogs},
		{"no reader", forLogs + deny("kms:Decrypt"), refusals{
			"secret read": {"AccessDeniedException", "Access to KMS is not allowed"},
			"topic write": {"KMSAccessDenied", "User: arn:aws:iam::" + servicetest.Account + ":user/larder is not authorized"},
			"logs read":   {"AccessDeniedException", unusable},
			"logs write":  {"AccessDeniedException", unusable},
		}},
		{"all again", forLogs, nil},
	} {
		need(w.keys.PutKeyPolicy(t.Context(), &kmsapi.PutKeyPolicyInput{KeyId: &w.key,
			Policy: new(keyPolicy(c.statements))}))(t)
		for use, f := range w.uses(t) {
			t.Run(c.what+"/"+use, func(t *testing.T) {
				err, want := f(), c.want[use]
				if want[0] != "" {
					refused(t, err, want[0], want[1])
				} else if err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestAlarmsNeedTheTopicsKeyPolicy: an alarm's message reaches an encrypted topic once the key lets CloudWatch in.
func TestAlarmsNeedTheTopicsKeyPolicy(t *testing.T) {
	t.Parallel()
	w := newSealedFixture(t)
	by := caller.Service("cloudwatch.amazonaws.com", servicetest.Account, "arn:aws:cloudwatch:us-east-1:"+
		servicetest.Account+":alarm:mine")
	publish := func() error {
		return w.publisher.PublishWith(by, w.topic, "", "x", func(*store.Tx) error { return nil })
	}
	refused(t, publish(), "KMSAccessDenied", "cloudwatch.amazonaws.com is not authorized to perform: kms:GenerateDataKey")
	need(w.keys.PutKeyPolicy(t.Context(),
		&kmsapi.PutKeyPolicyInput{KeyId: &w.key, Policy: new(keyPolicy(forAlarms))}))(t)
	if err := publish(); err != nil {
		t.Error(err)
	}
}

// TestLogGroupsNeedTheirKeysPolicy: a group gets a key whose policy lets the service use it for that group.
func TestLogGroupsNeedTheirKeysPolicy(t *testing.T) {
	t.Parallel()
	w := newSealedFixture(t)
	ctx := t.Context()
	plain := *need(w.keys.CreateKey(ctx, &kmsapi.CreateKeyInput{}))(t).KeyMetadata.Arn
	for _, c := range []struct {
		group, key string
		refused    bool
	}{{"mine-2", w.key, false}, {"other", w.key, true}, {"mine-3", plain, true}, {"mine-4", plain + "0", true}} {
		text := "The specified KMS key does not exist or is not allowed to be used with Arn 'arn:aws:logs:" +
			servicetest.Region + ":" + servicetest.Account + ":log-group:" + c.group + "'"
		_, creating := w.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &c.group,
			KmsKeyId: &c.key})
		if c.refused {
			refused(t, creating, "AccessDeniedException", text)
			need(w.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &c.group}))(t)
		} else if creating != nil {
			t.Error(creating)
		}
		_, err := w.logs.AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: &c.group, KmsKeyId: &c.key})
		if c.refused {
			refused(t, err, "AccessDeniedException", text)
		} else if err != nil {
			t.Error(err)
		}
	}
}
