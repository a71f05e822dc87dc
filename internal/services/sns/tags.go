package sns

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/audit"
	"larder/internal/store"
	"larder/internal/tagging"
)

// tagged finds the topic whose tags a request is about.
func (s *Service) tagged(tx *store.Tx, arn *string) (topic, error) {
	name, err := s.resource(arn, "ResourceArn")
	if err != nil {
		return topic{}, err
	}
	found, err := topics.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		return topic{}, noResource()
	}
	return found, err
}

// retag changes a topic's tags.
func (s *Service) retag(ctx context.Context, arn *string, change func(tags map[string]string) error) error {
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		found, err := s.tagged(tx, arn)
		if err != nil {
			return err
		}
		if found.Tags == nil {
			found.Tags = map[string]string{}
		}
		if err := change(found.Tags); err != nil {
			return err
		}
		return topics.Put(tx, found.Name, found)
	})
}

func (s *Service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	err := s.retag(ctx, in.ResourceArn, func(tags map[string]string) error { return setTags(tags, in.Tags) })
	return &sdk.TagResourceOutput{}, err
}

func (s *Service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	err := s.retag(ctx, in.ResourceArn, func(tags map[string]string) error {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		return nil
	})
	return &sdk.UntagResourceOutput{}, err
}

func (s *Service) listTags(
	_ context.Context, in *sdk.ListTagsForResourceInput,
) (*sdk.ListTagsForResourceOutput, error) {
	var found topic
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = s.tagged(tx, in.ResourceArn)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(found.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: &key, Value: new(found.Tags[key])})
	}
	return out, nil
}

func setTags(tags map[string]string, given []types.Tag) error {
	seen := map[string]bool{}
	for _, t := range given {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if wrong := tagging.Check(key, value); wrong != "" {
			return invalidParameter("Tags Reason: %s", wrong)
		}
		if seen[key] {
			return invalidParameter("Duplicated keys are not allowed.")
		}
		seen[key], tags[key] = true, value
	}
	if len(tags) > tagging.Max {
		return &types.TagLimitExceededException{Message: new(fmt.Sprintf("The topic would have %d tags. A topic can have "+
			"at most %d.", len(tags), tagging.Max))}
	}
	return nil
}
