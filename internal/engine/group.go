package engine

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"larder/internal/cache"
	"larder/internal/node"
	"larder/internal/plan"
	"larder/internal/state"
	"larder/internal/store"
)

// group runs one replication group: a runner for each of its shards, and what concerns all of them. A shard's runner
// never waits for another's, nor for the group.
type group struct {
	e     *Engine
	id    string
	log   *slog.Logger
	wakes chan struct{}
	work  sync.WaitGroup // the shards' runners, and what the group waits for

	failures failures // of the goroutine in run

	mu     sync.Mutex
	shards map[string]*shardRunner // by id
}

func newGroup(e *Engine, id string) *group {
	return &group{e: e, id: id, log: e.Logger.With("group", id), wakes: make(chan struct{}, 1),
		shards: map[string]*shardRunner{}}
}

func (g *group) wakeUp() { wakeUp(g.wakes) }

// wakeUp leaves a wake, unless one is waiting already.
func wakeUp(wakes chan<- struct{}) {
	select {
	case wakes <- struct{}{}:
	default:
	}
}

// wake has a shard's runner reconcile again. If there is none, the group does: the shard may be new. An empty shard
// stands for all of them and the group.
func (g *group) wake(shard string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.shards[shard]; r != nil {
		r.wakeUp()
		return
	}
	for _, r := range g.shards {
		r.wakeUp()
	}
	g.wakeUp()
}

// runners are the shards' runners, in the order of the shards' ids.
func (g *group) runners() []*shardRunner {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.SortedFunc(maps.Values(g.shards), byShard)
}

// begin starts a shard's runner, with the shard's processes that run already. A runner that a panic ends is begun again
// after a while.
func (g *group) begin(ctx context.Context, shard string, own []node.Process) {
	r := newShardRunner(g.e, g.id, shard, g.wakeUp)
	running, end := context.WithCancel(ctx)
	for _, p := range own {
		r.adopt(running, p, false)
	}
	g.mu.Lock()
	g.shards[shard] = r
	g.mu.Unlock()
	g.work.Go(func() {
		whole := g.e.guard.Run(r.log, "the replication group "+g.id, func() { r.run(running, end) })
		if !whole {
			pauseFor(ctx, lastRetry)
		}
		g.mu.Lock()
		delete(g.shards, shard)
		g.mu.Unlock()
		if !whole && ctx.Err() == nil {
			g.begin(ctx, shard, r.processes())
		}
		g.wakeUp()
	})
}

// run keeps the group as desired until it is deleted or ctx ends.
func (g *group) run(ctx context.Context) {
	for ctx.Err() == nil {
		pause := time.Duration(0)
		switch pending, err := g.reconcileGuarded(ctx); {
		case errors.Is(err, store.ErrNotFound):
			return
		case err != nil && ctx.Err() == nil:
			g.noteFailure(ctx, err)
			pause = g.failures.pause()
		case pending:
			pause = steadyInterval
		}
		rest(ctx, g.wakes, pause)
	}
}

// reconcileGuarded reconciles, and takes a panic for a failure.
func (g *group) reconcileGuarded(ctx context.Context) (pending bool, err error) {
	err = g.e.guard.Do("the replication group "+g.id, func() (err error) {
		pending, err = g.reconcile(ctx)
		return err
	})
	return pending, err
}

// noteFailure counts a failure, and logs it once. The store has logged a record that cannot be read.
func (g *group) noteFailure(ctx context.Context, err error) {
	if hasDamagedRecord(err, g.id) {
		g.failures.last.Store(&lastError{err, maxFailures})
		return
	}
	g.failures.add(err)
	g.log.Log(ctx, g.failures.level(err), "cannot do what concerns the whole group: larder goes on trying, and "+
		"writes this once", "error", err)
}

// reconcile starts runners for shards that have none. When all shards are as desired it does what concerns the whole
// group. Pending says that something waits for its time.
func (g *group) reconcile(ctx context.Context) (pending bool, err error) {
	var shards []string
	err = g.e.Store.View(func(tx *store.Tx) error {
		ids, err := state.ShardIDs(tx, g.id)
		if err != nil {
			return err
		}
		shards = ids
		_, err = state.ReplicationGroups.Get(tx, g.id)
		return err
	})
	if err != nil {
		return false, err
	}
	settled := true
	for _, id := range shards {
		settled = g.settledOn(ctx, id) != nil && settled
	}
	if settled {
		pending, err = g.next(ctx)
	}
	if err == nil {
		g.failures.forget()
	}
	return pending, err
}

// settledOn is the record as of which a shard is as desired; nil where it is not. It starts a runner that is missing.
func (g *group) settledOn(ctx context.Context, shard string) *cache.Shard {
	g.mu.Lock()
	r := g.shards[shard]
	g.mu.Unlock()
	if r == nil {
		g.begin(ctx, shard, nil)
		return nil
	}
	return r.settled.Load()
}

// next plans and does what concerns the whole group when all its shards are as desired. A shard counts only by the
// record that it was planned with. If that has changed since, its runner is about to reconcile again.
func (g *group) next(ctx context.Context) (pending bool, err error) {
	var t cache.Topology
	var step plan.GroupStep
	due := false
	err = g.e.Store.View(func(tx *store.Tx) (err error) {
		if t, err = state.Group(tx, g.id); err != nil {
			return err
		}
		step, due, err = g.plan(ctx, tx, t)
		return err
	})
	if err != nil || !due {
		return t.ReplicationGroup != nil && t.Deferred != nil, err
	}
	g.log.Debug("step", "kind", step)
	if step == plan.Forget {
		return false, g.forget(ctx, t)
	}
	return true, g.e.Store.UpdateReserved(func(tx *store.Tx) error {
		t, err := state.Group(tx, g.id)
		if err != nil {
			return err
		}
		if now, due, err := g.plan(ctx, tx, t); err != nil || !due || now != step {
			return err
		}
		if step == plan.Settle {
			err = g.settle(tx, t)
		} else {
			err = g.maintain(tx, t)
		}
		return errors.Join(err, state.PutGroup(tx, t, g.e.origin()))
	})
}

// plan is the group's next step, from its records as they are in a transaction.
func (g *group) plan(ctx context.Context, tx *store.Tx, t cache.Topology) (step plan.GroupStep, due bool, err error) {
	o := plan.GroupObserved{Settled: map[string]bool{}}
	for _, s := range t.Shards {
		if o.Settled[s.ID], err = state.AsPlanned(tx, s, g.settledOn(ctx, s.ID)); err != nil {
			return "", false, err
		}
	}
	if t.Deferred != nil {
		window, err := cache.ParseMaintenanceWindow(t.MaintenanceWindow)
		if err != nil {
			return "", false, err
		}
		o.WindowOpen = window.Contains(g.e.Now())
	}
	step, due = plan.Group(t, o)
	return step, due, nil
}

// worst is the failure that says most of what is wrong with the group; nil when nothing is.
func (g *group) worst() (worst *lastError) {
	for _, r := range g.runners() {
		if t := r.failures.last.Load(); t != nil && (worst == nil || t.failures > worst.failures) {
			worst = t
		}
	}
	if worst == nil {
		return g.failures.last.Load()
	}
	return worst
}

// hasDamagedRecord tells whether an error says that a group's own record, or one of its shards', cannot be read.
func hasDamagedRecord(err error, group string) bool {
	row, is := errors.AsType[*store.RowError](err)
	return is && state.IsGroup(row, group)
}
