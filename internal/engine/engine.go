// Package engine makes what runs equal to what was asked for: it watches the store, and for each replication group
// observes, plans, runs one plan's steps and records what came of them.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/isolate"
	"larder/internal/node"
	"larder/internal/pki"
	"larder/internal/seal"
	"larder/internal/snapshot"
	"larder/internal/state"
	"larder/internal/store"
)

// Config is what an engine works with. Every field but BusyLimit, RestoreLost, DrainLogs, SlowLogGrew and Steady is
// needed.
type Config struct {
	Store     *store.Store
	Nodes     node.Runtime
	Sealer    *seal.Sealer
	Authority *pki.Authority
	Versions  catalog.EngineVersions
	NodeTypes catalog.NodeTypes
	Families  catalog.Families // the tables of parameters
	Snapshots *snapshot.Vault
	// Relay is the command line of the process that spreads a reader endpoint's connections.
	Relay []string
	// BusyLimit is how long a node may run one command, such as a script, before it is taken for one that hangs. Zero
	// stands for DefaultBusyLimit.
	BusyLimit time.Duration
	// RestoreLost has a group whose data no node has any more begin with its newest snapshot, if it has one. Otherwise it
	// begins empty.
	RestoreLost bool
	// DrainLogs delivers what a node's logs hold: before its process is ended on purpose, and before its files are
	// removed.
	DrainLogs func(ctx context.Context, group, node string)
	// SlowLogGrew says that there is something new in the slow log of a group's node. It must not wait for anything.
	SlowLogGrew func(group string)
	// Listener names the process that listens on an address; an empty name stands for none. Nil: nobody is named.
	Listener func(netip.AddrPort) (pid int, name string)
	Logger   *slog.Logger
	Now      func() time.Time // the machine's clock, for what is written down. It may jump
	// Steady is a clock that never jumps, for what is measured: how long a node has not answered, or lags. Nil stands for
	// time.Now, whose readings are compared by the monotonic clock.
	Steady func() time.Time
}

// Engine runs replication groups.
type Engine struct {
	Config

	adopted   map[string]node.Process // by Adopt, for Run
	guard     isolate.Guard
	running   registry
	detectors detectors

	mu      sync.Mutex
	groups  map[string]*group
	runners sync.WaitGroup

	unrestorable sync.Map // why snapshots are damaged, as far as that was found, by their data keys
}

// New makes an engine; Adopt and then Run start it.
func New(c Config) *Engine {
	if c.Steady == nil {
		c.Steady = time.Now
	}
	return &Engine{Config: c, groups: map[string]*group{}}
}

func (e *Engine) busyLimit() time.Duration {
	if e.BusyLimit == 0 {
		return DefaultBusyLimit
	}
	return e.BusyLimit
}

// Adopt finds the processes that an earlier engine left. It takes the status available from groups that lack one, so
// that nobody reads it before it is true again.
func (e *Engine) Adopt(ctx context.Context) error {
	left, err := e.Nodes.Adopt(ctx)
	if err != nil {
		return fmt.Errorf("cannot look for running nodes: %w", err)
	}
	e.cleanSnapshots()
	e.adopted = map[string]node.Process{}
	for _, p := range left {
		e.adopted[p.ID()] = p
	}
	return e.Store.UpdateReserved(func(tx *store.Tx) error {
		groups, err := state.Groups(tx)
		for _, rg := range groups {
			if err := e.markDegraded(ctx, tx, rg); err != nil {
				return err
			}
		}
		return errors.Join(err, state.CheckOperations(tx, e.Now()))
	})
}

// markDegraded takes the status available from a group that lacks a node, has one that nobody can connect to, or has
// one of which it is unknown which tokens it takes.
func (e *Engine) markDegraded(ctx context.Context, tx *store.Tx, rg cache.Topology) (err error) {
	lacks := false
	for _, m := range rg.Members() {
		lacks = lacks || e.adopted[m.ID] == nil || m.Unknown() || unreachable(ctx, e.adopted[m.ID])
	}
	if rg.Status != cache.Available || rg.Whole() != nil || !lacks {
		return nil
	}
	if rg.Status, err = cache.Transition(rg.Status, cache.Diverged); err != nil {
		return err
	}
	for shard, m := range rg.Members() {
		if e.adopted[m.ID] == nil {
			m.Status = cache.MemberModifying
			if err := e.replacing(tx, shard, *m); err != nil {
				return err
			}
		}
	}
	return state.PutGroup(tx, rg, e.origin())
}

// unreachable tells whether nobody can connect to a process.
func unreachable(ctx context.Context, p node.Process) bool {
	conn, err := p.Dial(ctx)
	if err == nil {
		err = conn.Close()
	}
	return isCutOff(err)
}

// Run keeps every group as desired until ctx ends. The nodes outlive it. It returns when all its work has stopped.
func (e *Engine) Run(ctx context.Context) error {
	// Subscribing before reading the list leaves no moment in which a new group goes unseen.
	changed := make(chan string, 64)
	cancel := state.SubscribeShards(e.Store, func(id, shard string) {
		if !e.wake(id, shard) {
			select {
			case changed <- id:
			case <-ctx.Done():
			}
		}
	})
	defer e.runners.Wait()
	defer cancel()
	known, err := e.known()
	if err != nil {
		return err
	}
	for _, rg := range known {
		e.start(ctx, rg.ID, takeOwn(rg, e.adopted))
	}
	e.leaveUnknown(ctx, e.adopted)
	e.forever(ctx, "deleted snapshots", e.dropSnapshots)
	e.forever(ctx, "the processes' liveness", e.watchProcesses)
	for {
		select {
		case id := <-changed:
			e.start(ctx, id, nil)
		case <-ctx.Done():
			return nil
		}
	}
}

// known are the groups that can be read. The processes of the others are left alone: their records would say whose they
// are.
func (e *Engine) known() (groups []cache.Topology, err error) {
	err = e.Store.View(func(tx *store.Tx) (err error) {
		groups, err = state.Groups(tx)
		return err
	})
	return groups, err
}

// takeOwn takes the processes of a group's members and its relay out of those that were adopted, and returns them by
// shard. A process that is named like a member and is not recorded is not the group's: nobody would watch it.
func takeOwn(rg cache.Topology, adopted map[string]node.Process) map[string][]node.Process {
	own := map[string][]node.Process{}
	take := func(shard, name string) {
		if p := adopted[name]; p != nil {
			own[shard] = append(own[shard], p)
			delete(adopted, name)
		}
	}
	for shard, m := range rg.Members() {
		take(shard.ID, m.ID)
	}
	take(cache.FirstShard, rg.ID+cache.RelaySuffix)
	return own
}

// start begins to run a group that is not run yet, with its shards' processes that run already.
func (e *Engine) start(ctx context.Context, id string, own map[string][]node.Process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.groups[id] != nil {
		return
	}
	g := newGroup(e, id)
	running, end := context.WithCancel(ctx)
	for shard, processes := range own {
		g.begin(running, shard, processes)
	}
	e.groups[id] = g
	e.runners.Go(func() {
		for !e.guard.Run(g.log, "the replication group "+id, func() { g.run(running) }) {
			pauseFor(ctx, lastRetry) // the shards' runners go on
		}
		end()
		g.work.Wait()
		e.mu.Lock()
		delete(e.groups, id)
		e.mu.Unlock()
		// The id may have been taken again while the old group was on its way out.
		if ctx.Err() == nil && e.exists(id) {
			e.start(ctx, id, nil)
		}
	})
}

// forever runs work beside the groups' until ctx ends, and begins it anew where it panics.
func (e *Engine) forever(ctx context.Context, what string, work func(context.Context)) {
	e.runners.Go(func() {
		for !e.guard.Run(e.Logger, what, func() { work(ctx) }) {
			pauseFor(ctx, lastRetry)
		}
	})
}

// pauseFor returns after d, or when ctx ends.
func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (e *Engine) exists(id string) bool {
	err := e.Store.View(func(tx *store.Tx) error {
		_, err := state.ReplicationGroups.Get(tx, id)
		return err
	})
	return !errors.Is(err, store.ErrNotFound)
}

// leaveUnknown logs which nodes run without a record. Such a node is not ended, as it may be all that is left of its
// data, nor is the relay that leads clients to it. A relay alone leads nowhere, and is ended unless its record may be
// one that cannot be read.
func (e *Engine) leaveUnknown(ctx context.Context, adopted map[string]node.Process) {
	damaged := e.Store.View(func(tx *store.Tx) error { _, err := state.AllGroups(tx); return err })
	for name, p := range adopted {
		group, relay := strings.CutSuffix(name, cache.RelaySuffix)
		nodeLeft := func(other string) bool { return strings.HasPrefix(other, group+"-") }
		if damaged != nil || !relay || slices.ContainsFunc(slices.Collect(maps.Keys(adopted)), nodeLeft) {
			e.Logger.Error("a process runs, and there is no record of it: it is left alone; `larder down` ends it "+
				"with all others",
				"node", name, "pid", p.PID())
			continue
		}
		if err := errors.Join(p.Stop(ctx, 0), e.Nodes.Remove(name)); err != nil {
			e.Logger.Error("cannot stop a relay without a group", "process", name, "error", err)
		}
	}
}

// wake has a running group, or one shard of it, reconcile again; false says that the group does not run. An empty shard
// stands for all.
func (e *Engine) wake(group, shard string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[group]
	if g == nil {
		return false
	}
	g.wake(shard)
	return true
}

// ReconfigureAll has every group reconcile again, after a change that concerns them all, such as of a parameter group.
func (e *Engine) ReconfigureAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, g := range e.groups {
		g.wake("")
	}
}

// LastError is what keeps a group from being as desired, in the words of the last attempt. Stuck says that it has
// failed too often to pass by itself. Both are zero for a group that makes progress.
func (e *Engine) LastError(id string) (text string, stuck bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[id]
	if g == nil {
		return "", false
	}
	t := g.worst()
	if t == nil {
		return "", false
	}
	return t.err.Error(), t.failures >= maxFailures
}
