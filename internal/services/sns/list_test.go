package sns_test

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"
)

func TestLists(t *testing.T) {
	s := newServer(t)
	var want []string
	for i := range 103 {
		want = append(want, s.topic(t, fmt.Sprintf("t-%03d", i)))
	}
	var got []string
	for pages := sdk.NewListTopicsPaginator(s, &sdk.ListTopicsInput{}); pages.HasMorePages(); {
		for _, topic := range must(pages.NextPage(t.Context()))(t).Topics {
			got = append(got, *topic.TopicArn)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	e := newEndpoint(t, nil)
	s.run(t)
	arn := s.subscribeEndpoint(t, want[1], e, nil)
	must(s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &want[2], Protocol: new("http"), Endpoint: &e.URL}))(t)
	all := must(s.ListSubscriptions(t.Context(), &sdk.ListSubscriptionsInput{}))(t).Subscriptions
	if len(all) != 2 || *all[0].SubscriptionArn != arn || *all[1].SubscriptionArn != "PendingConfirmation" ||
		*all[0].Owner != account {
		t.Errorf("subscriptions: %+v", all)
	}
	if of := must(s.ListSubscriptionsByTopic(t.Context(),
		&sdk.ListSubscriptionsByTopicInput{TopicArn: &want[1]}))(t).Subscriptions; len(of) != 1 ||
		*of[0].Protocol != "http" {
		t.Errorf("subscriptions of one topic: %+v", of)
	}
}
