package secretsmanager

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"larder/internal/tagging"
)

func (s *Service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	_, err := s.change(ctx, in.SecretId, func(found *secret) error {
		if found.Tags == nil {
			found.Tags = map[string]string{}
		}
		return setTags(found.Tags, in.Tags)
	})
	return &sdk.TagResourceOutput{}, err
}

func (s *Service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	_, err := s.change(ctx, in.SecretId, func(found *secret) error {
		for _, key := range in.TagKeys {
			delete(found.Tags, key)
		}
		return nil
	})
	return &sdk.UntagResourceOutput{}, err
}

func setTags(tags map[string]string, given []types.Tag) error {
	for _, t := range given {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if wrong := tagging.Check(key, value); wrong != "" {
			return invalidParameter("%s.", wrong)
		}
		tags[key] = value
	}
	if len(tags) > tagging.Max {
		return invalidParameter("The secret would have %d tags. A secret can have at most %d.", len(tags), tagging.Max)
	}
	return nil
}

// tagList is the form of the API, in the order of the keys.
func tagList(tags map[string]string) []types.Tag {
	list := []types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: new(key), Value: new(tags[key])})
	}
	return list
}
