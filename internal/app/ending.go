package app

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"larder/internal/node"
	"larder/internal/store"
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

// stopNodes ends every process that an engine left, or is about to leave, in a runtime.
func stopNodes(ctx context.Context, nodes node.Runtime) error {
	left, err := nodes.Adopt(ctx)
	errs := []error{err}
	for _, p := range left {
		errs = append(errs, p.Stop(ctx, 0))
	}
	return errors.Join(errs...)
}

// NodesDir is where an engine keeps what belongs to its nodes.
func NodesDir(h Home) string { return h.nodes() }

// AwaitFree waits until no engine holds the state directory, and the process of the one that was asked to end is gone: that lets go of
// the directory, its info file first, before it ends.
func (h Home) AwaitFree(ctx context.Context, engine int, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := store.Open(h.stateFile())
		if err == nil {
			err = s.Close()
		}
		if err == nil && !runs(engine) || err != nil && !errors.Is(err, store.ErrLocked) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the engine did not end within %s: see %s", most, h.LogFile())
		}
	}
}
