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
	run stepRun
	// transfer does what outlasts the plan, with a node. Nil for other steps.
	job func(*shardRunner, context.Context, *cache.Shard, *snapshotJob, *member) error
	// loads says of a transfer that it fills the node.
	loads bool
}

// stepRun runs a step, and returns a process that it started.
type stepRun func(*shardRunner, context.Context, plan.Desired, plan.Step) (node.Process, error)

// on makes a step's run of something that starts no process.
func on(do func(*shardRunner, context.Context, *cache.Shard, plan.Step) error) stepRun {
	return func(r *shardRunner, ctx context.Context, d plan.Desired, s plan.Step) (node.Process, error) {
		return nil, do(r, ctx, d.Shard, s)
	}
}

// onMember makes a step's run of something that is done to its member in the shard.
func onMember(do func(r *shardRunner, ctx context.Context, shard *cache.Shard, member string) error) stepRun {
	return on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return do(r, ctx, shard, s.Member)
	})
}

// onNode makes a step's run of something that is done to its member's node.
func onNode(do func(r *shardRunner, ctx context.Context, member string) error) stepRun {
	return on(func(r *shardRunner, ctx context.Context, _ *cache.Shard, s plan.Step) error {
		return do(r, ctx, s.Member)
	})
}

// stepKinds are all kinds of steps.
var stepKinds = map[plan.StepKind]stepKind{
	plan.StartNode:      {waits: true, run: (*shardRunner).startNode},
	plan.StartRelay:     {waits: true, run: (*shardRunner).startRelay},
	plan.StopNode:       {run: onMember((*shardRunner).stopNode)},
	plan.Configure:      {quiet: true, run: onMember((*shardRunner).configure)},
	plan.Authorize:      {quiet: true, run: onMember((*shardRunner).authorize)},
	plan.Certify:        {quiet: true, run: onMember((*shardRunner).certify)},
	plan.Switchover:     {run: onMember((*shardRunner).switchover)},
	plan.Resize:         {run: onMember((*shardRunner).resize)},
	plan.Drop:           {run: onNode((*shardRunner).drop)},
	plan.Failover:       {quiet: true, run: on((*shardRunner).failOver)},
	plan.Fence:          {run: onNode((*shardRunner).fence)},
	plan.Resume:         {run: onNode((*shardRunner).resume)},
	plan.RecordHistory:  {quiet: true, run: onNode((*shardRunner).recordHistory)},
	plan.SetMinReplicas: {quiet: true, run: on((*shardRunner).setMinReplicas)},
	plan.Refuse: {run: on(func(_ *shardRunner, _ context.Context, _ *cache.Shard, s plan.Step) error {
		return errors.New(s.Reason)
	})},
	plan.Promote: {run: on((*shardRunner).promoteAlone)},
	plan.Follow: {run: on(func(r *shardRunner, ctx context.Context, shard *cache.Shard, s plan.Step) error {
		return r.follow(ctx, shard, s.Member, s.Target)
	})},
	plan.Serve:       {run: on((*shardRunner).serve)},
	plan.SetBackends: {run: on((*shardRunner).setBackends)},
	plan.SetFronts:   {run: on((*shardRunner).setFronts)},
	plan.StopRelay: {run: on(func(r *shardRunner, ctx context.Context, _ *cache.Shard, _ plan.Step) error {
		return r.relay.end(ctx, stopGrace) // one that hangs is killed when the grace is over
	})},
	plan.Verify:       {quiet: true, waits: true, run: on((*shardRunner).verify)},
	plan.TakeSnapshot: {job: (*shardRunner).take},
	plan.LoadSnapshot: {loads: true, job: (*shardRunner).load},
	plan.RestoreSnapshot: {run: on(func(r *shardRunner, _ context.Context, _ *cache.Shard, s plan.Step) error {
		return r.beginRestore(s.Snapshot)
	})},
	plan.AbandonSnapshot: {run: on(func(r *shardRunner, _ context.Context, _ *cache.Shard, _ plan.Step) error {
		return r.failSnapshot(errNoData)
	})},
}
