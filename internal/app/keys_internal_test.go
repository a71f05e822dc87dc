package app

import (
	"bytes"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	kmsapi "github.com/aws/aws-sdk-go-v2/service/kms"
	secretsapi "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	snsapi "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"larder/internal/defaultdeps"
	"larder/internal/gateway"
	"larder/internal/logstore"
	"larder/internal/seal"
	"larder/internal/services/kms"
	"larder/internal/services/logs"
	"larder/internal/services/secretsmanager"
	"larder/internal/services/sns"
	"larder/internal/servicetest"
	"larder/internal/snapshot"
	"larder/internal/store"
)

// sealedFixture is one thing of each kind that a customer's KMS key seals.
type sealedFixture struct {
	keys      *kmsapi.Client
	secrets   *secretsapi.Client
	topics    *snsapi.Client
	publisher *sns.Service // of the topics
	logs      *cloudwatchlogs.Client
	vault     *snapshot.Vault
	sealed    snapshot.Sealed // of the snapshot "taken"
	key       string          // its ARN
	topic     string          // its ARN
	ahead     atomic.Int64    // of the clock, in nanoseconds
}

func (w *sealedFixture) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

const (
	sealedName = "mine"         // of the secret, the topic, the log group and its stream
	sealedText = "a plain text" // of the secret, the event and the snapshot
)

func newSealedFixture(t *testing.T) *sealedFixture {
	t.Helper()
	w := &sealedFixture{}
	state := need(store.Open(filepath.Join(t.TempDir(), "state.db")))(t)
	sealer := need(seal.New(make([]byte, seal.KeySize)))(t)
	managed := kms.New(kms.Config{
		Store: state, Sealer: sealer, Account: servicetest.Account, Region: servicetest.Region, Random: crand.Reader,
		Now: w.now, Failed: func(err error) { t.Error(err) },
	})
	events := need(logstore.Open(logstore.Config{
		Dir: filepath.Join(t.TempDir(), "logs"), Keys: logKeys{managed.For("logs"), sealer}, MaxBytes: maxLogBytes,
		Logger: slog.New(slog.DiscardHandler),
	}))(t)
	t.Cleanup(func() {
		if err := errors.Join(events.Close(), state.Close()); err != nil {
			t.Error(err)
		}
	})
	serve := func(service gateway.Service) *kmsapi.Client {
		return kmsapi.NewFromConfig(servicetest.Config(t, servicetest.Gateway(t, service)))
	}
	w.keys = serve(managed.Gateway())
	w.secrets = secretsapi.NewFromConfig(servicetest.Config(t,
		servicetest.Gateway(t, secretsmanager.New(secretsmanager.Config{
			Store: state, Sealer: sealer, Account: servicetest.Account, Region: servicetest.Region,
			Keys: managed.For("secretsmanager"), Random: crand.Reader, Now: w.now,
			Failed: func(err error) { t.Error(err) },
		}).Gateway())))
	w.publisher = sns.New(sns.Config{
		Store: state, Sealer: sealer, Keys: managed.For("sns"), Account: servicetest.Account,
		Region:  servicetest.Region,
		MailDir: t.TempDir(), Random: crand.Reader, Now: w.now, After: time.After,
		Logger: slog.New(slog.DiscardHandler),
	})
	w.topics = snsapi.NewFromConfig(servicetest.Config(t, servicetest.Gateway(t, w.publisher.Gateway())))
	w.logs = cloudwatchlogs.NewFromConfig(servicetest.Config(t, servicetest.Gateway(t, logs.New(logs.Config{
		Store: state, Account: servicetest.Account, Region: servicetest.Region, Keys: managed.For("logs"),
		Events:  events,
		Metrics: func([]logs.Datum) {}, NewID: defaultdeps.UUID, Now: w.now, Failed: func(err error) { t.Error(err) },
	}).Gateway())))
	w.vault = &snapshot.Vault{Dir: filepath.Join(t.TempDir(), "snapshots"), Sealer: sealer,
		Keys: managed.For("elasticache")}
	w.fill(t)
	return w
}

// fill makes the key, and what it seals.
func (w *sealedFixture) fill(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	w.key = *need(w.keys.CreateKey(ctx, &kmsapi.CreateKeyInput{Policy: new(keyPolicy(forLogs))}))(t).KeyMetadata.Arn
	need(w.secrets.CreateSecret(ctx, &secretsapi.CreateSecretInput{
		Name: new(sealedName), KmsKeyId: &w.key, SecretString: new(sealedText),
	}))(t)
	w.topic = *need(w.topics.CreateTopic(ctx, &snsapi.CreateTopicInput{
		Name: new(sealedName), Attributes: map[string]string{"KmsMasterKeyId": w.key},
	}))(t).TopicArn
	need(w.logs.CreateLogGroup(ctx,
		&cloudwatchlogs.CreateLogGroupInput{LogGroupName: new(sealedName), KmsKeyId: &w.key}))(t)
	need(w.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{
		LogGroupName: new(sealedName), LogStreamName: new(sealedName),
	}))(t)
	for use, f := range w.uses(t) {
		if strings.HasPrefix(use, "logs write") || strings.HasPrefix(use, "snapshot write") {
			if err := f(); err != nil {
				t.Fatal(use, err)
			}
		}
	}
}

// need is for what cannot fail in a test that goes well.
func need[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// uses are what needs the key.
func (w *sealedFixture) uses(t *testing.T) map[string]func() error {
	ctx := t.Context()
	name := new(sealedName)
	return map[string]func() error{
		"secret read": func() error {
			got, err := w.secrets.GetSecretValue(ctx, &secretsapi.GetSecretValueInput{SecretId: name})
			if err == nil && *got.SecretString != sealedText {
				return fmt.Errorf("the secret is %q", *got.SecretString)
			}
			return err
		},
		"secret write": func() error {
			_, err := w.secrets.PutSecretValue(ctx,
				&secretsapi.PutSecretValueInput{SecretId: name, SecretString: new(sealedText)})
			return err
		},
		"topic write": func() error {
			_, err := w.topics.Publish(ctx, &snsapi.PublishInput{TopicArn: &w.topic, Message: new("hello")})
			return err
		},
		"logs read": func() error {
			got, err := w.logs.GetLogEvents(ctx,
				&cloudwatchlogs.GetLogEventsInput{LogGroupName: name, LogStreamName: name})
			if err == nil && (len(got.Events) == 0 || *got.Events[0].Message != sealedText) {
				return fmt.Errorf("the events are %v", got.Events)
			}
			return err
		},
		"logs write": func() error {
			_, err := w.logs.PutLogEvents(ctx,
				&cloudwatchlogs.PutLogEventsInput{LogGroupName: name, LogStreamName: name,
					LogEvents: []logtypes.InputLogEvent{{Message: new(sealedText),
						Timestamp: new(w.now().UnixMilli())}}})
			return err
		},
		"snapshot read": func() error {
			r, err := w.vault.Open("taken", w.sealed)
			if err != nil {
				return err
			}
			got, err := io.ReadAll(r)
			if err == nil && string(got) != sealedText {
				err = fmt.Errorf("the snapshot holds %q", got)
			}
			return errors.Join(err, r.Close())
		},
		"snapshot write": func() error {
			sealed, err := w.vault.Write("taken", w.key, func(to io.Writer) (int64, error) {
				return io.Copy(to, bytes.NewReader([]byte(sealedText)))
			})
			if err == nil {
				w.sealed = sealed
			}
			return err
		},
	}
}

// records are what does not need the key.
func (w *sealedFixture) records(t *testing.T) map[string]func() error {
	ctx := t.Context()
	name := new(sealedName)
	return map[string]func() error{
		"DescribeSecret": func() error {
			_, err := w.secrets.DescribeSecret(ctx, &secretsapi.DescribeSecretInput{SecretId: name})
			return err
		},
		"UpdateSecret's description": func() error {
			_, err := w.secrets.UpdateSecret(ctx,
				&secretsapi.UpdateSecretInput{SecretId: name, Description: new("what it is")})
			return err
		},
		"ListSecretVersionIds": func() error {
			_, err := w.secrets.ListSecretVersionIds(ctx, &secretsapi.ListSecretVersionIdsInput{SecretId: name})
			return err
		},
		"GetTopicAttributes": func() error {
			_, err := w.topics.GetTopicAttributes(ctx, &snsapi.GetTopicAttributesInput{TopicArn: &w.topic})
			return err
		},
		"DescribeLogStreams": func() error {
			_, err := w.logs.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: name})
			return err
		},
	}
}

// TestWhatAKeySealsNeedsTheKey: while a customer's key is disabled or pending deletion, what it seals can be neither
// read nor written, at once, with the service's own refusal; records can. Enabled again, the key opens all of it.
func TestWhatAKeySealsNeedsTheKey(t *testing.T) {
	t.Parallel()
	w := newSealedFixture(t)
	ctx := t.Context()
	logsKey := "The KMS key of the log group is disabled, is being deleted, or does not exist"
	said := func(state, code string) string {
		return w.key + " is " + state + ". (Service: AWSKMS; Status Code: 400; Error Code: " + code + "; Request ID: "
	}
	enable := func() error {
		_, err := w.keys.EnableKey(ctx, &kmsapi.EnableKeyInput{KeyId: &w.key})
		return err
	}
	for _, c := range []struct {
		state, text, sns string
		lock, unlock     func() error
	}{
		{
			"disabled", said("disabled", "DisabledException"), "KMSDisabled",
			func() error {
				_, err := w.keys.DisableKey(ctx, &kmsapi.DisableKeyInput{KeyId: &w.key})
				return err
			}, enable,
		},
		{
			"pending deletion", said("pending deletion", "KMSInvalidStateException"), "KMSInvalidState",
			func() error {
				_, err := w.keys.ScheduleKeyDeletion(ctx, &kmsapi.ScheduleKeyDeletionInput{KeyId: &w.key})
				return err
			}, func() error {
				_, err := w.keys.CancelKeyDeletion(ctx, &kmsapi.CancelKeyDeletionInput{KeyId: &w.key})
				return errors.Join(err, enable())
			},
		},
	} {
		want := map[string][2]string{
			"secret read":  {"DecryptionFailure", "Secrets Manager can't decrypt the secret value: " + c.text},
			"secret write": {"EncryptionFailure", "Secrets Manager can't encrypt the secret value: " + c.text},
			"topic write":  {c.sns, c.text},
			"logs read":    {"AccessDeniedException", logsKey}, "logs write": {"AccessDeniedException", logsKey},
			"snapshot read": {"", c.text}, "snapshot write": {"", c.text},
		}
		w.usable(t, "before")
		if err := c.lock(); err != nil {
			t.Fatal(err)
		}
		for use, f := range w.uses(t) {
			t.Run(c.state+"/"+use, func(t *testing.T) { refused(t, f(), want[use][0], want[use][1]) })
		}
		for record, f := range w.records(t) {
			if err := f(); err != nil {
				t.Errorf("%s, while the key is %s: %v", record, c.state, err)
			}
		}
		if err := c.unlock(); err != nil {
			t.Fatal(err)
		}
		w.usable(t, "after it was "+c.state)
	}
}

// usable checks that all uses of the key succeed.
func (w *sealedFixture) usable(t *testing.T, when string) {
	t.Helper()
	for use, f := range w.uses(t) {
		if err := f(); err != nil {
			t.Errorf("%s, %s: %v", use, when, err)
		}
	}
}

// refused checks an error's code, where one is wanted, and what its text begins with, or for no code has in it.
func refused(t *testing.T, err error, code, text string) {
	t.Helper()
	var said smithy.APIError
	switch {
	case err == nil:
		t.Error("it succeeds")
	case code == "" && !strings.Contains(err.Error(), text):
		t.Errorf("got %v, want %s", err, text)
	case code == "":
	case !errors.As(err, &said) || said.ErrorCode() != code || !strings.HasPrefix(said.ErrorMessage(), text):
		t.Errorf("got  %v\nwant %s: %s", err, code, text)
	}
}

// TestASecretLeavesAKey: with a new key the versions in use are sealed with it, and need the former one no more; one
// that the former key alone opens stays with it, and a new value can be put.
func TestASecretLeavesAKey(t *testing.T) {
	t.Parallel()
	w := newSealedFixture(t)
	ctx := t.Context()
	other := *need(w.keys.CreateKey(ctx, &kmsapi.CreateKeyInput{}))(t).KeyMetadata.Arn
	read := w.uses(t)["secret read"]
	update := func(key string, value *string) {
		need(w.secrets.UpdateSecret(ctx,
			&secretsapi.UpdateSecretInput{SecretId: new(sealedName), KmsKeyId: &key, SecretString: value}))(t)
	}
	update(other, nil)
	need(w.keys.DisableKey(ctx, &kmsapi.DisableKeyInput{KeyId: &w.key}))(t)
	if err := read(); err != nil {
		t.Errorf("with the former key disabled: %v", err)
	}
	need(w.keys.DisableKey(ctx, &kmsapi.DisableKeyInput{KeyId: &other}))(t)
	update("alias/aws/secretsmanager", nil)
	refused(t, read(), "DecryptionFailure", "Secrets Manager can't decrypt the secret value: "+other+" is disabled.")
	update("alias/aws/secretsmanager", new(sealedText))
	if err := read(); err != nil {
		t.Errorf("with a new value: %v", err)
	}
	_, err := w.secrets.UpdateSecret(ctx, &secretsapi.UpdateSecretInput{SecretId: new(sealedName), KmsKeyId: &other})
	refused(t, err, "EncryptionFailure", "Secrets Manager can't encrypt the secret value: "+other+" is disabled.")
}

// TestWhatADeletedKeySealed: the time of a key's deletion comes while nobody looks. What it seals is refused for good,
// with the service's own refusal; records can be read; and what is there can be given another key and used again, or be
// deleted.
func TestWhatADeletedKeySealed(t *testing.T) {
	t.Parallel()
	w := newSealedFixture(t)
	ctx := t.Context()
	w.usable(t, "before")
	need(w.keys.ScheduleKeyDeletion(ctx,
		&kmsapi.ScheduleKeyDeletionInput{KeyId: &w.key, PendingWindowInDays: new(int32(7))}))(t)
	w.ahead.Store(int64(7*24*time.Hour) + 1)
	text := "Key '" + w.key + "' does not exist"
	for use, want := range map[string][2]string{
		"secret read":   {"DecryptionFailure", "Secrets Manager can't decrypt the secret value: " + text},
		"secret write":  {"EncryptionFailure", "Secrets Manager can't encrypt the secret value: " + text},
		"topic write":   {"KMSNotFound", text},
		"logs read":     {"AccessDeniedException", "The KMS key of the log group"},
		"logs write":    {"AccessDeniedException", "The KMS key of the log group"},
		"snapshot read": {"", text}, "snapshot write": {"", text},
	} {
		t.Run(use, func(t *testing.T) { refused(t, w.uses(t)[use](), want[0], want[1]) })
	}
	for record, f := range w.records(t) {
		if err := f(); err != nil {
			t.Errorf("%s: %v", record, err)
		}
	}
	if err := w.vault.Check("taken", w.sealed); err == nil {
		t.Error("a snapshot that nobody can open any more is called intact")
	}
	w.leave(t, *need(w.keys.CreateKey(ctx, &kmsapi.CreateKeyInput{Policy: new(keyPolicy(forLogs))}))(t).KeyMetadata.Arn)
	w.usable(t, "with another key")
}

// leave gives what is sealed another key.
func (w *sealedFixture) leave(t *testing.T, key string) {
	t.Helper()
	ctx, name := t.Context(), new(sealedName)
	w.key = key
	need(w.secrets.UpdateSecret(ctx,
		&secretsapi.UpdateSecretInput{SecretId: name, KmsKeyId: &key, SecretString: new(sealedText)}))(t)
	need(w.topics.SetTopicAttributes(ctx, &snsapi.SetTopicAttributesInput{
		TopicArn: &w.topic, AttributeName: new("KmsMasterKeyId"), AttributeValue: &key,
	}))(t)
	need(w.logs.AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: name, KmsKeyId: &key}))(t)
	for _, use := range []string{"logs write", "snapshot write"} {
		if err := w.uses(t)[use](); err != nil {
			t.Fatalf("%s with another key: %v", use, err)
		}
	}
}
