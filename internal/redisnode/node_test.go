package redisnode_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"larder/internal/redisnode"
)

func TestServe(t *testing.T) {
	f := newField(t)
	for name, change := range map[string]func(*redisnode.Config){"plain": nil, "TLS": withTLS} {
		t.Run(name, func(t *testing.T) {
			s := f.start(change)
			own, endpoint := s.config.Address, f.addr()
			s.serve(own, endpoint)
			if got := s.state().Serves; !slices.Equal(got, []netip.Addr{own, endpoint}) {
				t.Errorf("it serves %v", got)
			}
			kept, cut := s.client(own, "", token), s.client(endpoint, "", token)
			before := connectionID(t, kept)
			connectionID(t, cut)
			s.serve(own)
			if connectionID(t, kept) != before {
				t.Error("a connection to the address that is kept was broken")
			}
			if err := cut.Ping(t.Context()).Err(); err == nil {
				t.Error("a connection to the address that was given up goes on")
			}
			if open(netip.AddrPortFrom(endpoint, port)) {
				t.Error("the address that was given up is open")
			}
			s.serve(own) // for the second time
			if got := s.state().Serves; !slices.Equal(got, []netip.Addr{own}) {
				t.Errorf("it serves %v", got)
			}
		})
	}
}

func TestServeWhereAnotherListens(t *testing.T) {
	f := newField(t)
	s := f.serving(nil)
	taken := f.addr()
	l, err := net.Listen("tcp", netip.AddrPortFrom(taken, port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client := s.client(s.config.Address, "", token)
	before := connectionID(t, client)
	if err := s.Serve(t.Context(), []netip.Addr{s.config.Address, taken}, plain); err == nil ||
		!strings.Contains(err.Error(), "Failed to bind") {
		t.Errorf("the error is %v", err)
	}
	if got := s.state().Serves; !slices.Equal(got, []netip.Addr{s.config.Address}) {
		t.Errorf("it serves %v", got)
	}
	if connectionID(t, client) != before || !open(s.at()) {
		t.Error("it stopped serving where it did")
	}
	fresh := f.start(nil)
	if err := fresh.Serve(t.Context(), []netip.Addr{taken}, plain); err == nil {
		t.Error("no error")
	}
	if got := fresh.state().Serves; len(got) > 0 {
		t.Errorf("one that served nobody serves %v", got)
	}
}

// TestAHungServerKeepsItsAddress: the kernel does not give an address to two processes, so a server that does not
// respond cannot share its address with another.
func TestAHungServerKeepsItsAddress(t *testing.T) {
	f := newField(t)
	hung, candidate := f.start(nil), f.serving(nil)
	endpoint := f.addr()
	hung.serve(hung.config.Address, endpoint)
	if err := syscall.Kill(hung.process.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := candidate.Serve(t.Context(), []netip.Addr{candidate.config.Address, endpoint}, plain); err == nil {
		t.Error("two servers have one address")
	}
	if err := hung.process.Stop(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	candidate.serve(candidate.config.Address, endpoint)
}

// TestADeadNodeIsToldAtOnce: a command to a dead node fails at once, so that it does not delay the work for others.
func TestADeadNodeIsToldAtOnce(t *testing.T) {
	s := newField(t).start(nil)
	if err := s.process.Stop(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	var tries atomic.Int64
	dead := redisnode.Connect(func(ctx context.Context) (net.Conn, error) {
		tries.Add(1)
		return s.process.Dial(ctx)
	}, adminPassword)
	defer dead.Close()
	if st, err := dead.State(t.Context()); err == nil {
		t.Errorf("it answers %+v", st)
	}
	if n := tries.Load(); n > 2 { // go-redis would try ten times, with pauses
		t.Errorf("it was tried %d times", n)
	}
}

func TestAnotherPasswordIsNoWayIn(t *testing.T) {
	s := newField(t).start(nil)
	stranger := redisnode.Connect(s.process.Dial, "guessed")
	defer stranger.Close()
	if _, err := stranger.State(t.Context()); err == nil || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Error(err)
	}
}

func TestConfigure(t *testing.T) {
	s := newField(t).start(nil)
	live := directives(t, "cache.t3.micro", map[string]string{"timeout": "300", "maxmemory-policy": "noeviction"}).Live
	for _, want := range [][]string{{"maxmemory-policy", "timeout"}, nil} {
		changed, err := s.Configure(t.Context(), live)
		if diff := cmp.Diff(want, changed); diff != "" || err != nil {
			t.Errorf("(-want +got):\n%s%v", diff, err)
		}
	}
	broken := map[string]string{"timeout": "20", "maxmemory-policy": "nonsense", "tcp-keepalive": "60"}
	if changed, err := s.Configure(t.Context(), broken); err == nil || len(changed) > 0 {
		t.Errorf("nonsense changes %v, %v", changed, err)
	}
	if timeout, keepalive := s.get("timeout"), s.get("tcp-keepalive"); timeout != "300" || keepalive != "300" {
		t.Errorf("a refused change leaves a timeout of %s and a keepalive of %s", timeout, keepalive)
	}
}

// TestSetMaxClients: the limit becomes what was requested, or what the limit on open files permits, as at a start.
func TestSetMaxClients(t *testing.T) {
	f := newField(t)
	s := f.start(nil)
	for _, clients := range []int{100, 1 << 20, 20000} {
		if err := s.SetMaxClients(t.Context(), clients); err != nil {
			t.Fatal(err)
		}
		started := f.start(func(c *redisnode.Config) { c.Directives["maxclients"] = strconv.Itoa(clients) })
		if got, want := s.get("maxclients"), started.get("maxclients"); got != want {
			t.Errorf("%d clients: %s as it runs, %s when it starts", clients, got, want)
		}
	}
}

// connectionID identifies a connection.
func connectionID(t *testing.T, c *redis.Client) int64 {
	t.Helper()
	id, err := c.Do(t.Context(), "CLIENT", "ID").Int64()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
