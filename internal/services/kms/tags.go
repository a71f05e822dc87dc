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

func (s *Service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	err := s.change(ctx, "TagResource", in.KeyId, func(k *key) error {
		if k.Tags == nil {
			k.Tags = map[string]string{}
		}
		return setTags(k.Tags, in.Tags)
	})
	return &sdk.TagResourceOutput{}, err
}

func (s *Service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	err := s.change(ctx, "UntagResource", in.KeyId, func(k *key) error {
		for _, key := range in.TagKeys {
			delete(k.Tags, key)
		}
		return nil
	})
	return &sdk.UntagResourceOutput{}, err
}

func (s *Service) listResourceTags(
	ctx context.Context, in *sdk.ListResourceTagsInput,
) (*sdk.ListResourceTagsOutput, error) {
	k, err := s.view(ctx, "ListResourceTags", in.KeyId)
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

// setTags adds tags, of which the front has checked the lengths.
func setTags(tags map[string]string, given []types.Tag) error {
	seen := map[string]bool{}
	for _, t := range given {
		seen[aws.ToString(t.TagKey)] = true
	}
	switch {
	case len(seen) < len(given):
		return badTag("Duplicate tag keys")
	case len(given) > tagging.Max:
		return badTag("Too many tags")
	}
	for _, t := range given {
		if tagging.Reserved(*t.TagKey) {
			return badTag("Tags beginning with aws: are reserved")
		}
		tags[*t.TagKey] = aws.ToString(t.TagValue)
	}
	if len(tags) > tagging.Max {
		return badTag("Too many tags")
	}
	return nil
}
