package kms_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"pgregory.net/rapid"

	"larder/internal/servicetest"
)

// What was encrypted comes back with the same context, from whichever key, and through a re-encryption; with another
// context, or with one bit changed, nothing does.
func TestRoundTrip(t *testing.T) {
	s := newServer(t)
	keys := []string{s.create(t), s.create(t)}
	s.alias(t, "alias/first", keys[0])
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOfN(rapid.Byte(), 1, 4096).Draw(t, "plaintext")
		context := rapid.MapOfN(rapid.StringMatching(`[a-zä]{1,3}`), rapid.StringMatching(`[a-zä]{0,3}`), 0, 3)
		mine, other := context.Draw(t, "context"), context.Draw(t, "other")
		from := rapid.IntRange(0, 1).Draw(t, "key")
		out := must(s.Encrypt(t.Context(),
			&sdk.EncryptInput{KeyId: &keys[from], Plaintext: plaintext, EncryptionContext: mine}))(t)
		if *out.KeyId != prefix+"key/"+keys[from] || bytes.Contains(out.CiphertextBlob, plaintext) &&
			len(plaintext) > 3 {
			t.Fatalf("got %+v", out)
		}
		got, err := s.Decrypt(t.Context(),
			&sdk.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: mine, KeyId: &keys[from]})
		if err != nil || !bytes.Equal(got.Plaintext, plaintext) || *got.KeyId != *out.KeyId {
			t.Fatalf("got %+v, %v", got, err)
		}
		_, err = s.Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: out.CiphertextBlob, EncryptionContext: other})
		if (err == nil) != maps.Equal(mine, other) {
			t.Fatalf("with the context %v instead of %v: %v", other, mine, err)
		}
		broken := slices.Clone(out.CiphertextBlob)
		broken[rapid.IntRange(0, len(broken)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := s.Decrypt(t.Context(),
			&sdk.DecryptInput{CiphertextBlob: broken, EncryptionContext: mine}); err == nil {
			t.Fatal("a changed ciphertext was decrypted")
		}
		moved := must(s.ReEncrypt(t.Context(), &sdk.ReEncryptInput{
			CiphertextBlob: out.CiphertextBlob, SourceEncryptionContext: mine, SourceKeyId: out.KeyId,
			DestinationKeyId: &keys[1-from], DestinationEncryptionContext: other,
		}))(t)
		if *moved.SourceKeyId != *out.KeyId || *moved.KeyId != prefix+"key/"+keys[1-from] {
			t.Fatalf("got %+v", moved)
		}
		if got := must(s.Decrypt(t.Context(),
			&sdk.DecryptInput{CiphertextBlob: moved.CiphertextBlob,
				EncryptionContext: other}))(t); !bytes.Equal(got.Plaintext, plaintext) {
			t.Fatalf("got %x", got.Plaintext)
		}
	})
}

func TestDataKeys(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	context := map[string]string{"snapshot": "nightly"}
	for _, test := range []struct {
		spec  types.DataKeySpec
		bytes *int32
		want  int
	}{{types.DataKeySpecAes256, nil, 32}, {types.DataKeySpecAes128, nil, 16}, {"", new(int32(1024)), 1024}} {
		one := must(s.GenerateDataKey(t.Context(),
			&sdk.GenerateDataKeyInput{KeyId: &id, KeySpec: test.spec, NumberOfBytes: test.bytes,
				EncryptionContext: context}))(t)
		if got := must(s.Decrypt(t.Context(),
			&sdk.DecryptInput{CiphertextBlob: one.CiphertextBlob,
				EncryptionContext: context}))(t); !bytes.Equal(got.Plaintext, one.Plaintext) ||
			len(got.Plaintext) != test.want {
			t.Errorf("%s: got %d bytes", test.spec, len(got.Plaintext))
		}
		two := must(s.GenerateDataKeyWithoutPlaintext(t.Context(),
			&sdk.GenerateDataKeyWithoutPlaintextInput{KeyId: &id, KeySpec: test.spec, NumberOfBytes: test.bytes,
				EncryptionContext: context}))(t)
		got := must(s.Decrypt(t.Context(),
			&sdk.DecryptInput{CiphertextBlob: two.CiphertextBlob, EncryptionContext: context}))(t)
		if bytes.Equal(got.Plaintext, one.Plaintext) || len(got.Plaintext) != test.want ||
			*got.KeyMaterialId != *two.KeyMaterialId {
			t.Errorf("%s: got %d bytes, the same as before or of another material", test.spec, len(got.Plaintext))
		}
	}
}

func TestCryptoRefusals(t *testing.T) {
	s := newServer(t)
	id, other := s.create(t), s.create(t)
	encrypt := func(in sdk.EncryptInput) error { _, err := s.Encrypt(t.Context(), &in); return err }
	decrypt := func(in sdk.DecryptInput) error { _, err := s.Decrypt(t.Context(), &in); return err }
	generate := func(in sdk.GenerateDataKeyInput) error { _, err := s.GenerateDataKey(t.Context(), &in); return err }
	blob := must(s.Encrypt(t.Context(), &sdk.EncryptInput{KeyId: &id, Plaintext: []byte("x")}))(t).CiphertextBlob
	stranger := slices.Concat(blob[:1], []byte(uuid(1)), blob[37:])
	_, drying := s.ReEncrypt(t.Context(),
		&sdk.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: &other, DryRun: new(true)})
	const (
		validation = "ValidationException"
		one        = "Please specify either number of bytes or key spec."
		dry        = "The request would have succeeded, but the DryRun option is set."
		dryCode    = "DryRunOperationException"
	)
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"nothing", encrypt(sdk.EncryptInput{KeyId: &id, Plaintext: []byte{}}), validation,
			"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length " +
				"greater than or equal to 1"},
		{"too much", encrypt(sdk.EncryptInput{KeyId: &id, Plaintext: make([]byte, 4097)}), validation,
			"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length " +
				"less than or equal to 4096"},
		{"algorithm", encrypt(sdk.EncryptInput{KeyId: &id, Plaintext: []byte("x"),
			EncryptionAlgorithm: types.EncryptionAlgorithmSpecRsaesOaepSha1}), validation,
			"larder serves Encrypt's EncryptionAlgorithm only as SYMMETRIC_DEFAULT: larder's keys are symmetric"},
		{"dry encrypt", encrypt(sdk.EncryptInput{KeyId: &id, Plaintext: []byte("x"), DryRun: new(true)}), dryCode, dry},
		{"dry decrypt", decrypt(sdk.DecryptInput{CiphertextBlob: blob, DryRun: new(true)}), dryCode, dry},
		{"dry re-encrypt", drying, dryCode, dry},
		{"dry data key", generate(sdk.GenerateDataKeyInput{KeyId: &id, KeySpec: types.DataKeySpecAes256,
			DryRun: new(true)}), dryCode, dry},
		{"short", decrypt(sdk.DecryptInput{CiphertextBlob: blob[:20]}), "InvalidCiphertextException", ""},
		{"context", decrypt(sdk.DecryptInput{CiphertextBlob: blob, EncryptionContext: map[string]string{"a": "b"}}),
			"InvalidCiphertextException", ""},
		{"other key", decrypt(sdk.DecryptInput{CiphertextBlob: blob, KeyId: &other}), "IncorrectKeyException",
			"The key ID in the request does not identify a CMK that can perform this operation."},
		{"no such key", decrypt(sdk.DecryptInput{CiphertextBlob: stranger}), "NotFoundException",
			"Key '" + prefix + "key/" + uuid(1) + "' does not exist"},
		{"neither", generate(sdk.GenerateDataKeyInput{KeyId: &id}), validation, one},
		{"both", generate(sdk.GenerateDataKeyInput{KeyId: &id, KeySpec: types.DataKeySpecAes256,
			NumberOfBytes: new(int32(1))}), validation, one},
		{"large key", generate(sdk.GenerateDataKeyInput{KeyId: &id, NumberOfBytes: new(int32(1025))}), validation,
			"1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must " +
				"have value less than or equal to 1024"},
		{"spec", generate(sdk.GenerateDataKeyInput{KeyId: &id, KeySpec: "AES_512"}), validation,
			"1 validation error detected: Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum " +
				"value set: [AES_256, AES_128]"},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
}
