package monitor

import (
	"time"

	"larder/internal/cachemetric"
	"larder/internal/series"
)

// maxKnown is up to how many samples an interval's cell keeps the values. Beyond that, it is a statistic set without
// percentiles, because the values of hundreds of nodes would take more space than the nodes' own metrics.
const maxKnown = 16

// total sums every node's metrics of one interval. They are the metrics without dimensions, stored as one cell each.
type total struct {
	interval time.Duration
	at       int64 // beginning of the interval
	cells    map[cachemetric.Datum]series.Cell
}

// add adds a node's metrics. If they belong to another interval, it first returns the samples of the previous one.
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
		if c.Count < maxKnown {
			t.cells[key] = series.Union([]series.Cell{c}, []series.Cell{series.Single(t.at, v)})[0]
			continue
		}
		t.cells[key] = series.Cell{At: t.at, Count: c.Count + 1, Sum: c.Sum + v, Min: min(c.Min, v), Max: max(c.Max, v)}
	}
	return past
}

// past returns the samples of an interval that is over, once. A clock that was set back also ends the interval, because
// the following samples have earlier times.
func (t *total) past(now time.Time) []series.Sample {
	if t.cells == nil || period(now, t.interval) == t.at {
		return nil
	}
	return t.rest()
}

// rest returns the samples of the current interval.
func (t *total) rest() []series.Sample {
	var all []series.Sample
	for d, c := range t.cells {
		all = append(all, sample(d, nil, c, t.interval))
	}
	t.cells = nil
	return all
}
