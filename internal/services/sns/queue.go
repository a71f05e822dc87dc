package sns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"larder/internal/audit"
	"larder/internal/caller"
	"larder/internal/store"
)

// Queued messages are in the store, so that a restart loses none. Each message is stored once, sealed. A row for each
// of its subscriptions refers to it.
const (
	messages   = store.Table[queuedMessage]("sns-messages") // by message id
	deliveries = store.Table[delivery]("sns-deliveries")    // by subscription and number
)

// queuedMessage is a message that waits to be delivered.
type queuedMessage struct {
	Sealed []byte // a message in JSON
	Key    bool   // Sealed is encrypted with the topic's KMS key, and not with the installation's own
	Left   int    // the number of subscriptions that still wait for it
}

// delivery is a message in one subscription's queue.
type delivery struct {
	Subscription, Message string
	Number                uint64    // the position in the subscription's queue, in the order of publishing
	Tries                 int       // the number of attempts that failed
	Set, Due              time.Time // when Due was set, and when the next attempt is due
}

func (d delivery) key() string { return queueOf(d.Subscription) + fmt.Sprintf("%016x", d.Number) }

// queueOf returns the prefix of the keys of a subscription's deliveries.
func queueOf(subscription string) string { return subscription + "/" }

// maxQueue is the number of messages that may wait for one subscription. Further messages are dropped for it, with a
// warning in the log.
const maxQueue = 1000

// ownKey is the alias of the key that AWS manages for topics. larder uses the installation's own key in its stead.
const ownKey = "alias/aws/sns"

// messageAAD returns the additional authenticated data of a sealed message. It binds the message to its id.
func messageAAD(id string) string { return "sns-message/" + id }

// enqueue queues a message for every subscription of its topic whose filter policy accepts it.
func (s *Service) enqueue(ctx context.Context, m message) error {
	recipients := func(tx *store.Tx) ([]string, error) { return s.recipients(tx, m) }
	return s.send(caller.Of(ctx), m, audit.In(ctx, s.Store), recipients)
}

// recipients returns the subscriptions of a message's topic whose filter policy accepts it.
func (s *Service) recipients(tx *store.Tx, m message) (to []string, err error) {
	of, err := s.findTopic(tx, &m.Topic)
	if err != nil {
		return nil, err
	}
	subscribed, err := s.subscribed(tx, of.Name)
	if err != nil {
		return nil, err
	}
	for _, sub := range subscribed {
		wanted, err := sub.wants(m)
		if err != nil {
			s.Logger.Error("dropped a message for one subscription; the others get it", "message", m.ID,
				"subscription", sub.key(), "error", err)
		}
		if wanted {
			to = append(to, sub.key())
		}
	}
	return to, nil
}

// transaction runs a function in a transaction of the store.
type transaction = func(func(*store.Tx) error) error

// send queues a message for the subscriptions that choose returns, and wakes their delivery workers. The changes that
// choose makes are in the same transaction: both happen, or neither does.
func (s *Service) send(
	by caller.Caller, m message, update transaction, choose func(*store.Tx) ([]string, error),
) error {
	p, err := s.seal(by, m)
	if err != nil {
		return err
	}
	var to []string
	now := s.Now()
	err = update(func(tx *store.Tx) (err error) {
		if to, err = choose(tx); err != nil {
			return err
		}
		for _, key := range to {
			number, full, err := s.nextNumber(tx, key)
			if err != nil {
				return err
			}
			if full {
				s.Logger.Warn("dropped a message for a subscription: its queue is full", "subscription", key,
					"message", m.ID)
				continue
			}
			d := delivery{Subscription: key, Message: m.ID, Number: number, Set: now, Due: now}
			if err := deliveries.Put(tx, d.key(), d); err != nil {
				return err
			}
			p.Left++
		}
		if p.Left == 0 {
			return nil
		}
		return messages.Put(tx, m.ID, p)
	})
	if err != nil {
		return err
	}
	for _, key := range to {
		s.workers.wake(key)
	}
	return nil
}

// seal encrypts a message for the queue. Where the topic has a KMS key, seal uses that key, and the key's policy must
// allow it to the publisher. AWS's own key for topics allows nothing to services, and its policy cannot be changed.
func (s *Service) seal(by caller.Caller, m message) (queuedMessage, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return queuedMessage{}, err
	}
	var of topic
	err = s.Store.View(func(tx *store.Tx) (err error) {
		of, err = s.findTopic(tx, &m.Topic)
		return err
	})
	if err != nil {
		return queuedMessage{}, err
	}
	key := of.Attributes[kmsMasterKeyID]
	context := map[string]string{"aws:sns:topicArn": m.Topic}
	if key != "" && (key != ownKey || by.Service != "") {
		if err := s.Keys.Permit(key, by, context, "GenerateDataKey", "Decrypt"); err != nil {
			return queuedMessage{}, kmsError(err)
		}
	}
	if key == "" || key == ownKey {
		return queuedMessage{Sealed: s.Sealer.Seal(messageAAD(m.ID), raw)}, nil
	}
	sealed, err := s.Keys.Wrap(key, raw, context)
	return queuedMessage{Sealed: sealed, Key: true}, kmsError(err)
}

func (s *Service) open(p queuedMessage, id, topicARN string) (m message, err error) {
	var raw []byte
	if p.Key {
		raw, err = s.Keys.Unwrap(p.Sealed, map[string]string{"aws:sns:topicArn": topicARN})
		err = openError(err)
	} else {
		raw, err = s.Sealer.Open(messageAAD(id), p.Sealed)
	}
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(raw, &m)
}

// kmsError gives a refusal of KMS the error code that SNS has for it.
func kmsError(err error) error {
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		return err
	}
	text := new(refusal.ErrorMessage())
	switch refusal.ErrorCode() {
	case "NotFoundException":
		return &types.KMSNotFoundException{Message: text}
	case "DisabledException":
		return &types.KMSDisabledException{Message: text}
	case "KMSInvalidStateException":
		return &types.KMSInvalidStateException{Message: text}
	}
	return &types.KMSAccessDeniedException{Message: text}
}

// nextNumber returns the number of a subscription's next delivery, and whether its queue is full.
func (s *Service) nextNumber(tx *store.Tx, subscription string) (number uint64, full bool, err error) {
	waiting := 0
	for d, err := range queued(tx, subscription) {
		if err != nil {
			return 0, false, err
		}
		waiting++
		number = d.Number
	}
	return number + 1, waiting >= maxQueue, nil
}

// queued yields a subscription's deliveries in the order of publishing.
func queued(tx *store.Tx, subscription string) func(func(delivery, error) bool) {
	return func(yield func(delivery, error) bool) {
		for d, err := range deliveries.Readable(tx, queueOf(subscription)) {
			if err == nil && d.Subscription != subscription || !yield(d, err) {
				return
			}
		}
	}
}

// finish takes a delivery off its queue. It deletes the message with its last delivery.
func finish(tx *store.Tx, d delivery) error {
	if _, err := deliveries.Get(tx, d.key()); errors.Is(err, store.ErrNotFound) {
		return nil // the subscription was deleted
	}
	p, err := messages.Get(tx, d.Message)
	if err != nil && !store.IsUnreadable(err) && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil { // nobody can read the message: delete it
		return errors.Join(messages.Delete(tx, d.Message), deliveries.Delete(tx, d.key()))
	}
	if p.Left--; p.Left > 0 {
		err = messages.Put(tx, d.Message, p)
	} else {
		err = messages.Delete(tx, d.Message)
	}
	return errors.Join(err, deliveries.Delete(tx, d.key()))
}

// cancel deletes a subscription's deliveries.
func cancel(tx *store.Tx, subscription string) error {
	var all []delivery
	for d, err := range queued(tx, subscription) {
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	var errs []error
	for _, d := range all {
		errs = append(errs, finish(tx, d))
	}
	return errors.Join(errs...)
}

// waiting lists the subscriptions that have queued messages.
func waiting(tx *store.Tx) ([]string, error) {
	all, err := deliveries.List(tx)
	var out []string
	for _, d := range all {
		if len(out) == 0 || out[len(out)-1] != d.Subscription {
			out = append(out, d.Subscription)
		}
	}
	return out, err
}

// topicOf returns the name of a subscription's topic.
func topicOf(subscription string) string {
	name, _, _ := strings.Cut(subscription, ":")
	return name
}
