package logstore

import (
	"crypto/cipher"
	"errors"
	"os"
	"sync"
)

// Scrub reads all events and records damage as a query does: see Damaged. Without it, damage is found only when an
// event is read. Scrub calls pace with the number of bytes that it reads next; pace may wait, and its error ends the
// scrub. Scrub skips what a currently unusable key sealed.
func (s *Store) Scrub(pace func(bytes int) error) error {
	for _, g := range s.all() {
		if err := g.scrub(pace); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) scrub(pace func(bytes int) error) error {
	segments, j, err := g.parts()
	if err != nil {
		g.logger.Warn("cannot look for damaged log events", "group", g.id, "error", err)
		return nil
	}
	if j != nil {
		defer j.file.Close() // opened for reading only
		if err := pace(int(j.size)); err != nil {
			return err
		}
		damaged, err := j.eachFrame(func(raw []byte) error { return eachEvent(raw, nil, func(*row) {}) })
		if err == nil && damaged {
			err = j.damaged()
		}
		if err != nil {
			g.skip(j.path, err)
		}
	}
	for _, s := range segments {
		if err := g.scrubSegment(s, pace); err != nil {
			return err
		}
	}
	return nil
}

// parts returns the group's current files. The journal is a separate read-only view; it is nil if it cannot be read
// now.
func (g *group) parts() ([]*segment, *journal, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dropped {
		return nil, nil, nil
	}
	err, locked := g.ready(), (*KeyError)(nil)
	if err != nil && !errors.As(err, &locked) {
		return nil, nil, err
	}
	segments := append([]*segment(nil), g.segments...)
	if g.journal == nil || g.usable() != nil {
		return segments, nil, nil
	}
	view := *g.journal
	view.file, err = os.Open(view.path)
	if err != nil {
		return nil, nil, err
	}
	return segments, &view, nil
}

// scrubSegment reads the blocks of a segment. If the segment was deleted meanwhile, it has none.
func (g *group) scrubSegment(s *segment, pace func(bytes int) error) error {
	key := func() (cipher.AEAD, error) { return unwrap(g.keys, g.id, s.header) }
	from := &source{s, sync.OnceValues(key)}
	for i, b := range s.blocks {
		if err := pace(int(b.sealed)); err != nil {
			return err
		}
		err := from.check(i)
		if locked := (*KeyError)(nil); errors.As(err, &locked) {
			return nil
		}
		if err != nil {
			g.skip(s.path, err)
		}
	}
	return nil
}

// check reads a block and every event in it.
func (s *source) check(block int) error {
	c := scratches.Get().(*scratch)
	defer scratches.Put(c)
	raw, err := s.read(c, block)
	if err != nil {
		return err
	}
	return eachRow(raw, func(*row) {})
}
