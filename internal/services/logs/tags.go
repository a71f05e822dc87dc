package logs

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/store"
	"larder/internal/tagging"
)

// The API has two generations of tag actions: one names the log group, the other its ARN.

func (s *Service) tagLogGroup(ctx context.Context, in *sdk.TagLogGroupInput) (*sdk.TagLogGroupOutput, error) {
	return &sdk.TagLogGroupOutput{}, s.tag(ctx, in.LogGroupName, in.Tags)
}

func (s *Service) untagLogGroup(ctx context.Context, in *sdk.UntagLogGroupInput) (*sdk.UntagLogGroupOutput, error) {
	return &sdk.UntagLogGroupOutput{}, s.untag(ctx, in.LogGroupName, in.Tags)
}

func (s *Service) listTagsLogGroup(
	_ context.Context, in *sdk.ListTagsLogGroupInput,
) (*sdk.ListTagsLogGroupOutput, error) {
	tags, err := s.tags(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsLogGroupOutput{Tags: tags}, nil
}

func (s *Service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	name, err := s.named(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	return &sdk.TagResourceOutput{}, s.tag(ctx, &name, in.Tags)
}

func (s *Service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	name, err := s.named(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	return &sdk.UntagResourceOutput{}, s.untag(ctx, &name, in.TagKeys)
}

func (s *Service) listTagsForResource(
	_ context.Context, in *sdk.ListTagsForResourceInput,
) (*sdk.ListTagsForResourceOutput, error) {
	name, err := s.named(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	tags, err := s.tags(&name)
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsForResourceOutput{Tags: tags}, nil
}

func (s *Service) tag(ctx context.Context, name *string, given map[string]string) error {
	return s.change(ctx, name, func(g *group) error {
		if g.Tags == nil {
			g.Tags = map[string]string{}
		}
		return setTags(g.Tags, given)
	})
}

func (s *Service) untag(ctx context.Context, name *string, keys []string) error {
	return s.change(ctx, name, func(g *group) error {
		for _, key := range keys {
			delete(g.Tags, key)
		}
		return nil
	})
}

// tags returns a log group's tags, never nil: the API shows that there are none.
func (s *Service) tags(name *string) (map[string]string, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	err := s.Store.View(func(tx *store.Tx) error {
		found, err := find(tx, *name)
		maps.Copy(tags, found.Tags)
		return err
	})
	return tags, err
}

func setTags(tags, given map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if wrong := tagging.Check(key, given[key]); wrong != "" {
			return invalidParameter("%s", wrong)
		}
	}
	maps.Copy(tags, given)
	if len(tags) > tagging.Max {
		return &types.TooManyTagsException{Message: new(fmt.Sprintf("The log group would have %d tags. A log group can "+
			"have at most %d.", len(tags), tagging.Max))}
	}
	return nil
}
