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
	"larder/internal/endpoint"
	"larder/internal/event"
	"larder/internal/node"
	"larder/internal/plan"
	"larder/internal/relay"
	"larder/internal/store"
)

const (
	stepTimeout = 10 * time.Second
	// stopGrace is short: a node has nothing to write when it ends.
	stopGrace = 500 * time.Millisecond
)

// runSteps runs a plan's steps side by side and returns the first error. A step that fails does not end the others.
// Processes that were started join the group afterwards. Steps that wait for a process end early when the primary is
// lost, as they would delay a failover.
func (r *shardRunner) runSteps(ctx context.Context, d plan.Desired, steps []plan.Step) error {
	var mu sync.Mutex
	recorded := map[node.Process]bool{} // of those that were started
	ended := make([]error, len(steps))
	var run errgroup.Group
	back := make(chan struct{}) // closed when the primary's own start is over
	waits, release := r.whilePrimaryLives(ctx, d.Shard, back)
	for i, s := range steps {
		run.Go(func() error {
			ctx := ctx
			if stepKinds[s.Kind].waits {
				ctx = waits
			}
			ctx, cancel := context.WithTimeout(ctx, stepTimeout)
			defer cancel()
			r.log.Debug("step", "kind", s.Kind, "node", s.Member, "target", s.Target, "addresses", s.Addresses)
			var p node.Process
			err := r.guarded(func() (err error) {
				p, err = r.runStep(ctx, d, s)
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
		r.failures.record(workOf(s), ended[i])
	}
	for p, known := range recorded {
		r.adopt(ctx, p, known)
	}
	if steps[0].Kind != plan.Verify {
		r.verified = false
	} else if err == nil {
		r.verified = true
	}
	return err
}

// runStep does one step; a process that it started is returned.
func (r *shardRunner) runStep(ctx context.Context, d plan.Desired, s plan.Step) (node.Process, error) {
	kind := stepKinds[s.Kind]
	if kind.run == nil {
		return nil, fmt.Errorf("there is no such step: %q", s.Kind)
	}
	return kind.run(r, ctx, d, s)
}

// follow makes a node a replica. The node may have to copy its primary's data. While it waits for them it does nothing
// and answers nobody: the liveness detector is told that it may be idle.
func (r *shardRunner) follow(ctx context.Context, shard *cache.Shard, id string, primary netip.Addr) error {
	if err := r.secure(ctx, shard, id); err != nil {
		return err
	}
	m := r.nodes[id]
	before, err := m.redis.State(ctx)
	if err != nil {
		return err
	}
	m.detector.allowIdle(true)
	at := netip.AddrPortFrom(primary, uint16(shard.Group.ReplicationPort()))
	if err := m.redis.Follow(ctx, at, shard.Group.TransitEncryption); err != nil {
		return err
	}
	if !before.LinkUp || before.Follows.Addr() != primary {
		return nil
	}
	return r.awaitLink(ctx, m) // only the port is another: it goes on from where it was, at once
}

// relinkTime is how long a replica may take to go on with its primary at another port. It has nothing to copy.
const relinkTime = 2 * time.Second

// awaitLink waits until a replica that stays with its primary at another port has its link again, so that nobody takes
// it for one that lags. If that takes too long, the next round sees that the replica has no link.
func (r *shardRunner) awaitLink(ctx context.Context, m *member) error {
	ctx, cancel := context.WithTimeout(ctx, relinkTime)
	defer cancel()
	if err := m.redis.AwaitLink(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// serve opens a node's listeners. First the event list says so if the node begins empty although there were data, and
// the primary's replication stream is recorded.
func (r *shardRunner) serve(ctx context.Context, shard *cache.Shard, s plan.Step) error {
	if s.DataLost {
		err := r.update(func(tx *store.Tx, _ *cache.Shard) error {
			return r.e.notice(tx, event.AllDataLost, s.Member, nodeID)
		})
		if err != nil {
			return err
		}
	}
	if shard.Member(s.Member).Role == cache.Replica {
		if err := r.resumeReplication(ctx, shard, s.Member); err != nil {
			return err
		}
	} else if err := r.recordHistory(ctx, s.Member); err != nil {
		return err
	}
	return r.listen(ctx, shard, s.Member, s.Addresses)
}

// listen has a node listen on exactly those addresses. If that fails half way, the next round cleans the node.
func (r *shardRunner) listen(ctx context.Context, shard *cache.Shard, id string, addrs []netip.Addr) error {
	if err := r.secure(ctx, shard, id); err != nil {
		return err
	}
	m := r.nodes[id]
	cleaned := m.cleaned
	m.cleaned = false
	if err := r.endpoints(shard).Serve(ctx, m.named(), m.redis, addrs); err != nil {
		return err
	}
	m.cleaned = cleaned // there may be more to end than connections
	return nil
}

// setBackends has the relay lead to the replicas that have those addresses.
func (r *shardRunner) setBackends(ctx context.Context, shard *cache.Shard, s plan.Step) error {
	return r.endpoints(shard).SetBackends(ctx, r.relay.named(), r.relay.control, s.Addresses)
}

// setFronts has the relay take TLS and plain connections at those addresses. A relay that an earlier larder started
// cannot: it is ended, and the next plan starts another one.
func (r *shardRunner) setFronts(ctx context.Context, shard *cache.Shard, s plan.Step) error {
	err := r.endpoints(shard).SetFronts(ctx, r.relay.named(), r.relay.control, s.Addresses)
	if errors.Is(err, relay.ErrNoFronts) {
		return r.relay.end(ctx, stopGrace)
	}
	return err
}

// endpoints makes the shard's processes listen where they should.
func (r *shardRunner) endpoints(shard *cache.Shard) endpoint.Driver {
	return endpoint.Driver{Primary: shard.PrimaryAddress, Reader: shard.ReaderAddress, Ports: shard.Group.Ports(),
		Listener: r.e.Listener}
}

// named is what errors about the endpoints say of the process.
func (m *member) named() endpoint.Process {
	return endpoint.Process{ID: m.process.ID(), PID: m.process.PID()}
}

// resumeReplication reattaches a replica that has just been copied, so that its replication stream starts now. By
// itself the stream starts within a second, and reads are stale until then. Two kinds of replica are left alone: one
// whose primary has been written to so much meanwhile that its backlog might not suffice, as a new connection would
// cost another copy; and one that serves already, as a new connection would throw away what it has yet to read.
func (r *shardRunner) resumeReplication(ctx context.Context, shard *cache.Shard, id string) error {
	replica, err := r.nodes[id].redis.State(ctx)
	if err != nil || len(replica.Serves) > 0 {
		return err
	}
	primary, err := r.nodes[shard.Primary().ID].redis.State(ctx)
	if err != nil || primary.Offset-replica.Offset > primary.Backlog/2 {
		return err
	}
	return r.nodes[id].redis.Reattach(ctx)
}

// configure brings a node's live parameters up to date and says so in the event list.
func (r *shardRunner) configure(ctx context.Context, shard *cache.Shard, id string) error {
	d, err := r.wantedDirectives(shard)
	if err != nil {
		return err
	}
	changed, err := r.nodes[id].redis.Configure(ctx, d.Live)
	if err != nil {
		return err
	}
	limits, err := r.nodes[id].redis.Has(ctx, d.Boot)
	if err != nil {
		return err
	}
	err = r.update(func(tx *store.Tx, now *cache.Shard) error {
		m := now.Member(id)
		m.Parameters = catalog.Fingerprint(d.Live)
		if m.BootParameters == "" && limits {
			m.BootParameters = catalog.Fingerprint(d.Boot)
		}
		for _, name := range changed {
			if err := r.e.notice(tx, event.ParameterUpdated, id, name, d.Live[name]); err != nil {
				return err
			}
		}
		return nil
	})
	r.nodes[id].knowsParameters = err == nil
	return err
}

// settle records that the shard's members are as desired, where the record says otherwise.
func (r *shardRunner) settle(seen *cache.Shard) (changed bool, err error) {
	if !slices.ContainsFunc(seen.Members, func(m cache.Member) bool { return !m.Settled() }) {
		return false, nil
	}
	return true, r.update(func(tx *store.Tx, shard *cache.Shard) error {
		for i := range shard.Members {
			if err := r.settleMember(tx, shard.Group, &shard.Members[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *shardRunner) settleMember(tx *store.Tx, rg *cache.ReplicationGroup, m *cache.Member) error {
	kind, args := event.RecoveryFinished, []any{nodeID}
	if m.Created.IsZero() {
		m.Created = r.e.Now()
		if err := r.recordCreated(tx, m.ID, rg.Status == cache.Creating); err != nil {
			return err
		}
		kind, args = event.MemberAdded, []any{nodeID, m.Zone}
	}
	switch m.Status {
	case cache.MemberAvailable:
		return nil
	case cache.MemberRebooting:
		kind = event.NodeRestarted
	}
	m.Status = cache.MemberAvailable
	return r.e.notice(tx, kind, m.ID, args...)
}

// recordCreated records that a member is there for the first time: with its group, or added to it.
func (r *shardRunner) recordCreated(tx *store.Tx, member string, created bool) error {
	if !created {
		if err := r.e.notice(tx, event.ReplicasIncreased, member); err != nil {
			return err
		}
	}
	return r.e.notice(tx, event.MemberCreated, member)
}

// nodeID is the id of the one node that a cache cluster of this engine has.
const nodeID = "0001"
