package monitor

import (
	"time"

	"larder/internal/cachemetric"
	"larder/internal/series"
)

// total adds up every node's metrics of one interval: those without dimensions. They are kept as one statistic set per metric,
// which has no percentiles: the values of hundreds of nodes would take more room than the nodes' own metrics.
type total struct {
	interval time.Duration
	at       int64 // the interval's beginning
	cells    map[cachemetric.Datum]series.Cell
}

// add counts a node's metrics, and returns the samples of the interval before when theirs is a later one.
func (t *total) add(at time.Time, data []cachemetric.Datum) []series.Sample {
	past := t.past(at)
	if t.cells == nil {
		t.at, t.cells = period(at, t.interval), map[cachemetric.Datum]series.Cell{}
	}
	for _, d := range data {
		key, v := cachemetric.Datum{Name: d.Name, Unit: d.Unit}, d.Value
		c, more := t.cells[key]
		if !more {
			t.cells[key] = series.Single(t.at, v)
			continue
		}
		c.Count, c.Sum, c.Min, c.Max = c.Count+1, c.Sum+v, min(c.Min, v), max(c.Max, v)
		t.cells[key] = c
	}
	return past
}

// past returns the samples of an interval that is over, once.
func (t *total) past(now time.Time) []series.Sample {
	if t.cells == nil || period(now, t.interval) <= t.at {
		return nil
	}
	return t.rest()
}

// rest returns the samples of the interval that is under way.
func (t *total) rest() []series.Sample {
	var all []series.Sample
	for d, c := range t.cells {
		all = append(all, sample(d, nil, c, t.interval))
	}
	t.cells = nil
	return all
}
