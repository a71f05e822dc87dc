package logstore

import (
	"errors"
	"io/fs"
	"os"

	"larder/internal/durable"
)

// recovered is what was found in a segment without its index.
type recovered struct {
	header header
	frames framing
	events []row
	lost   bool // blocks are missing
}

// scanSegment looks for the intact blocks of a segment.
func scanSegment(path string, number uint64, group string, keys Keys) (r recovered, err error) {
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h, begin, err := readHeader(f)
	if err != nil {
		return r, err
	}
	aead, err := unwrap(keys, group, h)
	if err != nil {
		return r, err
	}
	all, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	r.header, r.frames = h, framing{aead, number, segmentKind}
	ended := false
	w, err := r.frames.each(all[begin:], func(small []byte) error {
		raw, err := packing().unpackNew(small)
		if err == nil {
			err = eachRow(raw, func(e *row) { r.events = append(r.events, *e) })
		}
		r.lost = r.lost || err != nil
		ended = err == nil && len(raw) == 0
		return nil
	})
	r.lost = r.lost || w.lost > 0 || !ended
	return r, err
}

// recover writes a segment whose index is damaged anew, of its intact blocks. What some are missing of is kept as
// well, set aside.
func (g *group) recover(n uint64) error {
	path := fileName(g.dir, n, segmentSuffix)
	r, err := scanSegment(path, n, g.id, g.keys)
	switch locked := (*KeyError)(nil); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &locked) && !g.lost(err):
		return err
	case err != nil || len(r.events) == 0:
		return g.setAside(path, errors.Join(errors.New("no block of it can be read"), err))
	}
	if r.lost { // the name beside, before the old one leads to the new file
		if err := os.Link(path, path+damagedSuffix); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := durable.SyncDir(g.dir); err != nil {
			return err
		}
	}
	s, err := writeSegment(g.dir, n, r.header, r.frames.aead, r.events)
	if err != nil {
		return err
	}
	if r.lost {
		g.aside(path+damagedSuffix, errors.New("some of its blocks cannot be read: the others are in a new file"))
	} else {
		g.logger.Warn("wrote the index of a log segment anew: it was damaged, and no events are missing",
			"group", g.id, "file", path)
	}
	g.take(s)
	return nil
}
