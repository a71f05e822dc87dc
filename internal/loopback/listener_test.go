package loopback_test

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"larder/internal/loopback"
)

func TestListenerIsNamed(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Log(err) // this machine has no IPv6
			continue
		}
		port := uint16(l.Addr().(*net.TCPAddr).Port)
		at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
		p, found := loopback.Listener(at)
		if !found || p.PID != os.Getpid() || p.Program == "" || p.User == "" {
			t.Errorf("%s: %v, %t", address, p, found)
		}
		if err := loopback.PortFree(at); err == nil || !strings.Contains(err.Error(), p.String()) {
			t.Errorf("%s: %v does not name %s", address, err, p)
		}
		l.Close()
		if p, found := loopback.Listener(at); found {
			t.Errorf("%s is closed, and %v listens", address, p)
		}
	}
}

func TestAClaimNamesWhoHasTheAddresses(t *testing.T) {
	t.Parallel()
	block, err := loopback.Claim(netip.Prefix{}, func(n int) int { return n / 3 })
	if err != nil {
		t.Fatal(err)
	}
	defer block.Close()
	_, err = loopback.Claim(block.Prefix, nil)
	if want := (loopback.Process{PID: os.Getpid()}).String(); err == nil ||
		!strings.Contains(err.Error(), strings.TrimSuffix(want, " ()")) {
		t.Errorf("%v", err)
	}
}
