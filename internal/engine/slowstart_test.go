package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"

	"larder/internal/node"
	"larder/internal/testkit"
)

// hanging is a runtime in which the next start of one process never comes to its end.
type hanging struct {
	node.Runtime
	id    string
	next  atomic.Bool
	begun chan struct{}
	ended chan error // of the context that it had
}

func (r *hanging) Start(ctx context.Context, spec node.Spec) (node.Process, error) {
	if spec.ID == r.id && r.next.CompareAndSwap(true, false) {
		close(r.begun)
		path, err := exec.LookPath("sleep")
		if err != nil {
			return nil, err
		}
		spec.Path, spec.Args = path, []string{"60"} // it never opens its socket
		defer func() { r.ended <- ctx.Err() }()
	}
	return r.Runtime.Start(ctx, spec)
}

// TestAStartThatHangsHoldsNoFailoverUp: a replica's process starts, and does not answer, as the primary is lost.
func TestAStartThatHangsHoldsNoFailoverUp(t *testing.T) {
	for name, how := range map[string]syscall.Signal{"the primary dies": syscall.SIGKILL,
		"the primary hangs": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.stop()
			slow := &hanging{Runtime: w.runtime, id: "g-003", begun: make(chan struct{}), ended: make(chan error, 1)}
			w.config.Nodes = slow
			w.start()
			w.create("g", 3, nil)
			rg := w.awaitAvailable("g")
			slow.next.Store(true)
			w.signal("g-003", syscall.SIGKILL)
			<-slow.begun
			t.Logf("without a primary for %s", w.gap(rg.PrimaryAddress, func() { w.signal("g-001", how) }))
			if err := <-slow.ended; !errors.Is(err, context.Canceled) { // and not because its time was over
				t.Errorf("the start ended with %v", err)
			}
			w.awaitPrimary("g", "g-001")
		})
	}
}

// TestAStartThatHangsHoldsNoRestartUp: every node is lost, and the primary is back while a replica's process does not
// answer.
func TestAStartThatHangsHoldsNoRestartUp(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	slow := &hanging{Runtime: w.runtime, id: "g-002", begun: make(chan struct{}), ended: make(chan error, 1)}
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
	// One that is still there when the engine begins is lost in a plan of its own, which waits for nobody.
	testkit.Within(t, patience, "the processes are gone", func() bool {
		for _, pid := range pids {
			if _, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err == nil {
				return false
			}
		}
		return true
	})
	t.Logf("without a primary for %s", w.outage(rg.PrimaryAddress, w.start))
	<-slow.begun
	if err := <-slow.ended; !errors.Is(err, context.Canceled) { // and not because its time was over
		t.Errorf("the start ended with %v", err)
	}
}
