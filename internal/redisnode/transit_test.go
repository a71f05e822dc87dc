package redisnode_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"larder/internal/cache"
)

// TestPortsAreSwitched switches a server from plain connections to both, to TLS only, and back. It checks who can
// connect, which connections end, and that the replica stays linked.
func TestPortsAreSwitched(t *testing.T) {
	f := newField(t)
	certify := func(c *server) { // as the engine does
		certificate, key, err := f.ca.Issue(time.Now(), "n", nil, []netip.Addr{c.config.Address})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.process.Rewrite([][]byte{certificate, key, f.ca.CertificatePEM()}); err != nil {
			t.Fatal(err)
		}
		if err := c.ReloadCertificate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a, b := f.serving(nil), f.serving(nil)
	if s := a.state(); s.Certified || s.Plain != port || s.TLS != 0 {
		t.Errorf("before: %+v", s)
	}
	b.copyOf(a)
	certify(a)
	certify(b)
	both := cache.Ports{Group: port, Plain: port + 1, TLS: port + 2}
	old := a.client(a.config.Address, "", token)
	if err := old.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	own := []netip.Addr{a.config.Address}
	if err := a.Serve(t.Context(), own, both); err != nil {
		t.Fatal(err)
	}
	s := a.state()
	if !s.Certified || s.Plain != both.Plain || s.TLS != both.TLS || !slices.Equal(s.Serves, own) {
		t.Errorf("with both: %+v", s)
	}
	if err := old.Ping(t.Context()).Err(); err != nil {
		t.Errorf("a connection from before: %v", err)
	}
	copies := a.fullCopies()
	if err := b.Follow(t.Context(), netip.AddrPortFrom(a.config.Address, uint16(both.TLS)), true); err != nil {
		t.Fatal(err)
	}
	if err := b.AwaitLink(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := a.fullCopies(); now != copies {
		t.Errorf("%s copies, and %s before", now, copies)
	}
	if err := a.Serve(t.Context(), own, cache.Ports{Group: port, TLS: port}); err != nil {
		t.Fatal(err)
	}
	if err := old.Ping(t.Context()).Err(); err == nil {
		t.Error("a connection without TLS goes on where there is only TLS")
	}
	if s := b.state(); !s.LinkUp {
		t.Error("the replica lost its link when its primary's clients were cut off")
	}
	if s := a.state(); s.Plain != 0 || s.TLS != port {
		t.Errorf("with TLS: %+v", s)
	}
	if err := a.Serve(t.Context(), own, plain); err != nil {
		t.Fatal(err)
	}
	if err := a.client(a.config.Address, "", token).Ping(t.Context()).Err(); err != nil {
		t.Errorf("without TLS again: %v", err)
	}
}
