package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// failoverPlan says how much to try.
type failoverPlan struct {
	trials   int           // of larder's fast ones
	peers    int           // of those that take seconds: larder's hung primary, and sentinel's
	defaults int           // of sentinel's default, half a minute each
	big      int           // MiB of the data set that is copied
	watched  int           // nodes
	scripts  time.Duration // how long a primary is kept busy
}

// lanes is how many sets of sentinels are tried side by side: they wait most of the time.
const lanes = 4

// failovers compares failovers with those of sentinel, as a client of either sees them, and measures what goes with
// them. It needs every core.
func (b *bench) failovers(ctx context.Context) (_ []section, err error) {
	d := b.newHarness("failover", anywhere)
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	c, err := b.failoverGroup(ctx, d)
	if err != nil {
		return nil, err
	}
	larder, err := b.larderTrials(ctx, c)
	if err != nil {
		return nil, err
	}
	peer, busy, err := b.sentinelTrials(ctx, c.group.settings)
	if err != nil {
		return nil, err
	}
	b.say("long scripts for %s", b.scripts)
	patient, err := c.scripts(ctx, b.scripts)
	if err != nil {
		return nil, err
	}
	copied, err := b.resync(ctx, c)
	if err != nil {
		return nil, err
	}
	many, err := b.watching(ctx)
	return []section{failoverSection(append(larder, peer...)), scriptsSection(b.scripts, patient, busy), copied,
		many}, err
}

// trials are those of one kind on one contender.
type trials struct {
	kind, who string
	outcomes  []outcome
}

// The kinds of failover.
const (
	killed  = "kill -9 of the primary"
	hung    = "hung primary (SIGSTOP)"
	planned = "planned"
)

func (b *bench) larderTrials(ctx context.Context, c *contender) ([]trials, error) {
	var writing errgroup.Group
	ctx, stop := context.WithCancel(ctx)
	writing.Go(func() error { c.probe.run(ctx); return nil })
	defer writing.Wait()
	defer stop()
	signalled := func(s unix.Signal) func(context.Context) (outcome, error) {
		return func(ctx context.Context) (outcome, error) { return c.signalled(ctx, s) }
	}
	dead, err := b.repeat(ctx, trials{kind: killed, who: "larder"}, b.trials, signalled(unix.SIGKILL))
	if err != nil {
		return nil, err
	}
	stuck, err := b.repeat(ctx, trials{kind: hung, who: "larder"}, b.peers, signalled(unix.SIGSTOP))
	if err != nil {
		return nil, err
	}
	if err := c.automatic(ctx, false); err != nil {
		return nil, err
	}
	moved, err := b.repeat(ctx, trials{kind: planned, who: "larder"}, b.trials, c.promoted)
	if err != nil {
		return nil, err
	}
	return []trials{dead, stuck, moved}, c.automatic(ctx, true)
}

func (b *bench) repeat(ctx context.Context, t trials, times int, try func(context.Context) (outcome, error)) (trials,
	error) {
	for i := range times {
		if i%10 == 0 {
			b.say("%s, %s: %d of %d", t.who, t.kind, i+1, times)
		}
		o, err := try(ctx)
		if err != nil {
			return t, fmt.Errorf("%s, %s, trial %d: %w", t.who, t.kind, i+1, err)
		}
		t.outcomes = append(t.outcomes, o)
	}
	return t, nil
}

// sentinelTrials does the same to sentinels, several sets side by side.
func (b *bench) sentinelTrials(ctx context.Context, set settings) (_ []trials, busy scripted, err error) {
	each := make([][]trials, lanes)
	err = b.withSentinels(ctx, "fast", set, fastest, min(lanes, b.peers),
		func(ctx context.Context, lane int, w *watchedServers) (err error) {
			times := b.peers/lanes + min(1, max(0, b.peers%lanes-lane))
			tries := []func(context.Context) (outcome, error){
				func(ctx context.Context) (outcome, error) { return w.signalled(ctx, unix.SIGKILL) },
				func(ctx context.Context) (outcome, error) { return w.signalled(ctx, unix.SIGSTOP) },
				w.planned,
			}
			for i, kind := range []string{killed, hung, planned} {
				t, err := b.repeat(ctx, trials{kind: kind, who: fastest.name}, times, tries[i])
				if err != nil {
					return err
				}
				each[lane] = append(each[lane], t)
			}
			if lane == 0 {
				busy, err = w.scripts(ctx)
			}
			return err
		})
	if err != nil {
		return nil, busy, err
	}
	all := each[0]
	for _, lane := range each[1:] {
		for i, t := range lane {
			all[i].outcomes = append(all[i].outcomes, t.outcomes...)
		}
	}
	slow := trials{kind: killed, who: defaults.name, outcomes: make([]outcome, b.defaults)}
	err = b.withSentinels(ctx, "default", set, defaults, b.defaults,
		func(ctx context.Context, lane int, w *watchedServers) (err error) {
			b.say("%s, %s", slow.who, slow.kind)
			slow.outcomes[lane], err = w.signalled(ctx, unix.SIGKILL)
			return err
		})
	return append(all, slow), busy, err
}

// withSentinels runs several sets of servers and sentinels side by side, each with its client.
func (b *bench) withSentinels(ctx context.Context, name string, set settings, p patience, sets int,
	f func(context.Context, int, *watchedServers) error) (err error) {
	all, ctx := errgroup.WithContext(ctx)
	for lane := range sets {
		w, errStart := b.watchedServers(ctx, fmt.Sprintf("%s-%d", name, lane), set, p)
		if w != nil {
			defer func() { err = errors.Join(err, w.close(ctx)) }()
		}
		if errStart != nil {
			return errStart
		}
		all.Go(func() error {
			var beside errgroup.Group
			ctx, stop := context.WithCancel(ctx)
			beside.Go(func() error { w.probe.run(ctx); return nil })
			beside.Go(func() error { return w.listen(ctx) })
			err := f(ctx, lane, w)
			stop()
			return errors.Join(err, beside.Wait())
		})
	}
	return all.Wait()
}
