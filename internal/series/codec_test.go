package series

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// numbers generates the kinds of numbers that metrics consist of, and any others.
func numbers() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64(),
		rapid.Map(rapid.Int64(), func(n int64) float64 { return float64(n) }),
		rapid.Map(rapid.IntRange(-1000, 1000), func(n int) float64 { return float64(n) / 100 }),
		rapid.Map(rapid.IntRange(0, 1<<20), func(n int) float64 { return float64(n) * 4096 }),
		rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53,
			-1 << 53, 0.1, 1e-9, math.Inf(1), math.NaN()}),
	)
}

func bitsOf(values []float64) (bits []uint64) {
	for _, v := range values {
		bits = append(bits, math.Float64bits(v))
	}
	return bits
}

func TestColumnsKeepEveryBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := numbers().Draw(t, "one")
		values := rapid.SliceOfN(rapid.OneOf(rapid.Just(one), numbers()), 1, 200).Draw(t, "values")
		r := &reader{b: appendFloats(nil, values)}
		got := r.floats(len(values))
		if diff := cmp.Diff(bitsOf(values), bitsOf(got)); diff != "" || r.failed || len(r.b) > 0 {
			t.Fatalf("failed %v, %d bytes left, -want +got:\n%s", r.failed, len(r.b), diff)
		}
		whole := rapid.SliceOfN(rapid.Int64(), 1, 100).Draw(t, "whole")
		r = &reader{b: appendColumn(nil, 0, whole)}
		if _, got := r.wholes(len(whole)); !slices.Equal(got, whole) {
			t.Fatalf("got %v, want %v", got, whole)
		}
	})
}

// cellsOfAnyKind generates n cells in the order of time.
func cellsOfAnyKind(t *rapid.T, n int) (cells []Cell) {
	at := int64(1_780_000_000)
	for range n {
		at += rapid.SampledFrom([]int64{1, 60, 60, 60, 3600}).Draw(t, "step")
		c := Single(at, float64(rapid.IntRange(0, 9).Draw(t, "value")))
		for range rapid.SampledFrom([]int{0, 0, 0, 3}).Draw(t, "more") {
			c.merge(Single(at, rapid.Float64Range(0, 100).Draw(t, "value")))
		}
		if rapid.IntRange(0, 9).Draw(t, "set") == 0 {
			c = Cell{At: at, Count: 4, Sum: 10, Min: 1, Max: 4}
		}
		cells = append(cells, c)
	}
	return cells
}

func TestChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := cellsOfAnyKind(t, rapid.IntRange(1, 50).Draw(t, "n"))
		b := appendChunk(nil, cells)
		got, err := decodeChunk(nil, b, -always, always)
		if diff := cmp.Diff(cells, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%v, -want +got:\n%s", err, diff)
		}
		var in rows
		for _, c := range cells {
			in.add(c)
		}
		if diff := cmp.Diff(cells, in.cells(nil, -always, always), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("rows: -want +got:\n%s", diff)
		}
		b[rapid.IntRange(0, len(b)-1).Draw(t, "damaged")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := decodeChunk(nil, b, -always, always); err == nil {
			t.Fatal("a damaged chunk was read")
		}
	})
}

// FuzzReader tests that no content of a file makes the decoders panic or allocate more memory than the file's size
// explains.
func FuzzReader(f *testing.F) {
	f.Add(appendChunk(nil, []Cell{Single(60, 1), Single(120, 2.5),
		{At: 180, Count: 2, Sum: 3, Min: 1, Max: 2, Values: []Value{{1, 1}, {2, 1}}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &reader{b: b}
		r.floats(100)
		r.values()
		rows{b: b}.cells(nil, -always, always)
		_, _ = decodeKey(string(b))
	})
}

func TestKeys(t *testing.T) {
	k := Key{"AWS/ElastiCache", "CPUUtilization", []Dimension{{"b", "2"}, {"a", "1"}}, "Percent"}
	same := Key{k.Namespace, k.Name, []Dimension{{"a", "1"}, {"b", "2"}}, k.Unit}
	if k.encode() != same.encode() {
		t.Error("the order of the dimensions tells keys apart")
	}
	got, err := decodeKey(k.encode())
	if diff := cmp.Diff(same, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if _, err := decodeKey(k.encode()[1:]); err == nil {
		t.Error("a key without its beginning was read")
	}
}
