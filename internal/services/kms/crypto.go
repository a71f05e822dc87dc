package kms

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"larder/internal/caller"
	"larder/internal/store"
)

// Sizes in bytes.
const (
	maxPlaintext  = 4096
	maxCiphertext = 6144
	maxDataKey    = 1024
)

const algorithm = types.EncryptionAlgorithmSpecSymmetricDefault

// encryptionKey finds an enabled key that by may encrypt with, rotating it first when that is due. Where the rotation
// cannot be written, the key's last material goes on being good until it can.
func (s *Service) encryptionKey(by user, id *string) (k key, err error) {
	if err := s.predefine(id); err != nil {
		return key{}, err
	}
	read := func(tx *store.Tx) (err error) {
		if k, err = s.resolve(tx, id); err != nil {
			return err
		}
		return errors.Join(s.admit(by, k), s.usable(k))
	}
	if err := s.Store.View(read); err != nil || !s.due(k) {
		return k, err
	}
	last := k
	err = s.Store.Update(func(tx *store.Tx) error {
		if err := read(tx); err != nil {
			return err
		}
		if rotated, err := s.rotate(&k); err != nil || !rotated {
			return err
		}
		return keys.Put(tx, k.ID, k)
	})
	var unwritten *store.WriteError
	if errors.As(err, &unwritten) {
		s.Failed(fmt.Errorf("cannot rotate the key %s, which is due: %w", last.ID, err))
		return last, nil
	}
	return k, err
}

// decryptionKey finds the enabled key that a ciphertext was made with, and that by may use. A request may name the key
// that it has to be.
func (s *Service) decryptionKey(by user, blob []byte, named *string) (k key, err error) {
	id, _, err := parseHeader(blob)
	if err != nil {
		return key{}, err
	}
	err = s.Store.View(func(tx *store.Tx) (err error) {
		if named != nil {
			want, err := s.resolve(tx, named)
			if err != nil {
				return err
			}
			if want.ID != id {
				return &types.IncorrectKeyException{Message: new("The key ID in the request does not identify a CMK that can " +
					"perform this operation.")}
			}
		}
		if !validID.MatchString(id) {
			return badCiphertext()
		}
		if k, err = s.find(tx, &id); err != nil {
			return err
		}
		return errors.Join(s.admit(by, k), s.usable(k))
	})
	return k, err
}

// dryRun is the answer to a request that only asks whether it would be served.
func dryRun(asked *bool) error {
	if aws.ToBool(asked) {
		return &types.DryRunOperationException{Message: new("The request would have succeeded, but the DryRun option is " +
			"set.")}
	}
	return nil
}

func (s *Service) encrypt(ctx context.Context, in *sdk.EncryptInput) (*sdk.EncryptOutput, error) {
	k, err := s.encryptionKey(user{by: caller.Of(ctx), action: "Encrypt", context: in.EncryptionContext}, in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	blob, err := s.seal(k, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &sdk.EncryptOutput{CiphertextBlob: blob, KeyId: new(s.keyARN(k.ID)), EncryptionAlgorithm: algorithm}, nil
}

func (s *Service) decrypt(ctx context.Context, in *sdk.DecryptInput) (*sdk.DecryptOutput, error) {
	k, err := s.decryptionKey(user{by: caller.Of(ctx), action: "Decrypt", context: in.EncryptionContext},
		in.CiphertextBlob, in.KeyId)
	if err != nil {
		return nil, err
	}
	plaintext, err := s.open(k, in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	_, material, err := parseHeader(in.CiphertextBlob)
	return &sdk.DecryptOutput{
		Plaintext: plaintext, KeyId: new(s.keyARN(k.ID)), KeyMaterialId: &material, EncryptionAlgorithm: algorithm,
	}, err
}

func (s *Service) reEncrypt(ctx context.Context, in *sdk.ReEncryptInput) (*sdk.ReEncryptOutput, error) {
	from, err := s.decryptionKey(user{by: caller.Of(ctx), action: "ReEncryptFrom", context: in.SourceEncryptionContext},
		in.CiphertextBlob, in.SourceKeyId)
	if err != nil {
		return nil, err
	}
	to, err := s.encryptionKey(user{by: caller.Of(ctx), action: "ReEncryptTo", context: in.DestinationEncryptionContext},
		in.DestinationKeyId)
	if err != nil {
		return nil, err
	}
	plaintext, err := s.open(from, in.CiphertextBlob, in.SourceEncryptionContext)
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	blob, err := s.seal(to, plaintext, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	_, material, err := parseHeader(in.CiphertextBlob)
	return &sdk.ReEncryptOutput{
		CiphertextBlob: blob, KeyId: new(s.keyARN(to.ID)), SourceKeyId: new(s.keyARN(from.ID)),
		SourceKeyMaterialId: &material, DestinationKeyMaterialId: new(to.current().ID),
		SourceEncryptionAlgorithm: algorithm, DestinationEncryptionAlgorithm: algorithm,
	}, err
}

// dataKey is what is asked of a data key, by either action.
type dataKey struct {
	action  string
	key     *string
	spec    types.DataKeySpec
	size    *int32
	context map[string]string
	dryRun  *bool
}

// bytes is the size that is asked for.
func (d dataKey) bytes() (int, error) {
	switch {
	case (d.spec == "") == (d.size == nil):
		return 0, validation("Please specify either number of bytes or key spec.")
	case d.spec == types.DataKeySpecAes256:
		return 32, nil
	case d.spec == types.DataKeySpecAes128:
		return 16, nil
	case d.size == nil: // a spec that KMS does not know, which the front refuses
		return 0, validation("larder makes no data key of the spec %s", d.spec)
	}
	return int(*d.size), nil
}

// newDataKey makes a data key, in plain text and encrypted.
func (s *Service) newDataKey(ctx context.Context, d dataKey) (k key, plaintext, blob []byte, err error) {
	size, err := d.bytes()
	if err != nil {
		return key{}, nil, nil, err
	}
	if k, err = s.encryptionKey(user{by: caller.Of(ctx), action: d.action, context: d.context}, d.key); err != nil {
		return key{}, nil, nil, err
	}
	if err := dryRun(d.dryRun); err != nil {
		return key{}, nil, nil, err
	}
	plaintext = make([]byte, size)
	if _, err := io.ReadFull(s.Random, plaintext); err != nil {
		return key{}, nil, nil, fmt.Errorf("cannot make a data key: %w", err)
	}
	blob, err = s.seal(k, plaintext, d.context)
	return k, plaintext, blob, err
}

func (s *Service) generateDataKey(ctx context.Context, in *sdk.GenerateDataKeyInput) (*sdk.GenerateDataKeyOutput,
	error) {
	k, plaintext, blob, err := s.newDataKey(ctx, dataKey{"GenerateDataKey", in.KeyId, in.KeySpec, in.NumberOfBytes,
		in.EncryptionContext, in.DryRun})
	if err != nil {
		return nil, err
	}
	return &sdk.GenerateDataKeyOutput{
		Plaintext: plaintext, CiphertextBlob: blob, KeyId: new(s.keyARN(k.ID)), KeyMaterialId: new(k.current().ID),
	}, nil
}

func (s *Service) generateDataKeyWithoutPlaintext(
	ctx context.Context, in *sdk.GenerateDataKeyWithoutPlaintextInput,
) (*sdk.GenerateDataKeyWithoutPlaintextOutput, error) {
	k, _, blob, err := s.newDataKey(ctx, dataKey{"GenerateDataKeyWithoutPlaintext", in.KeyId, in.KeySpec, in.NumberOfBytes,
		in.EncryptionContext, in.DryRun})
	if err != nil {
		return nil, err
	}
	return &sdk.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: blob, KeyId: new(s.keyARN(k.ID)),
		KeyMaterialId: new(k.current().ID)}, nil
}
