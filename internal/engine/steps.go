package engine

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/event"
	"larder/internal/node"
	"larder/internal/plan"
	"larder/internal/relay"
	"larder/internal/state"
	"larder/internal/store"
)

const (
	stepTimeout = 10 * time.Second
	// stopGrace is short: a node has nothing to write when it ends.
	stopGrace = 500 * time.Millisecond
)

// runSteps runs a plan's steps side by side and returns the first error. One that fails is no reason to end the others.
// Processes that were started join the group afterwards. What may have to wait for a process ends early when the
// primary is lost: it would hold a failover up.
func (g *group) runSteps(ctx context.Context, d plan.Desired, steps []plan.Step) error {
	var mu sync.Mutex
	recorded := map[node.Process]bool{} // of those that were started
	ended := make([]error, len(steps))
	var run errgroup.Group
	back := make(chan struct{}) // closed when the primary's own start is over
	waits, release := g.whilePrimaryLives(ctx, d.Shard, back)
	for i, s := range steps {
		run.Go(func() error {
			ctx := ctx
			if stepKinds[s.Kind].waits {
				ctx = waits
			}
			ctx, cancel := context.WithTimeout(ctx, stepTimeout)
			defer cancel()
			g.log.Debug("step", "kind", s.Kind, "node", s.Member, "target", s.Target, "addresses", s.Addresses)
			var p node.Process
			err := g.guarded(func() (err error) {
				p, err = g.runStep(ctx, d, s)
				return err
			})
			if s.Kind == plan.StartNode && s.Member == d.Shard.Primary().ID {
				close(back)
			}
			if p != nil {
				mu.Lock()
				defer mu.Unlock()
				recorded[p] = err == nil
			}
			ended[i] = err
			return err
		})
	}
	err := run.Wait()
	release()
	for i, s := range steps {
		g.failures.record(workOf(s), ended[i])
	}
	for p, known := range recorded {
		g.adopt(ctx, p, known)
	}
	if steps[0].Kind != plan.Verify {
		g.verified = false
	} else if err == nil {
		g.verified = true
	}
	return err
}

// runStep does one step; a process that it started is returned.
func (g *group) runStep(ctx context.Context, d plan.Desired, s plan.Step) (node.Process, error) {
	kind := stepKinds[s.Kind]
	if kind.run == nil {
		return nil, fmt.Errorf("there is no such step: %q", s.Kind)
	}
	return kind.run(g, ctx, d, s)
}

// follow makes a node a replica. It may have to copy its primary's data, and does nothing, and answers nobody, while it
// waits for more of them: one whose primary is busy would be taken for one that hangs.
func (g *group) follow(ctx context.Context, shard *cache.Shard, id string, primary netip.Addr) error {
	if err := g.secure(ctx, shard, id); err != nil {
		return err
	}
	m := g.nodes[id]
	before, err := m.redis.State(ctx)
	if err != nil {
		return err
	}
	m.vigil.mayIdle(true)
	at := netip.AddrPortFrom(primary, uint16(shard.Group.ReplicationPort()))
	if err := m.redis.Follow(ctx, at, shard.Group.TransitEncryption); err != nil {
		return err
	}
	if !before.LinkUp || before.Follows.Addr() != primary {
		return nil
	}
	return g.awaitLink(ctx, m) // only the port is another: it goes on from where it was, at once
}

// relinkTime is how long a replica may take to go on with its primary at another port. It has nothing to copy.
const relinkTime = 2 * time.Second

// awaitLink waits until a replica that goes on with its primary has its link again, so that nobody takes it for one
// that lags. One that does not have it in time is seen to be without by the next look.
func (g *group) awaitLink(ctx context.Context, m *member) error {
	ctx, cancel := context.WithTimeout(ctx, relinkTime)
	defer cancel()
	if err := m.redis.AwaitLink(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// serve opens a node's listeners. One that begins empty where there were data says so in the event list first, and the
// primary's replication stream is recorded first.
func (g *group) serve(ctx context.Context, shard *cache.Shard, s plan.Step) error {
	if s.DataLost {
		err := g.update(func(tx *store.Tx, _ *cache.Shard) error {
			return g.notice(tx, event.AllDataLost, s.Member, nodeID)
		})
		if err != nil {
			return err
		}
	}
	if shard.Member(s.Member).Role == cache.Replica {
		if err := g.hasten(ctx, shard, s.Member); err != nil {
			return err
		}
	} else if err := g.note(ctx, s.Member); err != nil {
		return err
	}
	return g.listen(ctx, shard, s.Member, s.Addresses)
}

// listen has a node listen on exactly those addresses. Where that fails half way, the next look ends what is left of
// it.
func (g *group) listen(ctx context.Context, shard *cache.Shard, id string, addrs []netip.Addr) error {
	if err := g.secure(ctx, shard, id); err != nil {
		return err
	}
	m := g.nodes[id]
	swept := m.swept
	m.swept = false
	if err := m.redis.Serve(ctx, addrs, shard.Group.Ports()); err != nil {
		return g.inTheWay(err, m, addrs, shard.Group.Ports())
	}
	m.swept = swept // there may be more to end than connections
	return nil
}

// setBackends has the relay lead to the replicas that have those addresses.
func (g *group) setBackends(ctx context.Context, shard *cache.Shard, addrs []netip.Addr) error {
	if err := g.relay.control.SetBackends(ctx, addrs); err != nil {
		return g.inTheWay(err, g.relay, []netip.Addr{shard.ReaderAddress}, cache.Ports{Group: shard.Group.Port})
	}
	return nil
}

// setFronts has the relay take TLS and plain connections at those addresses. One that an earlier larder started cannot:
// it is ended, and the next plan starts another.
func (g *group) setFronts(ctx context.Context, shard *cache.Shard, addrs []netip.Addr) error {
	err := g.relay.control.SetFronts(ctx, addrs)
	switch {
	case errors.Is(err, relay.ErrNoFronts):
		return g.relay.end(ctx, stopGrace)
	case err != nil:
		return g.inTheWay(err, g.relay, addrs, cache.Ports{Group: shard.Group.Port})
	}
	return nil
}

// inTheWay names the processes because of which a node or the relay cannot listen.
func (g *group) inTheWay(err error, m *member, addrs []netip.Addr, ports cache.Ports) error {
	if g.e.Listener == nil {
		return err
	}
	for _, a := range addrs {
		for _, port := range ports.Each() {
			at := netip.AddrPortFrom(a, uint16(port))
			if pid, name := g.e.Listener(at); name != "" && pid != m.process.PID() {
				err = fmt.Errorf("%w: %s listens on %s, which %s needs", err, name, at, m.process.ID())
			}
		}
	}
	return err
}

// hasten starts the replication stream of a replica that has just been copied: by itself it starts within a second, and
// until then its reads are stale. Where so much was written meanwhile that the primary's backlog might not hold it, a
// new connection would cost another copy, and the stream is left to start by itself. A replica that serves already has
// its stream: a new connection would throw away what it has yet to read of it, which a primary that is gone cannot send
// again.
func (g *group) hasten(ctx context.Context, shard *cache.Shard, id string) error {
	replica, err := g.nodes[id].redis.State(ctx)
	if err != nil || len(replica.Serves) > 0 {
		return err
	}
	primary, err := g.nodes[shard.Primary().ID].redis.State(ctx)
	if err != nil || primary.Offset-replica.Offset > primary.Backlog/2 {
		return err
	}
	return g.nodes[id].redis.Reattach(ctx)
}

// configure brings a node's live parameters up to date and says so in the event list.
func (g *group) configure(ctx context.Context, shard *cache.Shard, id string) error {
	d, err := g.wantedDirectives(shard)
	if err != nil {
		return err
	}
	changed, err := g.nodes[id].redis.Configure(ctx, d.Live)
	if err != nil {
		return err
	}
	limits, err := g.nodes[id].redis.Has(ctx, d.Boot)
	if err != nil {
		return err
	}
	err = g.update(func(tx *store.Tx, now *cache.Shard) error {
		m := now.Member(id)
		m.Parameters = catalog.Fingerprint(d.Live)
		if m.BootParameters == "" && limits {
			m.BootParameters = catalog.Fingerprint(d.Boot)
		}
		for _, name := range changed {
			if err := g.notice(tx, event.ParameterUpdated, id, name, d.Live[name]); err != nil {
				return err
			}
		}
		return nil
	})
	g.nodes[id].knowsParameters = err == nil
	return err
}

// settle records that the group is as desired.
func (g *group) settle(shard *cache.Shard) error {
	if shard.Group.Status != cache.Creating && shard.Group.Status != cache.Modifying && shard.Group.Restore == "" {
		return nil
	}
	return g.update(func(tx *store.Tx, shard *cache.Shard) (err error) {
		created := shard.Group.Status == cache.Creating
		shard.Group.TransitBefore, shard.Group.MembersModified = nil, false
		if shard.Group.Scaling != "" {
			if err := g.notice(tx, event.ScalingSucceeded, g.id, shard.Group.Scaling); err != nil {
				return err
			}
			shard.Group.Scaling, shard.Group.ScaledFrom = "", ""
		}
		if shard.Group.Status, err = cache.Transition(shard.Group.Status, cache.Converged); err != nil {
			return err
		}
		for i, m := range shard.Members {
			kind, args := event.RecoveryFinished, []any{nodeID}
			if m.Created.IsZero() {
				shard.Members[i].Created = g.e.Now()
				if err := g.welcome(tx, m.ID, created); err != nil {
					return err
				}
				kind, args = event.MemberAdded, []any{nodeID, m.Zone}
			}
			switch m.Status {
			case cache.MemberAvailable:
				continue
			case cache.MemberRebooting:
				kind = event.NodeRestarted
			}
			shard.Members[i].Status = cache.MemberAvailable
			if err := g.notice(tx, kind, m.ID, args...); err != nil {
				return err
			}
		}
		if err := g.release(tx, shard); err != nil || !created {
			return err
		}
		return g.announce(tx, shard)
	})
}

// welcome says that a member is there for the first time: with its group, or added to it.
func (g *group) welcome(tx *store.Tx, member string, created bool) error {
	if !created {
		if err := g.notice(tx, event.ReplicasIncreased, member); err != nil {
			return err
		}
	}
	return g.notice(tx, event.MemberCreated, member)
}

// nodeID is the id of the one node that a cache cluster of this engine has.
const nodeID = "0001"

func (g *group) announce(tx *store.Tx, shard *cache.Shard) error {
	if err := g.notice(tx, event.GroupCreated, g.id, g.id); err != nil {
		return err
	}
	return g.failoverTurned(tx, shard, false)
}

// failoverTurned records that automatic failover was turned on or off, where it is not as it was.
func (g *group) failoverTurned(tx *store.Tx, shard *cache.Shard, was bool) error {
	kind, turned := event.FailoverTurned(was, shard.Group.AutomaticFailover)
	if !turned {
		return nil
	}
	return g.notice(tx, kind, g.id, g.id)
}

// forget drops the group's record when nothing of it is left running.
func (g *group) forget(ctx context.Context, shard *cache.Shard) error {
	names := []string{shard.Group.ID + cache.RelaySuffix}
	for _, m := range shard.Members {
		g.drainLogs(ctx, m.ID)
		names = append(names, m.ID)
	}
	for _, name := range names {
		if err := g.e.Nodes.Remove(name); err != nil {
			return fmt.Errorf("cannot remove the files of %s: %w", name, err)
		}
	}
	return g.e.Store.Insist(func(tx *store.Tx) error {
		for _, name := range slices.Backward(names[1:]) {
			if err := g.notice(tx, event.MemberDeleted, name); err != nil {
				return err
			}
		}
		if err := g.notice(tx, event.GroupDeleted, g.id, g.id); err != nil {
			return err
		}
		if err := g.release(tx, shard); err != nil {
			return err
		}
		if err := state.Credentials.Delete(tx, shard.Group.ID); err != nil {
			return err
		}
		return state.DeleteGroup(tx, g.id)
	})
}

// notice writes an event into the list. The arguments are for its text.
func (g *group) notice(tx *store.Tx, kind event.Kind, source string, args ...any) error {
	return state.AddNotice(tx, event.New(kind, g.e.Now(), source, args...))
}
