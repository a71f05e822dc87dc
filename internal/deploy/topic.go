package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/module"
)

// topic is the kind of the topics of modules/sns.
type topic struct{ companion }

func (topic) name() string { return topicKind }

// companions makes the topics of modules/sns, or gives those that are there what the call says. A topic's name finds
// it.
func (topic) companions(ctx context.Context, a *apply, m module.Companions, found *module.StandIns) error {
	all := m.SNS
	var planned []Resource
	for _, want := range all {
		planned = append(planned, Resource{Kind: topicKind, Name: want.ARN})
	}
	if err := a.recordAhead(ctx, planned...); err != nil {
		return err
	}
	for _, want := range all {
		if err := a.topic(ctx, want); err != nil {
			return err
		}
		switch want.Level {
		case "critical":
			found.CriticalTopicARN = want.ARN
		case "warning":
			found.WarningTopicARN = want.ARN
		case "info":
			found.InfoTopicARN = want.ARN
		}
	}
	return nil
}

func (topic) delete(ctx context.Context, d *Deployer, r Resource) error {
	_, err := d.Topics.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &r.Name})
	return err
}

// standInTopics makes those of the stand-ins' topics that the call uses: a new account has none. What modules/sns made
// is there.
func (a *apply) standInTopics(ctx context.Context, in module.Inputs, found module.StandIns) error {
	for _, arn := range []string{found.CriticalTopicARN, found.WarningTopicARN, found.InfoTopicARN} {
		made := slices.ContainsFunc(a.call.Companions.SNS, func(t module.Topic) bool { return t.ARN == arn })
		if made || arn != aws.ToString(in.AlarmSNSTopicARN) && arn != aws.ToString(in.NotificationTopicARN) {
			continue
		}
		own := Resource{Kind: topicKind, Name: arn}
		if err := a.recordAhead(ctx, own); err != nil {
			return err
		}
		_, err := a.Topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &arn})
		if err == nil {
			continue
		}
		name := arn[strings.LastIndex(arn, ":")+1:]
		if !notFound(err) {
			return fmt.Errorf("cannot describe the topic %s: %w", name, err)
		}
		_, err = request(ctx, a, a.Topics.CreateTopic, &sns.CreateTopicInput{Name: &name})
		a.creating(err, own)
		if err != nil {
			return fmt.Errorf("cannot create the topic %s: %w", name, err)
		}
		a.done("created topic %s", name)
	}
	return nil
}

func (a *apply) topic(ctx context.Context, want module.Topic) error {
	own := Resource{Kind: topicKind, Name: want.ARN}
	out, err := a.Topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &want.ARN})
	if err == nil {
		return a.changeTopic(ctx, want, out.Attributes)
	}
	if !notFound(err) {
		return fmt.Errorf("cannot describe the topic %s: %w", want.Name, err)
	}
	attributes := map[string]string{"Policy": want.Policy}
	if want.KeyARN != "" {
		attributes["KmsMasterKeyId"] = want.KeyARN
	}
	_, err = request(ctx, a, a.Topics.CreateTopic,
		&sns.CreateTopicInput{Name: &want.Name, Attributes: attributes, Tags: listed(want.Tags, topicTag)})
	a.creating(err, own)
	if err != nil {
		return fmt.Errorf("cannot create the topic %s: %w", want.Name, err)
	}
	a.done("created topic %s", want.Name)
	return a.subscribe(ctx, want, nil)
}

func topicTag(k, v *string) snstypes.Tag { return snstypes.Tag{Key: k, Value: v} }

func (a *apply) changeTopic(ctx context.Context, want module.Topic, have map[string]string) error {
	set := map[string]string{}
	if !sameDocument(want.Policy, have["Policy"]) {
		set["Policy"] = want.Policy
	}
	if want.KeyARN != have["KmsMasterKeyId"] {
		set["KmsMasterKeyId"] = want.KeyARN
	}
	for _, name := range sortedKeys(set) {
		if _, err := request(ctx, a, a.Topics.SetTopicAttributes,
			&sns.SetTopicAttributesInput{TopicArn: &want.ARN, AttributeName: &name,
				AttributeValue: aws.String(set[name])}); err != nil {
			return fmt.Errorf("cannot change the topic %s: %w", want.Name, err)
		}
		a.done("changed %s of topic %s", name, want.Name)
	}
	tags, err := a.tagsOf(ctx, want.ARN)
	if err != nil {
		return fmt.Errorf("cannot read the tags of the topic %s: %w", want.Name, err)
	}
	if err := a.ensureTags(ctx, want.ARN, want.Tags, tags); err != nil {
		return err
	}
	subscribed, err := a.subscribers(ctx, want)
	if err != nil {
		return err
	}
	return a.subscribe(ctx, want, subscribed)
}

// subscribers are the addresses that a topic has already, of a topic that is to have any.
func (a *apply) subscribers(ctx context.Context, of module.Topic) (all []string, err error) {
	if len(of.Emails) == 0 {
		return nil, nil
	}
	pages := sns.NewListSubscriptionsByTopicPaginator(a.Topics,
		&sns.ListSubscriptionsByTopicInput{TopicArn: &of.ARN})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot list the subscriptions of the topic %s: %w", of.Name, err)
		}
		for _, s := range page.Subscriptions {
			if aws.ToString(s.Protocol) == "email" {
				all = append(all, aws.ToString(s.Endpoint))
			}
		}
	}
	return all, nil
}

// subscribe asks for each address, and tells of those that are new. One that is subscribed already stays so; one that
// has not confirmed is asked again. Addresses that are no longer named are left alone: others may have subscribed them.
func (a *apply) subscribe(ctx context.Context, want module.Topic, subscribed []string) error {
	for _, address := range want.Emails {
		_, err := request(ctx, a, a.Topics.Subscribe,
			&sns.SubscribeInput{TopicArn: &want.ARN, Protocol: aws.String("email"), Endpoint: &address})
		if err != nil {
			return fmt.Errorf("cannot subscribe an address to the topic %s: %w", want.Name, err)
		}
		if !slices.Contains(subscribed, address) {
			a.done("subscribed %s to topic %s", a.value(address), want.Name)
		}
	}
	return nil
}

// Topics are those of resources that are topics.
func Topics(all []Resource) []Resource {
	return slices.DeleteFunc(slices.Clone(all), func(r Resource) bool { return r.Kind != topicKind })
}
