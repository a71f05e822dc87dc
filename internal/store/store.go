// Package store keeps larder's state: typed tables in one bbolt file, changed in transactions, with a feed of changes.
package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
)

// ErrLocked reports that another process has the store open.
var ErrLocked = errors.New("the state directory is in use by another larder")

// Store is an open state file. Its methods may be called from several goroutines.
type Store struct {
	path    string // of the state file
	db      atomic.Pointer[bbolt.DB]
	reserve *reserve
	refuse  atomic.Pointer[func() error] // see Refuse

	restoring sync.Mutex
	content   *os.File // the state file, read only: bbolt does not expose its own file

	mu          sync.Mutex
	subscribers map[int]subscriber
	next        int
	damaged     damagedRows
}

type subscriber struct {
	table  string
	notify func(key string)
}

// mapped is how much of the file is mapped at first, in bytes of address space. While the file is smaller, no Update
// has to wait for a View to end before it can map more.
const mapped = 64 << 20

// Open opens the state file at path, and creates it if it does not exist. It returns ErrLocked when another process has
// it open, and a DamageError for a damaged file.
func Open(path string) (*Store, error) {
	if err := checkFile(path); err != nil {
		return nil, err
	}
	db, err := openFile(path)
	var damage *DamageError
	switch {
	case errors.Is(err, bberrors.ErrTimeout):
		return nil, fmt.Errorf("cannot open %s: %w", path, ErrLocked)
	case isDamage(err):
		return nil, &DamageError{path, err.Error()}
	case errors.As(err, &damage):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("cannot open the state file %s: %w", path, err)
	}
	content, err := os.Open(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open the state file: %w", err), db.Close())
	}
	s := &Store{
		path: path, content: content, reserve: openReserve(path + ".reserve"), subscribers: map[int]subscriber{},
		damaged: damagedRows{rows: map[change]damagedRow{}},
	}
	s.db.Store(db)
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func openFile(path string) (db *bbolt.DB, err error) {
	err = guard(path, func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 50 * time.Millisecond, InitialMmapSize: mapped})
		return err
	})
	return db, err
}

// prepare checks every record of an existing state, and patches one of an earlier format.
func (s *Store) prepare() error {
	var schema int
	err := s.transact(false, func(t *Tx) (err error) {
		schema, err = check(t)
		return err
	})
	if err != nil || schema == currentSchema {
		return err
	}
	return s.UpdateReserved(func(t *Tx) error { return patch(t, schema) })
}

// Close waits for running transactions and closes the file.
func (s *Store) Close() error {
	s.restoring.Lock()
	defer s.restoring.Unlock()
	return errors.Join(s.db.Load().Close(), s.content.Close(), s.reserve.close())
}

// Tx is a transaction. It is valid only inside the function that receives it.
type Tx struct {
	tx      *bbolt.Tx
	store   *Store
	path    string // of the state file
	changed []change
	digest  *digest // of all records, from the transaction's first change on; nil before
	recount bool    // the digest must be computed again
}

type change struct{ table, key string }

// View runs f on a consistent, read-only view of the state.
func (s *Store) View(f func(*Tx) error) error { return s.transact(false, f) }

// transact runs f in a transaction. If writable is set and f succeeds, it makes the changes durable.
func (s *Store) transact(writable bool, f func(*Tx) error) error {
	t := &Tx{store: s, path: s.path}
	err := guard(t.path, func() (err error) {
		t.tx, err = s.begin(writable)
		return err
	})
	if err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept {
			guard(t.path, t.tx.Rollback) // nothing is kept, whether or not this succeeds
		}
	}()
	if err := f(t); err != nil || !writable || t.digest == nil { // nothing was changed
		return err
	}
	if err := s.refused(); err != nil {
		return err
	}
	err = guard(t.path, func() error {
		if err := t.putDigest(); err != nil {
			return err
		}
		return t.tx.Commit()
	})
	kept = err == nil
	return err
}

// Update runs f and makes all its changes durable, or none: an error from f undoes them. It notifies subscribers
// afterwards.
func (s *Store) Update(f func(*Tx) error) error {
	var changed []change
	var refusal error
	err := s.transact(true, func(t *Tx) error {
		refusal = f(t)
		changed = t.changed
		return refusal
	})
	if refusal != nil {
		return refusal
	}
	var damage *DamageError
	if errors.As(err, &damage) {
		return err
	}
	if err != nil {
		return &WriteError{Dir: filepath.Dir(s.path), Err: err}
	}
	s.publish(changed)
	return nil
}

// UpdateReserved is an Update for what has already happened and must not be forgotten. On a full disk it uses the space
// that the store reserves for this. f may be called several times.
func (s *Store) UpdateReserved(f func(*Tx) error) error {
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

// Subscribe has notify called after each transaction that changed the table, once per changed key. notify must not
// block for long. cancel ends the subscription; a call that has already begun may still run.
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

// Changes returns a channel that receives a value when the table has changed since the last receive, or since the call
// of Changes. cancel ends the subscription.
func (s *Store) Changes(table string) (changed <-chan struct{}, cancel func()) {
	wakes := make(chan struct{}, 1)
	return wakes, s.Subscribe(table, func(string) {
		select {
		case wakes <- struct{}{}:
		default: // a value is already waiting
		}
	})
}

// WatchAndRetry runs work at once, and again whenever the table has changed or the channel that work returned receives
// something. work returns nil if it does not need to be retried. WatchAndRetry returns when ctx ends.
func (s *Store) WatchAndRetry(ctx context.Context, table string, work func() (again <-chan time.Time)) {
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

// publish calls the subscribers without holding the lock: a subscriber may wait for a goroutine that is about to
// publish.
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
