package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/plan"
	"larder/internal/redisnode"
	"larder/internal/store"
)

// readTime is how long replicas may take to read what a primary that is gone had sent them. It is in their buffers:
// some megabytes.
const readTime = 2 * time.Second

// failOver makes a replica the primary. The old primary is gone, or serves nobody.
func (r *shardRunner) failOver(ctx context.Context, shard *cache.Shard, s plan.Step) error {
	if r.readOut(ctx, s.Reading) {
		return nil
	}
	if _, err := r.promote(ctx, shard, s); err != nil {
		return err
	}
	return r.listen(ctx, shard, s.Member, s.Addresses)
}

// readOut waits for replicas that have yet to read what the last primary sent. Further says that there were some: the
// next plan then sees how far they came. Replicas that do not come to the end in time are taken as they are.
func (r *shardRunner) readOut(ctx context.Context, replicas []string) (further bool) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	for _, id := range replicas {
		if err := r.nodes[id].redis.AwaitLinkEnd(ctx); ctx.Err() != nil {
			r.log.Warn("a replica does not come to the end of what its primary sent", "node", id, "error", err)
			return false
		}
	}
	return len(replicas) > 0
}

// promote makes a replica a primary, and the group's, which no client can reach yet. Its replication stream is recorded
// before clients can write to it, so that a node without their writes is not taken for its equal.
func (r *shardRunner) promote(ctx context.Context, shard *cache.Shard, s plan.Step) (redisnode.State, error) {
	candidate := r.nodes[s.Member].redis
	if err := candidate.Promote(ctx); err != nil {
		return redisnode.State{}, err
	}
	state, err := candidate.State(ctx)
	if err != nil {
		return state, err
	}
	return state, r.recordPrimary(shard, s, state.Stream)
}

// recordPrimary records a new primary and its replication stream.
func (r *shardRunner) recordPrimary(shard *cache.Shard, s plan.Step, stream string) error {
	old, candidate := shard.Primary().ID, s.Member
	return r.update(func(tx *store.Tx, shard *cache.Shard) (err error) {
		shard.SetPrimary(candidate)
		shard.SetHistory(stream)
		if shard.Promote == candidate { // a failover to another one leaves the move to be made
			shard.Promote = ""
		}
		if s.Kind == plan.Failover {
			if err := r.e.failedOver(tx, shard, old, candidate, s.DataLost); err != nil {
				return err
			}
		}
		if shard.Group.Status == cache.Available {
			if err := r.markLost(tx, shard); err != nil {
				return err
			}
			if shard.Group.Status, err = cache.Transition(shard.Group.Status, cache.Diverged); err != nil {
				return err
			}
		}
		err = errors.Join(r.e.notice(tx, event.MemberPromoted, candidate, old, candidate),
			r.e.notice(tx, event.FailoverCompleted, r.groupID, old, candidate))
		if err != nil {
			return err
		}
		if !s.DataLost {
			return nil
		}
		return r.e.notice(tx, event.MemberPromotedWithOlder, candidate, nodeID, old)
	})
}

// fence kills a node that hangs.
func (r *shardRunner) fence(ctx context.Context, id string) error {
	m := r.nodes[id]
	r.log.Warn("a node hangs: it is killed", "node", id, "pid", m.process.PID(), "silent",
		m.detector.silence(r.e.Steady()))
	return m.end(ctx, 0)
}

// resume has a suspended node go on, which loses nothing. The node then has the time of a busy one again, as it has yet
// to answer.
func (r *shardRunner) resume(ctx context.Context, id string) error {
	m := r.nodes[id]
	r.log.Warn("a node that may alone have the data is suspended: it is told to go on", "node", id, "pid",
		m.process.PID(),
		"silent", m.detector.silence(r.e.Steady()))
	if err := m.process.Resume(ctx); err != nil {
		m.held = true
		return fmt.Errorf("%w. It may alone have the data of %s, and is not ended: let it go on, or end it to "+
			"give them up", err, r.groupID)
	}
	now := r.e.Steady()
	m.began, m.scriptKilledAt = now, time.Time{}
	if m.pending != nil {
		m.pending.sent = now
	}
	return nil
}

// recordHistory records a node's replication stream as the group's newest.
func (r *shardRunner) recordHistory(ctx context.Context, id string) error {
	state, err := r.nodes[id].redis.State(ctx)
	if err != nil {
		return fmt.Errorf("cannot read which replication stream %s has: %w", id, err)
	}
	return r.update(func(_ *store.Tx, shard *cache.Shard) error {
		shard.SetHistory(state.Stream)
		return nil
	})
}

// stopNode ends a node's process. One that is to be rebooted says so in the event list.
func (r *shardRunner) stopNode(ctx context.Context, shard *cache.Shard, id string) error {
	if shard.Member(id).Replacement == cache.Rebooting {
		err := r.update(func(tx *store.Tx, _ *cache.Shard) error {
			return r.e.notice(tx, event.NodeShutDown, id, nodeID)
		})
		if err != nil {
			return err
		}
	}
	r.e.drainLogs(ctx, &r.watch, r.groupID, id)
	return r.nodes[id].end(ctx, stopGrace)
}

// promoteAlone makes a replica a primary for redis-server only: the record names it already, or another step will.
func (r *shardRunner) promoteAlone(ctx context.Context, _ *cache.Shard, s plan.Step) error {
	if r.readOut(ctx, s.Reading) {
		return nil
	}
	return r.nodes[s.Member].redis.Promote(ctx)
}

// setMinReplicas has the primary take writes with so many replicas.
func (r *shardRunner) setMinReplicas(ctx context.Context, _ *cache.Shard, s plan.Step) error {
	return r.nodes[s.Member].redis.RequireReplicas(ctx, s.MinReplicas)
}
