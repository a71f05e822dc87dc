package engine

import (
	"context"
	"sync"
	"time"
)

// detectors are the liveness detectors of all processes. One goroutine makes their quick checks: to wake each group for
// that would cost more than the checks.
type detectors struct {
	mu  sync.Mutex
	all map[*detector]*shardRunner
}

func (p *detectors) add(v *detector, r *shardRunner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[*detector]*shardRunner{}
	}
	p.all[v] = r
}

func (p *detectors) remove(v *detector) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, v)
}

// watchProcesses wakes the runner of a process that has stopped to work, until ctx ends.
func (e *Engine) watchProcesses(ctx context.Context) {
	tick := time.NewTimer(alignTick(sampleInterval))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.checkProcesses()
			tick.Reset(alignTick(sampleInterval))
		case <-ctx.Done():
			return
		}
	}
}

func (e *Engine) checkProcesses() {
	e.detectors.mu.Lock()
	defer e.detectors.mu.Unlock()
	for v, r := range e.detectors.all {
		err := r.guarded(func() error {
			now := e.Steady()
			if v.quickCheck(now); v.suspect(now) {
				r.wakeUp()
			}
			return nil
		})
		if err != nil {
			r.log.Error("cannot check whether a process works", "error", err)
		}
	}
}
