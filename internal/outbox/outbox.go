// Package outbox carries out what transactions left in a table to be done, such as a message for a topic. A row is put
// in the transaction of what it tells of, and taken off in the one that keeps the message: nothing is lost or done
// twice, whenever the engine ends.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go"

	"larder/internal/isolate"
	"larder/internal/store"
)

// Outbox carries out the rows of a table. Every field is needed.
type Outbox[T any] struct {
	Store *store.Store
	Table store.Table[T] // its keys sort by age
	Item  func(row T) Item
	// Deliver carries out a row, and runs also in the transaction that keeps the outcome.
	Deliver func(row T, also func(*store.Tx) error) error
	// Settle writes what comes of a row into the transaction that takes it off. Refusal is nil when the row was
	// delivered.
	Settle func(tx *store.Tx, row T, refusal smithy.APIError) error
	Failed func(error)                          // gets what goes wrong, which is tried again
	After  func(time.Duration) <-chan time.Time // as time.After

	guard isolate.Guard
}

// Item is what an outbox knows of a row.
type Item struct {
	Key   string // in the table
	Queue string // rows of one queue are carried out in their order
	Name  string // what the row is, such as "an action of the alarm x"
	Task  string // what there is to do, such as "tell the topic y of the alarm x"
}

// retryTime is between two attempts to carry out what could not be.
const retryTime = 5 * time.Second

// Run carries out rows until ctx ends, beginning with what an earlier run left.
func (o *Outbox[T]) Run(ctx context.Context) {
	o.Store.WatchAndRetry(ctx, string(o.Table), func() <-chan time.Time {
		if err := o.Drain(ctx); err != nil {
			o.Failed(err)
			return o.After(retryTime)
		}
		return nil
	})
}

// Drain carries out what waits once, oldest first. A row that fails stays, and so do the others of its queue, so that
// they keep their order. It returns what went wrong, nil when ctx ended.
func (o *Outbox[T]) Drain(ctx context.Context) error {
	var errs []error
	stuck := map[string]bool{}
	for last := ""; ctx.Err() == nil; {
		row, there, err := o.next(last)
		if err != nil || !there {
			return errors.Join(append(errs, err)...)
		}
		item := o.Item(row)
		last = item.Key
		if stuck[item.Queue] {
			continue
		}
		if err := o.guard.Do(item.Name, func() error { return o.deliver(row, item.Key) }); err != nil {
			stuck[item.Queue] = true
			errs = append(errs, fmt.Errorf("cannot %s: %w", item.Task, err))
		}
	}
	return nil
}

// next is the row that follows a key.
func (o *Outbox[T]) next(last string) (next T, there bool, err error) {
	err = o.Store.View(func(tx *store.Tx) error {
		for row, err := range o.Table.Readable(tx, last) {
			if err != nil {
				return err
			}
			if o.Item(row).Key > last {
				next, there = row, true
				return nil
			}
		}
		return nil
	})
	return next, there, err
}

// deliver carries out a row. What is refused, such as a message for a topic that is gone, is not tried again.
func (o *Outbox[T]) deliver(row T, key string) error {
	settle := func(tx *store.Tx, refusal smithy.APIError) error {
		return errors.Join(o.Table.Delete(tx, key), o.Settle(tx, row, refusal))
	}
	err := o.Deliver(row, func(tx *store.Tx) error { return settle(tx, nil) })
	if refusal := smithy.APIError(nil); errors.As(err, &refusal) && refusal.ErrorFault() == smithy.FaultClient {
		return o.Store.Update(func(tx *store.Tx) error { return settle(tx, refusal) })
	}
	return err
}
