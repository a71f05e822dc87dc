package kms

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"larder/internal/tagging"
)

func (s *Service) tagResource(_ context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	err := s.change(in.KeyId, func(k *key) error {
		if k.Tags == nil {
			k.Tags = map[string]string{}
		}
		return setTags(k.Tags, in.Tags)
	})
	return &sdk.TagResourceOutput{}, err
}

func (s *Service) untagResource(_ context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	err := s.change(in.KeyId, func(k *key) error {
		for _, key := range in.TagKeys {
			delete(k.Tags, key)
		}
		return nil
	})
	return &sdk.UntagResourceOutput{}, err
}

func (s *Service) listResourceTags(_ context.Context, in *sdk.ListResourceTagsInput) (*sdk.ListResourceTagsOutput, error) {
	k, err := s.view(in.KeyId)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(k.Tags))
	names, marker, err := page(names, func(name string) string { return name }, maxTags, in.Limit, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListResourceTagsOutput{Tags: []types.Tag{}, NextMarker: marker, Truncated: marker != nil}
	for _, name := range names {
		out.Tags = append(out.Tags, types.Tag{TagKey: &name, TagValue: new(k.Tags[name])})
	}
	return out, nil
}

func setTags(tags map[string]string, given []types.Tag) error {
	seen := map[string]bool{}
	for _, t := range given {
		key, value := aws.ToString(t.TagKey), aws.ToString(t.TagValue)
		if wrong := tagging.Check(key, value); wrong != "" {
			return badTag("%s.", wrong)
		}
		if seen[key] {
			return badTag("The tag key %q is given more than once.", key)
		}
		seen[key], tags[key] = true, value
	}
	if len(tags) > tagging.Max {
		return &types.LimitExceededException{Message: new("A key can have at most 50 tags.")}
	}
	return nil
}
