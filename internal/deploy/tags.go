package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"golang.org/x/sync/errgroup"

	"larder/internal/awssdk/ec2"
	ec2types "larder/internal/awssdk/ec2/types"
	"larder/internal/module"
)

// serviceOf is the service of a resource, which an ARN names third. EC2's resources are known by id here.
func serviceOf(resource string) string {
	parts := strings.SplitN(resource, ":", 4)
	if len(parts) < 4 {
		return "ec2"
	}
	return parts[2]
}

// tagsOf reads a resource's tags.
func (d *Deployer) tagsOf(ctx context.Context, resource string) (map[string]string, error) {
	tags := map[string]string{}
	switch service := serviceOf(resource); service {
	case "elasticache":
		out, err := d.Cache.ListTagsForResource(ctx, &elasticache.ListTagsForResourceInput{ResourceName: &resource})
		if err != nil {
			return nil, err
		}
		for _, t := range out.TagList {
			tags[*t.Key] = aws.ToString(t.Value)
		}
	case "cloudwatch":
		out, err := d.Alarms.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: &resource})
		if err != nil {
			return nil, err
		}
		for _, t := range out.Tags {
			tags[*t.Key] = aws.ToString(t.Value)
		}
	case "logs":
		out, err := d.Logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: &resource})
		if err != nil {
			return nil, err
		}
		tags = out.Tags
	case "kms":
		out, err := d.Keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: &resource})
		if err != nil {
			return nil, err
		}
		for _, t := range out.Tags {
			tags[*t.TagKey] = aws.ToString(t.TagValue)
		}
	case "sns":
		out, err := d.Topics.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: &resource})
		if err != nil {
			return nil, err
		}
		for _, t := range out.Tags {
			tags[*t.Key] = aws.ToString(t.Value)
		}
	default:
		return nil, fmt.Errorf("the tags of %s's resources are not read this way", service)
	}
	return tags, nil
}

// retag sets tags of a resource and takes others away.
func (d *Deployer) retag(ctx context.Context, resource string, set map[string]string, remove []string) error {
	if len(set) > 0 {
		if err := d.setTags(ctx, resource, set); err != nil {
			return fmt.Errorf("cannot set tags of %s: %w", resource, err)
		}
	}
	if len(remove) > 0 {
		if err := d.removeTags(ctx, resource, remove); err != nil {
			return fmt.Errorf("cannot remove tags of %s: %w", resource, err)
		}
	}
	return nil
}

func (d *Deployer) setTags(ctx context.Context, resource string, set map[string]string) (err error) {
	switch serviceOf(resource) {
	case "elasticache":
		_, err = d.Cache.AddTagsToResource(ctx,
			&elasticache.AddTagsToResourceInput{ResourceName: &resource,
				Tags: listed(set, func(k, v *string) ectypes.Tag { return ectypes.Tag{Key: k, Value: v} })})
	case "cloudwatch":
		_, err = d.Alarms.TagResource(ctx,
			&cloudwatch.TagResourceInput{ResourceARN: &resource,
				Tags: listed(set, func(k, v *string) cwtypes.Tag { return cwtypes.Tag{Key: k, Value: v} })})
	case "logs":
		_, err = d.Logs.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: &resource, Tags: set})
	case "secretsmanager":
		_, err = d.Secrets.TagResource(ctx,
			&secretsmanager.TagResourceInput{SecretId: &resource,
				Tags: listed(set, func(k, v *string) smtypes.Tag { return smtypes.Tag{Key: k, Value: v} })})
	case "kms":
		_, err = d.Keys.TagResource(ctx, &kms.TagResourceInput{KeyId: &resource, Tags: listed(set, keyTag)})
	case "sns":
		_, err = d.Topics.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &resource, Tags: listed(set, topicTag)})
	default:
		_, err = d.Network.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{resource}, Tags: networkTags(set)})
	}
	return err
}

func (d *Deployer) removeTags(ctx context.Context, resource string, keys []string) (err error) {
	switch serviceOf(resource) {
	case "elasticache":
		_, err = d.Cache.RemoveTagsFromResource(ctx,
			&elasticache.RemoveTagsFromResourceInput{ResourceName: &resource, TagKeys: keys})
	case "cloudwatch":
		_, err = d.Alarms.UntagResource(ctx, &cloudwatch.UntagResourceInput{ResourceARN: &resource, TagKeys: keys})
	case "logs":
		_, err = d.Logs.UntagResource(ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: &resource, TagKeys: keys})
	case "secretsmanager":
		_, err = d.Secrets.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: &resource, TagKeys: keys})
	case "kms":
		_, err = d.Keys.UntagResource(ctx, &kms.UntagResourceInput{KeyId: &resource, TagKeys: keys})
	case "sns":
		_, err = d.Topics.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: &resource, TagKeys: keys})
	default:
		var tags []ec2types.Tag
		for _, key := range keys {
			tags = append(tags, ec2types.Tag{Key: aws.String(key)})
		}
		_, err = d.Network.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{resource}, Tags: tags})
	}
	return err
}

// listed makes a service's own list of tags.
func listed[T any](tags map[string]string, one func(key, value *string) T) []T {
	var list []T
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, one(aws.String(key), aws.String(tags[key])))
	}
	return list
}

func networkTags(tags map[string]string) []ec2types.Tag {
	return listed(tags, func(k, v *string) ec2types.Tag { return ec2types.Tag{Key: k, Value: v} })
}

// tags makes the changes of tags, of every resource that was there before.
func (a *apply) tags(ctx context.Context) error {
	changes := map[string][]module.Change{}
	for _, c := range of(module.Diff(a.desired, a.observed), module.TagResource) {
		changes[c.Name] = append(changes[c.Name], c)
	}
	var work errgroup.Group
	work.SetLimit(atOnce)
	for resource, changes := range changes {
		work.Go(func() error { return a.changeTags(ctx, resource, changes) })
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for _, resource := range sortedKeys(changes) {
		a.tagsDone(changes[resource])
	}
	return nil
}

// ensureTags gives a resource the tags of the call.
func (a *apply) ensureTags(ctx context.Context, resource string, want, have map[string]string) error {
	changes := module.Diff(module.Resources{Tags: want},
		module.Observed{Tags: map[string]map[string]string{resource: have}})
	if err := a.changeTags(ctx, resource, changes); err != nil {
		return err
	}
	a.tagsDone(changes)
	return nil
}

// tagsDone tells of changes of tags: of the same change of several resources once.
func (a *apply) tagsDone(changes []module.Change) {
	for _, c := range changes {
		if c.Remove {
			a.doneOnce("removed tag " + c.Field)
		} else {
			a.doneOnce(fmt.Sprintf("set tag %s to %q", c.Field, c.New))
		}
	}
}

func (a *apply) changeTags(ctx context.Context, resource string, changes []module.Change) error {
	set, remove := map[string]string{}, []string(nil)
	for _, c := range changes {
		if c.Remove {
			remove = append(remove, c.Field)
		} else {
			set[c.Field] = c.New
		}
	}
	return a.write(func() error { return a.retag(ctx, resource, set, remove) })
}
