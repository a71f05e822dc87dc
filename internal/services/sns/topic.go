package sns

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/audit"
	"larder/internal/store"
)

// topics holds every topic, by name.
const topics = store.Table[topic]("sns-topics")

// topic is what messages are published to.
type topic struct {
	Name       string
	Attributes map[string]string // those that were set
	Tags       map[string]string
	Created    time.Time
	// Deleted counts the subscriptions that the topic had.
	Deleted int
}

var validTopic = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

func (s *Service) createTopic(ctx context.Context, in *sdk.CreateTopicInput) (*sdk.CreateTopicOutput, error) {
	attributes := maps.Clone(in.Attributes)
	if attributes[fifoTopic] == "false" { // which is said of a topic that is made, and shown of none
		delete(attributes, fifoTopic)
	}
	if _, fifo := attributes[fifoTopic]; fifo || strings.HasSuffix(aws.ToString(in.Name), ".fifo") {
		return nil, invalidParameter("FifoTopic Reason: larder does not serve FIFO topics")
	}
	if in.Name == nil || !validTopic.MatchString(*in.Name) {
		return nil, invalidParameter("Topic Name")
	}
	made := topic{Name: *in.Name, Attributes: map[string]string{}, Tags: map[string]string{}, Created: s.Now()}
	for name, value := range attributes {
		if err := setTopicAttribute(made.Attributes, name, value); err != nil {
			return nil, err
		}
	}
	if err := setTags(made.Tags, in.Tags); err != nil {
		return nil, err
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		found, err := topics.Get(tx, made.Name)
		if err == nil {
			return sameTopic(found, made)
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return topics.Put(tx, made.Name, made)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateTopicOutput{TopicArn: new(s.arn(made.Name))}, nil
}

// sameTopic lets a request that is sent again pass, and refuses one that asks for another topic of the name.
func sameTopic(found, asked topic) error {
	for name, value := range asked.Attributes {
		if found.Attributes[name] != value {
			return invalidParameter("Attributes Reason: Topic already exists with different attributes")
		}
	}
	for key, value := range asked.Tags { // those that are not asked for may be there
		if has, ok := found.Tags[key]; !ok || has != value {
			return invalidParameter("Tags Reason: Topic already exists with different tags")
		}
	}
	return nil
}

// findTopic returns the topic of that ARN.
func (s *Service) findTopic(tx *store.Tx, arn *string) (topic, error) {
	name, err := s.resource(arn, "TopicArn")
	if err != nil {
		return topic{}, err
	}
	found, err := topics.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		return topic{}, notFound("Topic does not exist")
	}
	return found, err
}

func (s *Service) getTopicAttributes(
	_ context.Context, in *sdk.GetTopicAttributesInput,
) (*sdk.GetTopicAttributesOutput, error) {
	out := &sdk.GetTopicAttributesOutput{}
	err := s.Store.View(func(tx *store.Tx) error {
		found, err := s.findTopic(tx, in.TopicArn)
		if err != nil {
			return err
		}
		subscribed, err := s.subscribed(tx, found.Name)
		if err != nil {
			return err
		}
		pending := 0
		for _, sub := range subscribed {
			if sub.Pending {
				pending++
			}
		}
		out.Attributes, err = s.topicAttributes(found)
		out.Attributes["SubscriptionsPending"] = strconv.Itoa(pending)
		out.Attributes["SubscriptionsConfirmed"] = strconv.Itoa(len(subscribed) - pending)
		out.Attributes["SubscriptionsDeleted"] = strconv.Itoa(found.Deleted)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) setTopicAttributes(
	ctx context.Context, in *sdk.SetTopicAttributesInput,
) (*sdk.SetTopicAttributesOutput, error) {
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		found, err := s.findTopic(tx, in.TopicArn)
		if err != nil {
			return err
		}
		if found.Attributes == nil {
			found.Attributes = map[string]string{}
		}
		if err := setTopicAttribute(found.Attributes, aws.ToString(in.AttributeName),
			aws.ToString(in.AttributeValue)); err != nil {
			return err
		}
		return topics.Put(tx, found.Name, found)
	})
	return &sdk.SetTopicAttributesOutput{}, err
}

// deleteTopic deletes a topic and its subscriptions. It also succeeds where there is no such topic.
func (s *Service) deleteTopic(ctx context.Context, in *sdk.DeleteTopicInput) (*sdk.DeleteTopicOutput, error) {
	name, err := s.resource(in.TopicArn, "TopicArn")
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		subscribed, err := subscriptions.KeysOf(tx, name+":")
		if err != nil {
			return err
		}
		for _, key := range subscribed {
			if err := errors.Join(cancel(tx, key), subscriptions.Delete(tx, key)); err != nil {
				return err
			}
		}
		return topics.Delete(tx, name)
	})
	return &sdk.DeleteTopicOutput{}, err
}
