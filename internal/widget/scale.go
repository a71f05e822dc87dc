package widget

import (
	"math"
	"strconv"
	"time"

	"github.com/go-analyze/charts/chartdraw"
)

// scale is the range of an axis of values.
type scale struct {
	low, high float64
	used      bool // something is drawn along it
}

// scale is the range that an axis has: its own bounds, and otherwise those of what is drawn along it.
func (w Widget) scale(axis Axis, series []Series, right bool) scale {
	s := scale{low: math.Inf(1), high: math.Inf(-1)}
	include := func(v float64) { s.low, s.high, s.used = min(s.low, v), max(s.high, v), true }
	for _, one := range series {
		if one.Right == right {
			s.used = true
			for _, p := range one.Points {
				include(p.Value)
			}
		}
	}
	for _, h := range w.Horizontal {
		if (h.Axis == "right") == right && !h.hidden() {
			include(*h.Value)
		}
	}
	if s.low > s.high {
		s.low, s.high = 0, 1
	}
	s.low, s.high = or(axis.Min, s.low), or(axis.Max, s.high)
	if s.low >= s.high {
		s.high = s.low + max(1, math.Abs(s.low))
	}
	step := s.step(minTicks)
	if axis.Min == nil {
		s.low = math.Floor(s.low/step) * step
	}
	if axis.Max == nil {
		s.high = math.Ceil(s.high/step) * step
	}
	return s
}

// within is the value as near as the axis shows it.
func (s scale) within(v float64) float64 { return min(max(v, s.low), s.high) }

const (
	minTicks  = 4
	tickSpace = 50 // pixels between the labels of values
)

// step is a round distance that cuts the range in about n.
func (s scale) step(n int) float64 {
	raw := (s.high - s.low) / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, round := range []float64{1, 2, 5} {
		if raw <= round*power {
			return round * power
		}
	}
	return 10 * power
}

// ticks are labels at round values; those at the ends, without a label, keep the axis as long as it is.
func (s scale) ticks(height int) []chartdraw.Tick {
	n := max(minTicks, height/tickSpace)
	step := s.step(n)
	ticks, first := []chartdraw.Tick{{Value: s.low}}, math.Ceil(s.low/step)
	for i := range n + 1 { // counted: beyond 2^53 steps from zero, one more is the same number
		v := (first + float64(i)) * step
		if !(v <= s.high) {
			break
		}
		ticks = append(ticks, chartdraw.Tick{Value: v, Label: short(v)})
	}
	return append(ticks, chartdraw.Tick{Value: s.high})
}

// short is a number in few letters.
func short(v float64) string {
	for _, unit := range []struct {
		factor float64
		letter string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.factor {
			return strconv.FormatFloat(v/unit.factor, 'g', 4, 64) + unit.letter
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// timeSteps are the distances between labels of time.
var timeSteps = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
	30 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour,
	30 * 24 * time.Hour, 90 * 24 * time.Hour,
}

// timeSpace is how many pixels there are between labels of time.
const timeSpace = 80

func timeTicks(start, end time.Time, zone *time.Location, width int) []chartdraw.Tick {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if int(end.Sub(start)/s)*timeSpace <= width {
			step = s
			break
		}
	}
	form := "15:04"
	switch {
	case step >= 24*time.Hour:
		form = "01/02"
	case step < time.Minute:
		form = "15:04:05"
	}
	_, offset := start.In(zone).Zone()
	shift := time.Duration(offset) * time.Second // steps are round on the zone's clock
	ticks := []chartdraw.Tick{{Value: float64(start.Unix())}}
	for at := start.Add(shift).Truncate(step).Add(step - shift); at.Before(end); at = at.Add(step) {
		ticks = append(ticks, chartdraw.Tick{Value: float64(at.Unix()), Label: at.In(zone).Format(form)})
	}
	return append(ticks, chartdraw.Tick{Value: float64(end.Unix())})
}
