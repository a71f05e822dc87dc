package loopback

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// numbers yields block numbers in that order, and then repeats the last one.
func numbers(ns ...int) func(int) int {
	return func(int) int {
		n := ns[0]
		if len(ns) > 1 {
			ns = ns[1:]
		}
		return n
	}
}

func mustClaim(t *testing.T, before netip.Prefix, random func(int) int) *Block {
	t.Helper()
	b, err := Claim(before, random)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestBlocks tests that blocks are disjoint, in the loopback range, and apart from the addresses that others use.
func TestBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.IntRange(0, blocks-1)
		i, j := any.Draw(t, "i"), any.Draw(t, "j")
		a, b := block(i), block(j)
		if a.Overlaps(b) != (i == j) || a != a.Masked() {
			t.Fatalf("%s and %s", a, b)
		}
		if a.Addr().Less(netip.AddrFrom4([4]byte{127, firstOctet})) || !a.Addr().IsLoopback() {
			t.Fatal(a)
		}
	})
	if last := block(blocks - 1); !last.Contains(netip.AddrFrom4([4]byte{127, 255, 255, 255})) {
		t.Errorf("the last block is %s", last)
	}
}

func TestClaimsNeverOverlap(t *testing.T) {
	first := mustClaim(t, netip.Prefix{}, rand.IntN)
	taken := number(first.Prefix)
	if block(taken) != first.Prefix {
		t.Fatalf("%s has the number %d", first, taken)
	}
	second := mustClaim(t, netip.Prefix{}, numbers(taken, taken, rand.IntN(blocks), rand.IntN(blocks)))
	if first.Overlaps(second.Prefix) {
		t.Errorf("%s and %s", first, second)
	}
	if b, err := Claim(netip.Prefix{}, numbers(taken)); err == nil || !strings.Contains(err.Error(), "in 64 attempts") {
		t.Errorf("%v, %v", b, err)
	}
	if b, err := Claim(first.Prefix, nil); err == nil || !strings.Contains(err.Error(), first.String()) ||
		!strings.Contains(err.Error(), "another larder") {
		t.Errorf("%v, %v", b, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if again := mustClaim(t, first.Prefix, nil); again.Prefix != first.Prefix {
		t.Errorf("%s, then %s", first, again)
	}
}

// TestABlockWithListenersIsLeftAlone tests that a block in which nodes run without their engine can be claimed only by
// the state directory that had it.
func TestABlockWithListenersIsLeftAlone(t *testing.T) {
	used := free(t)
	l := listen(t, netip.AddrPortFrom(block(used).Addr().Next(), 0))
	defer l.Close()
	if b := mustClaim(t, netip.Prefix{}, numbers(used, rand.IntN(blocks), rand.IntN(blocks))); b.Prefix == block(used) {
		t.Errorf("%s is claimed although a process listens in it", b)
	}
	if b := mustClaim(t, block(used), nil); b.Prefix != block(used) {
		t.Errorf("%s, want %s", b, block(used))
	}
}

// free returns the number of a block that no process uses, such as another test's engine.
func free(t *testing.T) int {
	t.Helper()
	b, err := Claim(netip.Prefix{}, rand.IntN)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return number(b.Prefix)
}

func number(p netip.Prefix) int {
	a := p.Addr().As4()
	return (int(a[1])-firstOctet)*16 + int(a[2])/16
}

func listen(t *testing.T, a netip.AddrPort) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", a.String())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const procNetTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000
   2: 0B01417F:18EB 0100417F:D431 01 00000000:00000000 02:00000A31 00000000     0        0 4713 2 0000000000000000
   3: 0B01417F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1 0000000000000000
`

func TestParseListeners(t *testing.T) {
	got, err := parseListeners(strings.NewReader(procNetTCP))
	want := []netip.AddrPort{
		netip.MustParseAddrPort("127.0.0.1:8080"), netip.MustParseAddrPort("0.0.0.0:22"),
		netip.MustParseAddrPort("127.65.1.11:6379"),
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, address := range []string{"0100007F", "0100007F:1F9", "01000:1F90", "0100007G:1F90", ":"} {
		if got, err := parseListeners(strings.NewReader("0: " + address + " 00000000:0000 0A\n")); err == nil {
			t.Errorf("%q is read as %v", address, got)
		}
	}
}

func TestParseListenersOfThisMachine(t *testing.T) {
	l := listen(t, netip.AddrPortFrom(block(free(t)).Addr().Next(), 0))
	want := netip.MustParseAddrPort(l.Addr().String())
	find := func() bool {
		f, err := os.Open("/proc/net/tcp")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		all, err := parseListeners(f)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Contains(all, want)
	}
	if !find() {
		t.Errorf("%s is not found", want)
	}
	l.Close()
	if find() {
		t.Errorf("%s is found although nobody listens there", want)
	}
}

func TestPortFree(t *testing.T) {
	here := netip.AddrPortFrom(block(free(t)).Addr().Next(), 0)
	l := listen(t, here)
	here = netip.MustParseAddrPort(l.Addr().String())
	beside := netip.AddrPortFrom(here.Addr().Next(), here.Port())
	check := func(a netip.AddrPort, want string) {
		t.Helper()
		if err := PortFree(a); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", a, err, want)
		}
	}
	check(here, "is in use on this machine")
	check(beside, "")
	l.Close()
	check(here, "")
	everywhere := listen(t, netip.AddrPortFrom(netip.IPv4Unspecified(), 0))
	defer everywhere.Close()
	check(netip.AddrPortFrom(here.Addr(), netip.MustParseAddrPort(everywhere.Addr().String()).Port()),
		"is in use on this machine")
	check(netip.MustParseAddrPort("192.0.2.1:6379"), "cannot listen on 192.0.2.1:6379")
}
