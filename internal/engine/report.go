package engine

import (
	"time"

	"larder/internal/plan"
)

// Report is what the last look at a group saw.
type Report struct {
	At       time.Time
	Observed plan.Observed // shared: to be read only
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
	if r := g.report.Load(); r != nil {
		return *r
	}
	return Report{}
}

// tell keeps what a look saw, for Report.
func (g *group) tell(o plan.Observed) { g.report.Store(&Report{g.e.Now(), o}) }
