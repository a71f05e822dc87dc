package kms

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"larder/internal/audit"
	"larder/internal/caller"
	"larder/internal/store"
)

// maxDescription is in characters.
const maxDescription = 8192

// The waiting period before a key is deleted, in days.
const (
	minWindow     = 7
	maxWindow     = 30
	defaultWindow = 30
)

func (s *Service) createKey(ctx context.Context, in *sdk.CreateKeyInput) (*sdk.CreateKeyOutput, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	made, err := s.newKey(id)
	if err != nil {
		return nil, err
	}
	made.Description = aws.ToString(in.Description)
	if in.Policy != nil {
		if err := s.checkPolicy(*in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
			return nil, err
		}
		made.Policy = *in.Policy
	}
	if err := setTags(made.Tags, in.Tags); err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error { return keys.Put(tx, made.ID, made) })
	if err != nil {
		return nil, err
	}
	return &sdk.CreateKeyOutput{KeyMetadata: s.metadata(made)}, nil
}

func (s *Service) metadata(k key) *types.KeyMetadata {
	m := &types.KeyMetadata{
		KeyId: &k.ID, Arn: new(s.keyARN(k.ID)), AWSAccountId: &s.Account, CreationDate: &k.Created,
		Description: &k.Description,
		Enabled:     k.State == types.KeyStateEnabled, KeyState: k.State, KeyManager: k.manager(),
		KeyUsage: types.KeyUsageTypeEncryptDecrypt, Origin: types.OriginTypeAwsKms, MultiRegion: new(false),
		KeySpec: types.KeySpecSymmetricDefault,
		//lint:ignore SA1019 KMS answers both fields, and older clients read this one
		CustomerMasterKeySpec: types.CustomerMasterKeySpecSymmetricDefault,
		EncryptionAlgorithms:  []types.EncryptionAlgorithmSpec{types.EncryptionAlgorithmSpecSymmetricDefault},
		CurrentKeyMaterialId:  new(k.current().ID),
	}
	if !k.Deletion.IsZero() {
		m.DeletionDate = &k.Deletion
	}
	return m
}

func (s *Service) describeKey(ctx context.Context, in *sdk.DescribeKeyInput) (*sdk.DescribeKeyOutput, error) {
	if err := s.predefine(in.KeyId); err != nil {
		return nil, err
	}
	var k key
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if k, err = s.resolve(tx, in.KeyId); err != nil {
			return err
		}
		return s.admit(user{by: caller.Of(ctx), action: "DescribeKey"}, k)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeKeyOutput{KeyMetadata: s.metadata(k)}, nil
}

func (s *Service) updateKeyDescription(
	ctx context.Context, in *sdk.UpdateKeyDescriptionInput,
) (*sdk.UpdateKeyDescriptionOutput, error) {
	err := s.change(ctx, "UpdateKeyDescription", in.KeyId, func(k *key) error {
		k.Description = *in.Description
		return nil
	})
	return &sdk.UpdateKeyDescriptionOutput{}, err
}

func (s *Service) enableKey(ctx context.Context, in *sdk.EnableKeyInput) (*sdk.EnableKeyOutput, error) {
	return &sdk.EnableKeyOutput{}, s.setState(ctx, "EnableKey", in.KeyId, types.KeyStateEnabled)
}

func (s *Service) disableKey(ctx context.Context, in *sdk.DisableKeyInput) (*sdk.DisableKeyOutput, error) {
	return &sdk.DisableKeyOutput{}, s.setState(ctx, "DisableKey", in.KeyId, types.KeyStateDisabled)
}

func (s *Service) setState(ctx context.Context, action string, id *string, state types.KeyState) error {
	return s.change(ctx, action, id, func(k *key) error {
		k.State = state
		return nil
	})
}

func (s *Service) scheduleKeyDeletion(
	ctx context.Context, in *sdk.ScheduleKeyDeletionInput,
) (*sdk.ScheduleKeyDeletionOutput, error) {
	window := int32(defaultWindow)
	if in.PendingWindowInDays != nil {
		window = *in.PendingWindowInDays
	}
	out := &sdk.ScheduleKeyDeletionOutput{KeyState: types.KeyStatePendingDeletion, PendingWindowInDays: &window}
	err := s.change(ctx, "ScheduleKeyDeletion", in.KeyId, func(k *key) error {
		k.State = types.KeyStatePendingDeletion
		k.Deletion = s.Now().Add(time.Duration(window) * day)
		out.KeyId, out.DeletionDate = new(s.keyARN(k.ID)), &k.Deletion
		return nil
	})
	return out, err
}

// cancelKeyDeletion takes the deletion back. The key is disabled then, whatever it was before.
func (s *Service) cancelKeyDeletion(
	ctx context.Context, in *sdk.CancelKeyDeletionInput,
) (*sdk.CancelKeyDeletionOutput, error) {
	out := &sdk.CancelKeyDeletionOutput{}
	err := s.changeAny(ctx, "CancelKeyDeletion", in.KeyId, func(k *key) error {
		out.KeyId = new(s.keyARN(k.ID))
		if k.State != types.KeyStatePendingDeletion {
			return &types.KMSInvalidStateException{Message: new(*out.KeyId + " is not pending deletion.")}
		}
		k.State, k.Deletion = types.KeyStateDisabled, time.Time{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
