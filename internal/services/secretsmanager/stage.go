package secretsmanager

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func (s *Service) updateVersionStage(
	ctx context.Context, in *sdk.UpdateSecretVersionStageInput,
) (*sdk.UpdateSecretVersionStageOutput, error) {
	if err := s.checkID(in.SecretId); err != nil {
		return nil, err
	}
	stage := aws.ToString(in.VersionStage)
	if in.MoveToVersionId == nil && in.RemoveFromVersionId == nil {
		return nil, invalidParameter("You must specify MoveToVersionId, RemoveFromVersionId or both.")
	}
	changed, err := s.change(ctx, in.SecretId, func(found *secret) error {
		if err := found.checkRelease(stage, in.RemoveFromVersionId, in.MoveToVersionId); err != nil {
			return err
		}
		found.Changed = s.Now()
		return found.relabel(stage, in.MoveToVersionId)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.UpdateSecretVersionStageOutput{ARN: &changed.ARN, Name: &changed.Name}, nil
}

// checkRelease refuses to take a label from a version other than the one that a request names.
func (s *secret) checkRelease(stage string, from, to *string) error {
	holder := s.staged(stage)
	switch {
	case from != nil && (holder == nil || holder.ID != *from):
		return invalidParameter("The staging label %s isn't attached to the version %s that RemoveFromVersionId names.",
			stage, *from)
	case to == nil && stage == current:
		return invalidParameter("You can only move staging label %s to a different secret version. It can't be completely "+
			"removed.", current)
	case from == nil && holder != nil && holder.ID != *to:
		return invalidParameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached "+
			"to version %s, "+
			"so you must explicitly reference that version in RemoveFromVersionId.", stage, holder.ID)
	}
	return nil
}

// relabel gives a label to another version, or to none.
func (s *secret) relabel(stage string, to *string) error {
	if to == nil {
		s.staged(stage).drop(stage)
		return nil
	}
	v := s.Versions[*to]
	switch {
	case v == nil:
		return notFound("Secrets Manager can't find the specified secret value for VersionId: %s", *to)
	case len(v.Stages) >= maxStages && !slices.Contains(v.Stages, stage):
		return invalidParameter("A version can have at most %d staging labels; %s has %d.", maxStages, *to,
			len(v.Stages))
	}
	s.move(stage, v)
	return nil
}
