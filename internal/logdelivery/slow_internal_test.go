package logdelivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"

	"larder/internal/cache"
	"larder/internal/cachelog"
	"larder/internal/catalog"
	"larder/internal/loopback"
	"larder/internal/node"
	"larder/internal/node/process"
	"larder/internal/redisnode"
)

// server is a redis-server that has every command in its slow log, of 200 entries.
type server struct {
	testing.TB
	runtime *process.Runtime
	spec    node.Spec
	addr    netip.AddrPort
	redis   *redisnode.Node
	running Node
	client  *redis.Client
}

func newServer(t testing.TB) *server {
	versions, found, err := redisnode.Discover(t.Context(), os.Getenv("PATH"))
	if err != nil || len(versions) == 0 {
		t.Fatalf("redis-server %s or later is needed in PATH; found %v, %v", catalog.OldestServed, found, err)
	}
	block, err := loopback.Claim(netip.Prefix{}, rand.IntN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { block.Close() })
	addr := netip.AddrPortFrom(block.Addr().Next(), 6379)
	config := redisnode.Config{
		Address: addr.Addr(), Port: 6379, AdminPassword: "admin", ReplicationPassword: "replication",
		Directives: map[string]string{"slowlog-log-slower-than": "0", "slowlog-max-len": "200"},
	}
	s := &server{
		TB: t, runtime: &process.Runtime{Dir: t.TempDir()}, addr: addr,
		spec: node.Spec{ID: "n-001", Path: versions[len(versions)-1].Path, Args: []string{"-"}, Stdin: config.Render()},
	}
	t.Cleanup(func() { s.runtime.Close() })
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *server) start() {
	s.Helper()
	p, err := s.runtime.Start(s.Context(), s.spec)
	if err != nil {
		s.Fatal(err)
	}
	s.redis = redisnode.Connect(p.Dial, "admin")
	s.running = Node{ID: "n-001", Process: p, Redis: s.redis}
	if err := s.redis.Serve(s.Context(), []netip.Addr{s.addr.Addr()},
		cache.Ports{Plain: int(s.addr.Port())}); err != nil {
		s.Fatal(err)
	}
	// A command that it gave up would be sent again.
	s.client = redis.NewClient(&redis.Options{Addr: s.addr.String(), Protocol: 2, PoolSize: 1, DisableIdentity: true,
		ReadTimeout: time.Minute})
}

func (s *server) stop() {
	s.client.Close()
	s.redis.Close()
	if err := s.running.Process.Stop(context.WithoutCancel(s.Context()), 0); err != nil {
		s.Error(err)
	}
}

// Commands are in the log group once, by the names that their client took for them: over restarts of the node, whose
// ids begin anew, restarts of the shipper, and failures of the log group.
func TestSlowCommandsAreDeliveredOnce(t *testing.T) {
	s, group := newServer(t), newMemory()
	to := cache.LogDelivery{LogType: cachelog.SlowLog, Name: "group", Format: "json",
		Since: time.Now().Add(-time.Second)}
	fresh := func() *slowTrack { return &slowTrack{sink: sink{group, "stream", "n-001"}, last: -1} }
	track, sent := fresh(), 0
	ship := func() error {
		for {
			err := track.ship(t.Context(), to, &s.running)
			if group.fails || err == nil {
				return err
			}
			if t.Context().Err() != nil {
				t.Fatal(err)
			}
		}
	}
	for round := range 12 {
		for range 1 + round*10%60 {
			if err := s.client.Do(t.Context(), "CLIENT", "SETNAME", fmt.Sprintf("c%d", sent)).Err(); err != nil {
				t.Fatal(err)
			}
			if err := s.client.Do(t.Context(), "ECHO", "secret").Err(); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		switch round % 4 {
		case 0:
			group.fails = true
			if err := ship(); err == nil {
				t.Error("a failure of the log group goes unsaid")
			}
			group.fails = false
		case 1:
			track = fresh()
		case 2:
			ship()
			s.stop()
			s.start()
			continue
		}
		ship()
	}
	seen := map[string]int{}
	for _, e := range group.events {
		if strings.Contains(e.Message, "secret") {
			t.Fatalf("an argument is delivered: %s", e.Message)
		}
		if _, name, ok := strings.Cut(e.Message, `"Command":"ECHO ... (1 more arguments)"`); ok {
			seen[name]++
		}
		if strings.Contains(e.Message, "SLOWLOG") {
			t.Errorf("the shipper's own command is delivered: %s", e.Message)
		}
	}
	if len(seen) != sent {
		t.Errorf("%d of %d commands are delivered", len(seen), sent)
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s is delivered %d times", name, n)
		}
	}
	if len(group.marks) != 1 {
		t.Errorf("runs that are over are not forgotten: %v", group.marks)
	}
}

// BenchmarkIdleNode is what a look at a node without news costs, of either log.
func BenchmarkIdleNode(b *testing.B) {
	s, group := newServer(b), newMemory()
	if _, err := s.redis.Configure(b.Context(),
		map[string]string{"slowlog-log-slower-than": "10000"}); err != nil {
		b.Fatal(err)
	}
	slow := &slowTrack{sink: sink{group, "slow", "n-001"}, last: -1}
	lines := &engineTrack{sink: sink{group, "engine", "n-001"}, logs: s.runtime}
	var before, after unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, t := range []track{slow, lines} {
			if err := t.ship(b.Context(), cache.LogDelivery{Name: "group"}, &s.running); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := unix.Getrusage(unix.RUSAGE_SELF, &after); err != nil {
		b.Fatal(err)
	}
	used := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}
