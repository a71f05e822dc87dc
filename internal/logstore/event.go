// Package logstore keeps log events: append-only, sealed, in bounded disk, and quick to search.
//
// A log group is a directory of numbered files. Batches of events are appended to the newest, the journal (000007.log),
// and are durable when Append returns. A full journal is rewritten as a segment (000007.seg): its events in the order
// of their time, in compressed and sealed blocks, with an index of the blocks at the end. Segments do not change; they
// are deleted whole, when the group's retention or the store's bound says so.
//
//	journal  header | header | frame …                   frame   length, checksum, sealed(marks, events)
//	segment  header | block … | header, index | footer  block length, checksum, sealed(zstd(events)), or none
//	header   magic, number of the first event, the file's data key as the group's key wrapped it
//
// What of a file is damaged costs the events in the frame or block that it hits, and no others: the header is there
// twice, each frame and block can be found and verified by itself, and the index is written anew from the blocks. What
// is set aside, whole or for what was lost of it, gets the suffix .damaged, and goes with the events of its time.
//
// Every file has a data key of its own. What is not sealed are times, sizes, and numbers of streams; the texts of
// events always are.
package logstore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
)

// Event is a log event.
type Event struct {
	// Stream is the number that the store's user gave the log stream.
	Stream uint32
	// Time is the event's own; Ingested is when the store got it. Both are in milliseconds since 1970.
	Time, Ingested int64
	// Seq numbers the group's events in the order of their arrival, from 1. Append sets it.
	Seq uint64
	// Message is the text.
	Message string
}

// Position is a place among a group's events, which are ordered by time, and those of one time by their arrival.
type Position struct {
	Time int64
	Seq  uint64
}

// The ends of the order.
var (
	First = Position{Time: math.MinInt64}
	Last  = Position{Time: math.MaxInt64, Seq: math.MaxUint64}
)

// Compare orders positions.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Time, q.Time), cmp.Compare(p.Seq, q.Seq))
}

// Position is the event's place.
func (e Event) Position() Position { return Position{e.Time, e.Seq} }

// Next is the place right behind p, and Previous the one right before.
func (p Position) Next() Position {
	if p.Seq == math.MaxUint64 {
		return Position{p.Time + 1, 0}
	}
	return Position{p.Time, p.Seq + 1}
}

// Previous is the place right before p.
func (p Position) Previous() Position {
	if p.Seq == 0 {
		return Position{p.Time - 1, math.MaxUint64}
	}
	return Position{p.Time, p.Seq - 1}
}

// rows writes events one after the other, each as what it differs by from the one before.
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

// row is an event whose message is bytes of a buffer, and lasts as long as those.
type row struct {
	Event
	message []byte
}

// next reads an event and returns what follows it.
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

// reader takes numbers and texts off a buffer; its first failure stays.
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

// bytes reads a length and so many bytes.
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
