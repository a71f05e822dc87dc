package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/event"
	"larder/internal/plan"
	"larder/internal/store"
)

// keepRoom prevents that a node is told to hold less than its data take: it would evict some of them, or refuse writes.
// It measures the data right before a plan's steps set limits. If the data do not fit, or fit again, it changes the
// group's record. Changed says that it did, and that a new plan is needed. A node type that cannot hold the data is
// given up, as ElastiCache does. A limit that the parameters lower is set when the data fit.
func (r *shardRunner) keepRoom(
	ctx context.Context, d plan.Desired, o plan.Observed, steps []plan.Step,
) (changed bool, err error) {
	shard := d.Shard
	sets := slices.ContainsFunc(steps, func(s plan.Step) bool { return s.Kind == plan.Configure })
	drops := len(steps) == 0 && shard.Group.KeptMemory > 0
	if !sets && !drops || d.Parameters == "" { // parameters that cannot be read are not set
		return false, nil
	}
	asked, err := r.askedMemory(shard)
	if err != nil {
		return false, err
	}
	if drops {
		return r.dropKept(ctx, shard, o, asked)
	}
	nodes, err := r.measureData(ctx, shard, o)
	if err != nil {
		return false, err
	}
	switch keep := catalog.Overfull(nodes, max(asked, shard.Group.KeptMemory)); {
	case keep == 0:
		return false, nil
	case shard.Group.ScalesDown(r.e.NodeTypes):
		return true, r.giveUpScaling(shard.Group)
	default:
		return true, r.keepMemory(asked, keep)
	}
}

// askedMemory is how many bytes of data a node may hold by the group's node type and parameters.
func (r *shardRunner) askedMemory(shard *cache.Shard) (limit int64, err error) {
	err = r.e.Store.View(func(tx *store.Tx) error {
		d, err := r.askedDirectives(tx, shard.Group)
		if err != nil {
			return err
		}
		limit, err = d.MaxMemory()
		return err
	})
	return limit, err
}

// measureData asks every node that answers how much its data take.
func (r *shardRunner) measureData(
	ctx context.Context, shard *cache.Shard, o plan.Observed,
) ([]catalog.NodeMemory, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	var nodes []catalog.NodeMemory
	for _, m := range shard.Members {
		if !o.Nodes[m.ID].Answers {
			continue
		}
		memory, err := r.nodes[m.ID].redis.Memory(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot tell whether the data of %s fit in another limit, and none is set: %w", m.ID,
				err)
		}
		nodes = append(nodes, memory)
	}
	return nodes, nil
}

// giveUpScaling has the group keep the node type that it had.
func (r *shardRunner) giveUpScaling(given *cache.ReplicationGroup) error {
	r.log.Warn("a node type cannot hold the data of the group, which keeps its own", "node_type", given.NodeType,
		"keeps", given.ScaledFrom)
	return r.update(func(tx *store.Tx, shard *cache.Shard) error {
		if shard.Group.NodeType != given.NodeType || shard.Group.ScaledFrom != given.ScaledFrom {
			return nil // it is asked for something else now
		}
		shard.Group.GiveUpScaling()
		return errors.Join(r.e.scalingFailed(tx, r.groupID, given.NodeType),
			r.e.notice(tx, event.ScalingFailed, r.groupID, given.NodeType),
			r.e.notice(tx, event.ScalingRefused, r.groupID, r.groupID))
	})
}

// keepMemory has the group's nodes keep a limit until their data fit in what is asked for, both in bytes.
func (r *shardRunner) keepMemory(asked, keep int64) error {
	r.log.Warn("the data of the group do not fit in what its parameters leave for them: the nodes keep their limit",
		"maxmemory", keep, "left", asked)
	return r.update(func(tx *store.Tx, shard *cache.Shard) error {
		shard.Group.KeptMemory = keep
		return r.e.notice(tx, event.MemoryKept, r.groupID, r.groupID, keep, asked)
	})
}

// dropKept ends the keeping of a limit when the primary serves and every node's data fit in what is asked for.
func (r *shardRunner) dropKept(ctx context.Context, shard *cache.Shard, o plan.Observed, asked int64) (bool, error) {
	primary := o.Nodes[shard.Primary().ID]
	if !primary.Answers || len(primary.Serves) == 0 {
		return false, nil
	}
	nodes, err := r.measureData(ctx, shard, o)
	if err != nil { // the nodes hold what they hold: nothing is wrong with the group
		r.log.Warn("cannot tell whether the data of the group fit in its limit again", "error", err)
		return false, nil
	}
	if !catalog.Fit(nodes, asked) {
		return false, nil
	}
	return true, r.update(func(_ *store.Tx, shard *cache.Shard) error {
		shard.Group.KeptMemory = 0
		return nil
	})
}
