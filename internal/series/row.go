package series

import (
	"encoding/binary"
	"math"
)

// A row is a cell as it arrives, encoded relative to the row before it. First comes the difference of the times, with
// the kind in its two low bits. By kind follow the difference of a whole number, a float, or a statistic set with its
// values.
const (
	wholeRow = iota
	floatRow
	setRow
)

// rows encodes cells compactly in the order of their arrival.
type rows struct {
	b    []byte
	at   int64
	last int64 // the last whole number
}

func (r *rows) add(c Cell) {
	kind := setRow
	var whole int64
	if c.Count == 1 && c.Min == c.Max && c.Sum == c.Min {
		kind = floatRow
		if fits(c.Sum, 0, &whole) {
			kind = wholeRow
		}
	}
	r.b = binary.AppendUvarint(r.b, zigzag(c.At-r.at)<<2|uint64(kind))
	r.at = c.At
	switch kind {
	case wholeRow:
		r.b = binary.AppendVarint(r.b, whole-r.last)
		r.last = whole
	case floatRow:
		r.b = appendBits(r.b, c.Sum)
	case setRow:
		for _, v := range []float64{c.Count, c.Sum, c.Min, c.Max} {
			r.b = appendBits(r.b, v)
		}
		r.b = appendValues(r.b, c.Values)
	}
}

// row reads one cell; before has the state after the previous row.
func (r *reader) row(before *rows) Cell {
	head := r.uvarint()
	before.at += unzigzag(head >> 2)
	switch head & 3 {
	case wholeRow:
		before.last += r.varint()
		return Single(before.at, float64(before.last))
	case floatRow:
		return Single(before.at, r.float())
	case setRow:
		return Cell{before.at, r.float(), r.float(), r.float(), r.float(), r.values()}
	}
	r.fail()
	return Cell{}
}

// cells appends the rows' cells from (inclusive) to (exclusive), in the order of their arrival.
func (r rows) cells(cells []Cell, from, to int64) []Cell {
	in, before := &reader{b: r.b}, rows{}
	for len(in.b) > 0 {
		if c := in.row(&before); !in.failed && from <= c.At && c.At < to {
			cells = append(cells, c)
		}
	}
	return cells
}

// finite reports whether v is neither infinite nor NaN.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
