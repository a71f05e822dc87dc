package sns

import (
	"context"
	"errors"
	"sync"
	"time"

	"larder/internal/store"
)

// couriers deliver: one for each subscription that something waits for, so that none waits for another.
type couriers struct {
	mu      sync.Mutex
	start   func(subscription string) // nil unless the service runs
	working map[string]chan struct{}  // a courier's bell
}

// wake rings a subscription's courier, or has one start.
func (c *couriers) wake(subscription string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.start == nil {
		return // Run finds it in the store
	}
	bell, ok := c.working[subscription]
	if !ok {
		c.working[subscription] = make(chan struct{}, 1)
		c.start(subscription)
		return
	}
	select {
	case bell <- struct{}{}:
	default: // it was rung
	}
}

// bell is what wakes a subscription's courier.
func (c *couriers) bell(subscription string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.working[subscription]
}

// leave ends a courier's work, unless its bell was rung.
func (c *couriers) leave(subscription string) bool {
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

// Run delivers until ctx ends, beginning with what an earlier run left, and returns when nothing is under way any more.
func (s *Service) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	s.couriers.mu.Lock()
	s.couriers.working = map[string]chan struct{}{}
	s.couriers.start = func(subscription string) {
		work.Go(func() {
			item := "what waits for " + subscription
			for !s.guard.Run(s.Logger, item, func() { s.carry(ctx, subscription) }) {
				s.wait(ctx, time.Minute)
			}
		})
	}
	s.couriers.mu.Unlock()
	defer func() {
		s.couriers.mu.Lock()
		defer s.couriers.mu.Unlock()
		s.couriers.start = nil
	}()
	var left []string
	err := s.Store.View(func(tx *store.Tx) (err error) {
		left, err = waiting(tx)
		return err
	})
	for _, subscription := range left {
		s.couriers.wake(subscription)
	}
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// carry delivers what waits for a subscription, each message when it is due, until nothing does.
func (s *Service) carry(ctx context.Context, subscription string) {
	bell := s.couriers.bell(subscription)
	held := &held{now: map[string]bool{}}
	for ctx.Err() == nil {
		var next delivery
		var ok bool
		err := s.guard.Do("what waits for "+subscription, func() (err error) {
			next, ok, err = s.earliest(subscription, held)
			return err
		})
		if err != nil {
			s.Logger.Error("cannot read what waits for a subscriber", "subscription", subscription, "error", err)
		}
		if !ok && !held.some() {
			if s.couriers.leave(subscription) {
				return
			}
			continue
		}
		if wait := held.wait(next, ok, s.Now()); wait > 0 {
			select {
			case <-ctx.Done():
			case <-bell:
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
			// The store cannot be written: trying at once would send the message again and again.
			s.Logger.Error("cannot keep what became of a message", "subscription", subscription, "message",
				next.Message, "error", err)
			s.wait(ctx, time.Minute)
		}
	}
}

// earliest is the delivery that is due first, of those that are not held.
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

// wait is how long it is until a delivery is due. One that was put off later than now was so before the clock went
// back: how much is left of its delay is not known, and it is due.
func (d delivery) wait(now time.Time) time.Duration {
	if now.Before(d.Set) {
		return d.Set.Sub(d.Due)
	}
	return d.Due.Sub(now)
}

// errPermanent says that to try again would be of no use.
var errPermanent = errors.New("it will not be tried again")

// attempt tries one delivery, and keeps what became of it.
func (s *Service) attempt(ctx context.Context, d delivery) error {
	var sub subscription
	var of topic
	var p parcel
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
	if errors.Is(err, store.ErrNotFound) { // unsubscribed meanwhile
		return s.Store.Update(func(tx *store.Tx) error { return finish(tx, d) })
	}
	if store.IsUnreadable(err) { // to try again is of no use
		s.Logger.Error("a message cannot be read, and is not delivered", "subscription", d.Subscription, "message",
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
		return nil // what was interrupted is delivered after the restart; what a subscriber took is not, whenever larder ends
	}
	if err := s.conclude(d, policy.HealthyRetryPolicy, err); err != nil {
		return err
	}
	s.wait(ctx, policy.pause())
	return nil
}

// wait waits for so long, unless ctx ends before.
func (s *Service) wait(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-s.After(d):
	}
}

// conclude takes a delivery off the queue when it succeeded or cannot, and has it tried again otherwise.
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

// Idle tells whether nothing waits to be delivered.
func (s *Service) Idle() bool {
	var left []string
	err := s.Store.View(func(tx *store.Tx) (err error) {
		left, err = waiting(tx)
		return err
	})
	return err == nil && len(left) == 0
}
