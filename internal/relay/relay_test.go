package relay_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/internal/loopback"
	"larder/internal/relay"
	"larder/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Leakless(m) }

var quiet = slog.New(slog.DiscardHandler)

// patience bounds every wait for something that comes at once.
const patience = 20 * time.Second

// field is a block of addresses with a port that is free on all of them: the relay listens on the first.
type field struct {
	t    *testing.T
	next netip.Addr
	port uint16
}

func newField(t *testing.T) (*field, *relay.Relay) {
	t.Helper()
	block, err := loopback.Claim(netip.Prefix{}, rand.IntN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { block.Close() })
	f := &field{t: t, next: block.Addr().Next()}
	l, err := net.Listen("tcp", netip.AddrPortFrom(f.next, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(l.Addr().String())
	f.port = at.Port()
	l.Close()
	r := &relay.Relay{Address: at, Logger: quiet}
	t.Cleanup(r.Close)
	return f, r
}

func (f *field) addr() netip.Addr {
	f.next = f.next.Next()
	return f.next
}

// backend accepts connections, greets each with its address, and hands it to serve.
func (f *field) backend(serve func(*net.TCPConn)) netip.Addr {
	f.t.Helper()
	a := f.addr()
	l, err := net.Listen("tcp", netip.AddrPortFrom(a, f.port).String())
	if err != nil {
		f.t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(patience))
				fmt.Fprintln(c, a)
				serve(c.(*net.TCPConn))
			})
		}
	})
	f.t.Cleanup(func() {
		l.Close()
		work.Wait()
	})
	return a
}

// untilEnd serves a connection until its client ends it.
func untilEnd(c *net.TCPConn) { io.Copy(io.Discard, c) }

// client is a connection through the relay, with the backend that it led to.
type client struct {
	*net.TCPConn
	in      *bufio.Reader
	backend netip.Addr
}

func connect(t *testing.T, r *relay.Relay) *client {
	t.Helper()
	c, err := net.Dial("tcp", r.Address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(c)
	line, err := in.ReadString('\n')
	if err != nil {
		t.Fatalf("no backend answers: %v", err)
	}
	return &client{c.(*net.TCPConn), in, netip.MustParseAddr(strings.TrimSpace(line))}
}

func connectN(t *testing.T, r *relay.Relay, n int) (clients []*client) {
	t.Helper()
	for range n {
		clients = append(clients, connect(t, r))
	}
	return clients
}

func count(clients []*client) map[netip.Addr]int {
	n := map[netip.Addr]int{}
	for _, c := range clients {
		n[c.backend]++
	}
	return n
}

// ended tells whether the other side ended the connection.
func (c *client) ended() bool {
	_, err := c.in.ReadByte()
	return err != nil && !isTimeout(err)
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

func set(t *testing.T, r *relay.Relay, addrs ...netip.Addr) {
	t.Helper()
	if err := r.SetBackends(addrs); err != nil {
		t.Fatal(err)
	}
}

func TestConnectionsAreSpreadEvenly(t *testing.T) {
	f, r := newField(t)
	a, b, c := f.backend(untilEnd), f.backend(untilEnd), f.backend(untilEnd)
	set(t, r, c, a, b)
	if got := r.Backends(); !slices.Equal(got, []netip.Addr{a, b, c}) {
		t.Errorf("the backends are %v", got)
	}
	n := count(connectN(t, r, 30))
	if n[a] != 10 || n[b] != 10 || n[c] != 10 {
		t.Errorf("%v", n)
	}
}

func TestTheLeastLoadedBackendIsNext(t *testing.T) {
	f, r := newField(t)
	a, b := f.backend(untilEnd), f.backend(untilEnd)
	set(t, r, a)
	connectN(t, r, 3)
	set(t, r, a, b)
	if n := count(connectN(t, r, 3)); n[b] != 3 {
		t.Errorf("a new backend gets %d of the connections that balance, want 3", n[b])
	}
	if n := count(connectN(t, r, 4)); n[a] != 2 || n[b] != 2 {
		t.Errorf("balanced, they get %v", n)
	}
}

func TestAConnectionThatEndsMakesRoom(t *testing.T) {
	f, r := newField(t)
	ended := make(chan struct{}, 3)
	a, b := f.backend(func(c *net.TCPConn) {
		io.Copy(io.Discard, c)
		c.Close()
		ended <- struct{}{}
	}), f.backend(untilEnd)
	set(t, r, a, b)
	for _, c := range connectN(t, r, 6) {
		if c.backend == a {
			c.Close()
			<-ended
		}
	}
	// The relay counts an end when both sides are closed, which may be a moment after the backend sees it.
	deadline := time.Now().Add(patience)
	for n := 0; n < 3; {
		if c := connect(t, r); c.backend == a {
			n++
		} else {
			c.Close()
		}
		if time.Now().After(deadline) {
			t.Fatal("the backend whose connections ended gets no new ones")
		}
	}
}

func TestADeadBackendIsSkipped(t *testing.T) {
	f, r := newField(t)
	dead, alive := f.addr(), f.backend(untilEnd)
	set(t, r, dead, alive)
	if n := count(connectN(t, r, 5)); n[alive] != 5 {
		t.Errorf("%v", n)
	}
}

// refused tells whether the relay has nobody to hand a connection to.
func refused(t *testing.T, r *relay.Relay) bool {
	t.Helper()
	c, err := net.Dial("tcp", r.Address.String())
	if err != nil {
		return true
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	_, err = c.Read(make([]byte, 1))
	return err != nil && !isTimeout(err)
}

func TestWithoutBackendsConnectionsEndAtOnce(t *testing.T) {
	f, r := newField(t)
	if _, err := net.Dial("tcp", r.Address.String()); err == nil {
		t.Error("the endpoint is open before there are backends")
	}
	set(t, r)
	set(t, r, f.addr())
	if !refused(t, r) {
		t.Error("every backend is dead, and a connection stays open")
	}
	set(t, r)
	if !refused(t, r) {
		t.Error("there is no backend, and a connection stays open")
	}
	alive := f.backend(untilEnd)
	set(t, r, alive)
	if c := connect(t, r); c.backend != alive {
		t.Errorf("it leads to %s", c.backend)
	}
}

func TestABackendThatLeavesLosesItsConnections(t *testing.T) {
	f, r := newField(t)
	a, b := f.backend(untilEnd), f.backend(echo)
	set(t, r, a, b)
	clients := connectN(t, r, 4)
	set(t, r, b)
	for _, c := range clients {
		switch {
		case c.backend == a && !c.ended():
			t.Error("a connection to the backend that left goes on")
		case c.backend == b && c.ask("still there?") != "still there?":
			t.Error("a connection to the backend that stayed is broken")
		}
	}
	if n := count(connectN(t, r, 3)); n[b] != 3 {
		t.Errorf("afterwards: %v", n)
	}
}

func echo(c *net.TCPConn) { io.Copy(c, c) }

func (c *client) ask(line string) string {
	fmt.Fprintln(c, line)
	answer, _ := c.in.ReadString('\n')
	return strings.TrimSuffix(answer, "\n")
}

// TestBytesPassUnchanged: more than any buffer holds, both ways at once.
func TestBytesPassUnchanged(t *testing.T) {
	f, r := newField(t)
	set(t, r, f.backend(echo))
	c := connect(t, r)
	sent := make([]byte, 8<<20)
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	var work sync.WaitGroup
	work.Go(func() {
		c.Write(sent)
		c.CloseWrite()
	})
	got, err := io.ReadAll(c.in)
	work.Wait()
	if err != nil || !slices.Equal(got, sent) {
		t.Errorf("%d bytes of %d came back, %v", len(got), len(sent), err)
	}
}

func TestHalfOfAConnectionMayEnd(t *testing.T) {
	f, r := newField(t)
	asked := make(chan string, 1)
	a := f.backend(func(c *net.TCPConn) { // answers only when the client has said all
		all, _ := io.ReadAll(c)
		fmt.Fprintf(c, "%d bytes\n", len(all))
	})
	b := f.backend(func(c *net.TCPConn) { // says all, and goes on listening
		c.CloseWrite()
		all, _ := io.ReadAll(c)
		asked <- string(all)
	})
	set(t, r, a, b)
	for _, c := range connectN(t, r, 2) {
		if c.backend == a {
			fmt.Fprint(c, "12345")
			c.CloseWrite()
			if answer, err := io.ReadAll(c.in); string(answer) != "5 bytes\n" || err != nil {
				t.Errorf("after the client's end: %q, %v", answer, err)
			}
			continue
		}
		if !c.ended() {
			t.Error("the backend's end is not passed on")
		}
		fmt.Fprint(c, "late")
		c.Close()
		if got := <-asked; got != "late" {
			t.Errorf("after the backend's end it gets %q", got)
		}
	}
}

func TestABackendThatDiesEndsItsConnections(t *testing.T) {
	f, r := newField(t)
	die := make(chan struct{})
	set(t, r, f.backend(func(c *net.TCPConn) {
		<-die
		c.SetLinger(0) // as a killed process does: a reset
	}))
	c := connect(t, r)
	close(die)
	if !c.ended() {
		t.Error("the connection goes on")
	}
}

func TestCloseEndsEverything(t *testing.T) {
	f, r := newField(t)
	set(t, r, f.backend(untilEnd))
	c := connect(t, r)
	r.Close()
	if !c.ended() {
		t.Error("a connection goes on")
	}
	if _, err := net.Dial("tcp", r.Address.String()); err == nil {
		t.Error("the endpoint is open")
	}
	if got := r.Backends(); len(got) > 0 {
		t.Errorf("the backends are %v", got)
	}
}

func TestAnAddressThatIsTaken(t *testing.T) {
	f, r := newField(t)
	l, err := net.Listen("tcp", r.Address.String())
	if err != nil {
		t.Fatal(err)
	}
	a := f.backend(untilEnd)
	if err := r.SetBackends([]netip.Addr{a}); err == nil ||
		!strings.Contains(err.Error(), "cannot open the reader endpoint") {
		t.Error(err)
	}
	if got := r.Backends(); len(got) > 0 {
		t.Errorf("the backends are %v although the endpoint is not open", got)
	}
	l.Close()
	set(t, r, a)
	connect(t, r)
}
