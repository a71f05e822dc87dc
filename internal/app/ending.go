package app

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// ending remembers how an engine was asked to end.
type ending struct {
	stop  context.CancelFunc
	nodes atomic.Bool
}

// withNodes ends the engine and then its nodes.
func (e *ending) withNodes() {
	e.nodes.Store(true)
	e.stop()
}

func (e *ending) nodesToo() bool { return e.nodes.Load() }

// giveUp ends the nodes of an engine whose state directory is lost, and tells the machine's log, since the engine's own
// is gone too. Nil is a directory that is there.
func (o Options) giveUp(ctx context.Context, lost *GoneError, endNodes func(context.Context) (int, error)) error {
	if lost == nil {
		return nil
	}
	lost.Ended, lost.Err = endNodes(ctx)
	o.Logger.Error(lost.Error())
	if err := tellSystem(ctx, systemLog, lost.Error(), o.Now()); err != nil {
		o.Logger.Warn("the system's log was not told", "error", err)
	}
	return lost
}

// NodesDirs are where an engine keeps what belongs to its nodes, of each region.
func NodesDirs(h Home) (dirs []string) {
	for _, region := range h.used() {
		dirs = append(dirs, region.nodes())
	}
	return dirs
}

// AwaitFree waits until no engine holds the state directory, and the process of the one that was asked to end is gone:
// that lets go of the directory, its info file first, before it ends.
func (h Home) AwaitFree(ctx context.Context, engine int, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		_, held, err := h.Holder()
		if err != nil || !held && !runs(engine) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the engine did not end within %s: see %s", most, h.LogFile())
		}
	}
}
