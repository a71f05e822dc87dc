package deploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/module"
)

// topics makes the topics of modules/sns, or gives those that are there what the call says. A topic's name finds it.
func (a *apply) topics(ctx context.Context, all []module.Topic, found *module.StandIns) error {
	for _, want := range all {
		arn, err := a.topic(ctx, want)
		if err != nil {
			return err
		}
		switch want.Level {
		case "critical":
			found.CriticalTopicARN = arn
		case "warning":
			found.WarningTopicARN = arn
		case "info":
			found.InfoTopicARN = arn
		}
	}
	return nil
}

func (a *apply) topic(ctx context.Context, want module.Topic) (string, error) {
	for _, r := range a.earlier(topicKind) {
		out, err := a.Topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &r.Name})
		if err != nil && !notFound(err) {
			return "", fmt.Errorf("cannot describe the topic %s: %w", r.Name, err)
		}
		if err == nil && topicName(r.Name) == want.Name {
			a.keep(r)
			return r.Name, a.changeTopic(ctx, want, r.Name, out.Attributes)
		}
	}
	attributes := map[string]string{"Policy": want.Policy}
	if want.KeyARN != "" {
		attributes["KmsMasterKeyId"] = want.KeyARN
	}
	out, err := a.Topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: &want.Name, Attributes: attributes, Tags: listed(want.Tags, topicTag)})
	if err != nil {
		return "", fmt.Errorf("cannot create the topic %s: %w", want.Name, err)
	}
	if err := a.made(ctx, Resource{Kind: topicKind, Name: *out.TopicArn}); err != nil {
		return "", err
	}
	a.done("created topic %s", want.Name)
	return *out.TopicArn, a.subscribe(ctx, want, *out.TopicArn)
}

func topicTag(k, v *string) snstypes.Tag { return snstypes.Tag{Key: k, Value: v} }

// topicName is the last part of a topic's ARN.
func topicName(arn string) string {
	for i := len(arn) - 1; i >= 0; i-- {
		if arn[i] == ':' {
			return arn[i+1:]
		}
	}
	return arn
}

func (a *apply) changeTopic(ctx context.Context, want module.Topic, arn string, have map[string]string) error {
	set := map[string]string{}
	if !sameDocument(want.Policy, have["Policy"]) {
		set["Policy"] = want.Policy
	}
	if want.KeyARN != have["KmsMasterKeyId"] {
		set["KmsMasterKeyId"] = want.KeyARN
	}
	for _, name := range sortedKeys(set) {
		if _, err := a.Topics.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &arn, AttributeName: &name, AttributeValue: aws.String(set[name])}); err != nil {
			return fmt.Errorf("cannot change the topic %s: %w", want.Name, err)
		}
		a.done("changed %s of topic %s", name, want.Name)
	}
	tags, err := a.tagsOf(ctx, arn)
	if err != nil {
		return fmt.Errorf("cannot read the tags of the topic %s: %w", want.Name, err)
	}
	if err := a.ensureTags(ctx, arn, want.Tags, tags); err != nil {
		return err
	}
	return a.subscribe(ctx, want, arn)
}

// subscribe asks for each address; one that is subscribed already stays so. Addresses that are no longer named are left alone:
// the topic cannot be asked who they are.
func (a *apply) subscribe(ctx context.Context, want module.Topic, arn string) error {
	for _, address := range want.Emails {
		_, err := a.Topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("email"), Endpoint: &address})
		if err != nil {
			return fmt.Errorf("cannot subscribe an address to the topic %s: %w", want.Name, err)
		}
	}
	return nil
}

func (d *Deployer) deleteTopic(ctx context.Context, r Resource) error {
	_, err := d.Topics.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &r.Name})
	return err
}
