package relay_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"larder/internal/relay"
)

// node answers each connection at an address and port with a name and the first line of what it was sent.
func (f *field) node(a netip.Addr, name string) (port uint16) {
	f.t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(a, 0).String())
	if err != nil {
		f.t.Fatal(err)
	}
	done := make(chan struct{})
	f.t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(patience))
			line, _ := bufio.NewReader(c).ReadString('\n')
			io.WriteString(c, name+" "+line)
			c.Close()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String()).Port()
}

// ask sends a line to an address, and returns the answer; "" where nobody listens.
func (f *field) ask(a netip.Addr, line string) string {
	c, err := net.Dial("tcp", netip.AddrPortFrom(a, f.port).String())
	if err != nil {
		return ""
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	io.WriteString(c, line)
	answer, _ := io.ReadAll(c)
	return string(answer)
}

// TestFrontsTellTLSFromPlain: what a client begins with decides which port of the node it gets, and nothing is lost of
// it.
func TestFrontsTellTLSFromPlain(t *testing.T) {
	f, r := newField(t)
	a := f.addr()
	r.Plain, r.TLS = f.node(a, "plain"), f.node(a, "secure")
	if err := r.SetFronts([]netip.Addr{a}); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 4000) + "\n"
	for sent, want := range map[string]string{
		"PING\r\n": "plain PING\r\n", "*1\r\n": "plain *1\r\n", "\n": "plain \n",
		"\x16\x03\x01hello\n": "secure \x16\x03\x01hello\n", long: "plain " + long,
	} {
		if got := f.ask(a, sent); got != want {
			t.Errorf("%.20q is answered %.40q", sent, got)
		}
	}
}

func TestFrontsAreReplaced(t *testing.T) {
	f, r := newField(t)
	a, b := f.addr(), f.addr()
	r.Plain = f.node(a, "plain")
	if err := r.SetFronts([]netip.Addr{a}); err != nil {
		t.Fatal(err)
	}
	idle, err := net.Dial("tcp", netip.AddrPortFrom(a, f.port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	f.ask(a, "\n") // the idle one was accepted before
	if err := r.SetFronts([]netip.Addr{b}); err != nil {
		t.Fatal(err)
	}
	idle.SetDeadline(time.Now().Add(patience))
	if _, err := idle.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("a connection at an address that left: %v", err)
	}
	if got := f.ask(a, "\n"); got != "" || len(r.Fronts()) != 1 || r.Fronts()[0] != b {
		t.Errorf("an address that left answers %q; the fronts are %v", got, r.Fronts())
	}
}

// TestAFrontThatIsTaken: the others are opened all the same.
func TestAFrontThatIsTaken(t *testing.T) {
	f, r := newField(t)
	a, b := f.addr(), f.addr()
	l, err := net.Listen("tcp", netip.AddrPortFrom(a, f.port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, _ := start(t, r.Address)
	err = c.SetFronts(t.Context(), []netip.Addr{a, b})
	if err == nil || !strings.Contains(err.Error(), "plain connections at "+a.String()) {
		t.Errorf("an address where another listens: %v", err)
	}
	s, err := c.Status(t.Context())
	if err != nil || len(s.Fronts) != 1 || s.Fronts[0] != b || s.Spreads {
		t.Errorf("the relay does %+v, %v", s, err)
	}
	if err := c.SetFronts(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// TestARelayWithoutFronts is one of an earlier larder, which takes no notice of what it is asked.
func TestARelayWithoutFronts(t *testing.T) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		bufio.NewReader(server).ReadString('\n')
		io.WriteString(server, `{"Backends":["127.0.0.2"],"Error":""}`)
	}()
	c := relay.Client{Dial: func(context.Context) (net.Conn, error) { return client, nil }}
	if err := c.SetFronts(t.Context(), []netip.Addr{netip.MustParseAddr("127.0.0.1")}); err != relay.ErrNoFronts {
		t.Errorf("an earlier relay: %v", err)
	}
}
