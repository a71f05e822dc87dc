package logstore

import (
	"bytes"
	"cmp"
	"crypto/cipher"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"larder/internal/isolate"
)

// Query selects events of a group.
type Query struct {
	// Streams are the numbers of the streams to read.
	Streams map[uint32]bool
	// From and To are the first and the last position to read.
	From, To Position
	// Backward reads the last events first. The events of a page are in ascending order nevertheless.
	Backward bool
	// Limit and Bytes bound a page: the number of events, and the bytes of their messages with Overhead bytes added for
	// each. 0 means no bound. One event always fits.
	Limit, Bytes, Overhead int
	// Key is the ARN of the group's KMS key, as for Append. What a deleted former key sealed is missing from the result.
	Key string
	// Contains are texts that each selected message contains.
	Contains []string
	// Match selects messages; nil selects all. It must not keep the message, and is called from several goroutines.
	Match func(message []byte) bool
}

// Page is the result of a query.
type Page struct {
	Events []Event
	// More reports that the query has more results. To continue, set From to Next, or To if Backward is set.
	More bool
	Next Position
	// Damaged reports that some of what was read for the page is unreadable, so that events are missing. The log names the
	// file.
	Damaged bool
}

// maxScan is how many blocks one page may read: half a gigabyte. A page ends there even if it found little.
const maxScan = 4096

// unit is what is read at once: a block of a segment, or a journal.
type unit struct {
	extent  extent
	segment *source
	block   int
	journal *journal
	skip    func(path string, err error)
}

// source is a segment that is being read. If the segment was deleted meanwhile, it has no events.
type source struct {
	*segment
	aead func() (cipher.AEAD, error)
}

func (s *source) read(c *scratch, block int) ([]byte, error) {
	aead, err := s.aead()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	raw, err := c.read(f, s.segment, aead, block)
	return raw, errors.Join(err, f.Close())
}

// Query returns the first page of a query on the group of that id.
func (s *Store) Query(id string, q Query) (Page, error) {
	g, err := s.group(id, false)
	if g == nil || err != nil {
		return Page{}, err
	}
	units, missing, err := g.plan(q)
	if err != nil {
		return Page{}, err
	}
	defer closeJournals(units)
	page, err := q.run(units)
	page.Damaged = page.Damaged || missing
	return page, err
}

// plan lists what a query has to read, in reading order. missing reports that a file was set aside that may have
// contained some of the events.
func (g *group) plan(q Query) (units []unit, missing bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dropped {
		return nil, false, nil
	}
	g.use(q.Key)
	if err := g.ready(); err != nil {
		return nil, false, err
	}
	missing = g.missing(q.From.Time)
	for _, s := range g.segments {
		if !q.touches(s.extent, s.streams) {
			continue
		}
		key := func() (cipher.AEAD, error) { return unwrap(g.keys, g.id, s.header) }
		from := &source{s, sync.OnceValues(key)}
		for i, k := range s.blocks {
			if q.overlaps(k.extent) {
				units = append(units, unit{extent: k.extent, segment: from, block: i, skip: g.skip})
			}
		}
	}
	if j := g.journal; j != nil && q.touches(j.extent, j.streams) {
		view := *j // the frames written so far; the opened file outlives its name
		switch err := g.usable(); {
		case g.lost(err):
			g.skip(j.path, err)
			missing = true
		case err != nil:
			return nil, false, err
		default:
			if view.file, err = os.Open(j.path); err != nil {
				return nil, false, err
			}
			units = append(units, unit{extent: j.extent, journal: &view, skip: g.skip})
		}
	}
	slices.SortFunc(units, func(a, b unit) int {
		if q.Backward {
			return cmp.Compare(b.extent.max, a.extent.max)
		}
		return cmp.Compare(a.extent.min, b.extent.min)
	})
	return units, missing, nil
}

func closeJournals(units []unit) {
	for _, u := range units {
		if u.journal != nil {
			u.journal.file.Close() // opened for reading only
		}
	}
}

func (q Query) overlaps(x extent) bool { return x.min <= q.To.Time && x.max >= q.From.Time }

func (q Query) touches(x extent, streams map[uint32]Stat) bool {
	if !q.overlaps(x) {
		return false
	}
	for id := range streams {
		if q.Streams[id] {
			return true
		}
	}
	return false
}

// run reads units, several at a time, until the page is full. An event is put on the page as soon as no unread unit can
// contain an event before it.
func (q Query) run(units []unit) (Page, error) {
	var found []Event // in the query's order
	wave := 2 * runtime.GOMAXPROCS(0)
	damaged := false
	for read := 0; ; {
		settled := len(found)
		if read < len(units) {
			settled, _ = slices.BinarySearchFunc(found, q.edge(units[read]), q.compare)
		}
		if n, full := q.fits(found[:settled]); full {
			return q.page(found[:n], true, q.after(found[n-1]), damaged), nil
		}
		if read == len(units) {
			return q.page(found, false, Position{}, damaged), nil
		}
		if read >= maxScan {
			return q.page(found[:settled], true, q.edge(units[read]).Position(), damaged), nil
		}
		n := min(wave, len(units)-read)
		more, skipped, err := q.readAll(units[read : read+n])
		damaged = damaged || skipped
		if err != nil {
			return Page{}, err
		}
		found = append(found, more...)
		slices.SortFunc(found, q.compare)
		read += n
		wave = min(2*wave, 64)
	}
}

// compare orders events in the query's direction.
func (q Query) compare(a, b Event) int {
	if q.Backward {
		a, b = b, a
	}
	return a.Position().Compare(b.Position())
}

// edge returns an event at the first position, in the query's order, that a unit can contain.
func (q Query) edge(u unit) Event {
	p := Position{Time: u.extent.min}
	if q.Backward {
		p = Position{u.extent.max, Last.Seq}
	}
	return Event{Time: p.Time, Seq: p.Seq}
}

func (q Query) after(e Event) Position {
	if q.Backward {
		return e.Position().Previous()
	}
	return e.Position().Next()
}

// fits returns how many of the events go on a page, and whether the page is then full.
func (q Query) fits(events []Event) (n int, full bool) {
	left := q.Bytes
	for i, e := range events {
		left -= len(e.Message) + q.Overhead
		if q.Bytes > 0 && left < 0 && i > 0 {
			return i, true
		}
		if i+1 == q.Limit {
			return i + 1, true
		}
	}
	return len(events), false
}

func (q Query) page(events []Event, more bool, next Position, damaged bool) Page {
	events = slices.Clone(events)
	if q.Backward {
		slices.Reverse(events)
	}
	return Page{Events: events, More: more, Next: next, Damaged: damaged}
}

// readAll reads units in parallel. It returns whether some were skipped as damaged.
func (q Query) readAll(units []unit) ([]Event, bool, error) {
	found := make([][]Event, len(units))
	var damaged atomic.Bool
	var guard isolate.Guard
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, u := range units {
		work.Go(func() error {
			return guard.Do("a part of a log", func() (err error) {
				var skipped bool
				found[i], skipped, err = q.read(u)
				if skipped {
					damaged.Store(true)
				}
				return err
			})
		})
	}
	err := work.Wait()
	return slices.Concat(found...), damaged.Load(), err
}

// read reads a unit. It skips a damaged block as a whole. A key that cannot be used is an error, unless it is a deleted
// former key.
func (q Query) read(u unit) (found []Event, damaged bool, err error) {
	take := func(e *row) {
		if q.wants(e) {
			event := e.Event
			event.Message = string(e.message)
			found = append(found, event)
		}
	}
	if j := u.journal; j != nil {
		damaged, err := j.eachFrame(func(raw []byte) error { return eachEvent(raw, nil, take) })
		if damaged {
			u.skip(j.path, j.damaged())
		}
		return found, damaged, err
	}
	c := scratches.Get().(*scratch)
	defer scratches.Put(c)
	raw, err := u.segment.read(c, u.block)
	if locked := (*KeyError)(nil); errors.As(err, &locked) && !lostWith(err, q.Key) {
		return nil, false, err
	}
	if err == nil && !q.contains(raw) {
		return nil, false, nil
	}
	if err == nil {
		err = eachRow(raw, take)
	}
	if err != nil {
		u.skip(u.segment.path, err)
	}
	return found, err != nil, nil
}

// contains reports whether a block contains each of the texts that a message must contain.
func (q Query) contains(raw []byte) bool {
	for _, text := range q.Contains {
		if !bytes.Contains(raw, []byte(text)) {
			return false
		}
	}
	return true
}

func (q Query) wants(e *row) bool {
	if !q.Streams[e.Stream] {
		return false
	}
	p := e.Position()
	if p.Compare(q.From) < 0 || p.Compare(q.To) > 0 {
		return false
	}
	return q.Match == nil || q.Match(e.message)
}
