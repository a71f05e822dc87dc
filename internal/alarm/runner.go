package alarm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/isolate"
)

// Definition is a stored alarm, either metric or composite. Each new definition of an alarm has a new revision.
type Definition struct {
	Metric    *types.MetricAlarm
	Composite *types.CompositeAlarm
	Revision  uint64
}

// Store stores the alarms.
type Store interface {
	// Alarms returns all alarms that can be read. The error is about the others.
	Alarms() ([]Definition, error)
	// Alarm returns the alarm of that name, and false if there is none.
	Alarm(name string) (Definition, bool, error)
	// Change puts an alarm into another state, adds to the history, and starts the actions. It does nothing if the alarm's
	// revision or state has changed meanwhile.
	Change(name string, revision uint64, c Change) error
}

// Runner evaluates alarms.
type Runner struct {
	Store   Store
	Metrics Reader
	Now     func() time.Time
	After   func(time.Duration) <-chan time.Time // like time.After, by the clock of Now
	Failed  func(error)                          // gets the error of one alarm; the others continue

	guard  isolate.Guard
	mu     sync.Mutex
	dirty  map[string]bool // changed since they were last read
	alarms map[string]*known
}

// known is an alarm as it was last read.
type known struct {
	name, arn string
	revision  uint64
	state     State
	since     time.Time
	watch     *watch     // if it is a metric alarm
	composite *Composite // if it is a composite alarm
	evaluated time.Time
	seen      string // the states of the children at the last evaluation
}

// step is the shortest interval between two evaluations of an alarm.
const step = 10 * time.Second

// Changed tells the runner that an alarm was created, changed or deleted. It returns quickly.
func (r *Runner) Changed(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dirty == nil {
		r.dirty = map[string]bool{}
	}
	r.dirty[name] = true
}

// Run evaluates alarms every ten seconds until ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	for {
		now := r.Now()
		select {
		case <-ctx.Done():
			return nil
		case <-r.After(now.Truncate(step).Add(step).Sub(now)):
			if err := r.Evaluate(); err != nil {
				r.Failed(err)
			}
		}
	}
}

// Evaluate evaluates the alarms that are due: first metric alarms, then composite ones, children before parents.
func (r *Runner) Evaluate() error {
	now := r.Now()
	var errs []error
	if err := r.refresh(); err != nil {
		errs = append(errs, fmt.Errorf("cannot read alarms: %w", err))
	}
	names := slices.Sorted(maps.Keys(r.alarms))
	for _, name := range names {
		if a := r.alarms[name]; a.watch != nil {
			errs = append(errs, r.guard.Do("the alarm "+name, func() error { return r.evaluate(a, now) }))
		}
	}
	done := map[string]bool{}
	for _, name := range names {
		errs = append(errs, r.compose(name, now, done))
	}
	return errors.Join(errs...)
}

// refresh reads the changed alarms; the first time, all. An alarm that cannot be read the first time is ignored until
// it changes. An alarm that cannot be read later keeps its last known definition and is read again.
func (r *Runner) refresh() error {
	r.mu.Lock()
	dirty := r.dirty
	r.dirty = nil
	r.mu.Unlock()
	if r.alarms == nil {
		all, err := r.Store.Alarms()
		switch {
		case err != nil && len(all) == 0:
			return err
		case err != nil:
			r.Failed(fmt.Errorf("some alarms are not evaluated: %w", err))
		}
		r.alarms = map[string]*known{}
		for _, d := range all {
			r.learnOne(d)
		}
		return nil
	}
	var errs []error
	for name := range dirty {
		d, there, err := r.Store.Alarm(name)
		switch {
		case err != nil:
			r.Changed(name)
			errs = append(errs, err)
		case there:
			r.learnOne(d)
		default:
			delete(r.alarms, name)
		}
	}
	return errors.Join(errs...)
}

// learnOne records an alarm. If an invalid definition causes a panic, only this alarm fails.
func (r *Runner) learnOne(d Definition) {
	if err := r.guard.Do("the definition of an alarm", func() error { r.learn(d); return nil }); err != nil {
		r.Failed(err)
	}
}

// learn records the current definition and state of an alarm. If the revision is known, only the state can differ.
func (r *Runner) learn(d Definition) {
	var a known
	if m := d.Metric; m != nil {
		a = known{name: *m.AlarmName, arn: *m.AlarmArn, revision: d.Revision, state: State(m.StateValue),
			since: *m.StateUpdatedTimestamp}
	} else {
		c := d.Composite
		a = known{name: *c.AlarmName, arn: *c.AlarmArn, revision: d.Revision, state: State(c.StateValue),
			since: *c.StateUpdatedTimestamp}
	}
	if old := r.alarms[a.name]; old != nil && old.revision == a.revision {
		old.state, old.since = a.state, a.since
		return
	}
	var err error
	if d.Metric != nil {
		a.watch, err = newWatch(d.Metric)
	} else {
		a.composite, err = ParseComposite(*d.Composite.AlarmRule)
	}
	if err != nil {
		r.Failed(fmt.Errorf("cannot evaluate the alarm %s: %w", a.name, err))
		a.watch, a.composite = nil, nil
	}
	r.alarms[a.name] = &a
}

// evaluate evaluates a metric alarm if it is due: once every interval, and at the first step after its creation. It is
// also due if the clock was set back, because it would otherwise wait until the clock reaches the last evaluation
// again.
func (r *Runner) evaluate(a *known, now time.Time) error {
	pace := a.watch.pace()
	if !a.evaluated.IsZero() && !a.evaluated.After(now) && !now.Truncate(pace).After(a.evaluated.Truncate(pace)) {
		return nil
	}
	points, err := a.watch.points(r.Metrics, now.Truncate(pace).Unix())
	if err != nil {
		return fmt.Errorf("cannot evaluate the alarm %s: %w", a.name, err)
	}
	if v := Evaluate(a.watch.rule, points, a.state, now); !v.Keep {
		if err := r.change(a, Change{a.state, v.State, v.Reason, v.Data, now}); err != nil {
			return err
		}
	}
	a.evaluated = now
	return nil
}

func (r *Runner) change(a *known, c Change) error {
	if err := r.Store.Change(a.name, a.revision, c); err != nil {
		return fmt.Errorf("cannot change the state of the alarm %s: %w", a.name, err)
	}
	a.state, a.since = c.To, c.At
	return nil
}

// compose evaluates a composite alarm after its children, if the state of a child differs from the last evaluation.
func (r *Runner) compose(name string, now time.Time, done map[string]bool) error {
	a := r.alarms[name]
	if a == nil || a.composite == nil || done[name] {
		return nil
	}
	done[name] = true
	return r.guard.Do("the alarm "+name, func() error { return r.composeNow(a, now, done) })
}

func (r *Runner) composeNow(a *known, now time.Time, done map[string]bool) error {
	var states []string
	var newest *known
	var errs []error
	for _, child := range a.composite.Children() {
		errs = append(errs, r.compose(child, now, done)) // a failed child keeps its state, and its parents use that
		states = append(states, string(r.state(child)))
		if c := r.alarms[child]; c != nil && (newest == nil || c.since.After(newest.since)) {
			newest = c
		}
	}
	seen := strings.Join(states, " ")
	if !a.evaluated.IsZero() && seen == a.seen {
		return errors.Join(errs...)
	}
	to := OK
	if a.composite.Holds(r.state) {
		to = Alarm
	}
	if to != a.state {
		c := Change{From: a.state, To: to, Reason: "The alarm rule has no alarms", At: now}
		if newest != nil {
			c.Reason, c.Data = compositeReason(newChild(newest.arn, newest.state, newest.since))
		}
		if err := r.change(a, c); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	a.evaluated, a.seen = now, seen
	return errors.Join(errs...)
}

func (r *Runner) state(name string) State {
	if a := r.alarms[name]; a != nil {
		return a.state
	}
	return Insufficient
}
