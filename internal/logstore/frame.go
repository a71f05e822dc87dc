package logstore

import (
	"crypto/cipher"
	"encoding/binary"
	"hash/crc32"
)

const (
	frameHeader = 8 // length and checksum, four bytes each
	maxFrame    = 64 << 20
	journalKind = 'j'
	segmentKind = 's'
	// maxLost is how many frames in a row may be damaged. Those behind more of them are not found, for a frame is
	// sealed with its number.
	maxLost = 1024
)

// framing is what the frames of a file are sealed with. A frame has a length, a checksum, and what it holds, sealed
// for its number: each can be found, and known to be intact, without the others.
type framing struct {
	aead cipher.AEAD
	file uint64
	kind byte
}

// seal makes the n-th frame of a file.
func (f framing) seal(raw []byte, n uint64) []byte {
	out := make([]byte, frameHeader, frameHeader+len(raw)+sealedMore)
	out = f.aead.Seal(out, nil, raw, place(f.file, f.kind, n))
	binary.BigEndian.PutUint32(out, uint32(len(out)-frameHeader))
	binary.BigEndian.PutUint32(out[4:], crc32.Checksum(out[frameHeader:], castagnoli))
	return out
}

// walk is what reading frames found.
type walk struct {
	end  int64  // bytes before the end of the last intact frame
	next uint64 // number of the frame that follows it
	lost int64  // bytes of damaged frames before end
}

// each calls f with what each intact frame in all holds, in their order; it lasts until f returns. It skips damaged
// frames where an intact one follows. What follows the last intact one was not written as a whole, or is damaged.
func (f framing) each(all []byte, take func(raw []byte) error) (w walk, err error) {
	for {
		rest := all[w.end:]
		raw, at, skipped := f.find(rest, w.next)
		if at < 0 {
			return w, nil
		}
		if err := take(raw); err != nil {
			return w, err
		}
		length, _ := frameLength(rest[at:])
		w = walk{w.end + int64(at+length), w.next + skipped + 1, w.lost + int64(at)}
	}
}

// find opens the first intact frame in b, and returns where it begins and how many numbers before its own, from n on,
// are missing. At is negative when there is none. A damaged frame's length leads to the next, unless it is the length
// that is damaged: then each offset is tried.
func (f framing) find(b []byte, n uint64) (raw []byte, at int, skipped uint64) {
	if raw, skipped, ok := f.open(b, n); ok {
		return raw, 0, skipped
	}
	for at, whole := frameLength(b); whole; {
		if raw, skipped, ok := f.open(b[at:], n); ok {
			return raw, at, skipped
		}
		var length int
		length, whole = frameLength(b[at:])
		at += length
	}
	for at := 1; at < len(b); at++ {
		if raw, skipped, ok := f.open(b[at:], n); ok {
			return raw, at, skipped
		}
	}
	return nil, -1, 0
}

// open opens the frame that begins b, and says how many numbers from n on come before its own.
func (f framing) open(b []byte, n uint64) (raw []byte, before uint64, ok bool) {
	if !intact(b) {
		return nil, 0, false
	}
	length, _ := frameLength(b)
	for before := range uint64(maxLost) {
		raw, err := f.aead.Open(nil, nil, b[frameHeader:length], place(f.file, f.kind, n+before))
		if err == nil {
			return raw, before, true
		}
	}
	return nil, 0, false
}

// frameLength is how many bytes the frame at the beginning of b has with its header, and whether b holds so many.
func frameLength(b []byte) (length int, whole bool) {
	if len(b) < frameHeader {
		return 0, false
	}
	n := int64(binary.BigEndian.Uint32(b))
	return int(n) + frameHeader, n >= sealedMore && n <= maxFrame && n+frameHeader <= int64(len(b))
}

// wholeFrames tells how many frames b is by their lengths, whether they are intact or not; 0 when b ends in one. What
// was not written as a whole does.
func wholeFrames(b []byte) (n uint64) {
	for len(b) > 0 {
		length, whole := frameLength(b)
		if !whole {
			return 0
		}
		b = b[length:]
		n++
	}
	return n
}

// intact tells whether a frame whose checksum is right begins b.
func intact(b []byte) bool {
	length, whole := frameLength(b)
	return whole && crc32.Checksum(b[frameHeader:length], castagnoli) == binary.BigEndian.Uint32(b[4:])
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
