package kms_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"larder/internal/servicetest"
)

var plain = cmpopts.IgnoreUnexported(types.KeyMetadata{}, types.Tag{}, types.AliasListEntry{})

func TestKeyLife(t *testing.T) {
	s := newServer(t)
	made := must(s.CreateKey(t.Context(), &sdk.CreateKeyInput{
		Description: new("for the cache"), Tags: []types.Tag{{TagKey: new("team"), TagValue: new("payments")}},
		KeySpec: types.KeySpecSymmetricDefault, KeyUsage: types.KeyUsageTypeEncryptDecrypt,
		Origin: types.OriginTypeAwsKms, MultiRegion: new(false),
	}))(t).KeyMetadata
	id := *made.KeyId
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("the id is %s", id)
	}
	want := &types.KeyMetadata{
		KeyId: &id, Arn: new(prefix + "key/" + id), AWSAccountId: new(account), CreationDate: new(s.now),
		Description: new("for the cache"),
		Enabled:     true, KeyState: types.KeyStateEnabled, KeyManager: types.KeyManagerTypeCustomer,
		KeyUsage: types.KeyUsageTypeEncryptDecrypt,
		Origin:   types.OriginTypeAwsKms, MultiRegion: new(false), KeySpec: types.KeySpecSymmetricDefault,
		//lint:ignore SA1019 KMS answers both fields, and older clients read this one
		CustomerMasterKeySpec: types.CustomerMasterKeySpecSymmetricDefault,
		CurrentKeyMaterialId:  made.CurrentKeyMaterialId,
		EncryptionAlgorithms:  []types.EncryptionAlgorithmSpec{types.EncryptionAlgorithmSpecSymmetricDefault},
	}
	if diff := cmp.Diff(want, made, plain); diff != "" {
		t.Errorf("created: -want +got\n%s", diff)
	}
	check := func(when string) {
		t.Helper()
		got := must(s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: made.Arn}))(t).KeyMetadata
		if diff := cmp.Diff(want, got, plain); diff != "" {
			t.Errorf("%s: -want +got\n%s", when, diff)
		}
	}
	check("created")
	must(s.UpdateKeyDescription(t.Context(), &sdk.UpdateKeyDescriptionInput{KeyId: &id, Description: new("")}))(t)
	want.Description = new("")
	s.disable(t, id)
	want.Enabled, want.KeyState = false, types.KeyStateDisabled
	check("disabled")
	must(s.EnableKey(t.Context(), &sdk.EnableKeyInput{KeyId: made.Arn}))(t)
	want.Enabled, want.KeyState = true, types.KeyStateEnabled
	check("enabled")

	out := must(s.ScheduleKeyDeletion(t.Context(), &sdk.ScheduleKeyDeletionInput{KeyId: &id}))(t)
	want.Enabled, want.KeyState, want.DeletionDate = false, types.KeyStatePendingDeletion, new(s.now.Add(30*day))
	if *out.KeyId != *made.Arn || out.KeyState != want.KeyState || !out.DeletionDate.Equal(*want.DeletionDate) ||
		*out.PendingWindowInDays != 30 {
		t.Errorf("got %+v", out)
	}
	check("pending deletion")
	s.now = s.now.Add(30*day - time.Second)
	check("the last second")
	s.now = s.now.Add(time.Second)
	_, err := s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: &id})
	servicetest.WantError(t, err, "NotFoundException", "Key '"+*made.Arn+"' does not exist")
}

// A key whose deletion is taken back in time is there, disabled, and opens what was sealed with it once it is enabled.
func TestCancelKeyDeletion(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	blob := must(s.Encrypt(t.Context(), &sdk.EncryptInput{KeyId: &id, Plaintext: []byte("x")}))(t).CiphertextBlob
	cancel := func() (*sdk.CancelKeyDeletionOutput, error) {
		return s.CancelKeyDeletion(t.Context(), &sdk.CancelKeyDeletionInput{KeyId: &id})
	}
	_, err := cancel()
	servicetest.WantError(t, err, "KMSInvalidStateException", prefix+"key/"+id+" is not pending deletion.")
	s.schedule(t, id)
	s.now = s.now.Add(7*day - time.Second)
	if out := must(cancel())(t); *out.KeyId != prefix+"key/"+id {
		t.Errorf("got %+v", out)
	}
	s.now = s.now.Add(30 * day)
	if k := must(s.DescribeKey(t.Context(),
		&sdk.DescribeKeyInput{KeyId: &id}))(t).KeyMetadata; k.KeyState != types.KeyStateDisabled ||
		k.DeletionDate != nil {
		t.Errorf("the key is %+v", k)
	}
	must(s.EnableKey(t.Context(), &sdk.EnableKeyInput{KeyId: &id}))(t)
	if out := must(s.Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: blob}))(t); string(out.Plaintext) != "x" {
		t.Errorf("opened %q", out.Plaintext)
	}
	s.schedule(t, id)
	s.now = s.now.Add(7 * day)
	_, err = cancel()
	servicetest.WantError(t, err, "NotFoundException", "Key '"+prefix+"key/"+id+"' does not exist")
}

// What a key's state forbids (AWS: key states of KMS keys).
func TestKeyStates(t *testing.T) {
	s := newServer(t)
	other := s.create(t)
	blob := func(id string) []byte {
		return must(s.Encrypt(t.Context(), &sdk.EncryptInput{KeyId: &id, Plaintext: []byte("x")}))(t).CiphertextBlob
	}
	off, going := s.create(t), s.create(t)
	blobs := map[string][]byte{off: blob(off), going: blob(going)}
	s.alias(t, "alias/other", other)
	s.disable(t, off)
	s.schedule(t, going)
	policy := *must(s.GetKeyPolicy(t.Context(), &sdk.GetKeyPolicyInput{KeyId: &going}))(t).Policy
	const disabled, pending = "DisabledException", "KMSInvalidStateException"
	for _, test := range []struct {
		what              string
		do                func(id string) error
		disabled, pending string // codes; empty where it is allowed
	}{
		{"GetKeyPolicy", func(id string) error {
			_, err := s.GetKeyPolicy(t.Context(), &sdk.GetKeyPolicyInput{KeyId: &id})
			return err
		}, "", ""},
		{"PutKeyPolicy", func(id string) error {
			_, err := s.PutKeyPolicy(t.Context(), &sdk.PutKeyPolicyInput{KeyId: &id, Policy: &policy})
			return err
		}, "", ""},
		{"GetKeyRotationStatus", func(id string) error {
			_, err := s.GetKeyRotationStatus(t.Context(), &sdk.GetKeyRotationStatusInput{KeyId: &id})
			return err
		}, "", ""},
		{"ListResourceTags", func(id string) error {
			_, err := s.ListResourceTags(t.Context(), &sdk.ListResourceTagsInput{KeyId: &id})
			return err
		}, "", ""},
		{"EnableKeyRotation", func(id string) error {
			_, err := s.EnableKeyRotation(t.Context(), &sdk.EnableKeyRotationInput{KeyId: &id})
			return err
		}, disabled, pending},
		{"DisableKeyRotation", func(id string) error {
			_, err := s.DisableKeyRotation(t.Context(), &sdk.DisableKeyRotationInput{KeyId: &id})
			return err
		}, disabled, pending},
		{"TagResource", func(id string) error {
			_, err := s.TagResource(t.Context(),
				&sdk.TagResourceInput{KeyId: &id, Tags: []types.Tag{{TagKey: new("a"), TagValue: new("b")}}})
			return err
		}, "", pending},
		{"UntagResource", func(id string) error {
			_, err := s.UntagResource(t.Context(), &sdk.UntagResourceInput{KeyId: &id, TagKeys: []string{"a"}})
			return err
		}, "", pending},
		{"UpdateKeyDescription", func(id string) error {
			_, err := s.UpdateKeyDescription(t.Context(),
				&sdk.UpdateKeyDescriptionInput{KeyId: &id, Description: new("x")})
			return err
		}, "", pending},
		{"CreateAlias", func(id string) error {
			_, err := s.CreateAlias(t.Context(), &sdk.CreateAliasInput{AliasName: new("alias/" + id), TargetKeyId: &id})
			return err
		}, "", pending},
		{"UpdateAlias", func(id string) error {
			_, err := s.UpdateAlias(t.Context(), &sdk.UpdateAliasInput{AliasName: new("alias/other"), TargetKeyId: &id})
			return err
		}, "", pending},
		{"DisableKey", func(id string) error {
			_, err := s.DisableKey(t.Context(), &sdk.DisableKeyInput{KeyId: &id})
			return err
		}, "", pending},
		{"Encrypt", func(id string) error {
			_, err := s.Encrypt(t.Context(), &sdk.EncryptInput{KeyId: &id, Plaintext: []byte("x")})
			return err
		}, disabled, pending},
		{"Decrypt", func(id string) error {
			_, err := s.Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: blobs[id]})
			return err
		}, disabled, pending},
		{"ReEncrypt from", func(id string) error {
			_, err := s.ReEncrypt(t.Context(), &sdk.ReEncryptInput{CiphertextBlob: blobs[id], DestinationKeyId: &other})
			return err
		}, disabled, pending},
		{"GenerateDataKey", func(id string) error {
			_, err := s.GenerateDataKey(t.Context(),
				&sdk.GenerateDataKeyInput{KeyId: &id, KeySpec: types.DataKeySpecAes256})
			return err
		}, disabled, pending},
		{"ScheduleKeyDeletion", func(id string) error {
			if id == off {
				return nil
			}
			_, err := s.ScheduleKeyDeletion(t.Context(), &sdk.ScheduleKeyDeletionInput{KeyId: &id})
			return err
		}, "", pending},
		{"EnableKey", func(id string) error {
			_,
				err := s.EnableKey(t.Context(), &sdk.EnableKeyInput{KeyId: &id})
			return err
		}, "", pending},
	} {
		t.Run(test.what, func(t *testing.T) {
			for id, code := range map[string]string{off: test.disabled, going: test.pending} {
				texts := map[string]string{disabled: " is disabled.", pending: " is pending deletion."}
				switch err := test.do(id); {
				case code == "" && err != nil:
					t.Error(err)
				case code != "":
					servicetest.WantError(t, err, code, prefix+"key/"+id+texts[code])
				}
			}
		})
	}
}

func TestKeyRefusals(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	create := func(in sdk.CreateKeyInput) error { _, err := s.CreateKey(t.Context(), &in); return err }
	describe := func(id string) error {
		_, err := s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: &id})
		return err
	}
	schedule := func(days int32) error {
		_, err := s.ScheduleKeyDeletion(t.Context(),
			&sdk.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: &days})
		return err
	}
	rotate := func(days int32) error {
		_, err := s.EnableKeyRotation(t.Context(), &sdk.EnableKeyRotationInput{KeyId: &id, RotationPeriodInDays: &days})
		return err
	}
	_, byAlias := s.GetKeyPolicy(t.Context(), &sdk.GetKeyPolicyInput{KeyId: new("alias/mine")})
	long := strings.Repeat("ä", 8193)
	_, describing := s.UpdateKeyDescription(t.Context(), &sdk.UpdateKeyDescriptionInput{KeyId: &id, Description: &long})
	const validation, none = "ValidationException", "NotFoundException"
	constraint := "1 validation error detected: Value '%' at '"
	at := func(value, rest string) string { return strings.Replace(constraint, "%", value, 1) + rest }
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"unknown", describe(uuid(1)), none, "Key '" + prefix + "key/" + uuid(1) + "' does not exist"},
		{"unknown ARN", describe(prefix + "key/" + uuid(1)), none, "Key '" + prefix + "key/" + uuid(1) +
			"' does not exist"},
		{"unknown multi-region key", describe("mrk-" + strings.Repeat("0", 32)), none,
			"Key '" + prefix + "key/mrk-" + strings.Repeat("0", 32) + "' does not exist"},
		{"no id", describe("mine"), none, "Invalid keyId 'mine'"},
		{"other region", describe("arn:aws:kms:us-east-2:123456789012:key/" + id), none, "Invalid arn us-east-2"},
		{"other account", describe("arn:aws:kms:us-east-1:999999999999:key/" + id), none,
			"Invalid arn arn:aws:kms:us-east-1:999999999999:key/" + id},
		{"no multi-region key", describe("mrk-fake-key-id"), none, "Invalid keyId 'mrk-fake-key-id'"},
		{"unknown alias", describe("alias/mine"), none, "Alias " + prefix + "alias/mine is not found."},
		{"alias where an id is wanted", byAlias, none, "Invalid keyId 'alias/mine'"},
		{"asymmetric", create(sdk.CreateKeyInput{KeySpec: types.KeySpecRsa2048}), validation,
			"larder serves CreateKey's KeySpec only as SYMMETRIC_DEFAULT: larder's keys are symmetric"},
		{"multi-region", create(sdk.CreateKeyInput{MultiRegion: new(true)}), validation,
			"larder serves CreateKey's MultiRegion only as false: larder copies nothing from one region to another"},
		{"description", create(sdk.CreateKeyInput{Description: &long}), validation,
			at(long, "description' failed to satisfy constraint: Member must have length less than or equal to 8192")},
		{"new description", describing, validation,
			at(long, "description' failed to satisfy constraint: Member must have length less than or equal to 8192")},
		{"short window", schedule(6), validation,
			at("6",
				"pendingWindowInDays' failed to satisfy constraint: Member must have value greater than or equal to 7")},
		{"long window", schedule(31), validation,
			at("31",
				"pendingWindowInDays' failed to satisfy constraint: Member must have value less than or equal to 30")},
		{"short period", rotate(89), validation,
			at("89",
				"rotationPeriodInDays' failed to satisfy constraint: Member must have value greater than or "+
					"equal to 90")},
		{"long period", rotate(2561), validation,
			at("2561",
				"rotationPeriodInDays' failed to satisfy constraint: Member must have value less than or "+
					"equal to 2560")},
		{"tag", create(sdk.CreateKeyInput{Tags: []types.Tag{{TagKey: new("aws:x"), TagValue: new("")}}}),
			"TagException",
			"Tags beginning with aws: are reserved"},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
}
