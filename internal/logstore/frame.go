package logstore

import (
	"crypto/cipher"
	"encoding/binary"

	"larder/internal/recordlog"
)

const (
	maxFrame    = recordlog.MaxRecord
	journalKind = 'j'
	segmentKind = 's'
	// maxLost is how many frames in a row may be damaged. Those behind more of them are not found, for a frame is
	// sealed with its number.
	maxLost = 1024
)

// frames is how the frames of all files are framed.
var frames = recordlog.Format{Order: binary.BigEndian, Shortest: sealedMore}

// framing is what the frames of a file are sealed with. What a frame holds is sealed for its number: each can be found,
// and known to be intact, without the others.
type framing struct {
	aead cipher.AEAD
	file uint64
	kind byte
}

// seal makes the n-th frame of a file.
func (f framing) seal(raw []byte, n uint64) []byte {
	out := make([]byte, recordlog.Header, recordlog.Header+len(raw)+sealedMore)
	out = f.aead.Seal(out, nil, raw, place(f.file, f.kind, n))
	frames.Fill(out)
	return out
}

// walk is what reading frames found.
type walk struct {
	recordlog.Walk
	next uint64 // number of the frame that follows the last intact one
}

// each calls take for what each intact frame in all holds, in their order; it lasts until take returns. It skips
// damaged frames where an intact one follows. What follows the last intact one was not written as a whole, or is
// damaged.
func (f framing) each(all []byte, take func(raw []byte) error) (w walk, err error) {
	var raw []byte
	var number uint64
	open := func(sealed []byte) (ok bool) {
		opened, n, ok := f.open(sealed, w.next)
		if ok {
			raw, number = opened, n
		}
		return ok
	}
	w.Walk, err = frames.Each(all, open, func([]byte) error {
		if err := take(raw); err != nil {
			return err
		}
		w.next = number + 1
		return nil
	})
	return w, err
}

// open opens what a frame holds, and returns its number, which is next or one of the maxLost numbers from there.
func (f framing) open(sealed []byte, next uint64) (raw []byte, number uint64, ok bool) {
	for number := next; number < next+maxLost; number++ {
		raw, err := f.aead.Open(nil, nil, sealed, place(f.file, f.kind, number))
		if err == nil {
			return raw, number, true
		}
	}
	return nil, 0, false
}

// wholeFrames tells how many frames b is by their lengths, whether they are intact or not; 0 when b ends in one. What
// was not written as a whole does.
func wholeFrames(b []byte) (n uint64) {
	for len(b) > 0 {
		length, whole := frames.Length(b)
		if !whole {
			return 0
		}
		b = b[length:]
		n++
	}
	return n
}

// eachEvent adds a frame's marks to marks, unless that is nil, and calls f for its events; their messages last until f
// returns.
func eachEvent(raw []byte, marks Marks, f func(*row)) error {
	in := reader{b: raw}
	for range in.uvarint() {
		source := string(in.bytes())
		offset := in.uvarint()
		if in.err != nil {
			return in.err
		}
		if marks != nil {
			marks[source] = offset
		}
	}
	if in.err != nil {
		return in.err
	}
	return eachRow(in.b, f)
}
