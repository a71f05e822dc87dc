// Package notifier tells replication groups' topics of what happens to them. What is to be told is kept in the
// transaction of the event itself, and taken off in the one that keeps the message for the topic's subscribers: nothing
// is lost or told twice, whenever the engine ends.
package notifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/smithy-go"

	"larder/internal/event"
	"larder/internal/outbox"
	"larder/internal/state"
	"larder/internal/store"
)

// Notifier publishes events. Every field is needed.
type Notifier struct {
	Store *store.Store
	// Publish publishes a message, and runs also in the transaction that keeps it: see sns.Service.
	Publish func(topicARN, subject, body string, also func(*store.Tx) error) error
	Logger  *slog.Logger
}

// Run publishes until ctx ends, beginning with what an earlier run left.
func (n *Notifier) Run(ctx context.Context) error {
	n.outbox().Run(ctx)
	return nil
}

// outbox has a queue for each topic: one that fails keeps its own events waiting, and no other's.
func (n *Notifier) outbox() *outbox.Outbox[event.Notification] {
	return &outbox.Outbox[event.Notification]{
		Store: n.Store, Table: state.Notifications, Deliver: n.publish, Settle: n.settle, After: time.After,
		Item: func(w event.Notification) outbox.Item {
			return outbox.Item{Key: state.NotificationKey(w), Queue: w.Topic, Name: "an event of " + w.Source,
				Task: fmt.Sprintf("tell the topic %s of %s of %s", w.Topic, w.Name, w.Source)}
		},
		Failed: func(err error) { n.Logger.Error("cannot publish an event", "error", err) },
	}
}

func (n *Notifier) publish(w event.Notification, also func(*store.Tx) error) error {
	body, err := json.Marshal(map[string]string{w.Name: w.Source})
	if err != nil {
		return err
	}
	return n.Publish(w.Topic, "", string(body), also)
}

// settle says that a topic is not told. Where its policy or its key refuses, the group's notifications are off from
// then on, as on AWS.
func (n *Notifier) settle(tx *store.Tx, w event.Notification, refusal smithy.APIError) error {
	if refusal == nil {
		return nil
	}
	n.Logger.Warn("a topic is not told of an event", "topic", w.Topic, "event", w.Name, "source", w.Source, "error",
		refusal)
	if slices.Contains(forbidding, refusal.ErrorCode()) {
		return turnOff(tx, w)
	}
	return nil
}

// forbidding are SNS's codes of a topic whose policy or key does not let ElastiCache publish.
var forbidding = []string{"AuthorizationError", "KMSAccessDenied", "KMSDisabled", "KMSInvalidState", "KMSNotFound"}

// turnOff makes the topic's status inactive for the group, if it is the group's topic still.
func turnOff(tx *store.Tx, w event.Notification) error {
	rg, err := state.ReplicationGroups.Get(tx, w.Group)
	switch {
	case errors.Is(err, store.ErrNotFound), store.IsUnreadable(err):
		return nil
	case err != nil || rg.NotificationTopicARN != w.Topic:
		return err
	}
	rg.NotificationsOff = true
	return state.ReplicationGroups.Put(tx, rg.ID, rg)
}
