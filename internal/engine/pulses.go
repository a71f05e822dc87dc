package engine

import (
	"context"
	"sync"
	"time"
)

// pulses are looked at by one goroutine for all processes: to wake each group's for that costs more than the looks.
type pulses struct {
	mu     sync.Mutex
	vigils map[*vigil]*shardRunner
}

func (p *pulses) enter(v *vigil, r *shardRunner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.vigils == nil {
		p.vigils = map[*vigil]*shardRunner{}
	}
	p.vigils[v] = r
}

func (p *pulses) leave(v *vigil) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.vigils, v)
}

// watchPulses has a group look when one of its processes has stopped to work, until ctx ends.
func (e *Engine) watchPulses(ctx context.Context) {
	tick := time.NewTimer(together(pulseTime))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.lookAtPulses()
			tick.Reset(together(pulseTime))
		case <-ctx.Done():
			return
		}
	}
}

func (e *Engine) lookAtPulses() {
	e.pulses.mu.Lock()
	defer e.pulses.mu.Unlock()
	for v, r := range e.pulses.vigils {
		err := r.guarded(func() error {
			now := e.Steady()
			if v.glance(now); v.doubtful(now) {
				r.wakeUp()
			}
			return nil
		})
		if err != nil {
			r.log.Error("cannot look at a process's pulse", "error", err)
		}
	}
}
