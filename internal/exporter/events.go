package exporter

import (
	"maps"
	"slices"
	"time"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/state"
	"larder/internal/store"
)

var (
	eventsTotal = metric{"larder_events_total", counter,
		"Entries of the event list since the engine started, by what they are about."}
	failoversTotal = metric{"larder_failovers_total", counter, "Failovers since the engine started, planned ones too."}
)

// late is how much earlier than an event list's newest entry one may be dated that is added after it: times are taken
// before the transaction that keeps them.
const late = time.Minute

// events counts what is added to the event list, whose own entries go after 14 days.
type events struct {
	begin     time.Time
	newest    time.Time
	recent    map[event.Notice]bool // those counted that are younger than late
	bySource  map[string]int        // type
	failovers map[string]int        // by group
}

func newEvents(begin time.Time) *events {
	return &events{begin: begin, newest: begin, recent: map[event.Notice]bool{}, bySource: map[string]int{},
		failovers: map[string]int{}}
}

// count counts the entries that it has not seen. A clock that was ahead is no reason to miss those that come after it
// was set back.
func (e *events) count(tx *store.Tx, now time.Time) error {
	if now.Before(e.begin) {
		e.begin = now
	}
	if now.Before(e.newest) {
		e.newest = now
	}
	from := e.newest.Add(-late)
	if from.Before(e.begin) {
		from = e.begin
	}
	notices, err := state.Notices(tx, from)
	if err != nil {
		return err
	}
	maps.DeleteFunc(e.recent, func(n event.Notice, _ bool) bool { return n.Date.Before(from) })
	for _, n := range notices {
		n.Date = n.Date.Round(0).UTC() // so that equal times are equal
		if e.recent[n] {
			continue
		}
		e.recent[n] = true
		e.bySource[n.SourceType]++
		if n.Kind == event.FailoverCompleted {
			e.failovers[n.Source]++
		}
		if n.Date.After(e.newest) {
			e.newest = n.Date
		}
	}
	return nil
}

// report puts the counts on the page: every group's failovers, none too, so that the first is seen as an increase.
func (e *events) report(p *page, groups []cache.Topology) {
	for _, source := range []string{event.SourceCluster, event.SourceGroup} {
		p.add(eventsTotal, pairs("source_type", source), float64(e.bySource[source]))
	}
	for _, source := range slices.Sorted(maps.Keys(e.bySource)) {
		if source != event.SourceCluster && source != event.SourceGroup {
			p.add(eventsTotal, pairs("source_type", source), float64(e.bySource[source]))
		}
	}
	for _, rg := range groups {
		p.add(failoversTotal, pairs("namespace", rg.ID), float64(e.failovers[rg.ID]))
	}
}
