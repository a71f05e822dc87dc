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

// What waits to be delivered is in the store, so that a restart loses nothing: each message once, sealed, and a row for
// each subscription that it is for.
const (
	messages   = store.Table[parcel]("sns-messages")     // by message id
	deliveries = store.Table[delivery]("sns-deliveries") // by subscription and number
)

// parcel is a message that waits, and for how many subscriptions.
type parcel struct {
	Sealed []byte // in JSON; with the topic's KMS key when Key is set
	Key    bool
	Left   int
}

// delivery is one attempt to come.
type delivery struct {
	Subscription, Message string
	Number                uint64 // among the subscription's, in the order of publishing
	Tries                 int
	Set, Due              time.Time // when it was put off, and until when
}

func (d delivery) key() string { return queueOf(d.Subscription) + fmt.Sprintf("%016x", d.Number) }

// queueOf is what the keys of a subscription's deliveries begin with.
func queueOf(subscription string) string { return subscription + "/" }

// maxQueue is how many messages may wait for one subscription. A message that comes when there are as many is not kept
// for it.
const maxQueue = 1000

// ownKey is the key that AWS keeps for topics; here it is the installation's.
const ownKey = "alias/aws/sns"

func messagePlace(id string) string { return "sns-message/" + id }

// enqueue keeps a message for every subscription of its topic that wants it.
func (s *Service) enqueue(ctx context.Context, m message) error {
	return s.send(caller.Of(ctx), m, audit.In(ctx, s.Store), func(tx *store.Tx) ([]string, error) { return s.recipients(tx, m) })
}

// recipients are the subscriptions of a message's topic that want it.
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
			s.Logger.Error("a message is not kept for a subscriber, and for the others it is", "message", m.ID,
				"error", err)
		}
		if wanted {
			to = append(to, sub.key())
		}
	}
	return to, nil
}

// transaction runs a function in a transaction of the store.
type transaction = func(func(*store.Tx) error) error

// send keeps a message for the subscriptions that choose gives, and wakes who delivers it. What choose changes is kept
// in the same transaction: both happen, or neither does.
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
				s.Logger.Warn("a message is not kept for a subscriber: too many are waiting", "subscription", key,
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
		s.couriers.wake(key)
	}
	return nil
}

// seal makes a parcel: with the topic's KMS key where it has one, which its policy has to let the publisher use. Nobody
// can let a service use AWS's own key for topics.
func (s *Service) seal(by caller.Caller, m message) (parcel, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return parcel{}, err
	}
	var of topic
	err = s.Store.View(func(tx *store.Tx) (err error) {
		of, err = s.findTopic(tx, &m.Topic)
		return err
	})
	if err != nil {
		return parcel{}, err
	}
	key := of.Attributes[kmsMasterKeyID]
	context := map[string]string{"aws:sns:topicArn": m.Topic}
	if key != "" && (key != ownKey || by.Service != "") {
		if err := s.Keys.Permit(key, by, context, "GenerateDataKey", "Decrypt"); err != nil {
			return parcel{}, kmsError(err)
		}
	}
	if key == "" || key == ownKey {
		return parcel{Sealed: s.Sealer.Seal(messagePlace(m.ID), raw)}, nil
	}
	sealed, err := s.Keys.Wrap(key, raw, context)
	return parcel{Sealed: sealed, Key: true}, kmsError(err)
}

func (s *Service) open(p parcel, id, topicARN string) (m message, err error) {
	var raw []byte
	if p.Key {
		raw, err = s.Keys.Unwrap(p.Sealed, map[string]string{"aws:sns:topicArn": topicARN})
		err = openError(err)
	} else {
		raw, err = s.Sealer.Open(messagePlace(id), p.Sealed)
	}
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(raw, &m)
}

// kmsError gives the refusals of KMS the names that they have here.
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

// nextNumber is the number of a subscription's next delivery, and whether its queue is full.
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

// queued yields what waits for a subscription, in the order of publishing.
func queued(tx *store.Tx, subscription string) func(func(delivery, error) bool) {
	return func(yield func(delivery, error) bool) {
		for d, err := range deliveries.Readable(tx, queueOf(subscription)) {
			if err == nil && d.Subscription != subscription || !yield(d, err) {
				return
			}
		}
	}
}

// finish takes a delivery off the queue, and its message when it was the last.
func finish(tx *store.Tx, d delivery) error {
	if _, err := deliveries.Get(tx, d.key()); errors.Is(err, store.ErrNotFound) {
		return nil // its subscription ended
	}
	p, err := messages.Get(tx, d.Message)
	if err != nil && !store.IsUnreadable(err) && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil { // no subscriber can have it
		return errors.Join(messages.Delete(tx, d.Message), deliveries.Delete(tx, d.key()))
	}
	if p.Left--; p.Left > 0 {
		err = messages.Put(tx, d.Message, p)
	} else {
		err = messages.Delete(tx, d.Message)
	}
	return errors.Join(err, deliveries.Delete(tx, d.key()))
}

// cancel forgets what waits for a subscription.
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

// waiting lists the subscriptions that something waits for.
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

// topicOf is the name of a subscription's topic.
func topicOf(subscription string) string {
	name, _, _ := strings.Cut(subscription, ":")
	return name
}
