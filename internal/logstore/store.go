package logstore

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"larder/internal/durable"
)

// Config configures a store. Every field is required.
type Config struct {
	Dir  string
	Keys Keys
	// MaxBytes bounds how much disk space all groups take. Sweep enforces it by deleting the oldest events.
	MaxBytes int64
	Logger   *slog.Logger
}

// Store keeps the events of log groups. Its methods may be called from several goroutines.
type Store struct {
	config Config

	mu     sync.Mutex
	groups map[string]*group
}

// Open opens the store in a directory, and creates the directory if necessary. It reports damage to Logger and uses the
// rest.
func Open(c Config) (*Store, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot keep log events: %w", err)
	}
	dirs, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the log events: %w", err)
	}
	s := &Store{config: c, groups: map[string]*group{}}
	for _, d := range dirs {
		if !d.IsDir() {
			c.Logger.Warn("a file among the log groups is not one of larder's", "file", filepath.Join(c.Dir, d.Name()))
			continue
		}
		g, err := openGroup(d.Name(), filepath.Join(c.Dir, d.Name()), c.Keys, c.Logger)
		if err != nil { // the next use of the group tries again
			c.Logger.Error("cannot open the events of a log group", "group", d.Name(), "error", err)
			continue
		}
		s.groups[d.Name()] = g
	}
	return s, nil
}

// Close waits for running operations of each group, and closes the files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, g := range s.groups {
		errs = append(errs, g.close())
	}
	return errors.Join(errs...)
}

// Batch is a set of events that are appended all or not at all.
type Batch struct {
	Events []Event
	// Source and Mark make sure that a batch is stored only once. A source's marks rise: a batch whose mark is not beyond
	// the last one is ignored. The mark becomes durable with the events. An empty Source disables this. A Mark of 0
	// forgets the source.
	Source string
	Mark   uint64
}

// Append makes batches durable in the group of that id, which is also the name of its directory. arn is the group's KMS
// key; empty means the installation's own.
func (s *Store) Append(id, arn string, batches ...Batch) error {
	g, err := s.group(id, true)
	if err != nil {
		return err
	}
	return g.append(arn, batches)
}

// Mark returns the last mark of a source; 0 if there is none. arn is the group's KMS key, as for Append.
func (s *Store) Mark(id, arn, source string) (uint64, error) {
	g, err := s.group(id, false)
	if g == nil || err != nil {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.use(arn)
	err = g.ready()
	return g.marks[source], err
}

// Stats returns the statistics of a group's streams, by stream number.
func (s *Store) Stats(id string) (map[uint32]Stat, error) {
	g, err := s.group(id, false)
	if g == nil || err != nil {
		return nil, err
	}
	return g.stats()
}

// group returns a group's files. If there are none, it creates them if create is set, and returns nil otherwise.
func (s *Store) group(id string, create bool) (*group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.groups[id]; g != nil || !create {
		return g, nil
	}
	dir := filepath.Join(s.config.Dir, id)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cannot keep log events: %w", err)
	}
	if err := durable.SyncDir(s.config.Dir); err != nil {
		return nil, fmt.Errorf("cannot keep log events: %w", err)
	}
	g, err := openGroup(id, dir, s.config.Keys, s.config.Logger)
	if err == nil {
		s.groups[id] = g
	}
	return g, err
}

// Drop deletes a group's events. If some files cannot be deleted, the group is closed all the same, and another Drop
// tries again.
func (s *Store) Drop(id string) error {
	s.mu.Lock()
	g := s.groups[id]
	s.mu.Unlock()
	if g == nil {
		return nil
	}
	if err := errors.Join(g.close(), os.RemoveAll(g.dir)); err != nil {
		return fmt.Errorf("cannot delete all log events of a group: %w", err)
	}
	s.mu.Lock()
	delete(s.groups, id)
	s.mu.Unlock()
	return nil
}

// Sweep deletes what has expired, in this order: groups that keep does not know; segments whose events are all older
// than the retention, where 0 means for ever; and then the oldest segments of all groups until the store is within its
// bound. It leaves a group whose key cannot be used unchanged.
func (s *Store) Sweep(now time.Time, keep func(id string) (retention time.Duration, known bool)) error {
	groups := s.all()
	var errs []error
	kept := groups[:0]
	for _, g := range groups {
		retention, known := keep(g.id)
		if !known {
			errs = append(errs, s.Drop(g.id))
			continue
		}
		kept = append(kept, g)
		if retention > 0 {
			_, err := s.expire(g, now.Add(-retention).UnixMilli())
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, s.bound(kept))...)
}

// expire deletes a group's events before a time, and returns how many bytes that freed.
func (s *Store) expire(g *group, before int64) (freed int64, err error) {
	freed, err = g.expire(before)
	locked := (*KeyError)(nil)
	if !errors.As(err, &locked) {
		g.locked.Store(false)
		return freed, err
	}
	if !g.locked.Swap(true) { // logged once, not at every sweep
		s.config.Logger.Warn("cannot determine which log events have expired", "group", g.id, "error", err)
	}
	return freed, nil
}

// bound deletes the oldest files until the store is within its bound.
func (s *Store) bound(groups []*group) error {
	var total int64
	type old struct {
		g    *group
		last int64
	}
	var all []old
	for _, g := range groups {
		size, lasts := g.holds()
		total += size
		for _, last := range lasts {
			all = append(all, old{g, last})
		}
	}
	slices.SortFunc(all, func(a, b old) int { return cmp.Compare(a.last, b.last) })
	var errs []error
	stuck := map[*group]bool{} // groups in which nothing can be deleted; the others make room
	for _, o := range all {
		if total <= s.config.MaxBytes {
			break
		}
		if o.last == math.MaxInt64 || stuck[o.g] {
			continue
		}
		freed, err := s.expire(o.g, o.last+1)
		errs = append(errs, err)
		if freed <= 0 {
			stuck[o.g] = true
			continue
		}
		total -= freed
		s.config.Logger.Info("deleted the oldest log events: the store is at its bound", "group", o.g.id, "bytes",
			freed, "bound", s.config.MaxBytes)
	}
	return errors.Join(errs...)
}
