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

// Config is what a store works with. Every field is needed.
type Config struct {
	Dir  string
	Keys Keys
	// MaxBytes bounds what all groups take on disk: the oldest events go first. It is kept by Sweep.
	MaxBytes int64
	Logger   *slog.Logger
}

// Store keeps the events of log groups. Its methods may be called from several goroutines.
type Store struct {
	config Config

	mu     sync.Mutex
	groups map[string]*group
}

// Open opens the store in a directory, making it if it is not there. What is damaged there is told to Logger, and the
// rest is used.
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
			c.Logger.Warn("a file among the log groups is none of larder's", "file", filepath.Join(c.Dir, d.Name()))
			continue
		}
		g, err := openGroup(d.Name(), filepath.Join(c.Dir, d.Name()), c.Keys, c.Logger)
		if err != nil { // who asks for the group tries again
			c.Logger.Error("cannot open the events of a log group", "group", d.Name(), "error", err)
			continue
		}
		s.groups[d.Name()] = g
	}
	return s, nil
}

// Close waits for what is under way in each group, and closes the files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, g := range s.groups {
		errs = append(errs, g.close())
	}
	return errors.Join(errs...)
}

// Batch is events that are appended together or not at all.
type Batch struct {
	Events []Event
	// Source and Mark make the batch one that is kept once: a source's marks rise, and a batch whose mark is not beyond
	// the last is known already. The mark becomes durable with the events. Empty: no source. A mark of 0 forgets the
	// source.
	Source string
	Mark   uint64
}

// Append makes batches durable in the group of that id, which is also the name of its directory; arn is the KMS key of
// the group, empty for the installation's own.
func (s *Store) Append(id, arn string, batches ...Batch) error {
	g, err := s.group(id, true)
	if err != nil {
		return err
	}
	return g.append(arn, batches)
}

// Mark is the last mark of a source, 0 when there is none. Arn is that of the group's KMS key, as for Append.
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

// Stats returns the figures of a group's streams, by their numbers.
func (s *Store) Stats(id string) (map[uint32]Stat, error) {
	g, err := s.group(id, false)
	if g == nil || err != nil {
		return nil, err
	}
	return g.stats()
}

// group returns a group's files; nil when there are none and none are to be made.
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

// Drop deletes a group's events. Where some of its files cannot be deleted, the group takes and gives no events any
// more, and whoever drops it again goes on with that.
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

// Sweep deletes what is past its time: the groups that keep does not know, the segments whose events are all older than
// it says (0: they are kept for ever), and then the oldest segments of all until the rest is within the store's bound.
// A group whose key cannot be used is left as it is.
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

// expire deletes a group's events of before a time, and says how many bytes that freed.
func (s *Store) expire(g *group, before int64) (freed int64, err error) {
	freed, err = g.expire(before)
	locked := (*KeyError)(nil)
	if !errors.As(err, &locked) {
		g.locked.Store(false)
		return freed, err
	}
	if !g.locked.Swap(true) { // told once, not at every sweep
		s.config.Logger.Warn("cannot tell which log events are past their time", "group", g.id, "error", err)
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
	stuck := map[*group]bool{} // these are not asked again, and the others make room
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
