// Package store keeps larder's state: typed tables in one bbolt file, changed in transactions, with a feed of what changed.
package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
)

// ErrLocked says that another process has the store open.
var ErrLocked = errors.New("the state directory is in use by another larder")

// Store is an open state file. Its methods may be called from several goroutines.
type Store struct {
	db      *bbolt.DB
	reserve *reserve

	mu          sync.Mutex
	subscribers map[int]subscriber
	next        int
}

type subscriber struct {
	table  string
	notify func(key string)
}

// mapped is how much of the file is mapped at first, in bytes of address space: while the file fits, no Update has to wait for
// a View to end before it can map more.
const mapped = 64 << 20

// Open opens the file at path, making it if it is not there. It returns ErrLocked when another process holds it.
func Open(path string) (*Store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 50 * time.Millisecond, InitialMmapSize: mapped})
	switch {
	case errors.Is(err, bberrors.ErrTimeout):
		return nil, fmt.Errorf("cannot open %s: %w", path, ErrLocked)
	case err != nil:
		return nil, fmt.Errorf("cannot open the state file %s: %w", path, err)
	}
	return &Store{db: db, reserve: openReserve(path + ".reserve"), subscribers: map[int]subscriber{}}, nil
}

// Close waits for running transactions and closes the file.
func (s *Store) Close() error { return errors.Join(s.db.Close(), s.reserve.close()) }

// Tx is a transaction. It is valid only inside the function it was given to.
type Tx struct {
	tx      *bbolt.Tx
	changed []change
}

type change struct{ table, key string }

// View runs f on an unchanging view of the state.
func (s *Store) View(f func(*Tx) error) error {
	return s.db.View(func(tx *bbolt.Tx) error { return f(&Tx{tx: tx}) })
}

// Update runs f and makes its changes durable, all or none: an error from f undoes them. Subscribers are told afterwards.
func (s *Store) Update(f func(*Tx) error) error {
	var changed []change
	var refusal error
	err := s.db.Update(func(tx *bbolt.Tx) error {
		t := &Tx{tx: tx}
		refusal = f(t)
		changed = t.changed
		return refusal
	})
	if refusal != nil {
		return refusal
	}
	if err != nil {
		return &WriteError{Dir: filepath.Dir(s.db.Path()), Err: err}
	}
	s.publish(changed)
	return nil
}

// Insist is an Update of what has happened already, and must be known later: where the disk is full it is given the room that the
// store keeps for that. f may be called several times.
func (s *Store) Insist(f func(*Tx) error) error {
	var full *WriteError
	err := s.Update(f)
	for errors.As(err, &full) && errors.Is(err, syscall.ENOSPC) {
		more, errYield := s.reserve.yield()
		if !more || errYield != nil {
			return errors.Join(err, errYield)
		}
		err = s.Update(f)
	}
	s.reserve.fill()
	return err
}

// Subscribe has notify called, after each transaction that changed the table, once per changed key. notify must not block for
// long. The returned function ends the subscription; a call that is under way may still be made.
func (s *Store) Subscribe(table string, notify func(key string)) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.next
	s.next++
	s.subscribers[id] = subscriber{table, notify}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subscribers, id)
	}
}

// Changes has something to receive when the table has changed since the last time that something was received, or the call. The
// returned function ends the subscription.
func (s *Store) Changes(table string) (changed <-chan struct{}, cancel func()) {
	wakes := make(chan struct{}, 1)
	return wakes, s.Subscribe(table, func(string) {
		select {
		case wakes <- struct{}{}:
		default: // one is waiting already
		}
	})
}

// Tend runs work at once, and again whenever the table has changed or the channel that work returned has something, which is nil
// unless work is to be tried again. It returns when ctx ends.
func (s *Store) Tend(ctx context.Context, table string, work func() (again <-chan time.Time)) {
	changed, cancel := s.Changes(table)
	defer cancel()
	for {
		again := work()
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}

// publish calls the subscribers without holding the lock: they may wait for someone who is about to publish.
func (s *Store) publish(changed []change) {
	s.mu.Lock()
	subscribers := slices.Collect(maps.Values(s.subscribers))
	s.mu.Unlock()
	told := map[change]bool{}
	for _, c := range changed {
		if told[c] {
			continue
		}
		told[c] = true
		for _, sub := range subscribers {
			if sub.table == c.table {
				sub.notify(c.key)
			}
		}
	}
}
