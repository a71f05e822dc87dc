// Package recordlog frames the records of a file that grows at its end. A frame is the record's length, the record's
// checksum (CRC-32C), four bytes each, and the record. A crash leaves at most an incomplete frame at the end, and
// damage elsewhere costs only the records that it touches: the intact ones behind it are found.
package recordlog

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
)

const (
	// Header is the number of bytes of a frame before its record.
	Header = 8
	// MaxRecord is the number of bytes of the longest record. It bounds what a damaged length can ask for.
	MaxRecord = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Format is what differs between logs.
type Format struct {
	Order     binary.ByteOrder // of a frame's length and checksum
	Shortest  int              // bytes of the shortest record, at least 1
	MaxSearch int              // bytes summed at most in search of the frame after a damaged one; 0 is no bound
}

// Fill writes the header of a frame whose record already stands behind the header's bytes.
func (f Format) Fill(frame []byte) {
	f.Order.PutUint32(frame, uint32(len(frame)-Header))
	f.Order.PutUint32(frame[4:], crc32.Checksum(frame[Header:], castagnoli))
}

// Append appends the frame of a record to b.
func (f Format) Append(b, record []byte) []byte {
	begin := len(b)
	b = append(append(b, make([]byte, Header)...), record...)
	f.Fill(b[begin:])
	return b
}

// Length returns how many bytes the frame that begins b has, by its header, and whether b holds that many and the
// length is one that a frame can have.
func (f Format) Length(b []byte) (length int, complete bool) {
	if len(b) < Header {
		return 0, false
	}
	n := int64(f.Order.Uint32(b))
	return int(n) + Header, n >= int64(f.Shortest) && n <= MaxRecord && n <= int64(len(b)-Header)
}

// Record returns the record of the frame that begins b. It is nil where the frame is incomplete or damaged.
func (f Format) Record(b []byte) []byte {
	length, complete := f.Length(b)
	if !complete || !f.matches(b, length) {
		return nil
	}
	return b[Header:length]
}

// matches tells whether the checksum of the frame that begins b is right for a frame of that length.
func (f Format) matches(b []byte, length int) bool {
	return crc32.Checksum(b[Header:length], castagnoli) == f.Order.Uint32(b[4:])
}

// OnlyLengthDamaged tells whether b is one frame whose length alone is wrong: its checksum is right for all of b.
func (f Format) OnlyLengthDamaged(b []byte) bool {
	if len(b) < Header+f.Shortest || len(b) > Header+MaxRecord {
		return false
	}
	return f.matches(b, len(b)) && int64(f.Order.Uint32(b)) != int64(len(b)-Header)
}

// Torn tells whether b, the end of a log, can be the beginning of a frame that a crash left incomplete.
func (f Format) Torn(b []byte) bool {
	return len(b) < Header || int64(f.Order.Uint32(b)) > int64(len(b)-Header) && !f.OnlyLengthDamaged(b)
}

// Walk is what reading a log found.
type Walk struct {
	End  int // bytes before the end of the last intact frame
	Lost int // bytes of damaged frames before End
}

// Each calls use for the records of a log that are intact and accepted, in their order, and ends with its first error.
// The record that use gets is the last that accept accepted. Other records count as damaged. What follows Walk.End is
// incomplete or damaged.
func (f Format) Each(log []byte, accept func(record []byte) bool, use func(record []byte) error) (w Walk, err error) {
	for {
		at, record := f.find(log[w.End:], accept)
		if record == nil {
			return w, nil
		}
		if err := use(record); err != nil {
			return w, err
		}
		w = Walk{w.End + at + Header + len(record), w.Lost + at}
	}
}

// boundedSearch is how many bytes find sums at most in search of a frame before one that it knows already.
const boundedSearch = 64 << 20

// find returns the first record in b that is intact and accepted, and where its frame begins; nil where it finds none.
// A damaged frame is passed over in two steps:
//
//  1. Its length leads to the next frame, and so on, up to one that is intact.
//  2. The length may be what is damaged, and lead past intact frames. So each offset before that frame is tried. In a
//     long record nearly every offset could be the beginning of a frame, and each costs a checksum: after boundedSearch
//     bytes, or MaxSearch where no length leads to an intact frame, the search is given up.
func (f Format) find(b []byte, accept func(record []byte) bool) (at int, record []byte) {
	accepted := func(at int) []byte {
		if record := f.Record(b[at:]); record != nil && accept(record) {
			return record
		}
		return nil
	}
	if record := accepted(0); record != nil {
		return 0, record
	}
	end, most := len(b), f.MaxSearch
	known, last := f.follow(b, accepted)
	if last != nil {
		end, most = known, boundedSearch
	}
	for at, summed := 1, 0; at < end && (summed < most || most == 0); at++ {
		length, complete := f.Length(b[at:])
		if !complete {
			continue
		}
		if record := accepted(at); record != nil {
			return at, record
		}
		summed += length
	}
	return known, last
}

// follow follows lengths from the damaged frame that begins b to the first record that is accepted.
func (f Format) follow(b []byte, accepted func(at int) []byte) (at int, record []byte) {
	at, complete := f.Length(b)
	for complete {
		if record := accepted(at); record != nil {
			return at, record
		}
		var length int
		length, complete = f.Length(b[at:])
		at += length
	}
	return 0, nil
}

// Write writes frames at an offset, which is the end of the log, and waits until the disk has them. After a failure the
// file ends at that offset again.
func Write(file *os.File, at int64, frames []byte) error {
	_, err := file.WriteAt(frames, at)
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return errors.Join(err, file.Truncate(at))
	}
	return nil
}
