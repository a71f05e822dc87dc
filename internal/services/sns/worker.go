package sns

import (
	"context"
	"errors"
	"sync"
	"time"

	"larder/internal/store"
)

// workers keeps one delivery worker for each subscription that has queued messages, so that a slow subscriber delays no
// other.
type workers struct {
	mu      sync.Mutex
	start   func(subscription string) // nil unless the service runs
	working map[string]chan struct{}  // the wake channel of each subscription's worker
}

// wake tells a subscription's delivery worker that a message was queued. It starts a worker where none runs.
func (c *workers) wake(subscription string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.start == nil {
		return // Run reads the queue from the store when it starts
	}
	wakeUp, ok := c.working[subscription]
	if !ok {
		c.working[subscription] = make(chan struct{}, 1)
		c.start(subscription)
		return
	}
	select {
	case wakeUp <- struct{}{}:
	default: // a wake-up is already waiting in the channel
	}
}

// wakeChannel returns the channel that wakes a subscription's delivery worker.
func (c *workers) wakeChannel(subscription string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.working[subscription]
}

// leave ends a delivery worker and reports true. It reports false when a message was queued meanwhile: the worker must
// go on.
func (c *workers) leave(subscription string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.working[subscription]:
		return false
	default:
		delete(c.working, subscription)
		return true
	}
}

// Run delivers messages until ctx ends, and begins with those that an earlier run left in the store. It returns when
// the last attempt under way has ended. It fails when the store cannot be read.
func (s *Service) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	s.workers.mu.Lock()
	s.workers.working = map[string]chan struct{}{}
	s.workers.start = func(subscription string) {
		work.Go(func() {
			item := "what waits for " + subscription
			for !s.guard.Run(s.Logger, item, func() { s.runWorker(ctx, subscription) }) {
				s.wait(ctx, time.Minute)
			}
		})
	}
	s.workers.mu.Unlock()
	defer func() {
		s.workers.mu.Lock()
		defer s.workers.mu.Unlock()
		s.workers.start = nil
	}()
	var left []string
	err := s.Store.View(func(tx *store.Tx) (err error) {
		left, err = waiting(tx)
		return err
	})
	for _, subscription := range left {
		s.workers.wake(subscription)
	}
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// runWorker delivers a subscription's queued messages, each when it is due. It returns when the queue is empty.
func (s *Service) runWorker(ctx context.Context, subscription string) {
	wakeUp := s.workers.wakeChannel(subscription)
	held := &held{now: map[string]bool{}}
	for ctx.Err() == nil {
		var next delivery
		var ok bool
		err := s.guard.Do("what waits for "+subscription, func() (err error) {
			next, ok, err = s.earliest(subscription, held)
			return err
		})
		if err != nil {
			s.Logger.Error("cannot read a subscription's queued messages", "subscription", subscription, "error", err)
		}
		if !ok && !held.some() {
			if s.workers.leave(subscription) {
				return
			}
			continue
		}
		if wait := held.wait(next, ok, s.Now()); wait > 0 {
			select {
			case <-ctx.Done():
			case <-wakeUp:
			case <-s.After(wait):
				held.release()
			}
			continue
		}
		item := "a message for " + subscription
		err = s.guard.Do(item, func() error { return s.attempt(ctx, next) })
		if held.takes(next, err) {
			s.tellOfKey(held, next, err)
			continue
		}
		if err != nil {
			// The store cannot be written. Another attempt at once would send the message again and again.
			s.Logger.Error("cannot save the outcome of a delivery; it is tried again in a minute",
				"subscription", subscription, "message", next.Message, "error", err)
			s.wait(ctx, time.Minute)
		}
	}
}

// earliest returns the delivery that is due first. It passes over those that are held.
func (s *Service) earliest(subscription string, held *held) (first delivery, ok bool, err error) {
	now := s.Now()
	err = s.Store.View(func(tx *store.Tx) error {
		for d, err := range queued(tx, subscription) {
			if err != nil {
				return err
			}
			if held.now[d.key()] {
				continue
			}
			if !ok || d.wait(now) < first.wait(now) {
				first, ok = d, true
			}
		}
		return nil
	})
	return first, ok && err == nil, err
}

// wait returns the time until a delivery is due; at most zero means now. If d.Set lies in the future, the clock moved
// back, and how much of the delay is left is not known: deliver now.
func (d delivery) wait(now time.Time) time.Duration {
	if now.Before(d.Set) {
		return d.Set.Sub(d.Due)
	}
	return d.Due.Sub(now)
}

// errPermanent marks a failure that another attempt cannot mend.
var errPermanent = errors.New("it will not be tried again")

// attempt tries one delivery and saves its outcome. It returns an error when the outcome could not be saved, or when
// the message's KMS key cannot be used at present.
func (s *Service) attempt(ctx context.Context, d delivery) error {
	var sub subscription
	var of topic
	var p queuedMessage
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if sub, err = subscriptions.Get(tx, d.Subscription); err != nil {
			return err
		}
		if of, err = topics.Get(tx, topicOf(d.Subscription)); err != nil {
			return err
		}
		p, err = messages.Get(tx, d.Message)
		return err
	})
	if errors.Is(err, store.ErrNotFound) { // the subscription was deleted
		return s.Store.Update(func(tx *store.Tx) error { return finish(tx, d) })
	}
	if store.IsUnreadable(err) { // another attempt would fail in the same way
		s.Logger.Error("dropped a message: its record in the store cannot be read", "subscription", d.Subscription, "message",
			d.Message, "error", err)
		return s.Store.Update(func(tx *store.Tx) error { return finish(tx, d) })
	}
	if err != nil {
		return err
	}
	policy, err := policyOf(of, sub)
	if err != nil {
		s.Logger.Warn("the default delivery policy is used", "subscription", d.Subscription, "error", err)
		if policy, err = policyOf(topic{}, subscription{Protocol: sub.Protocol}); err != nil {
			return err
		}
	}
	m, err := s.open(p, d.Message, s.arn(of.Name))
	if isLocked(err) {
		return err
	}
	if err == nil {
		err = s.deliver(ctx, policy, of, sub, m)
	}
	if err != nil && ctx.Err() != nil {
		return nil // larder shuts down: the message is delivered after the restart
	}
	if err := s.conclude(d, policy.HealthyRetryPolicy, err); err != nil {
		return err
	}
	s.wait(ctx, policy.pause())
	return nil
}

// wait returns after d, or as soon as ctx ends.
func (s *Service) wait(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-s.After(d):
	}
}

// conclude takes a delivery off the queue when it succeeded, and when no attempt is left. Otherwise it sets the time of
// the next attempt.
func (s *Service) conclude(d delivery, policy retryPolicy, failure error) error {
	if failure == nil {
		return s.Store.Update(func(tx *store.Tx) error { return finish(tx, d) })
	}
	delay, again := policy.delay(d.Tries)
	if !again || errors.Is(failure, errPermanent) {
		s.Logger.Warn("a message was not delivered", "subscription", d.Subscription, "message", d.Message, "tries",
			d.Tries+1, "error", failure)
		return s.Store.Update(func(tx *store.Tx) error { return finish(tx, d) })
	}
	s.Logger.Debug("a message will be delivered again", "subscription", d.Subscription, "message", d.Message, "in",
		delay, "error", failure)
	return s.Store.Update(func(tx *store.Tx) error {
		if _, err := deliveries.Get(tx, d.key()); errors.Is(err, store.ErrNotFound) {
			return nil
		}
		d.Tries++
		d.Set = s.Now()
		d.Due = d.Set.Add(delay)
		return deliveries.Put(tx, d.key(), d)
	})
}

// Idle reports whether no message waits to be delivered.
func (s *Service) Idle() bool {
	var left []string
	err := s.Store.View(func(tx *store.Tx) (err error) {
		left, err = waiting(tx)
		return err
	})
	return err == nil && len(left) == 0
}
