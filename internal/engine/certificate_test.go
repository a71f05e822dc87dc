package engine_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/pki"
)

// shows is the certificate that clients are shown at an address; it may be one that they do not take.
func (w *fixture) shows(addr netip.Addr) *x509.Certificate {
	w.t.Helper()
	d := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	c, err := d.DialContext(w.t.Context(), "tcp", netip.AddrPortFrom(addr, 6379).String())
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState().PeerCertificates[0]
}

// vouched tells whether clients take what they are shown at each address of a group, at a time of the engine's clock.
func (w *fixture) vouched(rg cache.Shard, at time.Time) bool {
	w.t.Helper()
	for _, addr := range rg.Addresses() {
		o := x509.VerifyOptions{DNSName: addr.String(), Roots: w.config.Authority.Pool(), CurrentTime: at}
		if _, err := w.shows(addr).Verify(o); err != nil {
			w.t.Logf("%s: %v", addr, err)
			return false
		}
	}
	return true
}

// TestCertificatesAreReplacedInTime: before they end, also those that an earlier engine issued, and when the clock was
// wrong when they were issued. Nothing is restarted, and the group stays available.
func TestCertificatesAreReplacedInTime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	w := newFixture(t)
	w.stop()
	var ahead atomic.Int64
	w.config.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	w.start()
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	before := w.processes()
	for _, c := range []struct {
		ahead   time.Duration
		restart bool
	}{{800 * day, false}, {3000 * day, true}, {0, false}, {1000 * day, false}, {0, true}} {
		if c.restart {
			w.stop()
		}
		ahead.Store(int64(c.ahead))
		if c.restart {
			w.start()
		}
		w.eventually("clients take the certificates", func() bool { return w.vouched(rg, w.config.Now()) })
	}
	if after := w.processes(); after["g-001"] != before["g-001"] || after["g-002"] != before["g-002"] {
		t.Errorf("the nodes were %v, and are %v", before, after)
	}
	w.awaitAvailable("g")
	w.reaches(rg, "in the end", token)
}

// TestAnotherAuthority: nodes that another local CA vouched for get certificates of the one that there is, and replicas
// that come later take them.
func TestAnotherAuthority(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	w.stop()
	w.config.Authority = must(pki.NewAuthority(time.Now()))(t)
	w.start()
	w.eventually("clients take the certificates", func() bool { return w.vouched(rg, time.Now()) })
	w.signal("g-002", syscall.SIGKILL)
	w.await("g", "recovering", func(rg cache.Shard, err error) bool {
		return err == nil && rg.Group.Status == cache.Modifying
	})
	w.awaitAvailable("g")
	w.reaches(rg, "in the end", token)
}
