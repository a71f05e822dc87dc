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
	// maxLost is how many consecutive frames may be damaged. After more of them the next frame is not found, because a
	// frame is sealed with its number.
	maxLost = 1024
)

// frames is the framing of the frames of all files.
var frames = recordlog.Format{Order: binary.BigEndian, Shortest: sealedMore}

// framing is what the frames of a file are sealed with. A frame is sealed with its number, so that each can be found
// and verified without the others.
type framing struct {
	aead cipher.AEAD
	file uint64
	kind byte
}

// seal makes the n-th frame of a file.
func (f framing) seal(raw []byte, n uint64) []byte {
	out := make([]byte, recordlog.Header, recordlog.Header+len(raw)+sealedMore)
	out = f.aead.Seal(out, nil, raw, partAAD(f.file, f.kind, n))
	frames.Fill(out)
	return out
}

// walk is the result of reading frames.
type walk struct {
	recordlog.Walk
	next uint64 // number of the frame after the last intact one
}

// each calls take with the content of each intact frame in all, in order. The content is valid until take returns. each
// skips damaged frames that an intact one follows. What follows the last intact frame was not written completely, or is
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

// open opens the content of a frame, and returns the frame's number: next, or one of the maxLost numbers from there.
func (f framing) open(sealed []byte, next uint64) (raw []byte, number uint64, ok bool) {
	for number := next; number < next+maxLost; number++ {
		raw, err := f.aead.Open(nil, nil, sealed, partAAD(f.file, f.kind, number))
		if err == nil {
			return raw, number, true
		}
	}
	return nil, 0, false
}

// wholeFrames returns how many frames b consists of according to their lengths, intact or not. It returns 0 if b ends
// within a frame, as it does if the writing was interrupted.
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

// eachEvent calls f for the events of a frame; their messages are valid until f returns. If marks is not nil, it adds
// the frame's marks to it.
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
