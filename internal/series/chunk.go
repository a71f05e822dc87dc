package series

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// A chunk holds the cells of one series in one file: their number, flags, a column of times, a column of sums, and a
// checksum at the end. If some cell has more than one value, columns of counts, minima and maxima and the values come
// before the checksum.
const (
	sets       = 1 << iota // some cell's count is not one
	withValues             // some cell's values are known beside its set
)

// maxCells is more than the seconds of a day. A chunk that claims more is damaged.
const maxCells = 100_000

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func flagsOf(cells []Cell) (flags byte) {
	for _, c := range cells {
		if c.Count != 1 || c.Min != c.Sum || c.Max != c.Sum {
			flags |= sets
		}
		if c.Values != nil {
			flags |= withValues
		}
	}
	return flags
}

// appendChunk appends a chunk of cells that are in the order of time.
func appendChunk(b []byte, cells []Cell) []byte {
	start := len(b)
	flags := flagsOf(cells)
	b = append(binary.AppendUvarint(b, uint64(len(cells))), flags)
	times := make([]int64, len(cells))
	for i, c := range cells {
		times[i] = c.At
	}
	b = appendColumn(b, 0, times)
	column := func(of func(Cell) float64) {
		values := make([]float64, len(cells))
		for i, c := range cells {
			values[i] = of(c)
		}
		b = appendFloats(b, values)
	}
	column(func(c Cell) float64 { return c.Sum })
	if flags&sets != 0 {
		column(func(c Cell) float64 { return c.Count })
		column(func(c Cell) float64 { return c.Min })
		column(func(c Cell) float64 { return c.Max })
	}
	if flags&withValues != 0 {
		for _, c := range cells {
			b = appendValues(b, c.Values)
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func appendValues(b []byte, values []Value) []byte {
	b = binary.AppendUvarint(b, uint64(len(values)))
	for _, v := range values {
		b = appendBits(appendBits(b, v.Value), v.Count)
	}
	return b
}

func appendBits(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

func (r *reader) float() float64 { return math.Float64frombits(r.uint64()) }

func (r *reader) values() []Value {
	n := r.uvarint()
	if n == 0 || n > uint64(len(r.b)/16) {
		r.failed = r.failed || n > 0
		return nil
	}
	values := make([]Value, n)
	for i := range values {
		values[i] = Value{r.float(), r.float()}
	}
	return values
}

var errChunk = errors.New("the checksum of a chunk is wrong")

// decodeChunk appends the cells from (inclusive) to (exclusive) of a chunk that appendChunk wrote.
func decodeChunk(cells []Cell, b []byte, from, to int64) ([]Cell, error) {
	body := len(b) - 4
	if body < 0 || crc32.Checksum(b[:body], castagnoli) != binary.LittleEndian.Uint32(b[body:]) {
		return nil, errChunk
	}
	r := &reader{b: b[:body]}
	n, flags := r.uvarint(), r.byte()
	if n > maxCells {
		return nil, fmt.Errorf("a chunk has %d cells", n)
	}
	_, times := r.wholes(int(n))
	sums := r.floats(int(n))
	counts, least, most := []float64(nil), sums, sums
	if flags&sets != 0 {
		counts, least, most = r.floats(int(n)), r.floats(int(n)), r.floats(int(n))
	}
	for i := range int(n) {
		c := Cell{At: times[i], Count: 1, Sum: sums[i], Min: least[i], Max: most[i]}
		if counts != nil {
			c.Count = counts[i]
		}
		if flags&withValues != 0 {
			c.Values = r.values()
		}
		if from <= c.At && c.At < to {
			cells = append(cells, c)
		}
	}
	if r.failed || len(r.b) > 0 {
		return nil, errors.New("a chunk is malformed")
	}
	return cells, nil
}
