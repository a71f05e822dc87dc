package logstore

import (
	"bytes"
	"errors"
	"io"
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

// scanSegment searches for the intact blocks of a segment.
func scanSegment(path string, number uint64, group string, keys Keys) (r recovered, err error) {
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return r, err
	}
	all := readAround(f, info.Size())
	h, found := surviving(all)
	if !found {
		return r, errDamaged
	}
	aead, err := unwrap(keys, group, h)
	if err != nil {
		return r, err
	}
	begin := min(len(h.encode()), len(all)) // the size that was written, even if the header is damaged
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
	r.lost = r.lost || w.Lost > 0 || !ended
	return r, err
}

// surviving searches for an intact header in a segment. A header is at the beginning and before the index. A damaged
// index does not say where the second one is, so surviving searches for it.
func surviving(all []byte) (h header, found bool) {
	for at := 0; ; at++ {
		next := bytes.Index(all[at:], []byte(magic))
		if next < 0 {
			return header{}, false
		}
		at += next
		if h, _, err := decodeHeader(all[at:]); err == nil {
			return h, true
		}
	}
}

// readAround reads a file as far as the disk allows. Pages that cannot be read are filled with zeros.
func readAround(r io.ReaderAt, size int64) []byte {
	const page = 4 << 10
	all := make([]byte, size)
	if n, err := r.ReadAt(all, 0); err == nil || err == io.EOF && int64(n) == size {
		return all
	}
	for at := int64(0); at < size; at += page {
		part := all[at:min(at+page, size)]
		if _, err := r.ReadAt(part, at); err != nil && err != io.EOF {
			clear(part)
		}
	}
	return all
}

// recover rewrites a segment with a damaged index from its intact blocks. If blocks are missing, the damaged file is
// kept too, set aside.
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
	if r.lost { // link the second name before the first one is replaced by the new file
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
