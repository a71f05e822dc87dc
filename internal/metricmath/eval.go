package metricmath

import (
	"fmt"
	"math"
	"slices"
)

// Point is a value at a time, in seconds since 1970.
type Point struct {
	At    int64
	Value float64
}

// Series is a time series: points in the order of time, one period apart if none is missing.
type Series struct {
	// Name is the Id of the metric or expression that the series comes from.
	Name   string
	Period int64 // in seconds
	Points []Point
}

// Range is the time for which expressions are evaluated. TIME_SERIES makes points from From (inclusive) to To
// (exclusive), Period seconds apart. FILL uses the periods of its series, which begin at Origin and at multiples of the
// period from it. The first of these periods is the one that contains From.
type Range struct{ From, To, Period, Origin int64 }

// first returns the beginning of the period that contains From.
func (r Range) first(period int64) int64 {
	into := (r.From - r.Origin) % period
	if into < 0 {
		into += period
	}
	return r.From - into
}

// steps returns how many periods the range has.
func (r Range) steps(period int64) int { return int(max(r.To-r.From+period-1, 0) / period) }

// Result is the result of a query: Number for a number, otherwise Series.
type Result struct {
	Kind   Kind
	Number float64
	Series []Series
}

// maxWork is how many points one evaluation may read or make, over all expressions. Arrays may contain arrays, and the
// expressions of one request may refer to each other, so that a few hundred characters can describe more work than any
// machine can do.
const maxWork = 3_000_000

// headWork is what a series counts in addition to its points.
const headWork = 4

// Eval evaluates all expressions. data has the series of each metric. Errors are of type *Error.
func (p *Program) Eval(r Range, data map[string]Series) (map[string]Result, error) {
	e := &evaluation{Range: r, results: map[string]Result{}}
	for _, id := range p.metrics {
		s := data[id]
		s.Name = id
		e.results[id] = Result{Kind: Single, Series: []Series{s}}
		e.metrics = append(e.metrics, s)
	}
	for _, id := range p.order {
		result, err := e.value(p.nodes[id])
		if err == nil {
			err = e.spend(result.size())
		}
		if err != nil {
			return nil, &Error{id, err.Error()}
		}
		result.Series = slices.Clone(result.Series)
		for i := range result.Series {
			if result.Kind == Single {
				result.Series[i].Name = id
			}
		}
		e.results[id] = result
	}
	return e.results, nil
}

type evaluation struct {
	Range
	metrics []Series
	results map[string]Result
	work    int
}

// spend counts work before it is done. It returns an error when the total exceeds maxWork.
func (e *evaluation) spend(work int) error {
	if e.work += work; e.work > maxWork {
		return fmt.Errorf("more than %d points are to be worked out: ask for a shorter time, a longer period or "+
			"fewer metrics", maxWork)
	}
	return nil
}

// size returns the work of reading a result.
func (r Result) size() int {
	n := headWork * len(r.Series)
	for _, s := range r.Series {
		n += len(s.Points)
	}
	return n
}

func (e *evaluation) value(n node) (Result, error) {
	switch n := n.(type) {
	case number:
		return scalar(float64(n)), nil
	case reference:
		return e.results[string(n)], nil
	case list:
		return e.array(n)
	case call:
		return e.call(n)
	}
	panic("metricmath: an expression was not checked")
}

func (e *evaluation) array(items list) (Result, error) {
	all := Result{Kind: Array}
	for _, item := range items {
		r, err := e.value(item)
		if err == nil {
			err = e.spend(r.size())
		}
		if err != nil {
			return all, err
		}
		all.Series = append(all.Series, r.Series...)
	}
	return all, nil
}

func (e *evaluation) call(c call) (Result, error) {
	f := functions[c.name]
	var values []Result
	for i, arg := range c.args {
		if f.words != nil && f.words(i, arg) {
			values = append(values, Result{})
			continue
		}
		r, err := e.value(arg)
		if err == nil {
			err = e.spend(r.size())
		}
		if err != nil {
			return r, err
		}
		values = append(values, r)
	}
	if f.makes != nil {
		if err := e.spend(f.makes(e, values)); err != nil {
			return Result{}, err
		}
	}
	return f.eval(e, c.args, values), nil
}

func scalar(v float64) Result { return Result{Kind: Scalar, Number: v} }

func single(s Series) Result { return Result{Kind: Single, Series: []Series{s}} }

// mapped applies f to every series.
func (r Result) mapped(f func(Series) Series) Result {
	out := Result{Kind: r.Kind}
	for _, s := range r.Series {
		out.Series = append(out.Series, f(s))
	}
	return out
}

// points makes a series' points from others. It omits points whose value is NaN or infinite.
func (s Series) points(f func(i int, p Point) float64) Series {
	from := s.Points
	s.Points = make([]Point, 0, len(from))
	for i, p := range from {
		if v := f(i, p); !math.IsNaN(v) && !math.IsInf(v, 0) {
			s.Points = append(s.Points, Point{p.At, v})
		}
	}
	return s
}

// at returns the value at a time.
func (s Series) at(t int64) (float64, bool) {
	i, ok := slices.BinarySearchFunc(s.Points, t, func(p Point, t int64) int { return int(p.At - t) })
	if !ok {
		return 0, false
	}
	return s.Points[i].Value, true
}

// pairwise applies an operator: to each point and a number, to the points that two series have in common, or to each
// series of an array.
func pairwise(f func(a, b float64) float64, a, b Result) Result {
	switch {
	case a.Kind == Scalar && b.Kind == Scalar:
		return scalar(f(a.Number, b.Number))
	case b.Kind == Scalar:
		return a.mapped(func(s Series) Series {
			return s.points(func(_ int, p Point) float64 { return f(p.Value, b.Number) })
		})
	case a.Kind == Scalar:
		return b.mapped(func(s Series) Series {
			return s.points(func(_ int, p Point) float64 { return f(a.Number, p.Value) })
		})
	case a.Kind == Array:
		return a.mapped(func(s Series) Series { return both(f, s, b.Series[0]) })
	}
	return b.mapped(func(s Series) Series { return renamed(both(f, a.Series[0], s), s.Name) })
}

func renamed(s Series, name string) Series {
	s.Name = name
	return s
}

func both(f func(a, b float64) float64, a, b Series) Series {
	return a.points(func(_ int, p Point) float64 {
		v, ok := b.at(p.At)
		if !ok {
			return math.NaN()
		}
		return f(p.Value, v)
	})
}

// across combines an array into one series, by applying f to the values at each time.
func (r Result) across(f func(values []float64) float64) Series {
	at := map[int64][]float64{}
	var out Series
	for _, s := range r.Series {
		out.Period = max(out.Period, s.Period)
		for _, p := range s.Points {
			at[p.At] = append(at[p.At], p.Value)
		}
	}
	for t, values := range at {
		out.Points = append(out.Points, Point{t, f(values)})
	}
	slices.SortFunc(out.Points, func(a, b Point) int { return int(a.At - b.At) })
	return out.points(func(_ int, p Point) float64 { return p.Value })
}

func (s Series) values() []float64 {
	values := make([]float64, len(s.Points))
	for i, p := range s.Points {
		values[i] = p.Value
	}
	return values
}
