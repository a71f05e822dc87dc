package audit

import (
	"context"

	"larder/internal/store"
)

// Log is where a service's actions are recorded.
type Log struct{ Store *store.Store }

// pending is an action whose row is still to be written.
type pending struct {
	event Event
	rows  int // how many were kept
}

type pendingKey struct{}

// Begin returns a context in which the next transaction of Update or Keep writes the event's row.
func (Log) Begin(ctx context.Context, e Event) context.Context {
	return context.WithValue(ctx, pendingKey{}, &pending{event: e})
}

// Rows is how many rows the action of a context has written and kept.
func Rows(ctx context.Context) int {
	if p := pendingOf(ctx); p != nil {
		return p.rows
	}
	return 0
}

func pendingOf(ctx context.Context) *pending {
	p, _ := ctx.Value(pendingKey{}).(*pending)
	return p
}

// Update is the store's Update of an action: what f changes and the action's row are made durable together, or neither
// is. A context in which no action is to be recorded, and an action whose row is there already, only get f.
func Update(ctx context.Context, s *store.Store, f func(*store.Tx) error) error {
	return Keep(ctx, f, s.Update)
}

// In is the Update of a context, for what is done by actions and without.
func In(ctx context.Context, s *store.Store) func(func(*store.Tx) error) error {
	return func(f func(*store.Tx) error) error { return Update(ctx, s, f) }
}

// Keep is Update with another way to run a transaction.
func Keep(ctx context.Context, f func(*store.Tx) error, update func(func(*store.Tx) error) error) error {
	p := pendingOf(ctx)
	if p == nil || p.rows > 0 {
		return update(f)
	}
	err := update(func(tx *store.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return p.write(tx)
	})
	if err == nil {
		p.rows++
	}
	return err
}

// Finish records an action that went well without a transaction of Update: it had nothing to change. Its error fails
// the action.
func (l Log) Finish(ctx context.Context) error {
	if p := pendingOf(ctx); p == nil || p.rows > 0 {
		return nil
	}
	return Update(ctx, l.Store, func(*store.Tx) error { return nil })
}

// write writes the row, and drops those that are beyond the bounds.
func (p *pending) write(tx *store.Tx) error {
	row, err := p.event.record()
	if err != nil {
		return err
	}
	return put(tx, row)
}
