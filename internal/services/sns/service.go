// Package sns serves the SNS API for topics and subscriptions: what they are, not yet what is published to them.
package sns

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/store"
)

// Config is what a service works with. Every field is needed.
type Config struct {
	Store           *store.Store
	Account, Region string
	// Random makes the ends of subscriptions' ARNs.
	Random io.Reader
	Now    func() time.Time
}

// Service answers the SNS API.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }

// Why parts of the API are not served.
const (
	noProtection = "data protection policies are not served"
	noReceiver   = "larder has no receiver of another kind"
)

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	return gateway.Service{Shapes: awswire.SNS(), Actions: []gateway.Action{
		gateway.Handle("CreateTopic", gateway.Write, s.createTopic, gateway.Refuse("DataProtectionPolicy", noProtection)),
		gateway.Handle("GetTopicAttributes", gateway.Read, s.getTopicAttributes),
		gateway.Handle("SetTopicAttributes", gateway.Permissions, s.setTopicAttributes),
		gateway.Handle("DeleteTopic", gateway.Write, s.deleteTopic),

		gateway.Handle("Subscribe", gateway.Write, s.subscribe, gateway.Only("Protocol", noReceiver, protocols()...)),
		gateway.Handle("GetSubscriptionAttributes", gateway.Read, s.getSubscriptionAttributes),
		gateway.Handle("SetSubscriptionAttributes", gateway.Write, s.setSubscriptionAttributes),
		gateway.Handle("Unsubscribe", gateway.Write, s.unsubscribe),

		gateway.Handle("TagResource", gateway.Tagging, s.tagResource),
		gateway.Handle("UntagResource", gateway.Tagging, s.untagResource),
		gateway.Handle("ListTagsForResource", gateway.Read, s.listTags),
	}}
}

// HasTopic tells whether there is a topic of that ARN.
func (s *Service) HasTopic(arn string) bool {
	err := s.Store.View(func(tx *store.Tx) error {
		_, err := s.findTopic(tx, &arn)
		return err
	})
	return err == nil
}

// Ensure makes a topic of that ARN unless there is one.
func (s *Service) Ensure(arn string) error {
	name, err := s.resource(&arn, "TopicArn")
	if err != nil {
		return err
	}
	if !validTopic.MatchString(name) {
		return invalidParameter("Topic Name")
	}
	return s.Store.Update(func(tx *store.Tx) error {
		_, err := topics.Get(tx, name)
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return topics.Put(tx, name, topic{Name: name, Attributes: map[string]string{}, Tags: map[string]string{}, Created: s.Now()})
	})
}

func (s *Service) arn(resource string) string {
	return fmt.Sprintf("arn:aws:sns:%s:%s:%s", s.Region, s.Account, resource)
}

// resource takes an ARN of this account apart. member is how the request calls it.
func (s *Service) resource(arn *string, member string) (string, error) {
	if arn == nil {
		return "", invalidParameter("%s Reason: no value for required parameter", member)
	}
	resource, ok := strings.CutPrefix(*arn, s.arn(""))
	if !ok {
		return "", invalidParameter("%s Reason: %s is not an ARN of a topic or a subscription of account %s in %s", member, *arn, s.Account, s.Region)
	}
	return resource, nil
}
