package engine

import (
	"context"
	"sync"
	"time"
)

// drainTime is how long a group waits for its nodes' logs. A log store that stalls shall not keep it from looking at
// its nodes.
const drainTime = time.Second

// drainLogs waits until what a node's logs hold is delivered, or for drainTime. The owner waits for the rest of it.
func (e *Engine) drainLogs(ctx context.Context, owner *sync.WaitGroup, group, node string) {
	if e.DrainLogs == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	done := make(chan struct{})
	owner.Go(func() {
		defer cancel()
		defer close(done)
		err := e.guard.Do("the replication group "+group, func() error { e.DrainLogs(ctx, group, node); return nil })
		if err != nil {
			e.Logger.Error("cannot deliver the rest of a node's logs", "group", group, "node", node, "error", err)
		}
	})
	select {
	case <-done:
	case <-ctx.Done():
	}
}
