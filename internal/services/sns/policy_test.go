package sns_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
)

// A throttled subscriber gets its messages no faster than it wants, by the topic's policy or its own; others do not
// wait for it.
func TestThrottle(t *testing.T) {
	const topics, own = `{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":4}}}`,
		`{"throttlePolicy":{"maxReceivesPerSecond":2}}`
	for _, test := range []struct {
		name, topic, own string
		apart            time.Duration
	}{
		{"no policy", "", "", 0},
		{"the topic's", topics, "", 250 * time.Millisecond},
		{"its own", "", own, 500 * time.Millisecond},
		{"its own over the topic's", topics, own, 500 * time.Millisecond},
		{"overrides disabled",
			`{"http":{"defaultThrottlePolicy":{"maxReceivesPerSecond":4},"disableSubscriptionOverrides":true}}`, own,
			250 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			topic := s.topic(t, "mine")
			times := make(chan time.Time, 100)
			e := newEndpoint(t, func(http.ResponseWriter, *http.Request) { times <- s.clock.Now() })
			stop := s.run(t)
			s.subscribeEndpoint(t, topic, e, map[string]string{"DeliveryPolicy": test.own})
			must(s.SetTopicAttributes(t.Context(),
				&sdk.SetTopicAttributesInput{TopicArn: &topic, AttributeName: new("DeliveryPolicy"),
					AttributeValue: &test.topic}))(t)
			s.settle(t)
			stop()
			last := <-times // when it was asked to confirm
			for i := range 4 {
				s.publish(t, topic, fmt.Sprint(i))
			}
			s.run(t)
			s.settle(t)
			for i := range 4 {
				at := <-times
				if i > 0 && at.Sub(last) != test.apart {
					t.Errorf("message %d came %s after the one before, want %s", i, at.Sub(last), test.apart)
				}
				last = at
			}
		})
	}
}

// EffectiveDeliveryPolicy is what holds: the topic's policy under the subscription's own.
func TestEffectivePolicy(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	arn := s.subscribe(t, topic, "http", "http://127.0.0.1:1/")
	set := func(arn, value string) {
		t.Helper()
		must(s.SetTopicAttributes(t.Context(),
			&sdk.SetTopicAttributesInput{TopicArn: &topic, AttributeName: new("DeliveryPolicy"),
				AttributeValue: &value}))(t)
	}
	set(topic,
		`{"http":{"defaultHealthyRetryPolicy":{"numRetries":7},"defaultThrottlePolicy":{"maxReceivesPerSecond":3}}}`)
	must(s.SetSubscriptionAttributes(t.Context(), &sdk.SetSubscriptionAttributesInput{
		SubscriptionArn: &arn, AttributeName: new("DeliveryPolicy"),
		AttributeValue: new(`{"throttlePolicy":{"maxReceivesPerSecond":9},"healthyRetryPolicy":null}`)}))(t)
	got := s.subscriptionAttributes(t, arn)["EffectiveDeliveryPolicy"]
	for _, part := range []string{`"numRetries":7`, `"maxReceivesPerSecond":9`, `"minDelayTarget":20`} {
		if !strings.Contains(got, part) {
			t.Errorf("the policy has no %s: %s", part, got)
		}
	}
}

// A policy that larder would not follow is refused by the part that is wrong.
func TestDeliveryPolicyRefusals(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	arn := s.subscribe(t, topic, "http", "http://127.0.0.1:1/")
	for part, reason := range map[string]string{
		`"throttlePolicy":{"maxReceivesPerSecond":0}`: "a throttle policy of another form than a " +
			"maxReceivesPerSecond of 1 or more",
		`"throttlePolicy":{"maxReceivesPerSecond":0.5}`: "a throttle policy of another form than a " +
			"maxReceivesPerSecond of 1 or more",
		`"throttlePolicy":{"maxPerSecond":2}`: "a throttle policy of another form than a " +
			"maxReceivesPerSecond of 1 or more",
		`"requestPolicy":{"headerContentType":"a\nb"}`:                    "headerContentType must be one of",
		`"requestPolicy":{"headerContentType":"image/png"}`:               "headerContentType must be one of",
		`"healthyRetryPolicy":{"numTries":3}`:                             "a retry policy of another form",
		`"healthyRetryPolicy":{"numRetries":101}`:                         "numRetries must be from 0 to 100",
		`"healthyRetryPolicy":{"numRetries":3,"numNoDelayRetries":4}`:     "together at most numRetries",
		`"healthyRetryPolicy":{"minDelayTarget":30}`:                      "minDelayTarget must be at most maxDelayTarget",
		`"healthyRetryPolicy":{"backoffFunction":"cubic"}`:                `backoffFunction "cubic" must be one of`,
		`"healthyRetryPolicy":{"numRetries":100,"maxDelayTarget":3600}`:   "they must take at most 3600 seconds",
		`"sicklyRetryPolicy":{"numRetries":3}`:                            "ickly",
		`"healthyRetryPolicy":{"numRetries":3,"maxDelayTarget":"twenty"}`: "a retry policy of another form",
	} {
		name, rest, _ := strings.Cut(strings.TrimPrefix(part, `"`), `"`)
		forTopic := fmt.Sprintf(`{"http":{"default%s%s"%s}}`, strings.ToUpper(name[:1]), name[1:], rest)
		_, topicErr := s.SetTopicAttributes(t.Context(),
			&sdk.SetTopicAttributesInput{TopicArn: &topic, AttributeName: new("DeliveryPolicy"),
				AttributeValue: &forTopic})
		_, err := s.SetSubscriptionAttributes(t.Context(), &sdk.SetSubscriptionAttributesInput{
			SubscriptionArn: &arn, AttributeName: new("DeliveryPolicy"), AttributeValue: new("{" + part + "}")})
		for begins, err := range map[string]error{"DeliveryPolicy Reason: ": topicErr, "DeliveryPolicy: ": err} {
			if err == nil || !strings.Contains(err.Error(), "InvalidParameter: Invalid parameter: "+begins) ||
				!strings.Contains(err.Error(), reason) {
				t.Errorf("%s: got %v, want %s", part, err, reason)
			}
		}
	}
}
