package metricmath

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

func isText(_ int, arg node) bool { _, ok := arg.(text); return ok }

func isGap(i int, arg node) bool { return i == 1 && (arg == word("REPEAT") || arg == word("LINEAR")) }

func isSortWord(i int, arg node) bool {
	w, ok := arg.(word)
	return ok && (i == 1 && slices.Contains([]word{"AVG", "MAX", "MIN", "SUM"}, w) || i == 2 &&
		(w == "ASC" || w == "DESC"))
}

// others are the functions of whole series and of arrays.
var others = map[string]function{
	"IF": {least: 2, most: 3, kind: ifKind, makes: steady, eval: evalIf},
	"FILL": {least: 2, most: 2, words: isGap, makes: filled, eval: evalFill, kind: func(k []Kind) Kind {
		if k[0] == Scalar || k[1] == Array {
			return 0
		}
		return k[0]
	}},
	"METRICS": {least: 0, most: 1, words: isText, kind: func(k []Kind) Kind {
		if len(k) == 1 && k[0] != 0 {
			return 0
		}
		return Array
	}, eval: evalMetrics},
	"METRIC_COUNT": {least: 1, most: 1, kind: fits(Scalar, Array),
		eval: func(_ *evaluation, _ []node, v []Result) Result { return scalar(float64(len(v[0].Series))) }},
	"PERIOD": {least: 1, most: 1, kind: fits(Scalar, Single),
		eval: func(_ *evaluation, _ []node, v []Result) Result { return scalar(float64(v[0].Series[0].Period)) }},
	"FIRST": {least: 1, most: 1, kind: fits(Single, Array),
		eval: func(_ *evaluation, _ []node, v []Result) Result { return nth(v[0].Series, 0) }},
	"LAST": {least: 1, most: 1, kind: fits(Single, Array),
		eval: func(_ *evaluation, _ []node, v []Result) Result { return nth(v[0].Series, len(v[0].Series)-1) }},
	"REMOVE_EMPTY": {least: 1, most: 1, kind: fits(Array, Array),
		eval: func(_ *evaluation, _ []node, v []Result) Result {
			empty := func(s Series) bool { return len(s.Points) == 0 }
			return Result{Kind: Array, Series: slices.DeleteFunc(slices.Clone(v[0].Series), empty)}
		}},
	"SLICE": {least: 2, most: 3, eval: evalSlice, kind: func(k []Kind) Kind {
		if len(k) == 2 {
			return fits(Single, Array, Scalar)(k)
		}
		return fits(Array, Array, Scalar, Scalar)(k)
	}},
	"SORT": {least: 3, most: 4, words: isSortWord, kind: sortKind, eval: evalSort},
	"TIME_SERIES": {least: 1, most: 1, kind: fits(Single, Scalar), makes: steady,
		eval: func(e *evaluation, _ []node, v []Result) Result { return single(e.steady(v[0].Number)) }},
}

func ifKind(k []Kind) Kind {
	if k[0] == Array || slices.Contains(k[1:], Array) || len(k) == 2 && k[0] == Scalar && k[1] == Scalar {
		return 0
	}
	return slices.Max(k)
}

// evalIf chooses a value at each time of the condition. Without a third parameter, there is no value where the
// condition is false.
func evalIf(e *evaluation, _ []node, v []Result) Result {
	if len(v) == 2 {
		v = append(v, scalar(math.NaN()))
	}
	cond := v[0]
	if cond.Kind == Scalar {
		chosen := v[2]
		if cond.Number != 0 {
			chosen = v[1]
		}
		if chosen.Kind == Scalar && max(v[1].Kind, v[2].Kind) == Single {
			return single(e.steady(chosen.Number))
		}
		return chosen
	}
	return single(cond.Series[0].points(func(_ int, p Point) float64 {
		chosen := v[2]
		if p.Value != 0 {
			chosen = v[1]
		}
		if chosen.Kind == Scalar {
			return chosen.Number
		}
		if value, ok := chosen.Series[0].at(p.At); ok {
			return value
		}
		return math.NaN()
	}))
}

// steady returns how many points evaluation.steady makes.
func steady(e *evaluation, _ []Result) int { return e.steps(e.Period) }

// filled returns how many points FILL makes.
func filled(e *evaluation, values []Result) (n int) {
	for _, s := range values[0].Series {
		n += e.steps(cmp.Or(s.Period, e.Period)) + 1
	}
	return n
}

// steady makes a series of one value without gaps.
func (e *evaluation) steady(v float64) Series {
	s := Series{Period: e.Period}
	for at := e.From; at < e.To; at += e.Period {
		s.Points = append(s.Points, Point{at, v})
	}
	return s.points(func(_ int, p Point) float64 { return p.Value })
}

func evalFill(e *evaluation, args []node, v []Result) Result {
	how, _ := args[1].(word)
	return v[0].mapped(func(s Series) Series {
		period := cmp.Or(s.Period, e.Period)
		whole := Series{Name: s.Name, Period: period}
		for at := e.first(period); at < e.To; at += period {
			whole.Points = append(whole.Points, Point{at, 0})
		}
		return whole.points(func(_ int, p Point) float64 {
			if value, ok := s.at(p.At); ok {
				return value
			}
			switch {
			case how != "":
				return s.between(p.At, how == "LINEAR")
			case v[1].Kind == Scalar:
				return v[1].Number
			}
			if value, ok := v[1].Series[0].at(p.At); ok {
				return value
			}
			return math.NaN()
		})
	})
}

// between returns a value for a time that has none: the previous value, or with line set the one on the line to the
// next value. It returns NaN before the first value, and with line set also after the last.
func (s Series) between(at int64, line bool) float64 {
	next, _ := slices.BinarySearchFunc(s.Points, at, func(p Point, t int64) int { return int(p.At - t) })
	if next == 0 || line && next == len(s.Points) {
		return math.NaN()
	}
	before := s.Points[next-1]
	if !line {
		return before.Value
	}
	after := s.Points[next]
	return before.Value + (after.Value-before.Value)*float64(at-before.At)/float64(after.At-before.At)
}

// evalMetrics returns the request's metrics, or those whose Id contains the text.
func evalMetrics(e *evaluation, args []node, _ []Result) Result {
	out := Result{Kind: Array}
	for _, s := range e.metrics {
		if len(args) == 0 || strings.Contains(s.Name, string(args[0].(text))) {
			out.Series = append(out.Series, s)
		}
	}
	return out
}

func nth(series []Series, i int) Result {
	if i < 0 || i >= len(series) {
		return single(Series{})
	}
	return single(series[i])
}

func evalSlice(_ *evaluation, _ []node, v []Result) Result {
	index := func(r Result) int {
		if math.IsNaN(r.Number) {
			return 0
		}
		return int(min(max(r.Number, 0), float64(len(v[0].Series))))
	}
	if len(v) == 2 {
		return nth(v[0].Series, index(v[1]))
	}
	from, to := index(v[1]), index(v[2])
	return Result{Kind: Array, Series: v[0].Series[from:max(from, to)]}
}

func sortKind(k []Kind) Kind {
	if k[0] != Array || k[1] != 0 || k[2] != 0 || len(k) == 4 && k[3] != Scalar {
		return 0
	}
	return Array
}

// evalSort sorts series by one of their aggregates. Series without points come last.
func evalSort(_ *evaluation, args []node, v []Result) Result {
	of, descending := aggregates[string(args[1].(word))], args[2].(word) == "DESC"
	sorted := slices.Clone(v[0].Series)
	rank := func(s Series) float64 {
		value := of(s.values(), len(s.Points))
		if descending {
			value = -value
		}
		if math.IsNaN(value) {
			return math.Inf(1)
		}
		return value
	}
	slices.SortStableFunc(sorted, func(a, b Series) int { return cmp.Compare(rank(a), rank(b)) })
	if len(v) == 4 {
		sorted = sorted[:int(min(max(v[3].Number, 0), float64(len(sorted))))]
	}
	return Result{Kind: Array, Series: sorted}
}
