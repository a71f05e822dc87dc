package e2e

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestASuspendedEngineFailsOverWhenItGoesOn: it was stopped for longer than a node may be busy, and the primary died
// meanwhile. Nodes that did not answer it are not to blame: they keep their processes, and the data are there.
func TestASuspendedEngineFailsOverWhenItGoesOn(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-prod-redis"
	d := newHarness(t)
	d.env = append(d.env, "LARDER_BUSY_LIMIT=1s")
	d.must("up", seed+"production.tf")
	ctx, before, pid := context.Background(), d.status(id), d.pid()
	client := d.client(before.Primary)
	d.check(client.Set(ctx, "k", "v", 0).Err())
	if n, err := client.Wait(ctx, 2, 0).Result(); n != 2 || err != nil {
		t.Fatalf("%d replicas have it: %v", n, err)
	}
	d.signal(pid, syscall.SIGSTOP)
	for _, n := range before.Nodes {
		if n.Role == "primary" {
			d.kill(n.PID)
		}
	}
	time.Sleep(1500 * time.Millisecond) // longer than the limit
	d.signal(pid, syscall.SIGCONT)
	d.eventually("another node has the data", func() bool { return client.Get(ctx, "k").Val() == "v" })
	d.eventually("the group is whole", func() bool { return d.status(id).Status == "available" })
	after := d.status(id)
	for i, n := range before.Nodes {
		if n.Role == "replica" && after.Nodes[i].PID != n.PID {
			t.Errorf("the replica %s has process %d, had %d", n.ID, after.Nodes[i].PID, n.PID)
		}
	}
	if d.pid() != pid || strings.Contains(read(t, d.home+"/engine.log"), "data are lost") {
		t.Errorf("the engine is process %d, was %d:\n%s", d.pid(), pid, read(t, d.home+"/engine.log"))
	}
}
