package sns_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/store"
)

// TestAnUnreadableMessageKeepsNoOtherWaiting: it is given up, and what waits behind it for the same subscriber is
// delivered.
func TestAnUnreadableMessageKeepsNoOtherWaiting(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	e := newEndpoint(t, nil)
	ask := &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"), Endpoint: &e.URL}
	must(s.Subscribe(t.Context(), ask))(t)
	err := s.store.Update(func(tx *store.Tx) error {
		messages := store.Table[string]("sns-messages")
		keys, err := messages.Keys(tx)
		if err != nil || len(keys) != 1 {
			t.Fatalf("the messages are %v, %v", keys, err)
		}
		return messages.Put(tx, keys[0], "this is no message")
	})
	if err != nil {
		t.Fatal(err)
	}
	must(s.Subscribe(t.Context(), ask))(t) // and so another message
	s.run(t)
	if asked := s.verify(t, e.next(t)); asked["Type"] != "SubscriptionConfirmation" {
		t.Errorf("got %v", asked)
	}
}
