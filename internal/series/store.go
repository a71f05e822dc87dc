// Package series keeps metric samples, by second or by minute, for fifteen days, and computes statistics of them.
//
// New cells are held in memory and written to a journal at every flush. Once an hour they become one file per day, in
// which a series is one compressed chunk. When a day is over, its files are merged into one, and its seconds into
// minutes.
package series

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"larder/internal/isolate"
)

// How long samples are kept, in seconds. Source: CloudWatch's retention of metrics.
const (
	Retention     = 15 * secondsOfDay
	FineRetention = 3 * 3600 // for periods under a minute
	minute        = 60
)

// Config says where and how samples are kept. Dir and Now are required.
type Config struct {
	Dir string
	Now func() time.Time
	// FlushEvery is the time between flushes, and so how much is lost at most when the process or the machine dies; zero
	// means ten seconds.
	FlushEvery time.Duration
	// CutEvery is how long samples stay in memory; zero means an hour.
	CutEvery time.Duration
	// MaxHeld is how many bytes of samples stay in memory; zero means 8 MiB.
	MaxHeld int
	// MaxSeries is the maximum number of series; zero means 100,000.
	MaxSeries int
	// Reserved is how many of these series only the namespace ReservedFor can have. When few are left, the series of that
	// namespace that ended longest ago are evicted before their retention is over.
	Reserved    int
	ReservedFor string
	// Failed is called with what fails in Run, which continues; nil drops the errors.
	Failed func(error)
}

func (c Config) withDefaults() Config {
	or := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	or(&c.MaxHeld, 8<<20)
	or(&c.MaxSeries, 100_000)
	if c.FlushEvery == 0 {
		c.FlushEvery = 10 * time.Second
	}
	if c.CutEvery == 0 {
		c.CutEvery = time.Hour
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	return c
}

// maxUnwritten is how many bytes of samples wait in memory for a disk that refuses them.
const maxUnwritten = 16 << 20

// ErrUnwritten reports that the disk has refused samples for so long that no more can wait in memory.
var ErrUnwritten = errors.New("the disk does not take the metrics")

// ErrTooMany reports that the maximum number of series is reached.
var ErrTooMany = errors.New("there are too many series")

// Sample is a cell of a series. A Fine sample keeps its second; any other is counted in its minute.
type Sample struct {
	Key
	Cell
	Fine bool
}

// Store keeps samples. Its methods may be called from several goroutines.
type Store struct {
	config Config
	guard  isolate.Guard

	disk    sync.Mutex // held while files are made and removed; locked before mu
	catalog *journal
	wal     *journal
	walSeq  uint64
	cutAt   time.Time // when the journal began

	mu     sync.RWMutex
	byBase map[string][]*head // by the key without its unit
	byID   map[uint32]*head
	nextID uint32
	own    int // number of series of the namespace ReservedFor
	blocks []*block
	held   int      // bytes in the heads' rows
	keys   [][]byte // records of new series that are not in the catalog yet
	fresh  []byte   // rows not yet in the journal

	lost damage
}

// head is one series: its key, and its cells that are only in memory.
type head struct {
	id    uint32
	key   string
	unit  string
	own   bool // its namespace is ReservedFor
	fresh rows
	// cut has the rows that are being written to files, or that wait for it after a failure.
	cut  []byte
	last int64 // the newest cell's time; after a restart, the newest of its file
}

// Add adds samples, all or none. They are durable after the next flush. Samples older than the retention are dropped.
func (s *Store) Add(samples ...Sample) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fresh) > maxUnwritten {
		return ErrUnwritten
	}
	oldest := s.config.Now().Unix() - Retention
	due := func(sample *Sample) bool {
		if !sample.Fine {
			sample.At = floor(sample.At, minute)
		}
		return sample.At >= oldest
	}
	heads := make([]*head, len(samples))
	unknown := map[string]Key{}
	for i, sample := range samples {
		if !due(&sample) {
			continue
		}
		if heads[i] = s.known(sample.Key); heads[i] == nil {
			unknown[sample.encode()] = sample.Key
		}
	}
	if err := s.room(unknown); err != nil {
		return err
	}
	for i, sample := range samples {
		if !due(&sample) {
			continue
		}
		h := heads[i]
		if h == nil {
			h = s.head(sample.Key)
		}
		s.keep(h, sample.Cell)
		one := rows{b: binary.AppendUvarint(s.fresh, uint64(h.id))}
		one.add(sample.Cell)
		s.fresh = one.b
	}
	return nil
}

// room returns an error if there is no room for the series in unknown.
func (s *Store) room(unknown map[string]Key) error {
	own := 0
	for _, k := range unknown {
		if len(k.Unit) > maxUnit {
			return fmt.Errorf("a unit has at most %d bytes, not %d", maxUnit, len(k.Unit))
		}
		if k.Namespace == s.config.ReservedFor {
			own++
		}
	}
	all, others := len(s.byID)+len(unknown), len(s.byID)-s.own+len(unknown)-own
	if len(unknown) > 0 && all > s.config.MaxSeries || len(unknown) > own &&
		others > s.config.MaxSeries-s.config.Reserved {
		return fmt.Errorf("cannot keep another metric: %w: %d", ErrTooMany, len(s.byID))
	}
	return nil
}

func (s *Store) keep(h *head, c Cell) {
	before := len(h.fresh.b)
	h.fresh.add(c)
	s.held += len(h.fresh.b) - before
	h.last = max(h.last, c.At)
}

// head returns the series of a key, and creates it if necessary.
func (s *Store) head(k Key) *head {
	if h := s.known(k); h != nil {
		return h
	}
	h := s.addSeries(s.nextID, k.encode(), k)
	s.keys = append(s.keys, catalogRecord(h.id, h.key))
	return h
}

// known returns the series of a key, or nil.
func (s *Store) known(k Key) *head {
	for _, h := range s.byBase[string(k.base())] {
		if h.unit == k.Unit {
			return h
		}
	}
	return nil
}

// addSeries adds a series to the maps. key is k as text.
func (s *Store) addSeries(id uint32, key string, k Key) *head {
	h := &head{id: id, key: key, unit: k.Unit, own: k.Namespace == s.config.ReservedFor}
	if h.own {
		s.own++
	}
	base := h.base()
	s.byBase[base], s.byID[id] = append(s.byBase[base], h), h
	s.nextID = max(s.nextID, id+1)
	return h
}

// maxUnit keeps a unit's length in one byte of the key.
const maxUnit = 127

// base returns the key without its unit.
func (h *head) base() string { return h.key[:len(h.key)-len(h.unit)-1] }

// catalogRecord returns the record of one series.
func catalogRecord(id uint32, key string) []byte {
	return appendText(binary.AppendUvarint(nil, uint64(id)), key)
}

// Cells returns a series' cells with times from (inclusive) to (exclusive), in seconds since 1970, in order, one per
// time. If some cannot be read, Cells returns the others and a DamageError.
func (s *Store) Cells(k Key, from, to int64) ([]Cell, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	h := s.known(k)
	if h == nil {
		return nil, nil
	}
	from = max(from, s.config.Now().Unix()-Retention)
	cells := make([]Cell, 0, max(0, min((min(to, s.config.Now().Unix()+1)-from)/minute+2, 2*secondsOfDay/minute)))
	var err error
	for _, b := range s.blocks {
		var failure error
		if cells, failure = b.append(cells, h.id, from, to); failure != nil {
			s.reportDamage(b, failure)
			err = &DamageError{failure}
		}
	}
	return tidy(h.fresh.cells(rows{b: h.cut}.cells(cells, from, to), from, to)), err
}

// Units returns the units in which a metric has samples. It ignores the unit of k.
func (s *Store) Units(k Key) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var units []string
	for _, h := range s.byBase[string(k.base())] {
		units = append(units, h.unit)
	}
	return units
}

// Entry is a series in a list.
type Entry struct {
	Key
	Last int64 // the time of its newest cell; accurate to the hour for an older one
}

// List returns every series that accept accepts, in a stable order.
func (s *Store) List(accept func(Key) bool) ([]Entry, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var entries []Entry
	for _, h := range s.byID {
		k, err := decodeKey(h.key)
		if err != nil {
			return nil, err
		}
		if accept(k) {
			entries = append(entries, Entry{k, h.last})
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return a.compare(b.Key) })
	return entries, nil
}
