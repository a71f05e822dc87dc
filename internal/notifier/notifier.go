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
	"larder/internal/isolate"
	"larder/internal/state"
	"larder/internal/store"
)

// Notifier publishes events. Every field is needed.
type Notifier struct {
	Store *store.Store
	// Publish publishes a message, and runs also in the transaction that keeps it: see sns.Service.
	Publish func(topicARN, subject, body string, also func(*store.Tx) error) error
	Logger  *slog.Logger

	guard isolate.Guard
}

// retryTime is between two attempts to publish what could not be kept.
const retryTime = 5 * time.Second

// Run publishes until ctx ends, beginning with what an earlier run left.
func (n *Notifier) Run(ctx context.Context) error {
	n.Store.Tend(ctx, string(state.Notifications), func() <-chan time.Time {
		if err := n.publishAll(ctx); err != nil {
			n.Logger.Error("cannot publish an event", "error", err)
			return time.After(retryTime)
		}
		return nil
	})
	return nil
}

// publishAll publishes what waits, oldest first. A topic that fails keeps its own events waiting, in their order, and
// no other's.
func (n *Notifier) publishAll(ctx context.Context) error {
	var waiting []event.Notification
	err := n.Store.View(func(tx *store.Tx) (err error) {
		waiting, err = state.Notifications.List(tx)
		return err
	})
	errs, stuck := []error{err}, map[string]bool{}
	for _, w := range waiting {
		if ctx.Err() != nil {
			return nil
		}
		if stuck[w.Topic] {
			continue
		}
		if err := n.guard.Do("an event of "+w.Source, func() error { return n.publish(w) }); err != nil {
			stuck[w.Topic] = true
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// publish publishes one event. A topic that refuses it, such as one that is gone, is not told, and does not keep others
// waiting. Where its policy or its key refuses, the group's notifications are off from then on, as on AWS.
func (n *Notifier) publish(w event.Notification) error {
	body, err := json.Marshal(map[string]string{w.Name: w.Source})
	if err != nil {
		return err
	}
	err = n.Publish(w.Topic, "", string(body), func(tx *store.Tx) error { return take(tx, w) })
	if refusal := smithy.APIError(nil); errors.As(err, &refusal) && refusal.ErrorFault() == smithy.FaultClient {
		n.Logger.Warn("a topic is not told of an event", "topic", w.Topic, "event", w.Name, "source", w.Source, "error",
			err)
		err = n.Store.Update(func(tx *store.Tx) error {
			if slices.Contains(forbidding, refusal.ErrorCode()) {
				if err := turnOff(tx, w); err != nil {
					return err
				}
			}
			return take(tx, w)
		})
	}
	if err != nil {
		return fmt.Errorf("cannot tell the topic %s of %s of %s: %w", w.Topic, w.Name, w.Source, err)
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

func take(tx *store.Tx, w event.Notification) error {
	return state.Notifications.Delete(tx, state.NotificationKey(w))
}
