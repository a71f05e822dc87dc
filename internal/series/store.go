// Package series keeps metric samples: what was measured, second by second or minute by minute, for fifteen days, and
// the statistics that can be made of it.
//
// New cells are held in memory and written to a journal at every flush. Once an hour they become a file per day, in
// which a series is one compressed chunk; the files of a day that is over become one, and seconds in it minutes.
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

// How long what is kept, in seconds. Source: CloudWatch's retention of metrics.
const (
	Retention     = 15 * secondsOfDay
	FineRetention = 3 * 3600 // of periods under a minute
	minute        = 60
)

// Config says where samples are kept. Dir and Now are needed.
type Config struct {
	Dir string
	Now func() time.Time
	// FlushEvery is how much is lost at most when the process or the machine dies; zero means ten seconds.
	FlushEvery time.Duration
	// CutEvery is how long samples stay in memory; zero means an hour.
	CutEvery time.Duration
	// MaxHeld is how many bytes of samples stay in memory; zero means 8 MiB.
	MaxHeld int
	// MaxSeries is how many series there may be; zero means 100,000.
	MaxSeries int
	// Reserved is how many of them only the namespace ReservedFor can have. When few are left, those of that namespace
	// that ended longest ago are forgotten before their time.
	Reserved    int
	ReservedFor string
	// Failed gets what goes wrong in Run, which goes on; nil means it is dropped.
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

// maxUnwritten is how many bytes of samples wait for a disk that does not take them.
const maxUnwritten = 16 << 20

// ErrUnwritten says that the disk has not taken samples for so long that no more can wait for it.
var ErrUnwritten = errors.New("the disk does not take the metrics")

// ErrTooMany says that there are as many series as may be.
var ErrTooMany = errors.New("there are too many series")

// Sample is a cell of a series. Fine samples keep their second; others count for their minute.
type Sample struct {
	Key
	Cell
	Fine bool
}

// Store keeps samples. Its methods may be called from several goroutines.
type Store struct {
	config Config
	guard  isolate.Guard

	disk    sync.Mutex // held while files are made and removed; taken before mu
	catalog *journal
	wal     *journal
	walSeq  uint64
	cutAt   time.Time // when the journal began

	mu     sync.RWMutex
	byBase map[string][]*head // by the key without its unit
	byID   map[uint32]*head
	nextID uint32
	own    int // series of the namespace that has some reserved
	blocks []*block
	held   int      // bytes in the heads' rows
	keys   [][]byte // records of new series, not yet in the catalog
	fresh  []byte   // rows not yet in the journal

	lost damage
}

// head is one series: its key, and what of it is in memory only.
type head struct {
	id    uint32
	key   string
	unit  string
	own   bool // its namespace has series reserved
	fresh rows
	// cut rows are being written to files, or wait for it after a failure.
	cut  []byte
	last int64 // the newest cell's time; after a restart, the newest of its file
}

// Add keeps samples, all or none. They are durable after the next flush. Samples older than the retention are dropped.
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

// room refuses series that there is no room for.
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

// head is the series of a key, new or known.
func (s *Store) head(k Key) *head {
	if h := s.known(k); h != nil {
		return h
	}
	h := s.addSeries(s.nextID, k.encode(), k)
	s.keys = append(s.keys, catalogRecord(h.id, h.key))
	return h
}

// known is the series of a key, or nil.
func (s *Store) known(k Key) *head {
	for _, h := range s.byBase[string(k.base())] {
		if h.unit == k.Unit {
			return h
		}
	}
	return nil
}

// addSeries takes up a series, whose key is also given as text.
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

// base is the key without its unit.
func (h *head) base() string { return h.key[:len(h.key)-len(h.unit)-1] }

// catalogRecord is the record of one series.
func catalogRecord(id uint32, key string) []byte {
	return appendText(binary.AppendUvarint(nil, uint64(id)), key)
}

// Cells are a series' cells of the times from (inclusive) to (exclusive), in seconds since 1970, in order, one per
// time. Where some of them cannot be read the others are there, and the error is a DamageError.
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
			s.tell(b, failure)
			err = &DamageError{failure}
		}
	}
	return tidy(h.fresh.cells(rows{b: h.cut}.cells(cells, from, to), from, to)), err
}

// Units are the units that a metric has samples in, whatever the key's own is.
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
	Last int64 // the time of its newest cell, to the hour when it is older
}

// List gives every series that accept takes, in an order that stays.
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
