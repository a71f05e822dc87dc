package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"larder/internal/testkit"
)

// neighbour listens on an address and counts what it is sent. The kernel may have to take down the socket of one that
// was killed there first.
func neighbour(t *testing.T, address string) (received *atomic.Int64, leave func()) {
	t.Helper()
	var l net.Listener
	testkit.Within(t, patience, "the neighbour listens", func() (listens bool) {
		var err error
		l, err = net.Listen("tcp", address)
		return err == nil
	})
	received = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 1<<10)
			n, _ := conn.Read(buffer)
			received.Add(int64(n))
			conn.Close()
		}
	}()
	return received, func() { l.Close(); <-done }
}

// TestNobodyElseGetsTheToken: a neighbour takes the API's port when the engine is gone. larder's commands send it
// nothing, and say who has it.
func TestNobodyElseGetsTheToken(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-dev-redis"
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	var info struct{ Endpoint string }
	if err := json.Unmarshal([]byte(read(t, filepath.Join(d.home, "engine.json"))), &info); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(info.Endpoint, "http://")
	d.kill(d.pid())
	d.eventually("the engine is gone", func() bool { return len(d.pids()) == 1 })
	received, leave := neighbour(t, address)
	for _, args := range [][]string{{"status"}, {"status", id}, {"outputs"}, {"env"}, {"top", "--once"}, {"logs"},
		{"destroy", "--yes"}, {"failover"}} {
		d.refused(args, "no engine is running")
	}
	who := fmt.Sprintf("process %d", os.Getpid())
	d.refused([]string{"up", seed + "development.tf", "--var", "redis_auth_token=a-token-that-nobody-else-may-see",
		"--listen", address}, who, "listens there")
	if n := received.Load(); n > 0 {
		t.Errorf("the neighbour was sent %d bytes", n)
	}
	leave()
	d.must("up", seed+"development.tf")
	if s := d.status(id); s.Status != "available" {
		t.Errorf("the group is %s", s.Status)
	}
}

// TestANeighbourOnAnEndpointIsNamed: a process that has the address which a node needs is named, and the group is whole
// when it has gone.
func TestANeighbourOnAnEndpointIsNamed(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-prod-redis"
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	s := d.status(id)
	d.kill(d.pid())
	for _, n := range s.Nodes {
		if n.Role == "primary" {
			d.kill(n.PID)
		}
	}
	var leave func()
	d.eventually("the endpoint is free", func() bool {
		l, err := net.Listen("tcp", s.Primary)
		if err == nil {
			l.Close()
		}
		return err == nil
	})
	_, leave = neighbour(t, s.Primary)
	engine := d.run("sh", "-c", fmt.Sprintf("%q serve --listen 127.0.0.1:0 >>%q 2>&1 &", program,
		filepath.Join(d.home, "engine.log")))
	if engine.code != 0 {
		t.Fatal(engine.stderr)
	}
	who := fmt.Sprintf("process %d", os.Getpid())
	d.eventually("the neighbour is named", func() bool {
		r := d.larder("status", id)
		return strings.Contains(r.stdout, who) && strings.Contains(r.stdout, s.Primary)
	})
	leave()
	d.eventually("the group is available", func() bool { return d.status(id).Status == "available" })
}
