package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/audit"
	"larder/internal/store"
	"larder/internal/tagging"
)

// tagged finds the alarm whose tags a request is about.
func (s *Service) tagged(tx *store.Tx, arn *string) (storedAlarm, error) {
	name, ok := strings.CutPrefix(aws.ToString(arn), s.alarmARN(""))
	if !ok {
		return storedAlarm{}, invalidValue("ResourceARN %q is not the ARN of an alarm of account %s in %s", aws.ToString(arn),
			s.Account, s.Region)
	}
	found, err := alarms.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		return storedAlarm{}, absent{&types.ResourceNotFoundException{
			Message: new("There is no alarm " + name), ResourceId: &name, ResourceType: new("alarm"),
		}}
	}
	return found, err
}

// retag changes an alarm's tags.
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
		return alarms.Put(tx, *found.AlarmName, found)
	})
}

func (s *Service) tagResource(ctx context.Context, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	err := s.retag(ctx, in.ResourceARN, func(tags map[string]string) error { return setTags(tags, in.Tags) })
	return &sdk.TagResourceOutput{}, err
}

func (s *Service) untagResource(ctx context.Context, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	err := s.retag(ctx, in.ResourceARN, func(tags map[string]string) error {
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
	var found storedAlarm
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = s.tagged(tx, in.ResourceARN)
		return err
	})
	if err != nil && !errors.As(err,
		new(*types.ResourceNotFoundException)) { // an alarm that is gone has no tags, and that is no error
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
			return invalidValue("%s", wrong)
		}
		if seen[key] {
			return invalidValue("The tag key %q is given more than once", key)
		}
		seen[key], tags[key] = true, value
	}
	if len(tags) > tagging.Max {
		return &types.LimitExceededFault{Message: new(fmt.Sprintf("The alarm would have %d tags. An alarm can have at most "+
			"%d.", len(tags), tagging.Max))}
	}
	return nil
}
