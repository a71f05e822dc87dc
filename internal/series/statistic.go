package series

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Statistic is a way to compute one number from a cell.
type Statistic struct {
	text string
	kind string
	// low and high bound which values count: percentages of the number of values if percent is set, else values.
	low, high float64
	percent   bool
}

// String returns the statistic as it was requested.
func (s Statistic) String() string { return s.text }

// Distributed reports whether the statistic needs the values themselves.
func (s Statistic) Distributed() bool { return basic[s.kind] == nil }

// Percentile returns which percentile the statistic is, and whether it is one.
func (s Statistic) Percentile() (float64, bool) { return s.high, s.kind == "p" }

// basic statistics need no values.
var basic = map[string]func(Cell) float64{
	"SampleCount": func(c Cell) float64 { return c.Count },
	"Average":     func(c Cell) float64 { return c.Sum / c.Count },
	"Sum":         func(c Cell) float64 { return c.Sum },
	"Minimum":     func(c Cell) float64 { return c.Min },
	"Maximum":     func(c Cell) float64 { return c.Max },
}

var (
	shortForm  = regexp.MustCompile(`^(p|tm|tc|ts|wm)(100|\d{1,2}(?:\.\d{1,10})?)$`)
	boundsForm = regexp.MustCompile(`^(TM|TC|TS|WM|PR)\(([^:()]*):([^:()]*)\)$`)
)

// ParseStatistic parses a statistic: SampleCount, Average, Sum, Minimum, Maximum; p99; tm99, tc, ts, wm; TM(2%:98%),
// TM(150:1000), TC, TS, WM with the same bounds; PR(100:2000); IQM.
func ParseStatistic(text string) (Statistic, error) {
	if _, ok := basic[text]; ok {
		return Statistic{text: text, kind: text}, nil
	}
	if text == "IQM" || text == "iqm" {
		return Statistic{text, "tm", 25, 75, true}, nil
	}
	if m := shortForm.FindStringSubmatch(text); m != nil {
		high, err := strconv.ParseFloat(m[2], 64)
		return Statistic{text, m[1], 0, high, true}, err
	}
	m := boundsForm.FindStringSubmatch(text)
	if m == nil {
		return Statistic{}, fmt.Errorf("%q is not a statistic", text)
	}
	s := Statistic{text: text, kind: strings.ToLower(m[1])}
	return s, s.bounds(m[2], m[3])
}

// bounds parses the two bounds. One of them may be empty.
func (s *Statistic) bounds(low, high string) (err error) {
	s.percent = strings.HasSuffix(low, "%") || strings.HasSuffix(high, "%")
	s.low, s.high = math.Inf(-1), math.Inf(1)
	if s.percent {
		s.low, s.high = 0, 100
	}
	for _, bound := range []struct {
		text string
		to   *float64
	}{{low, &s.low}, {high, &s.high}} {
		number, marked := strings.CutSuffix(bound.text, "%")
		switch {
		case bound.text == "":
			continue
		case marked != s.percent:
			return fmt.Errorf("the bounds of %q are not of one kind", s.text)
		}
		if *bound.to, err = strconv.ParseFloat(number, 64); err != nil || !finite(*bound.to) {
			return fmt.Errorf("the bound %q of %q is not a number", bound.text, s.text)
		}
	}
	switch {
	case low == "" && high == "":
		return fmt.Errorf("%q has no bound", s.text)
	case s.percent && (s.low < 0 || s.high > 100):
		return fmt.Errorf("the bounds of %q are not between 0%% and 100%%", s.text)
	case s.low >= s.high:
		return fmt.Errorf("the bounds of %q are not in order", s.text)
	case s.kind == "pr" && s.percent:
		return fmt.Errorf("the bounds of %q are values, not percentages", s.text)
	}
	return nil
}

// Of computes the statistic of a cell. It returns false if the statistic needs the values and only a statistic set was
// given, or if a value is negative.
func (s Statistic) Of(c Cell) (float64, bool) {
	if f, ok := basic[s.kind]; ok {
		return f(c), true
	}
	values := c.Distribution()
	if values == nil || c.Min < 0 {
		return 0, false
	}
	if s.kind == "p" {
		return rank(values, s.high/100*c.Count), true
	}
	weight, sum, below, above := s.inside(values, c.Count)
	switch s.kind {
	case "tc":
		return weight, true
	case "ts":
		return sum, true
	case "pr":
		return weight / c.Count * 100, true
	case "wm":
		// Values outside the bounds count as the bounds.
		low, high := s.low, s.high
		if s.percent {
			low, high = rank(values, s.low/100*c.Count), rank(values, s.high/100*c.Count)
		}
		if below > 0 {
			sum += below * low
		}
		if above > 0 {
			sum += above * high
		}
		return sum / c.Count, true
	}
	return sum / weight, weight > 0
}

// rank returns the smallest value that at least n of the values do not exceed. It tolerates the rounding error of n.
func rank(values []Value, n float64) float64 {
	n *= 1 - 1e-12
	seen := 0.0
	for _, v := range values {
		if seen += v.Count; seen >= n {
			return v.Value
		}
	}
	return values[len(values)-1].Value
}

// inside sums the values within the bounds: above the lower, up to the higher. If a bound is a percentage, a value at
// the bound counts for the part that is inside. below and above are the numbers of values outside.
func (s Statistic) inside(values []Value, count float64) (weight, sum, below, above float64) {
	seen := 0.0
	for _, v := range values {
		under, over := 0.0, 0.0
		switch {
		case s.percent:
			under = min(max(s.low/100*count-seen, 0), v.Count)
			over = min(max(seen+v.Count-s.high/100*count, 0), v.Count)
		case v.Value <= s.low:
			under = v.Count
		case v.Value > s.high:
			over = v.Count
		}
		in := v.Count - under - over
		weight, sum, below, above = weight+in, sum+in*v.Value, below+under, above+over
		seen += v.Count
	}
	return weight, sum, below, above
}
