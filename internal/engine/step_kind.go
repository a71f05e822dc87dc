package engine

import (
	"context"
	"errors"

	"larder/internal/cache"
	"larder/internal/node"
	"larder/internal/plan"
)

// stepKind is how the engine takes a kind of step.
type stepKind struct {
	// quiet says that a group stays available meanwhile: new parameters, tokens and certificates, and a check of the
	// endpoints. An election says by itself that the group is not, in the transaction that clients wait for anyway.
	quiet bool
	// waits says that it may have to wait for a process, and ends early when the primary is lost: it would hold a
	// failover up.
	waits bool
	// run does it, and returns a process that it started. Nil for a transfer.
	run func(*shardRunner, context.Context, plan.Desired, plan.Step) (node.Process, error)
	// transfer does what outlasts the plan, with a node. Nil for other steps.
	transfer func(*shardRunner, context.Context, *cache.Shard, *transfer, *member) error
	// loads says of a transfer that it fills the node.
	loads bool
}

// on makes a step's run of something that starts no process.
func on(
	do func(*shardRunner, context.Context, *cache.Shard, plan.Step) error,
) func(*shardRunner, context.Context, plan.Desired, plan.Step) (node.Process, error) {
	return func(r *shardRunner, ctx context.Context, d plan.Desired, s plan.Step) (node.Process, error) {
		return nil, do(r, ctx, d.Shard, s)
	}
}

// stepKinds are all kinds of steps.
var stepKinds = map[plan.StepKind]stepKind{
	plan.StartNode: {waits: true, run: func(r *shardRunner, ctx context.Context, d plan.Desired, s plan.Step) (node.Process,
		error) {
		return r.startNode(ctx, d.Shard, *d.Shard.Member(s.Member))
	}},
	plan.StartRelay: {waits: true, run: func(r *shardRunner, ctx context.Context, d plan.Desired, _ plan.Step) (node.Process,
		error) {
		return r.startRelay(ctx, d.Shard)
	}},
	plan.StopNode: {run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.stopNode(ctx, shard, s.Member)
	})},
	plan.Configure: {quiet: true, run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.configure(ctx, shard, s.Member)
	})},
	plan.Authorize: {quiet: true, run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.authorize(ctx, shard, s.Member)
	})},
	plan.Certify: {quiet: true, run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.certify(ctx, shard, *shard.Member(s.Member))
	})},
	plan.Switchover: {run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.handover(ctx, shard, s.Member)
	})},
	plan.Resize: {run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.resize(ctx, shard, s.Member)
	})},
	plan.Drop: {run: on(func(r *shardRunner, ctx context.Context, _ *cache.Shard, s plan.Step) error {
		return r.drop(ctx, s.Member)
	})},
	plan.Failover: {quiet: true, run: on((*shardRunner).failOver)},
	plan.Fence: {run: on(func(r *shardRunner, ctx context.Context, _ *cache.Shard, s plan.Step) error {
		return r.fence(ctx, s.Member)
	})},
	plan.Resume: {run: on(func(r *shardRunner, ctx context.Context, _ *cache.Shard, s plan.Step) error {
		return r.resume(ctx, s.Member)
	})},
	plan.RecordHistory: {quiet: true, run: on(func(r *shardRunner, ctx context.Context, _ *cache.Shard, s plan.Step) error {
		return r.note(ctx, s.Member)
	})},
	plan.SetMinReplicas: {quiet: true, run: on(func(r *shardRunner, ctx context.Context, _ *cache.Shard, s plan.Step) error {
		return r.nodes[s.Member].redis.RequireReplicas(ctx, s.MinReplicas)
	})},
	plan.Refuse: {run: on(func(_ *shardRunner, _ context.Context, _ *cache.Shard, s plan.Step) error {
		return errors.New(s.Reason)
	})},
	plan.Promote: {run: on(func(r *shardRunner, ctx context.Context, _ *cache.Shard, s plan.Step) error {
		if r.readOut(ctx, s.Reading) {
			return nil
		}
		return r.nodes[s.Member].redis.Promote(ctx)
	})},
	plan.Follow: {run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.follow(ctx, shard, s.Member, s.Target)
	})},
	plan.Serve: {run: on((*shardRunner).serve)},
	plan.SetBackends: {run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.setBackends(ctx, shard, s.Addresses)
	})},
	plan.SetFronts: {run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.setFronts(ctx, shard, s.Addresses)
	})},
	plan.StopRelay: {run: on(func(r *shardRunner, ctx context.Context, _ *cache.Shard, _ plan.Step) error {
		return r.relay.end(ctx, stopGrace) // one that hangs is killed when the grace is over
	})},
	plan.Verify: {quiet: true, waits: true, run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard,
		_ plan.Step) error {
		return r.verify(ctx, shard)
	})},
	plan.TakeSnapshot: {transfer: func(r *shardRunner, ctx context.Context, shard *cache.Shard, t *transfer,
		from *member) (err error) {
		t.taken, err = r.take(ctx, shard.Group.Snapshot.Name, t, from)
		return err
	}},
	plan.LoadSnapshot: {loads: true, transfer: func(r *shardRunner, ctx context.Context, shard *cache.Shard, t *transfer,
		into *member) error {
		return r.load(ctx, shard, t, into)
	}},
	plan.RestoreSnapshot: {run: on(func(r *shardRunner, _ context.Context, _ *cache.Shard, s plan.Step) error {
		return r.fallBack(s.Snapshot)
	})},
	plan.AbandonSnapshot: {run: on(func(r *shardRunner, _ context.Context, _ *cache.Shard, _ plan.Step) error {
		return r.failSnapshot(errNoData)
	})},
}
