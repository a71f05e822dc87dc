package secretsmanager

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"larder/internal/caller"
)

// Keys are the account's KMS keys, as this service uses them for its callers. Refusals are those of KMS. A key's
// rotation may be due when it is used, so no transaction of the store may be open.
type Keys interface {
	Wrap(id string, plaintext []byte, context map[string]string) ([]byte, error)
	Unwrap(blob []byte, context map[string]string) ([]byte, error)
	// Permit refuses what the key's policy does not let a caller do through the service.
	Permit(id string, by caller.Caller, context map[string]string, actions ...string) error
}

// keyContext is what a version's value is bound to where a KMS key seals it. Source: "Secret encryption and decryption"
// in the service's guide.
func keyContext(arn, version string) map[string]string {
	return map[string]string{"SecretARN": arn, "SecretVersionId": version}
}

// keyTrial stands for a version's id where only the key is tried.
const keyTrial = "RequestToValidateKeyAccess"

// checkKey refuses a key that a secret cannot be sealed with.
func (s *Service) checkKey(ctx context.Context, arn string, key *string) error {
	if key == nil || *key == "" || *key == ownKey {
		return nil
	}
	if err := s.permit(ctx, *key, keyContext(arn, keyTrial), "GenerateDataKey", "Decrypt"); err != nil {
		return encryptionFailure(err)
	}
	_, err := s.Keys.Wrap(*key, nil, keyContext(arn, keyTrial))
	return encryptionFailure(err)
}

// permit refuses what the key's policy does not let the caller do through the service.
func (s *Service) permit(ctx context.Context, key string, bound map[string]string, actions ...string) error {
	return s.Keys.Permit(key, caller.Of(ctx), bound, actions...)
}

// seal seals a version's value with the secret's key: a KMS key where it has one, else the installation's.
func (s *Service) seal(ctx context.Context, of secret, v *version, data []byte) (err error) {
	v.Key = cmp.Or(of.KMSKeyID, ownKey)
	if v.Key == ownKey {
		v.Sealed = s.Sealer.Seal(valueAAD(of.ARN, v.ID), data)
		return nil
	}
	if err := s.permit(ctx, v.Key, keyContext(of.ARN, v.ID), "GenerateDataKey"); err != nil {
		return encryptionFailure(err)
	}
	v.Sealed, err = s.Keys.Wrap(v.Key, data, keyContext(of.ARN, v.ID))
	return encryptionFailure(err)
}

// open returns a version's value. Its key must be usable.
func (s *Service) open(ctx context.Context, of secret, v *version) ([]byte, error) {
	if v.Key == "" && of.KMSKeyID != "" { // sealed by an earlier larder, with the installation's key
		if err := s.permit(ctx, of.KMSKeyID, keyContext(of.ARN, v.ID), "Decrypt"); err != nil {
			return nil, decryptionFailure(err)
		}
		if _, err := s.Keys.Wrap(of.KMSKeyID, nil, keyContext(of.ARN, keyTrial)); err != nil {
			return nil, decryptionFailure(err)
		}
	}
	if v.Key == "" || v.Key == ownKey {
		return s.Sealer.Open(valueAAD(of.ARN, v.ID), v.Sealed)
	}
	if err := s.permit(ctx, v.Key, keyContext(of.ARN, v.ID), "Decrypt"); err != nil {
		return nil, decryptionFailure(err)
	}
	data, err := s.Keys.Unwrap(v.Sealed, keyContext(of.ARN, v.ID))
	return data, decryptionFailure(err)
}

// changeKey gives a secret another key, and seals the versions anew that have one of the service's own labels, as on
// AWS. A version whose former key cannot be used stays sealed with it.
func (s *Service) changeKey(ctx context.Context, of *secret, key *string) error {
	if key == nil {
		return nil
	}
	former := *of
	if of.KMSKeyID = *key; *key == ownKey {
		of.KMSKeyID = ""
	}
	if of.KMSKeyID == former.KMSKeyID {
		return nil
	}
	for _, v := range of.Versions {
		if v.Key == "" { // the secret's key, which is to be another, is what admits to it
			if _, err := s.open(ctx, former, v); err != nil {
				return err
			}
			v.Key = ownKey
		}
		if !slices.ContainsFunc(v.Stages,
			func(l string) bool { return l == current || l == previous || l == pending }) {
			continue
		}
		data, err := s.open(ctx, former, v)
		if locked := (*types.DecryptionFailure)(nil); errors.As(err, &locked) {
			continue
		}
		if err == nil {
			err = s.seal(ctx, *of, v, data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func encryptionFailure(err error) error {
	return keyFailure(err, func(text string) error {
		return &types.EncryptionFailure{Message: new("Secrets Manager can't encrypt the secret value: " + text)}
	})
}

func decryptionFailure(err error) error {
	return keyFailure(err, func(text string) error {
		return &types.DecryptionFailure{Message: new("Secrets Manager can't decrypt the secret value: " + text)}
	})
}

// keyFailure gives a refusal of KMS the form that it has here. Other failures stay as they are.
func keyFailure(err error, failure func(text string) error) error {
	var refusal smithy.APIError
	switch {
	case !errors.As(err, &refusal):
		return err
	case refusal.ErrorCode() == "AccessDeniedException":
		return &smithy.GenericAPIError{
			Code: refusal.ErrorCode(), Message: "Access to KMS is not allowed", Fault: smithy.FaultClient,
		}
	}
	return failure(refusal.ErrorMessage())
}

// sealedWith is how a version's key is listed.
func (s *secret) sealedWith(v *version) string {
	key := cmp.Or(v.Key, s.KMSKeyID, ownKey)
	if key == ownKey {
		return defaultKey
	}
	return key
}
