package relay_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/internal/relay"
)

// start runs a relay as its process does, and returns a client of its control socket, and a function that ends it.
func start(t *testing.T, address netip.AddrPort) (relay.Client, func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "relay") // a socket's path may have 107 characters at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	stdin, err := json.Marshal(relay.Config{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- relay.Serve(ctx, strings.NewReader(string(stdin)), socket, quiet) }()
	var ended bool
	stop := func() {
		cancel()
		if ended {
			return
		}
		ended = true
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	var d net.Dialer
	c := relay.Client{Dial: func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "unix", socket) }}
	for deadline := time.Now().Add(patience); ; { // the socket opens in a moment
		conn, err := c.Dial(t.Context())
		if err == nil {
			conn.Close() // as one who only looks whether it is there does
			return c, stop
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestControl(t *testing.T) {
	f, r := newField(t)
	c, stop := start(t, r.Address)
	ctx := t.Context()
	check := func(want ...netip.Addr) {
		t.Helper()
		if got, err := c.Status(ctx); err != nil || !slices.Equal(got.Backends, want) {
			t.Errorf("the backends are %v, %v; want %v", got.Backends, err, want)
		}
	}
	check()
	a, b := f.backend(untilEnd), f.backend(untilEnd)
	for _, addrs := range [][]netip.Addr{{b, a}, {a}, {}, {b}, nil} {
		if err := c.SetBackends(ctx, addrs); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(addrs, netip.Addr.Compare)
		check(addrs...)
	}
	if err := c.SetBackends(ctx, []netip.Addr{a}); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, r)
	stop()
	if !conn.ended() {
		t.Error("a connection outlives the relay")
	}
	if _, err := c.Status(ctx); err == nil || !strings.Contains(err.Error(), "cannot reach") {
		t.Errorf("a relay that is gone: %v", err)
	}
}

func TestControlTellsOfErrors(t *testing.T) {
	f, r := newField(t)
	l, err := net.Listen("tcp", r.Address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, _ := start(t, r.Address)
	if err := c.SetBackends(t.Context(), []netip.Addr{f.addr()}); err == nil ||
		!strings.Contains(err.Error(), "cannot open the reader endpoint") {
		t.Error(err)
	}
}

func TestControlOutlivesNonsense(t *testing.T) {
	_, r := newField(t)
	c, _ := start(t, r.Address)
	for _, nonsense := range []string{"GET / HTTP/1.1\r\n\r\n", `{"Set":["nowhere"]}`, `{"Set":`} {
		conn, err := c.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, nonsense)
		conn.(*net.UnixConn).CloseWrite()
		if answer, err := io.ReadAll(conn); len(answer) > 0 || isTimeout(err) {
			t.Errorf("%q is answered %q, %v", nonsense, answer, err)
		}
		conn.Close()
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestServeRefusesWhatItCannotUse(t *testing.T) {
	ctx := t.Context()
	if err := relay.Serve(ctx, strings.NewReader("{"), filepath.Join(t.TempDir(), "s"), quiet); err == nil ||
		!strings.Contains(err.Error(), "configuration") {
		t.Error(err)
	}
	missing := filepath.Join(t.TempDir(), "missing", "s")
	if err := relay.Serve(ctx, strings.NewReader(`{"Address":"127.0.0.1:1"}`), missing, quiet); err == nil ||
		!strings.Contains(err.Error(), "control socket") {
		t.Error(err)
	}
}

// TestAnIdleControlConnectionDoesNotHoldUpTheEnd: whoever connects and asks nothing is not waited for, which would take
// two seconds. The best of a few counts: the machine may be busy.
func TestAnIdleControlConnectionDoesNotHoldUpTheEnd(t *testing.T) {
	f, _ := newField(t)
	best := time.Hour
	for range 5 {
		client, stop := start(t, netip.AddrPortFrom(f.addr(), 6379))
		conn, err := client.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := client.Status(t.Context()); err != nil { // accepted after the idle one
			t.Fatal(err)
		}
		begin := time.Now()
		stop()
		if best = min(best, time.Since(begin)); best < time.Second {
			return
		}
	}
	t.Errorf("it ended after %s", best)
}
