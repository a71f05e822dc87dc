package engine

import (
	"time"

	"larder/internal/plan"
)

// Report is what the last looks at a group's shards saw.
type Report struct {
	At       time.Time // of the earliest of them
	Observed plan.Observed
}

// Report returns what the last look at a group saw, without asking any node: reading it costs nothing and never waits.
// It is zero for a group that has not been looked at yet.
func (e *Engine) Report(id string) Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[id]
	if g == nil {
		return Report{}
	}
	return g.report()
}

// report joins what the last looks at the group's shards saw. It is zero while one has not been looked at yet.
func (g *group) report() Report {
	all := Report{Observed: plan.Observed{Nodes: map[string]plan.NodeState{}, Verified: true}}
	for _, r := range g.runners() {
		seen := r.report.Load()
		if seen == nil {
			return Report{}
		}
		if all.At.IsZero() || seen.At.Before(all.At) {
			all.At = seen.At
		}
		all.Observed.Add(seen.Observed)
	}
	return all
}

// publishReport keeps what a look saw, for Report.
func (r *shardRunner) publishReport(o plan.Observed) { r.report.Store(&Report{r.e.Now(), o}) }
