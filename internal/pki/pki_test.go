package pki_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"larder/internal/pki"
)

var (
	now   = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	names = []string{"master.g.abcdef.use1.cache.amazonaws.com", "g-001.g.abcdef.use1.cache.amazonaws.com"}
	addrs = []netip.Addr{netip.MustParseAddr("127.64.0.1"), netip.MustParseAddr("::1")}
)

func newAuthority(t *testing.T) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *pki.Authority) tls.Certificate {
	t.Helper()
	certificate, key, err := a.Issue(now, "g-001", names, addrs)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// handshake connects a client to a server with that certificate, and returns what the client says.
func handshake(t *testing.T, pair tls.Certificate, client *tls.Config) error {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	server := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert})
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer b.Close()
		server.Handshake() // the client's view is what counts
	}()
	err := tls.Client(a, client).Handshake()
	a.Close()
	<-done
	return err
}

func TestClientsVerifyNodes(t *testing.T) {
	a := newAuthority(t)
	pair := issue(t, a)
	at := func(d time.Duration) func() time.Time { return func() time.Time { return now.Add(d) } }
	const day = 24 * time.Hour
	for _, c := range []struct {
		name string
		pool *x509.CertPool
		time func() time.Time
		ok   bool
	}{
		{names[0], a.Pool(), at(0), true},
		{names[1], a.Pool(), at(0), true},
		{"127.64.0.1", a.Pool(), at(0), true},
		{"::1", a.Pool(), at(0), true},
		{"127.64.0.2", a.Pool(), at(0), false},
		{"replica.g.abcdef.use1.cache.amazonaws.com", a.Pool(), at(0), false},
		{"g-001", a.Pool(), at(0), false}, // the common name does not count
		{"127.64.0.1", newAuthority(t).Pool(), at(0), false},
		{"127.64.0.1", a.Pool(), at(-23 * time.Hour), true}, // a client whose clock is behind
		{"127.64.0.1", a.Pool(), at(-25 * time.Hour), false},
		{"127.64.0.1", a.Pool(), at(819 * day), true},
		{"127.64.0.1", a.Pool(), at(821 * day), false},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			err := handshake(t, pair, &tls.Config{ServerName: c.name, RootCAs: c.pool, Time: c.time,
				MaxVersion: version})
			if (err == nil) != c.ok {
				t.Errorf("%s at %s: %v", c.name, c.time(), err)
			}
		}
	}
}

// TestNodesVerifyEachOther: a node is a client of its primary, and may show its certificate as such.
func TestNodesVerifyEachOther(t *testing.T) {
	a := newAuthority(t)
	leaf, err := x509.ParseCertificate(issue(t, a).Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		t.Error(err)
	}
	if leaf.Subject.CommonName != "g-001" || leaf.IsCA || leaf.NotAfter.Sub(leaf.NotBefore) > 825*24*time.Hour {
		t.Errorf("%s, CA %v, from %s to %s", leaf.Subject, leaf.IsCA, leaf.NotBefore, leaf.NotAfter)
	}
}

// TestANodeIsNoAuthority: a certificate signed with a node's key is worth nothing, and the authority's own has room for
// no other.
func TestANodeIsNoAuthority(t *testing.T) {
	a := newAuthority(t)
	certificate, key, err := a.Issue(now, "g-001", names, addrs)
	if err != nil {
		t.Fatal(err)
	}
	node, err := pki.ParseAuthority(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	forged, forgedKey, err := node.Issue(now, "forged", names, addrs)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(append(forged, certificate...), forgedKey)
	if err != nil {
		t.Fatal(err)
	}
	err = handshake(t, pair, &tls.Config{ServerName: "127.64.0.1", RootCAs: a.Pool(),
		Time: func() time.Time { return now }})
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("the client says %v", err)
	}
	block, _ := pem.Decode(a.CertificatePEM())
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !ca.IsCA || ca.MaxPathLen != 0 || ca.NotAfter.Before(now.Add(9*365*24*time.Hour)) {
		t.Errorf("%+v, %v", ca, err)
	}
}

func TestAuthorityOutlivesItsProcess(t *testing.T) {
	a := newAuthority(t)
	key, err := a.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := pki.ParseAuthority(a.CertificatePEM(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyAgain, err := again.KeyPEM()
	if err != nil || !bytes.Equal(key, keyAgain) || !bytes.Equal(a.CertificatePEM(), again.CertificatePEM()) {
		t.Errorf("it is another: %v", err)
	}
	client := &tls.Config{ServerName: "127.64.0.1", RootCAs: a.Pool(), Time: func() time.Time { return now }}
	if err := handshake(t, issue(t, again), client); err != nil {
		t.Error(err)
	}
}

func TestUnreadableAuthorities(t *testing.T) {
	a := newAuthority(t)
	key, err := a.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte("x")}) }
	for name, in := range map[string][2][]byte{
		"nothing": {}, "no key": {a.CertificatePEM(), nil}, "no certificate": {nil, key},
		"swapped":            {key, a.CertificatePEM()},
		"broken certificate": {block("CERTIFICATE"), key}, "broken key": {a.CertificatePEM(), block("EC PRIVATE KEY")},
	} {
		if _, err := pki.ParseAuthority(in[0], in[1]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAnotherAuthoritysKeyDoesNotSign(t *testing.T) {
	key, err := newAuthority(t).KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := pki.ParseAuthority(newAuthority(t).CertificatePEM(), key)
	if err != nil {
		return // refused as early as that
	}
	if _, _, err := mixed.Issue(now, "g-001", names, addrs); err == nil {
		t.Error("it signs")
	}
}

// TestARenewedAuthority: what the old certificate vouches for the new one does too, and the other way round; it is good
// whenever the old one was, and is made only when it is needed.
func TestARenewedAuthority(t *testing.T) {
	const year = 365 * 24 * time.Hour
	old := newAuthority(t)
	for _, c := range []struct {
		at      time.Duration
		renewed bool
	}{{0, false}, {7 * year, false}, {8 * year, true}, {11 * year, true}, {-2 * 24 * time.Hour, true},
		{-50 * year, true}} {
		at := now.Add(c.at)
		a, err := old.Renewed(at)
		if err != nil {
			t.Fatal(err)
		}
		if (a != old) != c.renewed {
			t.Errorf("at %s it is renewed: %v", at, a != old)
		}
		if again, err := a.Renewed(at); err != nil || again != a {
			t.Errorf("at %s it is renewed twice: %v", at, err)
		}
		certificate, key, err := a.Issue(at, "g-001", names, addrs)
		if err != nil {
			t.Fatal(err)
		}
		late, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		for what, h := range map[string]struct {
			pair tls.Certificate
			pool *x509.CertPool
			at   time.Time
		}{
			"the new one's, by it":          {late, a.Pool(), at},
			"the old one's, by the new one": {issue(t, old), a.Pool(), now},
		} {
			client := &tls.Config{RootCAs: h.pool, ServerName: names[0], Time: func() time.Time { return h.at }}
			if err := handshake(t, h.pair, client); err != nil {
				t.Errorf("at %s, %s: %v", at, what, err)
			}
		}
	}
}

// TestFresh: a certificate is not when it is unknown, of the future, or has less than a month left.
func TestFresh(t *testing.T) {
	const day = 24 * time.Hour
	for age, want := range map[time.Duration]bool{
		0: true, 789 * day: true, 791 * day: false, 900 * day: false, -time.Hour: true, -2 * day: false,
	} {
		if got := pki.Fresh(now.Add(-age), now); got != want {
			t.Errorf("a certificate of the age %s is fresh: %v", age, got)
		}
	}
	if pki.Fresh(time.Time{}, now) {
		t.Error("one of which nothing is known is")
	}
}

// TestAnAuthorityIsWhole: a certificate and a key that do not belong together are no authority.
func TestAnAuthorityIsWhole(t *testing.T) {
	key, err := newAuthority(t).KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pki.ParseAuthority(newAuthority(t).CertificatePEM(), key); err == nil {
		t.Error("another authority's key is taken")
	}
}
