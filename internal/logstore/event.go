// Package logstore keeps log events in append-only, sealed files. Their disk space is bounded, and they are quick to
// search.
//
// A log group is a directory of numbered files. Batches of events are appended to the newest file, the journal
// (000007.log). They are durable when Append returns. A full journal is rewritten as a segment (000007.seg): its events
// in the order of their time, in compressed and sealed blocks, and an index of the blocks at the end. A segment does
// not change. It is deleted as a whole when it exceeds the group's retention or the store's bound.
//
//	journal  header | header | frame …                   frame   length, checksum, sealed(marks, events)
//	segment  header | block … | header, index | footer  block length, checksum, sealed(zstd(events)), or none
//	header   magic, number of the first event, the file's data key as the group's key wrapped it
//
// Damage costs only the events in the frame or block that it hits: the header is stored twice, each frame and block can
// be found and verified without the others, and the index can be rebuilt from the blocks. A damaged file that is set
// aside gets the suffix .damaged. It is deleted when its events would expire.
//
// Every file has its own data key. Times, sizes and stream numbers are not sealed. The texts of events always are.
package logstore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
)

// Event is a log event.
type Event struct {
	// Stream is the number that the store's user assigned to the log stream.
	Stream uint32
	// Time is when the event happened, Ingested when the store received it. Both are in milliseconds since 1970.
	Time, Ingested int64
	// Seq numbers the group's events in the order of their arrival, from 1. Append sets it.
	Seq uint64
	// Message is the text.
	Message string
}

// Position is a position in the order of a group's events. They are ordered by time, and by arrival if their times are
// equal.
type Position struct {
	Time int64
	Seq  uint64
}

// First and Last are before and after every event.
var (
	First = Position{Time: math.MinInt64}
	Last  = Position{Time: math.MaxInt64, Seq: math.MaxUint64}
)

// Compare returns -1, 0 or 1 as p is before, at or after q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Time, q.Time), cmp.Compare(p.Seq, q.Seq))
}

// Position returns the event's position.
func (e Event) Position() Position { return Position{e.Time, e.Seq} }

// Next returns the position directly after p.
func (p Position) Next() Position {
	if p.Seq == math.MaxUint64 {
		return Position{p.Time + 1, 0}
	}
	return Position{p.Time, p.Seq + 1}
}

// Previous returns the position directly before p.
func (p Position) Previous() Position {
	if p.Seq == 0 {
		return Position{p.Time - 1, math.MaxUint64}
	}
	return Position{p.Time, p.Seq - 1}
}

// rows encodes a sequence of events, each as its difference from the previous one.
type rows struct {
	time int64
	seq  uint64
}

func (r *rows) append(b []byte, e *row) []byte {
	b = binary.AppendVarint(b, e.Time-r.time)
	b = binary.AppendVarint(b, int64(e.Seq-r.seq))
	b = binary.AppendVarint(b, e.Ingested-e.Time)
	b = binary.AppendUvarint(b, uint64(e.Stream))
	b = binary.AppendUvarint(b, uint64(len(e.message)))
	r.time, r.seq = e.Time, e.Seq
	return append(b, e.message...)
}

var errMalformed = errors.New("malformed events")

// row is an event whose message is part of a buffer. It is valid as long as the buffer is.
type row struct {
	Event
	message []byte
}

// next decodes an event and returns the rest of b.
func (r *rows) next(b []byte, into *row) ([]byte, error) {
	in := reader{b: b}
	r.time += in.varint()
	r.seq += uint64(in.varint())
	into.Time, into.Seq = r.time, r.seq
	into.Ingested = r.time + in.varint()
	into.Stream = uint32(in.uvarint())
	into.message = in.bytes()
	return in.b, in.err
}

// reader consumes numbers and texts from a buffer. It keeps its first error.
type reader struct {
	b   []byte
	err error
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	return take(r, v, n)
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	return take(r, v, n)
}

func take[T int64 | uint64](r *reader, v T, n int) T {
	if n <= 0 || r.err != nil {
		r.err = errMalformed
		return 0
	}
	r.b = r.b[n:]
	return v
}

// bytes reads a length and that many bytes.
func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.err = errMalformed
	}
	if r.err != nil {
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}
