package logs

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"larder/internal/logfilter"
	"larder/internal/logstore"
	"larder/internal/store"
)

// Datum is a value that a metric filter made.
type Datum struct {
	Namespace, Metric, Unit string
	Dimensions              map[string]string
	Time                    time.Time
	Value                   float64
}

// minutes remembers, of metric filters with a default value, the minute in which events came last: when none of them
// matched, the default is the minute's value.
type minutes struct {
	mu   sync.Mutex
	open map[string]minute // by the filter's key
}

type minute struct {
	at      time.Time
	matched bool
	datum   Datum // the default
}

// count makes metric data of events that were kept.
func (s *Service) count(group string, events []logstore.Event) error {
	if len(events) == 0 {
		return nil
	}
	var filters []metricFilter
	err := s.Store.View(func(tx *store.Tx) (err error) {
		filters, err = filtersOf(tx, group)
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	var made []Datum
	emit := func(d Datum) { made = append(made, d) }
	for _, f := range filters {
		item := "the metric filter " + f.Name
		errs = append(errs, s.guard.Do(item, func() error { return s.countOne(f, events, emit) }))
	}
	s.keepMetrics(made)
	return errors.Join(errs...)
}

// countOne makes what a filter makes of events.
func (s *Service) countOne(f metricFilter, events []logstore.Event, emit func(Datum)) error {
	pattern, err := logfilter.Parse(f.Pattern)
	if err != nil {
		return fmt.Errorf("cannot use the metric filter %s: %w", f.Name, err)
	}
	matched := false
	for _, e := range events {
		if pattern.Match([]byte(e.Message)) {
			matched = true
			if d, ok := f.datum(pattern, e); ok {
				emit(d)
			}
		}
	}
	s.quiet.note(f, s.Now().Truncate(time.Minute), matched, emit)
	return nil
}

func (s *Service) keepMetrics(made []Datum) {
	if len(made) > 0 {
		s.Metrics(made)
	}
}

// measurable tells whether PutMetricData would take the value: a number between -2^360 and 2^360.
func measurable(v float64) bool { return math.Abs(v) <= math.Ldexp(1, 360) }

// number is the value that a text has; false when it has none that can be measured.
func number(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && measurable(v)
}

// datum is the value that a matching event has; false when it has none that is a number.
func (f metricFilter) datum(pattern *logfilter.Pattern, e logstore.Event) (Datum, bool) {
	d := Datum{Namespace: f.Namespace, Metric: f.Metric, Unit: f.Unit, Time: time.UnixMilli(e.Time)}
	text := f.Value
	if pattern.Names(text) {
		text, _ = pattern.Value(e.Message, text)
	}
	value, ok := number(text)
	if !ok {
		return d, false
	}
	d.Value = value
	for name, from := range f.Dimensions {
		text, ok := pattern.Value(e.Message, from)
		if !ok || text == "" ||
			// An event without a dimension's value counts for the metric without dimensions.
			utf8.RuneCountInString(text) > maxDimensionValue {
			d.Dimensions = nil
			break
		}
		if d.Dimensions == nil {
			d.Dimensions = map[string]string{}
		}
		d.Dimensions[name] = text
	}
	return d, true
}

// note remembers that events came for a filter.
func (m *minutes) note(f metricFilter, at time.Time, matched bool, emit func(Datum)) {
	if f.Default == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open == nil {
		m.open = map[string]minute{}
	}
	known, ok := m.open[f.key()]
	if ok && known.at.Before(at) {
		known.close(emit)
		ok = false
	}
	if !ok {
		known = minute{at: at, datum: Datum{Namespace: f.Namespace, Metric: f.Metric, Unit: f.Unit, Time: at,
			Value: *f.Default}}
	}
	known.matched = known.matched || matched
	m.open[f.key()] = known
}

func (m minute) close(emit func(Datum)) {
	if !m.matched {
		emit(m.datum)
	}
}

// end closes the minutes that are over.
func (m *minutes) end(now time.Time, emit func(Datum)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, known := range m.open {
		if !now.Before(known.at.Add(time.Minute)) {
			known.close(emit)
			delete(m.open, key)
		}
	}
}
