package kms_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"larder/internal/caller"
	"larder/internal/servicetest"
)

const snsAlias = "alias/aws/sns"

// The predefined aliases are there from the beginning. Their keys are made when somebody first asks for them.
func TestPredefinedAliases(t *testing.T) {
	s := newServer(t)
	targets := func() map[string]*string {
		found := map[string]*string{}
		pages := sdk.NewListAliasesPaginator(s, &sdk.ListAliasesInput{Limit: new(int32(10))})
		for pages.HasMorePages() {
			for _, a := range must(pages.NextPage(t.Context()))(t).Aliases {
				if *a.AliasArn != prefix+*a.AliasName || found[*a.AliasName] != nil {
					t.Errorf("the alias %s is %s", *a.AliasName, *a.AliasArn)
				}
				found[*a.AliasName] = a.TargetKeyId
			}
		}
		return found
	}
	before := targets()
	for _, name := range []string{"alias/aws/elasticache", "alias/aws/secretsmanager", snsAlias, "alias/aws/s3"} {
		if target, ok := before[name]; !ok || target != nil {
			t.Errorf("%s is listed: %v, with the key %v", name, ok, target)
		}
	}
	made := must(s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: new(snsAlias)}))(t).KeyMetadata
	again := must(s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: new(prefix + snsAlias)}))(t).KeyMetadata
	if made.KeyManager != types.KeyManagerTypeAws || !made.Enabled || *again.KeyId != *made.KeyId {
		t.Errorf("got %+v, then %+v", made, again)
	}
	if after := targets(); len(after) != len(before) || after[snsAlias] == nil || *after[snsAlias] != *made.KeyId {
		t.Errorf("%d aliases became %d; the key of %s is %v", len(before), len(after), snsAlias, after[snsAlias])
	}
	if r := must(s.GetKeyRotationStatus(t.Context(),
		&sdk.GetKeyRotationStatusInput{KeyId: made.KeyId}))(t); !r.KeyRotationEnabled ||
		*r.RotationPeriodInDays != 365 {
		t.Errorf("its rotation is %+v", r)
	}
	if p := must(s.GetKeyPolicy(t.Context(),
		&sdk.GetKeyPolicyInput{KeyId: made.KeyId}))(t); !strings.Contains(*p.Policy, `"kms:ViaService" : `+
		`"sns.us-east-1.amazonaws.com"`) {
		t.Errorf("its policy is %s", *p.Policy)
	}
	_, err := s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: new("alias/aws/nobody")})
	servicetest.WantError(t, err, "NotFoundException", "Alias "+prefix+"alias/aws/nobody is not found.")
}

// A service's default key serves that service, and nobody else.
func TestWhoMayUseADefaultKey(t *testing.T) {
	s := newServer(t)
	blob, err := s.kms.For("sns").Wrap(snsAlias, []byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.kms.For("sns").Unwrap(blob, nil); err != nil || string(got) != "x" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := s.kms.For("logs").Unwrap(blob, nil); err == nil {
		t.Error("another service opened it")
	}
	if s.kms.For("secretsmanager").HasKey(caller.User(account), snsAlias) ||
		!s.kms.For("secretsmanager").HasKey(caller.User(account), "alias/aws/secretsmanager") {
		t.Error("Secrets Manager has SNS's key, or lacks its own")
	}
	arn := *must(s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: new(snsAlias)}))(t).KeyMetadata.Arn
	id, own, ctx := &arn, s.create(t), t.Context()
	policy := *must(s.GetKeyPolicy(ctx, &sdk.GetKeyPolicyInput{KeyId: &own}))(t).Policy
	for action, err := range map[string]error{
		"Encrypt": failure(s.Encrypt(ctx,
			&sdk.EncryptInput{KeyId: new(snsAlias), Plaintext: []byte("x")})),
		"Decrypt": failure(s.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: blob})),
		"ReEncryptFrom": failure(s.ReEncrypt(ctx,
			&sdk.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: &own})),
		"GenerateDataKey": failure(s.GenerateDataKey(ctx,
			&sdk.GenerateDataKeyInput{KeyId: id, KeySpec: types.DataKeySpecAes256})),
		"ScheduleKeyDeletion": failure(s.ScheduleKeyDeletion(ctx, &sdk.ScheduleKeyDeletionInput{KeyId: id})),
		"CancelKeyDeletion":   failure(s.CancelKeyDeletion(ctx, &sdk.CancelKeyDeletionInput{KeyId: id})),
		"DisableKey":          failure(s.DisableKey(ctx, &sdk.DisableKeyInput{KeyId: id})),
		"EnableKey":           failure(s.EnableKey(ctx, &sdk.EnableKeyInput{KeyId: id})),
		"UpdateKeyDescription": failure(s.UpdateKeyDescription(ctx,
			&sdk.UpdateKeyDescriptionInput{KeyId: id, Description: new("x")})),
		"PutKeyPolicy":       failure(s.PutKeyPolicy(ctx, &sdk.PutKeyPolicyInput{KeyId: id, Policy: &policy})),
		"EnableKeyRotation":  failure(s.EnableKeyRotation(ctx, &sdk.EnableKeyRotationInput{KeyId: id})),
		"DisableKeyRotation": failure(s.DisableKeyRotation(ctx, &sdk.DisableKeyRotationInput{KeyId: id})),
		"CreateAlias": failure(s.CreateAlias(ctx,
			&sdk.CreateAliasInput{AliasName: new("alias/mine"), TargetKeyId: id})),
		"TagResource": failure(s.TagResource(ctx,
			&sdk.TagResourceInput{KeyId: id, Tags: []types.Tag{{TagKey: new("a"), TagValue: new("b")}}})),
		"UntagResource": failure(s.UntagResource(ctx,
			&sdk.UntagResourceInput{KeyId: id, TagKeys: []string{"a"}})),
	} {
		t.Run(action, func(t *testing.T) {
			servicetest.WantError(t, err, "AccessDeniedException",
				"User: arn:aws:iam::123456789012:user/larder is not authorized to perform: kms:"+
					action+" on resource: "+arn+" because no resource-based policy allows the kms:"+action+" action")
		})
	}
}

func failure[T any](_ T, err error) error { return err }
