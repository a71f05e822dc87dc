package secretsmanager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"larder/internal/store"
)

const (
	maxValue  = 65536 // bytes
	maxStages = 20
	maxStage  = 256 // characters
	minToken  = 32
	maxToken  = 64
)

// value is a new value of a secret, as it was given.
type value struct {
	id     string // of the version that it becomes
	data   []byte
	binary bool
}

// readValue reads a value and the token of its request. It returns nil when there is no value. The token is needed all
// the same: SDKs always send one.
func readValue(plain *string, data []byte, token *string) (*value, error) {
	v := &value{id: aws.ToString(token), data: data, binary: true}
	if plain != nil {
		v.data, v.binary = []byte(*plain), false
	}
	switch {
	case v.id == "":
		return nil, invalidRequest("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	case plain != nil && data != nil:
		return nil, invalidParameter("You can't specify both a binary secret value and a string secret value in the same " +
			"secret.")
	case plain == nil && data == nil:
		return nil, nil
	case len(v.data) > maxValue: // a text of fewer characters
		return nil, invalidParameter("The secret value has %d bytes. It can have at most %d.", len(v.data), maxValue)
	}
	return v, nil
}

// sealed makes a version of a value.
func (s *Service) sealed(ctx context.Context, of secret, v *value) (*version, error) {
	made := &version{ID: v.id, Binary: v.binary, Created: s.Now()}
	return made, s.seal(ctx, of, made, v.data)
}

// put adds a value, unless the same request did so already.
func (s *Service) put(ctx context.Context, to *secret, v *value, stages []string) error {
	if to.Versions[v.id] != nil {
		return s.checkSame(ctx, *to, v)
	}
	made, err := s.sealed(ctx, *to, v)
	if err != nil {
		return err
	}
	to.add(made, stages)
	to.Changed = s.Now()
	return nil
}

// checkSame refuses a request that has the token of another one.
func (s *Service) checkSame(ctx context.Context, of secret, v *value) error {
	old := of.Versions[v.id]
	data, err := s.open(ctx, of, old)
	if err != nil {
		return err
	}
	if old.Binary != v.binary || !bytes.Equal(data, v.data) {
		return &types.ResourceExistsException{Message: new(fmt.Sprintf(
			"You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.",
			v.id, of.ARN))}
	}
	return nil
}

func (s *Service) putSecretValue(ctx context.Context, in *sdk.PutSecretValueInput) (*sdk.PutSecretValueOutput, error) {
	if err := s.checkID(in.SecretId); err != nil {
		return nil, err
	}
	v, err := readValue(in.SecretString, in.SecretBinary, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, invalidRequest("You must provide either SecretString or SecretBinary.")
	}
	if err := checkStages(in.VersionStages); err != nil {
		return nil, err
	}
	changed, err := s.change(ctx, in.SecretId, func(found *secret) error { return s.put(ctx, found, v, in.VersionStages) })
	if err != nil {
		return nil, err
	}
	return &sdk.PutSecretValueOutput{ARN: &changed.ARN, Name: &changed.Name, VersionId: &v.id,
		VersionStages: changed.Versions[v.id].Stages}, nil
}

func checkStages(stages []string) error {
	for i, stage := range stages {
		if slices.Contains(stages[:i], stage) {
			return invalidParameter("The staging label %s is given more than once.", stage)
		}
	}
	return nil
}

func (s *Service) getSecretValue(ctx context.Context, in *sdk.GetSecretValueInput) (*sdk.GetSecretValueOutput, error) {
	var found secret
	var v *version
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if found, err = s.findLive(tx, in.SecretId); err != nil {
			return err
		}
		v, err = found.pick(in.VersionId, in.VersionStage)
		return err
	})
	if err != nil {
		return nil, err
	}
	read, err := s.read(ctx, found, v)
	if err != nil {
		return nil, err
	}
	return &sdk.GetSecretValueOutput{
		ARN: read.ARN, Name: read.Name, VersionId: read.VersionId, VersionStages: read.VersionStages,
		CreatedDate:  read.CreatedDate,
		SecretBinary: read.SecretBinary, SecretString: read.SecretString,
	}, nil
}

// read opens one version's value, and notes the access. A day that cannot be written is no reason to keep the value
// from who may read it: the next access tries again.
func (s *Service) read(ctx context.Context, found secret, v *version) (types.SecretValueEntry, error) {
	data, err := s.open(ctx, found, v)
	if err != nil {
		return types.SecretValueEntry{}, err
	}
	var unwritten *store.WriteError
	if err := s.touch(ctx, found, v); errors.As(err, &unwritten) {
		s.Failed(fmt.Errorf("cannot note that the secret %s was read: %w", found.Name, err))
	} else if err != nil {
		return types.SecretValueEntry{}, err
	}
	out := types.SecretValueEntry{
		ARN: &found.ARN, Name: &found.Name, VersionId: &v.ID, VersionStages: v.Stages, CreatedDate: &v.Created,
	}
	if v.Binary {
		out.SecretBinary = data
	} else {
		out.SecretString = new(string(data))
	}
	return out, nil
}

// pick chooses the version that a request names by its id, by a label or by both; the current one by default.
func (s *secret) pick(id, stage *string) (*version, error) {
	if id == nil {
		label := current
		if stage != nil {
			label = *stage
		}
		v := s.staged(label)
		if v == nil {
			return nil, notFound("Secrets Manager can't find the specified secret value for staging label: %s", label)
		}
		return v, nil
	}
	v := s.Versions[*id]
	switch {
	case v == nil:
		return nil, notFound("Secrets Manager can't find the specified secret value for VersionId: %s", *id)
	case stage != nil && !slices.Contains(v.Stages, *stage):
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return v, nil
}

// touch notes the day of an access. Only the first one of a day writes.
func (s *Service) touch(ctx context.Context, found secret, v *version) error {
	today := s.Now().UTC().Truncate(day)
	if v.LastAccessed.Equal(today) {
		return nil
	}
	return s.update(ctx, func(tx *store.Tx) error {
		now, err := secrets.Get(tx, found.Name)
		if err != nil || now.ARN != found.ARN || now.Versions[v.ID] == nil {
			return err // somebody replaced it after it was read
		}
		now.LastAccessed, now.Versions[v.ID].LastAccessed = today, today
		return secrets.Put(tx, now.Name, now)
	})
}
