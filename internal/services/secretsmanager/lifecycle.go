package secretsmanager

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"larder/internal/store"
)

// The recovery window, in days.
const (
	minWindow     = 7
	maxWindow     = 30
	defaultWindow = 30
)

// maxDescription is in characters.
const maxDescription = 2048

// ownKey is the alias of the key that the service uses by itself.
const ownKey = "alias/aws/secretsmanager"

func (s *Service) createSecret(ctx context.Context, in *sdk.CreateSecretInput) (*sdk.CreateSecretOutput, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	v, err := readValue(in.SecretString, in.SecretBinary, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	made := secret{
		Name: *in.Name, Description: aws.ToString(in.Description), Tags: map[string]string{},
		Created: s.Now(), Changed: s.Now(),
	}
	if err := setTags(made.Tags, in.Tags); err != nil {
		return nil, err
	}
	if made.ARN, err = s.newARN(made.Name); err != nil {
		return nil, err
	}
	if err := s.checkKey(ctx, made.ARN, in.KmsKeyId); err != nil {
		return nil, err
	}
	if err := s.changeKey(ctx, &made, in.KmsKeyId); err != nil {
		return nil, err
	}
	if made, err = s.create(ctx, made, v); err != nil {
		return nil, err
	}
	out := &sdk.CreateSecretOutput{ARN: &made.ARN, Name: &made.Name}
	if v != nil {
		out.VersionId = &v.id
	}
	return out, nil
}

// create keeps a new secret, and returns it, or the one that is there already.
func (s *Service) create(ctx context.Context, made secret, v *value) (secret, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	var found secret
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = s.get(tx, made.Name)
		return err
	})
	switch {
	case err == nil:
		return found, s.sameAgain(ctx, found, v)
	case !isNotFound(err):
		return made, err
	}
	if v != nil {
		first, err := s.sealed(ctx, made, v)
		if err != nil {
			return made, err
		}
		made.add(first, nil)
	}
	return made, s.keep(ctx, made)
}

// sameAgain tells whether a secret that is there was made by the same request, which the client sends again.
func (s *Service) sameAgain(ctx context.Context, found secret, v *value) error {
	if !found.Deleted.IsZero() {
		return invalidRequest("You can't create this secret because a secret with this name is already scheduled for " +
			"deletion.")
	}
	if v != nil && found.Versions[v.id] != nil {
		return s.checkSame(ctx, found, v)
	}
	return &types.ResourceExistsException{Message: new("The operation failed because the secret " + found.Name +
		" already exists.")}
}

func (s *Service) describeSecret(_ context.Context, in *sdk.DescribeSecretInput) (*sdk.DescribeSecretOutput, error) {
	var found secret
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = s.find(tx, in.SecretId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeSecretOutput{
		ARN: &found.ARN, Name: &found.Name, Description: text(found.Description), KmsKeyId: text(found.KMSKeyID),
		Tags:        tagList(found.Tags),
		CreatedDate: &found.Created, LastChangedDate: &found.Changed, LastAccessedDate: moment(found.LastAccessed),
		DeletedDate: moment(found.Deleted), VersionIdsToStages: found.stages(),
	}, nil
}

func (s *Service) updateSecret(ctx context.Context, in *sdk.UpdateSecretInput) (*sdk.UpdateSecretOutput, error) {
	if err := s.checkID(in.SecretId); err != nil {
		return nil, err
	}
	v, err := readValue(in.SecretString, in.SecretBinary, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.UpdateSecretOutput{}
	changed, err := s.change(ctx, in.SecretId, func(found *secret) error {
		if err := s.checkKey(ctx, found.ARN, in.KmsKeyId); err != nil {
			return err
		}
		if err := s.changeKey(ctx, found, in.KmsKeyId); err != nil {
			return err
		}
		if in.Description != nil {
			found.Description = *in.Description
		}
		found.Changed = s.Now()
		if v == nil {
			return nil
		}
		out.VersionId = &v.id
		return s.put(ctx, found, v, nil)
	})
	out.ARN, out.Name = &changed.ARN, &changed.Name
	return out, err
}

func (s *Service) deleteSecret(ctx context.Context, in *sdk.DeleteSecretInput) (*sdk.DeleteSecretOutput, error) {
	if err := s.checkID(in.SecretId); err != nil {
		return nil, err
	}
	force, window := aws.ToBool(in.ForceDeleteWithoutRecovery), int64(defaultWindow)
	if in.RecoveryWindowInDays != nil {
		window = *in.RecoveryWindowInDays
	}
	switch {
	case force && in.RecoveryWindowInDays != nil:
		return nil, invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case window < minWindow || window > maxWindow:
		return nil, invalidParameter("The RecoveryWindowInDays value must be between %d and %d days (inclusive).",
			minWindow, maxWindow)
	case force:
		return s.deleteAtOnce(ctx, in.SecretId)
	}
	var found secret
	err := s.update(ctx, func(tx *store.Tx) (err error) {
		found, err = s.find(tx, in.SecretId)
		if store.IsUnreadable(err) {
			return store.Advise(err, "It cannot have a recovery window: delete it with ForceDeleteWithoutRecovery")
		}
		if err != nil {
			return err
		}
		if !found.Deleted.IsZero() {
			return invalidRequest("You can't perform this operation on the secret because it was already scheduled for " +
				"deletion.")
		}
		found.Deleted = s.Now()
		found.DeletionDate = found.Deleted.Add(time.Duration(window) * day)
		return secrets.Put(tx, found.Name, found)
	})
	return &sdk.DeleteSecretOutput{ARN: &found.ARN, Name: &found.Name, DeletionDate: &found.DeletionDate}, err
}

// deleteAtOnce also succeeds where there is no such secret, as on AWS.
func (s *Service) deleteAtOnce(ctx context.Context, id *string) (*sdk.DeleteSecretOutput, error) {
	out := &sdk.DeleteSecretOutput{DeletionDate: new(s.Now())}
	err := s.update(ctx, func(tx *store.Tx) error {
		found, err := s.find(tx, id)
		if isNotFound(err) {
			name := strings.TrimPrefix(*id, s.arnPrefix())
			out.Name, out.ARN = &name, new(s.arnPrefix()+name)
			return nil
		}
		if damaged, is := errors.AsType[*store.RowError](err); is {
			out.Name, out.ARN = &damaged.Key, new(s.arnPrefix()+damaged.Key)
			return secrets.Delete(tx, damaged.Key)
		}
		if err != nil {
			return err
		}
		out.Name, out.ARN = &found.Name, &found.ARN
		return secrets.Delete(tx, found.Name)
	})
	return out, err
}

func (s *Service) restoreSecret(ctx context.Context, in *sdk.RestoreSecretInput) (*sdk.RestoreSecretOutput, error) {
	var found secret
	err := s.update(ctx, func(tx *store.Tx) (err error) {
		if found, err = s.find(tx, in.SecretId); err != nil {
			return err
		}
		found.Deleted, found.DeletionDate = time.Time{}, time.Time{}
		return secrets.Put(tx, found.Name, found)
	})
	return &sdk.RestoreSecretOutput{ARN: &found.ARN, Name: &found.Name}, err
}

// text and moment leave out what is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
