package series

import (
	"math"
	"slices"
)

// Value is a value and the number of times it was measured.
type Value struct{ Value, Count float64 }

// Cell holds the measurements of one second or one minute: a statistic set, and the values themselves where they are
// known.
type Cell struct {
	At                   int64 // seconds since 1970
	Count, Sum, Min, Max float64
	// Values are the distinct values, sorted, if there are several. Values is nil if Min equals Max, which then is the
	// only value, and if only the statistic set was given.
	Values []Value
}

// Single returns the cell of one value.
func Single(at int64, v float64) Cell { return Cell{At: at, Count: 1, Sum: v, Min: v, Max: v} }

// Distribution returns the cell's values; nil if they are not known.
func (c Cell) Distribution() []Value {
	if c.Min == c.Max {
		return []Value{{c.Min, c.Count}}
	}
	return c.Values
}

// maxValues is how many distinct values a cell keeps exactly: as many as one datum of PutMetricData holds. If there are
// more they are rounded, by less than 0.4 %.
const maxValues = 150

// merge adds o to c. c keeps its time.
func (c *Cell) merge(o Cell) {
	values := mergeValues(c.Distribution(), o.Distribution())
	c.Count, c.Sum = c.Count+o.Count, c.Sum+o.Sum
	c.Min, c.Max = min(c.Min, o.Min), max(c.Max, o.Max)
	c.Values = nil
	if c.Min == c.Max || values == nil {
		return
	}
	// Rounding may have moved a value beyond Min or Max.
	values[0].Value = max(values[0].Value, c.Min)
	values[len(values)-1].Value = min(values[len(values)-1].Value, c.Max)
	c.Values = values
}

// mergeValues returns the union of two sorted distributions; nil if one of them is not known.
func mergeValues(a, b []Value) []Value {
	if a == nil || b == nil {
		return nil
	}
	merged := make([]Value, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Value < b[0].Value:
			merged, a = append(merged, a[0]), a[1:]
		case a[0].Value > b[0].Value:
			merged, b = append(merged, b[0]), b[1:]
		default:
			merged = append(merged, Value{a[0].Value, a[0].Count + b[0].Count})
			a, b = a[1:], b[1:]
		}
	}
	merged = append(append(merged, a...), b...)
	if len(merged) > maxValues {
		merged = coarse(merged)
	}
	return merged
}

// coarse rounds values to seven binary digits after the first, and joins those that become equal.
func coarse(values []Value) []Value {
	const dropped = 52 - 7
	rounded := values[:0]
	for _, v := range values {
		v.Value = math.Float64frombits((math.Float64bits(v.Value) + 1<<(dropped-1)) >> dropped << dropped)
		if n := len(rounded); n > 0 && rounded[n-1].Value == v.Value {
			rounded[n-1].Count += v.Count
		} else {
			rounded = append(rounded, v)
		}
	}
	return rounded
}

// Aggregate merges cells, which must be in the order of time, into one cell per period that has any. Periods begin at
// origin and at multiples of period from it. A cell's time is the beginning of its period. Without values the result
// has statistic sets only, and is faster to compute.
func Aggregate(cells []Cell, period, origin int64, values bool) []Cell {
	out := make([]Cell, 0, len(cells))
	for _, c := range cells {
		c.At = floor(c.At-origin, period) + origin
		n := len(out)
		switch {
		case n == 0 || out[n-1].At != c.At:
			out = append(out, c)
		case values:
			out[n-1].merge(c)
		default:
			last := &out[n-1]
			last.Count, last.Sum, last.Values = last.Count+c.Count, last.Sum+c.Sum, nil
			last.Min, last.Max = min(last.Min, c.Min), max(last.Max, c.Max)
		}
	}
	return out
}

// floor returns the last multiple of step that is not after at.
func floor(at, step int64) int64 {
	if r := at % step; r < 0 {
		return at - r - step
	} else {
		return at - r
	}
}

// Union merges two lists of cells, each in the order of time.
func Union(a, b []Cell) []Cell { return tidy(slices.Concat(a, b)) }

// tidy sorts cells by time and merges those of the same time.
func tidy(cells []Cell) []Cell {
	byTime := func(a, b Cell) int { return int(a.At - b.At) }
	if !slices.IsSortedFunc(cells, byTime) {
		slices.SortStableFunc(cells, byTime)
	}
	out := cells[:0]
	for _, c := range cells {
		if n := len(out); n > 0 && out[n-1].At == c.At {
			out[n-1].merge(c)
		} else {
			out = append(out, c)
		}
	}
	return out
}
