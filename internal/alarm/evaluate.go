// Package alarm computes the states of alarms and the reasons, and builds the messages to their topics.
package alarm

import (
	"math"
	"time"
)

// State is the state of an alarm.
type State string

// The states of an alarm.
const (
	OK           State = "OK"
	Alarm        State = "ALARM"
	Insufficient State = "INSUFFICIENT_DATA"
)

// Treatment says how an alarm treats missing points.
type Treatment string

// The treatments of missing points.
const (
	Breaching    Treatment = "breaching"
	NotBreaching Treatment = "notBreaching"
	Ignore       Treatment = "ignore"
	Missing      Treatment = "missing"
)

// Comparison is the operator between a value and the threshold.
type Comparison string

// comparisons maps each operator to its test and its words in a reason.
var comparisons = map[Comparison]struct {
	breaches func(v, threshold float64) bool
	words    string
}{
	"GreaterThanThreshold":          {func(v, t float64) bool { return v > t }, "greater than"},
	"GreaterThanOrEqualToThreshold": {func(v, t float64) bool { return v >= t }, "greater than or equal to"},
	"LessThanThreshold":             {func(v, t float64) bool { return v < t }, "less than"},
	"LessThanOrEqualToThreshold":    {func(v, t float64) bool { return v <= t }, "less than or equal to"},
}

// Rule is the part of an alarm's definition that determines its state.
type Rule struct {
	Period     time.Duration
	Periods    int // N: how many points are evaluated
	Datapoints int // M: how many of them must breach; zero means all, and appears in the reason
	Threshold  float64
	Comparison Comparison
	Missing    Treatment // empty means Missing
	Statistic  string    // empty for metric math
	Unit       string
	// LowSamples is how many samples a percentile needs to change the state; zero means any number.
	LowSamples float64
}

func (r Rule) needed() int {
	if r.Datapoints == 0 {
		return r.Periods
	}
	return r.Datapoints
}

// Range returns how many points are fetched. AWS does not document the number; its examples have two more than are
// evaluated.
func (r Rule) Range() int { return r.Periods + 2 }

func (r Rule) breaches(p Point) bool { return comparisons[r.Comparison].breaches(p.Value, r.Threshold) }

// significant returns how many samples a percentile needs to be meaningful. Source: the CloudWatch guide on
// percentile-based alarms.
func significant(percentile float64) float64 {
	p := percentile / 100
	if p >= 0.5 {
		return 10 / (1 - p)
	}
	return 10 / p
}

// Point is the value of one period.
type Point struct {
	At      time.Time // the beginning of the period
	Value   float64
	Samples float64
	Missing bool
}

// Verdict is the result of an evaluation.
type Verdict struct {
	State  State
	Keep   bool // the state does not change
	Reason string
	Data   string // the reason as JSON
}

// judgement is a verdict without its texts: the evaluated points, newest first, and how many of them were filled in.
type judgement struct {
	state  State
	keep   bool
	real   []Point
	filled int
}

// Evaluate returns the new state of an alarm whose state is before. points are those of the alarm's range, oldest
// first.
func Evaluate(r Rule, points []Point, before State, now time.Time) Verdict {
	j := judge(r, points)
	if j.keep || j.state == before {
		return Verdict{Keep: true}
	}
	return Verdict{State: j.state, Reason: j.reason(r), Data: j.data(r, now)}
}

func judge(r Rule, points []Point) judgement {
	j := judgement{}
	for i := len(points) - 1; i >= 0 && len(j.real) < r.Periods; i-- {
		if !points[i].Missing {
			j.real = append(j.real, points[i])
		}
	}
	j.filled = r.Periods - len(j.real)
	breaching := 0
	for _, p := range j.real {
		if p.Samples < r.LowSamples {
			j.keep = true
			return j
		}
		if r.breaches(p) {
			breaching++
		}
	}
	switch {
	case j.filled > 0 && r.Missing == Breaching:
		breaching += j.filled
	case len(j.real) == 0 && r.Missing == Ignore:
		j.keep = true
	case len(j.real) == 0 && r.Missing != NotBreaching:
		j.state = Insufficient
		return j
	case j.filled > 0 && r.Missing != NotBreaching && breaching == len(j.real) && breaching < r.needed():
		return j.onlyBreaching(r, points)
	}
	j.state = OK
	if breaching >= r.needed() {
		j.state = Alarm
	}
	return j
}

// onlyBreaching decides if fewer than M points exist and all of them breach. The alarm goes off once the oldest point
// is M periods old, so that one late point does not raise it.
func (j judgement) onlyBreaching(r Rule, points []Point) judgement {
	oldest := j.real[len(j.real)-1].At
	back := len(points)
	for i, p := range points {
		if p.At.Equal(oldest) {
			back -= i
			break
		}
	}
	j.state = Alarm
	j.keep = r.Missing == Ignore || back < r.needed()
	return j
}

// finite rejects NaN and infinity, which arithmetic yields where there are no data.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
