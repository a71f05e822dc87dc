package engine_test

import (
	"context"
	"maps"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"larder/internal/node"
	"larder/internal/testkit"
)

// tapped is a runtime whose connections a test can break.
type tapped struct {
	node.Runtime
	mu    sync.Mutex
	conns map[string][]net.Conn // by process id
}

type tappedProcess struct {
	node.Process
	tap *tapped
}

func (r *tapped) Start(ctx context.Context, spec node.Spec) (node.Process, error) {
	p, err := r.Runtime.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	return tappedProcess{p, r}, nil
}

func (p tappedProcess) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := p.Process.Dial(ctx)
	if err == nil {
		p.tap.mu.Lock()
		defer p.tap.mu.Unlock()
		p.tap.conns[p.ID()] = append(p.tap.conns[p.ID()], conn)
	}
	return conn, err
}

func (r *tapped) cut(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns[id] {
		conn.Close()
	}
}

// TestAnEngineWithoutDescriptorsEndsNobody: that it cannot ask is no node's silence. A node that hangs is found all the
// same. The limit is the whole process's, so nothing runs beside this test.
func TestAnEngineWithoutDescriptorsEndsNobody(t *testing.T) {
	w := newFixture(t)
	w.stop()
	tap := &tapped{Runtime: w.runtime, conns: map[string][]net.Conn{}}
	w.config.Nodes, w.config.BusyLimit = tap, time.Second
	w.start()
	w.create("g", 3, nil)
	w.awaitAvailable("g")
	before := must(w.runtime.PIDs(t.Context()))(t)

	restore := testkit.LimitDescriptors(t, 3) // that many it has; none at all would make poll(2) fail too
	defer restore()
	tap.cut("g-001")
	w.awaitSilence("g-001")
	const well = 4 * time.Second // over every limit
	for begin := time.Now(); time.Since(begin) < well; time.Sleep(10 * time.Millisecond) {
		if after := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, after) {
			t.Fatalf("after %s the processes were %v and are %v", time.Since(begin), before, after)
		}
	}
	if s := w.engine.Report("g").Observed.Nodes["g-001"]; s.Answers ||
		s.Lag > 2*time.Second { // it could not be asked for twice as long
		t.Errorf("the node that cannot be asked is seen as %+v", s)
	}
	w.signal("g-001", syscall.SIGSTOP)
	testkit.Within(t, patience, "a node that hangs is ended", func() bool {
		return must(w.runtime.PIDs(t.Context()))(t)["g-001"] != before["g-001"]
	})
	restore()
	w.awaitPrimary("g", "g-001")
}
