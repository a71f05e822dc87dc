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

// Definition is an alarm as it is kept: one of the two. Every definition that an alarm is given has another revision.
type Definition struct {
	Metric    *types.MetricAlarm
	Composite *types.CompositeAlarm
	Revision  uint64
}

// Book keeps the alarms.
type Book interface {
	// Alarms are all of them, but for those that cannot be read: the error is of these.
	Alarms() ([]Definition, error)
	// Alarm is the one of a name; not when there is none.
	Alarm(name string) (Definition, bool, error)
	// Change puts an alarm into another state, keeps the history and has the actions run, unless the alarm has
	// meanwhile another definition, or another state than the change begins with.
	Change(name string, revision uint64, c Change) error
}

// Runner evaluates alarms.
type Runner struct {
	Book    Book
	Metrics Reader
	Now     func() time.Time
	After   func(time.Duration) <-chan time.Time // as time.After, by the clock of Now
	Failed  func(error)                          // gets what goes wrong with one alarm; the others go on

	guard  isolate.Guard
	mu     sync.Mutex
	dirty  map[string]bool // changed since they were read
	alarms map[string]*known
}

// known is an alarm as it was read last.
type known struct {
	name, arn string
	revision  uint64
	state     State
	since     time.Time
	watch     *watch     // of a metric alarm
	composite *Composite // of a composite one
	evaluated time.Time
	seen      string // the children's states at the last evaluation
}

// step is the shortest pace of evaluation.
const step = 10 * time.Second

// Changed tells the runner that an alarm was made, changed or deleted. It does not block for long.
func (r *Runner) Changed(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dirty == nil {
		r.dirty = map[string]bool{}
	}
	r.dirty[name] = true
}

// Run evaluates at every tenth second until ctx ends.
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

// Evaluate evaluates the alarms that are due now: metric alarms first, then composite ones, children before parents.
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

// refresh reads again what changed; at first, everything. What cannot be read then is as if it were not there, until it
// changes; what cannot be read later stays as it was known, and is read again.
func (r *Runner) refresh() error {
	r.mu.Lock()
	dirty := r.dirty
	r.dirty = nil
	r.mu.Unlock()
	if r.alarms == nil {
		all, err := r.Book.Alarms()
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
		d, there, err := r.Book.Alarm(name)
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

// learnOne learns an alarm. A definition that is not as its readers take it to be costs no other alarm.
func (r *Runner) learnOne(d Definition) {
	if err := r.guard.Do("the definition of an alarm", func() error { r.learn(d); return nil }); err != nil {
		r.Failed(err)
	}
}

// learn takes an alarm as it now is; when its definition is the one that is known, only its state can be another.
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

// evaluate evaluates a metric alarm when it is due: at every whole pace, at the first step after it was made, and when
// the clock stepped back, which would have it wait until the time of its last evaluation comes again.
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
	if err := r.Book.Change(a.name, a.revision, c); err != nil {
		return fmt.Errorf("cannot change the state of the alarm %s: %w", a.name, err)
	}
	a.state, a.since = c.To, c.At
	return nil
}

// compose evaluates a composite alarm after its children, when one of them has another state than at the last
// evaluation.
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
		errs = append(errs, r.compose(child, now, done)) // its parents go by the state that it has
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
