package engine

import (
	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
)

// Operations begin and end with the records that the engine writes, see state.PutGroup. Here are those that records
// alone do not tell.

// origin is of what the engine changes by itself.
func (e *Engine) origin() operation.Origin {
	return operation.Origin{By: operation.Engine, At: e.Now()}
}

// replacing begins the replacement of a member whose process is gone. It ends when the member is available. One that is
// to get another process anyway, or none, is no loss.
func (e *Engine) replacing(tx *store.Tx, shard *cache.Shard, m cache.Member) error {
	if m.Replacement != "" || m.Removing {
		return nil
	}
	return state.BeginOperation(tx, operation.Operation{Group: shard.GroupID, Kind: operation.Replace, Shard: shard.ID,
		Members: []string{m.ID}}, e.origin())
}

// failedOver records an election as an operation that is over, in the election's own transaction.
func (e *Engine) failedOver(tx *store.Tx, shard *cache.Shard, old, now string, older bool) error {
	o := operation.Operation{Group: shard.GroupID, Kind: operation.Failover, Shard: shard.ID, Members: []string{now},
		From: old, To: now}
	if older {
		o.Reason = "no node was left with the newest data: " + now + " had older ones"
	}
	return state.BeginOperation(tx, o, e.origin())
}

// scalingFailed ends the move of a group to a node type, which cannot hold its data.
func (e *Engine) scalingFailed(tx *store.Tx, group, nodeType string) error {
	refused := event.New(event.ScalingRefused, e.Now(), group, group)
	return state.FailOperation(tx, operation.Operation{Group: group, Kind: operation.Scale, To: nodeType}, refused.Message,
		e.Now())
}
