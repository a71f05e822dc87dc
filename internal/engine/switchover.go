package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/endpoint"
	"larder/internal/event"
	"larder/internal/plan"
	"larder/internal/redisnode"
	"larder/internal/store"
)

const (
	// catchUp is how long a replica may take to read all that the paused primary sent, which is a few bytes.
	catchUp = 500 * time.Millisecond
	// writePause is how long a node holds writes if the engine ends before it resumes them. It must outlast the move.
	writePause = 2 * stepTimeout
	// forGood is a pause that the engine ends. A node measures a pause by its wall clock, which may jump.
	forGood = 100 * 365 * 24 * time.Hour
)

// switchover makes a replica the primary and loses no acknowledged write (redis_ha.md, section 2):
//
//  1. Writes stop.
//  2. The replica catches up.
//  3. It is promoted and recorded.
//  4. It takes the primary endpoint.
//  5. Writes go on when the old primary has no clients left.
//
// Until the new primary is recorded, the next plan goes on with the old one: nobody has written to the other.
func (r *shardRunner) switchover(ctx context.Context, shard *cache.Shard, to string) error {
	// Once begun it is brought to its end, also when the engine is about to end or another step fails.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
	defer cancel()
	from := shard.Primary()
	old, candidate := r.nodes[from.ID], r.nodes[to]
	// Until it is over: if anything ends it early, the next round lets writes go on.
	old.cleaned, candidate.cleaned = false, false
	if err := holdWrites(ctx, old.redis, candidate.redis); err != nil {
		return errors.Join(fmt.Errorf("cannot switch over to %s, nothing was changed: %w", to, err),
			old.redis.Unpause(context.WithoutCancel(ctx)))
	}
	if err := r.switchPrimary(ctx, shard, from, to); err != nil {
		return err // writes are held on both; the next look lets them go on where the record says
	}
	old.cleaned, candidate.cleaned = true, true
	return nil
}

// holdWrites returns when the old primary takes no writes any more and the candidate has all that it took. Clients wait
// only for a candidate that keeps up: it must catch up once before anything is paused.
//
// The first pause is short: if the engine ends while the candidate catches up, the group soon takes writes again. The
// second does not end by itself, so that the old primary never takes writes beside the new one. A clock that jumped may
// have ended the first pause early; what clients wrote then is caught up with, too.
func holdWrites(ctx context.Context, old, candidate *redisnode.Node) error {
	if err := awaitCaughtUp(ctx, old, candidate); err != nil {
		return err
	}
	for _, most := range []time.Duration{writePause, forGood} {
		if err := old.PauseWrites(ctx, most); err != nil {
			return err
		}
		if err := awaitCaughtUp(ctx, old, candidate); err != nil {
			return err
		}
	}
	return nil
}

func awaitCaughtUp(ctx context.Context, old, candidate *redisnode.Node) error {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	s, err := old.State(ctx) // after a pause the offset stands
	if err != nil {
		return err
	}
	return candidate.AwaitOffset(ctx, s.Offset)
}

// switchPrimary moves the role, the endpoint and its clients. Neither node takes a write until the new primary has the
// endpoint, and no client is left at the old one.
func (r *shardRunner) switchPrimary(ctx context.Context, shard *cache.Shard, from *cache.Member, to string) error {
	old, candidate, target := r.nodes[from.ID].redis, r.nodes[to].redis, *shard.Member(to)
	// Before it is promoted: clients of the reader endpoint reach it, and nothing that they write is kept until it is
	// recorded.
	if err := candidate.PauseWrites(ctx, forGood); err != nil {
		return err
	}
	state, err := r.promote(ctx, shard, plan.Step{Member: to})
	if err != nil {
		return err
	}
	err = r.endpoints(shard).MovePrimary(ctx, endpoint.Serving{Server: old, Address: from.Address},
		endpoint.Serving{Server: candidate, Address: target.Address, Serves: state.Serves}, candidate.Unpause)
	if err != nil {
		return err
	}
	if err := r.follow(ctx, shard, from.ID, target.Address); err != nil {
		return err
	}
	return old.Unpause(ctx)
}

// authorize brings the tokens that a node takes up to date.
func (r *shardRunner) authorize(ctx context.Context, shard *cache.Shard, id string) error {
	tokens, err := r.authTokens(shard)
	if err != nil {
		return err
	}
	if err := r.nodes[id].redis.SetTokens(ctx, tokens); err != nil {
		return err
	}
	err = r.update(func(_ *store.Tx, now *cache.Shard) error {
		now.Member(id).Access = cache.AccessFingerprint(shard.Group.AuthTokens)
		return nil
	})
	r.nodes[id].knowsTokens = err == nil
	return err
}

// resize gives the one node of a group the limits of the group's node type. With nobody to take over, the process
// stays: its limits can all be changed as it runs.
func (r *shardRunner) resize(ctx context.Context, shard *cache.Shard, id string) error {
	d, err := r.wantedDirectives(shard)
	if err != nil {
		return err
	}
	if err := r.nodes[id].redis.SetMaxClients(ctx, r.e.NodeTypes[shard.Group.NodeType].MaxClients); err != nil {
		return err
	}
	if err := r.limitMemory(shard, r.nodes[id]); err != nil {
		return err
	}
	return r.update(func(_ *store.Tx, now *cache.Shard) error {
		m := now.Member(id)
		m.Spec, m.BootParameters = shard.Group.Spec(), catalog.Fingerprint(d.Boot)
		return nil
	})
}

// limitMemory bounds what one node may take of the machine's memory: its data three times over, as what is held back
// for clients may be as large as these, and a memory allocator takes more than it gives out; and fixedMemory for all
// that is not counted as data, such as what a script works with. At AWS a node has its own machine, and none of its
// neighbours' memory.
func (r *shardRunner) limitMemory(shard *cache.Shard, m *member) error {
	const fixedMemory = 2 << 30
	return m.process.LimitMemory(3*r.e.NodeTypes[shard.Group.NodeType].MaxMemory + fixedMemory)
}

// drop forgets a member whose process is gone for good.
func (r *shardRunner) drop(ctx context.Context, id string) error {
	r.e.drainLogs(ctx, &r.watch, r.groupID, id)
	if err := r.e.Nodes.Remove(id); err != nil {
		return fmt.Errorf("cannot remove the files of %s: %w", id, err)
	}
	return r.update(func(tx *store.Tx, shard *cache.Shard) error {
		shard.Remove(id)
		return r.e.notice(tx, event.MemberDeleted, id)
	})
}
