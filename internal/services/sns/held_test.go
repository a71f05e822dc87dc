package sns_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/servicetest"
)

// TestMessagesWaitForTheirKey: while a topic's KMS key is disabled nothing is published, and what waits for a
// subscriber goes on waiting, for longer than a subscriber that fails is tried. It is delivered, once, when the key is
// enabled again. The log says once that messages wait.
func TestMessagesWaitForTheirKey(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	must(s.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{
		TopicArn: &topic, AttributeName: new("KmsMasterKeyId"), AttributeValue: new("alias/mine"),
	}))(t)
	e := newEndpoint(t, nil)
	stop := s.run(t)
	s.subscribeEndpoint(t, topic, e, map[string]string{"RawMessageDelivery": "true"})
	s.settle(t)
	stop()
	for i := range 3 {
		s.publish(t, topic, fmt.Sprint(i))
	}
	s.keys.disabled.Store(true)
	_, err := s.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Message: new("hello")})
	servicetest.WantError(t, err, "KMSDisabled", "alias/mine is disabled.")
	stop = s.run(t)
	for until := s.clock.Now().Add(10 * time.Minute); s.clock.Now().Before(until) && !s.sns.Idle(); {
		runtime.Gosched()
	}
	e.nothing(t)
	s.keys.disabled.Store(false)
	got := []string{e.next(t).body, e.next(t).body, e.next(t).body}
	if slices.Sort(got); !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("got %q", got)
	}
	s.settle(t)
	stop()
	e.nothing(t)
	if said := strings.Count(s.log.String(), "messages wait until their KMS key can be used"); said != 1 {
		t.Errorf("the log says %d times that messages wait:\n%s", said, s.log.String())
	}
	if strings.Contains(s.log.String(), "was not delivered") {
		t.Errorf("a message was given up:\n%s", s.log.String())
	}
}

// TestNobodyIsSubscribedWhoCannotBeAsked: a subscription that has to be confirmed is kept together with the message
// that it is confirmed with, or not at all.
func TestNobodyIsSubscribedWhoCannotBeAsked(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	must(s.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{
		TopicArn: &topic, AttributeName: new("KmsMasterKeyId"), AttributeValue: new("alias/mine"),
	}))(t)
	subscribe := func() error {
		_, err := s.Subscribe(t.Context(),
			&sdk.SubscribeInput{TopicArn: &topic, Protocol: new("email"), Endpoint: new("a@example.com")})
		return err
	}
	subscribed := func() int {
		return len(must(s.ListSubscriptions(t.Context(), &sdk.ListSubscriptionsInput{}))(t).Subscriptions)
	}
	s.keys.disabled.Store(true)
	servicetest.WantError(t, subscribe(), "KMSDisabled", "alias/mine is disabled.")
	if n := subscribed(); n != 0 {
		t.Errorf("%d are subscribed, and nothing asks them to confirm", n)
	}
	s.keys.disabled.Store(false)
	for n := 1; ; n++ {
		written := 0
		s.store.Refuse(func() error {
			if written++; written == n {
				return errors.New("the disk cannot be written")
			}
			return nil
		})
		if err := subscribe(); err == nil && written < n {
			break
		}
		if got := subscribed(); got != 0 && s.sns.Idle() {
			t.Errorf("the transaction %d fails: %d are subscribed, and nothing asks them to confirm", n, got)
		}
	}
	if subscribed() != 1 || s.sns.Idle() {
		t.Errorf("in the end %d are subscribed; is nothing waiting: %v", subscribed(), s.sns.Idle())
	}
}
