package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"
)

// pid of the engine, as it wrote it down.
func (d *harness) pid() int {
	d.t.Helper()
	_, after, ok := strings.Cut(read(d.t, d.home+"/engine.json"), `"PID": `)
	n, err := strconv.Atoi(strings.TrimSpace(strings.Trim(strings.SplitN(after, "\n", 2)[0], ",} \n")))
	if !ok || err != nil {
		d.t.Fatalf("no process id in engine.json: %v", err)
	}
	return n
}

func (d *harness) kill(pid int) {
	d.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		d.t.Fatal(err)
	}
}

// client connects as an application does, with the CA that `larder env` names. It has patience: a command that it gave
// up would be sent again, on another connection.
func (d *harness) client(addr string) *redis.Client {
	d.t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(read(d.t, d.home+"/ca.pem")))
	c := redis.NewClient(&redis.Options{
		Addr: addr, Password: strings.TrimSpace(d.must("outputs", "auth_token")), PoolSize: 1, ReadTimeout: patience,
		TLSConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	})
	d.t.Cleanup(func() { c.Close() })
	return c
}

func TestEngineKilledAndRestartedAdoptsItsNodes(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	before := d.status("uex-payments-prod-redis")
	ctx := context.Background()
	clients := []*redis.Client{d.client(before.Primary), d.client(before.Reader)}
	ids := func() (out []int64) {
		for _, c := range clients {
			n, err := c.ClientID(ctx).Result()
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, n)
		}
		return out
	}
	first := ids()
	if err := clients[0].Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := clients[0].Wait(ctx, 2, 0).Result(); n != 2 || err != nil {
		t.Fatalf("%d replicas have it: %v", n, err)
	}

	d.kill(d.pid())
	if got := ids(); got[0] != first[0] || got[1] != first[1] {
		t.Errorf("connections broke with the engine: %v, then %v", first, got)
	}
	if out := d.must("up", seed+"production.tf"); !strings.Contains(out, "nothing to change") ||
		strings.Contains(out, "restarted") {
		t.Errorf("up after the engine's death: %s", out)
	}
	after := d.status("uex-payments-prod-redis")
	for i := range after.Nodes {
		if after.Nodes[i].PID != before.Nodes[i].PID {
			t.Errorf("%s has process %d, had %d", after.Nodes[i].ID, after.Nodes[i].PID, before.Nodes[i].PID)
		}
	}
	if got := ids(); got[0] != first[0] || got[1] != first[1] {
		t.Errorf("connections broke when the engine came back: %v, then %v", first, got)
	}
	if v, err := clients[1].Get(ctx, "k").Result(); v != "v" || err != nil {
		t.Errorf("the reader endpoint has %q, %v", v, err)
	}
}

// The reader endpoint gives several connections to several replicas, and none to one that is gone.
func TestReaderEndpointSpreads(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	s := d.status("uex-payments-prod-redis")
	servers := func() map[string]int {
		seen := map[string]int{}
		for range 6 {
			c := d.client(s.Reader)
			conn := c.Conn()
			defer conn.Close()
			info, err := conn.Info(context.Background(), "server").Result()
			if err != nil {
				t.Log(err)
				continue
			}
			for line := range strings.Lines(info) {
				if id, ok := strings.CutPrefix(line, "run_id:"); ok {
					seen[id]++
				}
			}
		}
		return seen
	}
	if seen := servers(); len(seen) != 2 {
		t.Errorf("six connections went to %v, want two replicas", seen)
	}
	for _, n := range s.Nodes {
		if n.Role == "replica" {
			d.kill(n.PID)
			break
		}
	}
	d.eventually("the group is available again with both replicas", func() bool {
		now := d.status("uex-payments-prod-redis")
		return now.Status == "available" && len(servers()) == 2
	})
}

func TestEnginesSideBySide(t *testing.T) {
	t.Parallel()
	a, b := newHarness(t), newHarness(t)
	a.must("up", seed+"production.tf")
	b.must("up", seed+"production.tf")
	seen := map[string]bool{}
	for _, d := range []*harness{a, b} {
		s := d.status("uex-payments-prod-redis")
		for _, addr := range []string{s.Primary, s.Reader, s.Nodes[0].Address, s.Nodes[1].Address, s.Nodes[2].Address} {
			if seen[addr] {
				t.Errorf("both engines use %s", addr)
			}
			seen[addr] = true
		}
	}
	if r := a.shell(`redis-cli --version >/dev/null && aws --version >/dev/null 2>&1; true`); r.code != 0 {
		t.Error(r.stderr)
	}
}

func TestSecondEngineOnAStateDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	d.refused([]string{"serve", "--listen", "127.0.0.1:0"}, "another larder runs on the state directory", d.home,
		"LARDER_HOME")
	if s := d.status("uex-payments-dev-redis"); s.Status != "available" {
		t.Errorf("the first engine's group is %s", s.Status)
	}
}

// TestEngineWaitsForWhatADeadOneLeft holds the state file as a process does that a killed engine was starting.
func TestEngineWaitsForWhatADeadOneLeft(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	d.kill(d.pid())
	held, err := os.Open(filepath.Join(d.home, "larder.db"))
	if err != nil {
		t.Fatal(err)
	}
	d.eventually("the engine is gone",
		func() bool { return unix.Flock(int(held.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil })
	release := time.AfterFunc(time.Second, func() { held.Close() })
	defer release.Stop()
	d.must("up", seed+"development.tf")
}

func TestDownStopsTheNodesOfADeadEngineToo(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	d.kill(d.pid())
	if out := d.must("down", "--yes"); !strings.Contains(out, "stopped") || !strings.Contains(out, "data") {
		t.Errorf("down says %q", out)
	}
	if left := d.processes(); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
	// What was deployed comes back, empty, and up says so before anything else; another up makes nothing begin again.
	if out := d.must("up", seed+"production.tf"); !strings.HasPrefix(out,
		"warning: All data of uex-payments-prod-redis are lost: no node was left, and it began again without data at ") {
		t.Errorf("up after down: %s", out)
	}
	if out := d.must("up", seed+"production.tf"); strings.Contains(out, "restarted") {
		t.Errorf("another up: %s", out)
	}
	if s := d.status("uex-payments-prod-redis"); s.Status != "available" {
		t.Errorf("after down and up the group is %s", s.Status)
	}
}

func TestServeEndsOnInterruptAndLeavesTheNodes(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	process, err := os.FindProcess(d.pid())
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	d.eventually("the engine is gone", func() bool { return d.larder("status").code != 0 })
	d.eventually("the one node is what runs",
		func() bool { return len(d.processes()) == 1 }) // the API ends before the process does
	if left := d.processes(); !strings.Contains(left[0].Dir, "-redis-001") {
		t.Errorf("after an interrupt there is %v, want the one node", left)
	}
}
