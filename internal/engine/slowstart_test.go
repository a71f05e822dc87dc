package engine_test

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"larder/internal/node"
)

// hanging is a runtime in which the next start of one process never comes to its end.
type hanging struct {
	node.Runtime
	id    string
	next  atomic.Bool
	begun chan struct{}
}

func (r *hanging) Start(ctx context.Context, spec node.Spec) (node.Process, error) {
	if spec.ID == r.id && r.next.CompareAndSwap(true, false) {
		close(r.begun)
		spec.Path, spec.Args = "/bin/sleep", []string{"60"} // it never opens its socket
	}
	return r.Runtime.Start(ctx, spec)
}

// TestAStartThatHangsHoldsNoFailoverUp: a replica's process starts, and does not answer, as the primary is lost.
func TestAStartThatHangsHoldsNoFailoverUp(t *testing.T) {
	for name, how := range map[string]syscall.Signal{"the primary dies": syscall.SIGKILL, "the primary hangs": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.stop()
			slow := &hanging{Runtime: w.runtime, id: "g-003", begun: make(chan struct{})}
			w.config.Nodes = slow
			w.start()
			w.create("g", 3, nil)
			rg := w.awaitAvailable("g")
			slow.next.Store(true)
			w.signal("g-003", syscall.SIGKILL)
			<-slow.begun
			if took := w.gap(rg.PrimaryAddress, func() { w.signal("g-001", how) }); took > 5*time.Second { // a start may take ten
				t.Errorf("without a primary for %s", took)
			} else {
				t.Logf("without a primary for %s", took)
			}
			w.awaitPrimary("g", "g-001")
		})
	}
}

// TestAStartThatHangsHoldsNoRestartUp: every node is lost, and the primary is back while a replica's process does not answer.
func TestAStartThatHangsHoldsNoRestartUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stop()
	slow := &hanging{Runtime: w.runtime, id: "g-002", begun: make(chan struct{})}
	w.config.Nodes = slow
	w.start()
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	pids := must(w.runtime.PIDs(t.Context()))(t)
	w.stop()
	slow.next.Store(true)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if took := w.outage(rg.PrimaryAddress, w.start); took > 5*time.Second { // a start may take ten
		t.Errorf("without a primary for %s", took)
	} else {
		t.Logf("without a primary for %s", took)
	}
	<-slow.begun
}
