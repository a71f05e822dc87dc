package sns_test

import (
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
	"larder/internal/store"
)

func TestSubscriptionLife(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	out := must(s.Subscribe(t.Context(),
		&sdk.SubscribeInput{TopicArn: &topic, Protocol: new("email"), Endpoint: new("ops@example.com")}))(t)
	if *out.SubscriptionArn != "pending confirmation" {
		t.Errorf("got %s", *out.SubscriptionArn)
	}
	arn := s.subscribe(t, topic, "email", "ops@example.com")
	if !strings.HasPrefix(arn, topic+":") || len(arn) != len(topic)+37 {
		t.Errorf("the ARN is %s", arn)
	}
	want := map[string]string{
		"SubscriptionArn": arn, "TopicArn": topic, "Owner": account,
		"SubscriptionPrincipal": "arn:aws:iam::123456789012:user/larder",
		"Protocol":              "email", "Endpoint": "ops@example.com", "PendingConfirmation": "true",
		"ConfirmationWasAuthenticated": "false",
		"RawMessageDelivery":           "false",
	}
	if diff := cmp.Diff(want, s.subscriptionAttributes(t, arn)); diff != "" {
		t.Errorf("subscribed: -want +got\n%s", diff)
	}
	must(s.SetSubscriptionAttributes(t.Context(), &sdk.SetSubscriptionAttributesInput{
		SubscriptionArn: &arn, AttributeName: new("FilterPolicy"), AttributeValue: new(`{"level":["critical"]}`),
	}))(t)
	want["FilterPolicy"], want["FilterPolicyScope"] = `{"level":["critical"]}`, "MessageAttributes"
	if diff := cmp.Diff(want, s.subscriptionAttributes(t, arn)); diff != "" {
		t.Errorf("filtered: -want +got\n%s", diff)
	}
	if got := s.topicAttributes(t, topic)["SubscriptionsPending"]; got != "1" {
		t.Errorf("%s subscriptions are pending", got)
	}
	_, err := s.Unsubscribe(t.Context(), &sdk.UnsubscribeInput{SubscriptionArn: &arn})
	servicetest.WantError(t, err, "InvalidParameter",
		"Invalid parameter: SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation")

	s.clock.pass(48*time.Hour - time.Second)
	s.subscriptionAttributes(t, arn)
	s.clock.pass(time.Second)
	_, err = s.GetSubscriptionAttributes(t.Context(), &sdk.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
	servicetest.WantError(t, err, "NotFound", "Subscription does not exist")
	if got := s.topicAttributes(t, topic)["SubscriptionsPending"]; got != "0" {
		t.Errorf("after two days %s subscriptions are pending", got)
	}
	if again := s.subscribe(t, topic, "email", "ops@example.com"); again == arn {
		t.Error("the new subscription has the old one's ARN")
	}
}

// confirm does to the record what the endpoint's owner does.
func (s *server) confirm(t *testing.T, arn string) {
	t.Helper()
	table, key := store.Table[map[string]any]("sns-subscriptions"), strings.TrimPrefix(arn, prefix)
	err := s.store.Update(func(tx *store.Tx) error {
		row, err := table.Get(tx, key)
		if err != nil {
			return err
		}
		row["Pending"] = false
		return table.Put(tx, key, row)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestConfirmedSubscription(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	arn := s.subscribe(t, topic, "https", "https://127.0.0.1/hook")
	s.confirm(t, arn)
	s.clock.pass(48 * time.Hour)
	if got := s.subscriptionAttributes(t, arn)["PendingConfirmation"]; got != "false" {
		t.Errorf("PendingConfirmation is %s", got)
	}
	out := must(s.Subscribe(t.Context(),
		&sdk.SubscribeInput{TopicArn: &topic, Protocol: new("https"), Endpoint: new("https://127.0.0.1/hook")}))(t)
	if *out.SubscriptionArn != arn {
		t.Errorf("subscribed again it is %s", *out.SubscriptionArn)
	}
	counts := func() (out [2]string) {
		attributes := s.topicAttributes(t, topic)
		return [2]string{attributes["SubscriptionsConfirmed"], attributes["SubscriptionsDeleted"]}
	}
	if got := counts(); got != [2]string{"1", "0"} {
		t.Errorf("confirmed and deleted are %v", got)
	}
	must(s.Unsubscribe(t.Context(), &sdk.UnsubscribeInput{SubscriptionArn: &arn}))(t)
	if got := counts(); got != [2]string{"0", "1"} {
		t.Errorf("confirmed and deleted are %v", got)
	}
	must(s.Unsubscribe(t.Context(), &sdk.UnsubscribeInput{SubscriptionArn: &arn}))(t) // the second time there is none
	if got := counts(); got != [2]string{"0", "1"} {
		t.Errorf("confirmed and deleted are %v", got)
	}
}

func TestHTTPSubscription(t *testing.T) {
	s := newServer(t)
	topic, other := s.topic(t, "mine"), s.topic(t, "mine-too")
	elsewhere := s.subscribe(t, other, "http", "http://127.0.0.1/hook")
	in := &sdk.SubscribeInput{
		TopicArn: &topic, Protocol: new("http"), Endpoint: new("http://127.0.0.1/hook"), ReturnSubscriptionArn: true,
		Attributes: map[string]string{"RawMessageDelivery": "true",
			"DeliveryPolicy": `{"healthyRetryPolicy":{"numRetries":7}}`},
	}
	arn := *must(s.Subscribe(t.Context(), in))(t).SubscriptionArn
	got := s.subscriptionAttributes(t, arn)
	if got["RawMessageDelivery"] != "true" || !strings.Contains(got["EffectiveDeliveryPolicy"], `"numRetries":7`) ||
		!strings.Contains(got["EffectiveDeliveryPolicy"], `"minDelayTarget":20`) {
		t.Errorf("got %v", got)
	}
	in.Attributes = map[string]string{"RawMessageDelivery": "false"}
	_, err := s.Subscribe(t.Context(), in)
	servicetest.WantError(t, err, "InvalidParameter",
		"Invalid parameter: Attributes Reason: Subscription already exists with different attributes")

	// A topic takes its own subscriptions with it.
	must(s.DeleteTopic(t.Context(), &sdk.DeleteTopicInput{TopicArn: &topic}))(t)
	_, err = s.GetSubscriptionAttributes(t.Context(), &sdk.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
	servicetest.WantError(t, err, "NotFound", "Subscription does not exist")
	s.subscriptionAttributes(t, elsewhere)
}

func TestSubscriptionRefusals(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	mail := s.subscribe(t, topic, "email", "ops@example.com")
	subscribe := func(topic, protocol, endpoint string) error {
		_, err := s.Subscribe(t.Context(),
			&sdk.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint})
		return err
	}
	set := func(name, value string) error {
		_, err := s.SetSubscriptionAttributes(t.Context(),
			&sdk.SetSubscriptionAttributesInput{SubscriptionArn: &mail, AttributeName: &name, AttributeValue: &value})
		return err
	}
	get := func(arn string) error {
		_, err := s.GetSubscriptionAttributes(t.Context(), &sdk.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
		return err
	}
	const code = "InvalidParameter"
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"no topic", subscribe(prefix+"other", "email", "ops@example.com"), "NotFound", "Topic does not exist"},
		{"protocol", subscribe(topic, "sqs", "arn:aws:sqs:us-east-1:123456789012:queue"), "InvalidParameterValue",
			"larder serves Subscribe's Protocol only as http or https or email or email-json: larder has no receiver of " +
				"another kind"},
		{"unknown protocol", subscribe(topic, "fax", "1"), code,
			"Invalid parameter: Amazon SNS does not support this protocol string: fax"},
		{"unknown kind of mail", subscribe(topic, "email-x", "ops@example.com"), code,
			"Invalid parameter: Amazon SNS does not support this protocol string: email-x"},
		{"address", subscribe(topic, "email-json", "ops"), code, "Invalid parameter: Email address"},
		{"endpoint", subscribe(topic, "https", "http://127.0.0.1"), code,
			"Invalid parameter: Endpoint must match the specified protocol"},
		{"attribute", set("RedrivePolicy", "{}"), "InvalidParameterValue",
			"larder does not serve the attribute RedrivePolicy of a subscription"},
		{"raw mail", set("RawMessageDelivery", "true"), code,
			"Invalid parameter: Delivery protocol [email] does not support raw message delivery."},
		{"delivery of mail", set("DeliveryPolicy", "{}"), code,
			"Invalid parameter: Delivery protocol [email] does not support DeliveryPolicy."},
		{"filter", set("FilterPolicy", "null"), code,
			"Invalid parameter: FilterPolicy: failed to parse JSON. A filter policy is an object"},
		{"scope", set("FilterPolicyScope", "All"), code,
			"Invalid parameter: FilterPolicyScope: Invalid value [All]. Please use either MessageBody or " +
				"MessageAttributes"},
		{"a topic's ARN", get(topic), code, "Invalid parameter: SubscriptionArn Reason: " + topic +
			" is the ARN of a topic"},
		{"unknown", get(topic + ":x"), "NotFound", "Subscription does not exist"},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
}
