package series

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// Dimension is a name and a value that distinguish the series of one metric.
type Dimension struct{ Name, Value string }

// Key names a series. A metric with samples in two units is two series.
type Key struct {
	Namespace, Name string
	Dimensions      []Dimension // in any order
	Unit            string      // empty is the API's None
}

// encode returns the key as one text, which does not depend on the order of the dimensions.
func (k Key) encode() string { return string(appendText(k.base(), k.Unit)) }

// base returns the text without the unit.
func (k Key) base() []byte {
	byName := func(a, b Dimension) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	}
	dimensions := k.Dimensions
	if !slices.IsSortedFunc(dimensions, byName) {
		dimensions = slices.SortedFunc(slices.Values(dimensions), byName)
	}
	b := appendText(appendText(make([]byte, 0, 128), k.Namespace), k.Name)
	b = binary.AppendUvarint(b, uint64(len(dimensions)))
	for _, d := range dimensions {
		b = appendText(appendText(b, d.Name), d.Value)
	}
	return b
}

// Equal reports whether two keys name the same series.
func (k Key) Equal(o Key) bool { return k.encode() == o.encode() }

// compare orders keys by namespace, name, dimensions and unit.
func (k Key) compare(o Key) int {
	return cmp.Or(strings.Compare(k.Namespace, o.Namespace), strings.Compare(k.Name, o.Name),
		strings.Compare(k.encode(), o.encode()))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errKey = errors.New("the key of a series is cut short")

// decodeKey is the inverse of encode.
func decodeKey(s string) (Key, error) {
	r := &reader{b: []byte(s)}
	k := Key{Namespace: r.text(), Name: r.text()}
	for n := r.uvarint(); n > 0 && !r.failed; n-- {
		k.Dimensions = append(k.Dimensions, Dimension{r.text(), r.text()})
	}
	k.Unit = r.text()
	if r.failed || len(r.b) > 0 {
		return Key{}, errKey
	}
	return k, nil
}

// reader consumes values from the front of b. After a failure it returns zeros.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) uint64() uint64 {
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *reader) byte() byte { return r.bytes(1)[0] }

// bytes consumes n bytes. If fewer are left it fails and returns at most one zero, so that a damaged n does not cause a
// large allocation.
func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return make([]byte, min(max(n, 1), 1))
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	return string(r.bytes(int(n)))
}

func (r *reader) fail() { r.b, r.failed = nil, true }
