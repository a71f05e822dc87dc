package logstore

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A journal with that many bytes of messages, or that many frames, is rewritten as a segment.
const (
	fullJournal = 4 << 20
	fullFrames  = 4096
)

// group holds the files of a log group.
type group struct {
	id, dir string
	keys    Keys
	logger  *slog.Logger

	mu       sync.RWMutex
	segments []*segment // by number
	pending  []uint64   // numbers of journals that were found and not opened yet
	broken   []uint64   // numbers of segments whose index is damaged and whose blocks were not searched for yet
	journal  *journal   // nil until there is something to write
	marks    Marks
	number   uint64 // of the next file
	next     uint64 // number of the next event
	dropped  bool

	key   string // the ARN of the group's KMS key, or "", at its last use
	keyed bool   // key was set since the store was opened

	asides []aside     // files that were set aside
	told   sync.Map    // damaged parts of files that were logged already; the value is the file's path
	locked atomic.Bool // its key could not be used when it was last checked for expired events
}

// openGroup reads what a directory contains. Journals stay closed: opening one needs the group's key, which may not be
// usable now.
func openGroup(id, dir string, keys Keys, logger *slog.Logger) (*group, error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	g := &group{id: id, dir: dir, keys: keys, logger: logger, marks: Marks{}, number: 1, next: 1}
	for _, entry := range names { // ordered by name, and so by number; .log before .seg
		number, _, _ := strings.Cut(entry.Name(), ".")
		n, err := strconv.ParseUint(number, 10, 64)
		switch suffix := filepath.Ext(entry.Name()); {
		case suffix == segmentTemp:
			err = os.Remove(filepath.Join(dir, entry.Name()))
		case suffix == damagedSuffix:
			err = g.recall(filepath.Join(dir, entry.Name())) // its number is not used again
		case err != nil || entry.Name() != filepath.Base(fileName("", n, suffix)):
			logger.Warn("a file among the log events is not one of larder's", "file", filepath.Join(dir, entry.Name()))
			continue
		case suffix == journalSuffix:
			g.pending = append(g.pending, n)
		case suffix == segmentSuffix:
			err = g.found(n)
		}
		if err != nil {
			return nil, err
		}
		g.number = max(g.number, n+1)
	}
	return g, nil
}

// found adds a segment. If there is a journal of the same number, it was rewritten as this segment and then not
// deleted.
func (g *group) found(n uint64) error {
	path := fileName(g.dir, n, segmentSuffix)
	at := slices.Index(g.pending, n)
	s, err := openSegment(path, n)
	switch {
	case err != nil && at >= 0: // the segment is written again when the journal is full
		g.logger.Warn("a log segment is damaged, and its journal is there", "group", g.id, "file", path, "error", err)
		return nil
	case errors.Is(err, errNoIndex):
		g.broken = append(g.broken, n)
		return nil
	case err != nil:
		return g.setAside(path, err)
	}
	g.take(s)
	if at >= 0 {
		g.pending = slices.Delete(g.pending, at, at+1)
		return os.Remove(fileName(g.dir, n, journalSuffix))
	}
	return nil
}

// take adds a segment to the group.
func (g *group) take(s *segment) {
	g.segments = append(g.segments, s)
	g.next = max(g.next, s.last+1)
}

// ready opens what is pending. The last journal stays in use. An earlier one was about to become a segment, and becomes
// one now.
func (g *group) ready() error {
	if g.dropped {
		return os.ErrNotExist
	}
	if err := g.discard(); err != nil {
		return err
	}
	for len(g.broken) > 0 {
		if err := g.recover(g.broken[0]); err != nil {
			return err
		}
		g.broken = g.broken[1:]
	}
	for len(g.pending) > 0 {
		n := g.pending[0]
		path := fileName(g.dir, n, journalSuffix)
		err := g.open(path, n)
		if errors.Is(err, errDamaged) || g.lost(err) {
			err = g.setAside(path, err)
		}
		if err != nil {
			return err
		}
		g.pending = g.pending[1:]
	}
	return nil
}

// use records which KMS key the group has.
func (g *group) use(arn string) { g.key, g.keyed = arn, true }

// lost reports whether err says that a former key of the group was deleted; see lostWith.
func (g *group) lost(err error) bool { return g.keyed && lostWith(err, g.key) }

// discard removes journals whose beginning was not written completely, because the process ended. They cannot contain
// an event.
func (g *group) discard() error {
	var errs []error
	g.pending = slices.DeleteFunc(g.pending, func(n uint64) bool {
		path := fileName(g.dir, n, journalSuffix)
		begun, err := hasHeader(path)
		if errors.Is(err, errDamaged) {
			err = g.setAside(path, err)
			errs = append(errs, err)
			return err == nil
		}
		if err == nil && !begun {
			err = os.Remove(path)
		}
		errs = append(errs, err)
		return err == nil && !begun
	})
	return errors.Join(errs...)
}

// open opens a journal. If another journal is open, that one is newer.
func (g *group) open(path string, n uint64) error {
	marks := maps.Clone(g.marks)
	j, cut, err := openJournal(path, n, g.id, g.keys, marks)
	if err != nil {
		return err
	}
	if cut > 0 {
		g.logger.Warn("cut off log events whose writing was interrupted", "file", path, "bytes", cut)
	}
	if j.lost > 0 {
		g.skip(path, j.damaged())
	}
	g.next = max(g.next, j.header.first, j.last+1)
	if g.journal == nil {
		g.mark(marks)
	}
	if g.journal != nil || len(g.pending) > 1 {
		return g.retire(j)
	}
	g.journal = j
	return nil
}

// append makes the batches durable that are not known yet.
func (g *group) append(arn string, batches []Batch) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.use(arn)
	if err := g.ready(); err != nil {
		return err
	}
	if g.journal != nil && g.journal.header.arn != arn {
		if err := g.rotate(arn); err != nil {
			return err
		}
	}
	marks, events := g.fresh(batches)
	if len(events) == 0 && len(marks) == 0 {
		return nil
	}
	if g.journal == nil {
		if err := g.begin(arn); err != nil {
			return err
		}
	} else if err := g.usable(); err != nil {
		return err
	}
	if err := g.journal.append(marks, events); err != nil {
		return err
	}
	g.next += uint64(len(events))
	g.mark(marks)
	if g.journal.raw >= fullJournal || g.journal.frames >= fullFrames {
		if err := g.rotate(arn); err != nil { // what was appended is durable; the next append tries again
			g.logger.Error("cannot rewrite the journal of a log group", "group", g.id, "error", err)
		}
	}
	return nil
}

// usable returns an error if the open journal's KMS key cannot be used any more. The check is needed because the
// journal keeps its data key in memory.
func (g *group) usable() error {
	if g.journal.header.arn == "" {
		return nil
	}
	_, err := unwrap(g.keys, g.id, g.journal.header)
	return err
}

// fresh numbers the events of the batches that are not known yet, and collects their marks.
func (g *group) fresh(batches []Batch) (Marks, []Event) {
	marks := Marks{}
	var events []Event
	next := g.next
	for _, b := range batches {
		if b.Source != "" {
			known, again := marks[b.Source]
			if !again {
				known = g.marks[b.Source]
			}
			if b.Mark != 0 && b.Mark <= known || b.Mark == 0 && known == 0 {
				continue
			}
			marks[b.Source] = b.Mark
		}
		for _, e := range b.Events {
			e.Seq = next
			next++
			events = append(events, e)
		}
	}
	return marks, events
}

func (g *group) mark(marks Marks) {
	maps.Copy(g.marks, marks)
	maps.DeleteFunc(g.marks, func(_ string, mark uint64) bool { return mark == 0 })
}

func (g *group) begin(arn string) (err error) {
	g.journal, err = beginJournal(g.dir, g.number, g.next, g.marks, arn, g.id, g.keys)
	if err == nil {
		g.number++
	}
	return err
}

// rotate turns the journal into a segment. It begins the next journal first, so that the marks are never only in a file
// that is about to be deleted.
func (g *group) rotate(arn string) error {
	full := g.journal
	g.journal = nil
	if len(g.marks) > 0 {
		if err := g.begin(arn); err != nil {
			g.journal = full
			return err
		}
	}
	return g.retire(full)
}

// retire replaces a journal by a segment with its events. If that fails, the journal stays pending.
func (g *group) retire(j *journal) error {
	if len(j.streams) > 0 {
		events, err := j.sorted()
		var s *segment
		if err == nil {
			s, err = writeSegment(g.dir, j.number, j.header, j.aead, events)
		}
		if err != nil {
			if !slices.Contains(g.pending, j.number) {
				g.pending = append(g.pending, j.number)
			}
			return errors.Join(err, j.file.Close())
		}
		g.segments = append(g.segments, s)
	}
	if j.lost > 0 { // the segment has the intact events
		err := g.setAside(j.path, fmt.Errorf("%w: %d bytes of it cannot be read", errDamaged, j.lost))
		return errors.Join(err, j.file.Close())
	}
	return errors.Join(os.Remove(j.path), j.file.Close())
}

// holds returns how much disk space the group takes, in bytes, and the time of the last event of each of its files.
func (g *group) holds() (size int64, lasts []int64) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, s := range g.segments {
		lasts = append(lasts, s.extent.max)
	}
	if g.journal != nil && len(g.journal.streams) > 0 {
		lasts = append(lasts, g.journal.extent.max)
	}
	for _, a := range g.asides {
		lasts = append(lasts, a.until)
	}
	return g.size(), lasts
}

// size returns how much disk space the group takes, in bytes.
func (g *group) size() (n int64) {
	for _, s := range g.segments {
		n += s.size
	}
	if g.journal != nil {
		n += g.journal.size
	}
	for _, a := range g.asides {
		n += a.size
	}
	return n
}

// expire deletes the segments and the set-aside files that have no event at or after before. It returns how many bytes
// that freed. A journal with only older events is turned into a segment first.
func (g *group) expire(before int64) (freed int64, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.ready(); err != nil {
		return 0, err
	}
	size := g.size()
	if j := g.journal; j != nil && len(j.streams) > 0 && j.extent.max < before {
		if err := g.rotate(j.header.arn); err != nil {
			return 0, err
		}
	}
	var errs []error
	g.segments = slices.DeleteFunc(g.segments, func(s *segment) bool {
		if s.extent.max >= before {
			return false
		}
		err := os.Remove(s.path)
		errs = append(errs, err)
		return err == nil
	})
	errs = append(errs, g.expireAsides(before))
	return size - g.size(), errors.Join(errs...)
}

// stats returns the statistics of the group's streams. It omits a journal that is still closed because its key cannot
// be used.
func (g *group) stats() (map[uint32]Stat, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dropped {
		return nil, nil
	}
	if err, locked := g.ready(), (*KeyError)(nil); err != nil && !errors.As(err, &locked) {
		return nil, err
	}
	out := map[uint32]Stat{}
	add := func(streams map[uint32]Stat) {
		for id, st := range streams {
			out[id] = out[id].plus(st)
		}
	}
	for _, s := range g.segments {
		add(s.streams)
	}
	if g.journal != nil {
		add(g.journal.streams)
	}
	return out, nil
}

// close closes the journal. The group may be closed already.
func (g *group) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dropped = true
	j := g.journal
	g.journal = nil
	if j == nil {
		return nil
	}
	return j.file.Close()
}
