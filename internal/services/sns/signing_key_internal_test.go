package sns

import (
	"path/filepath"
	"testing"
	"time"

	"larder/internal/pki"
	"larder/internal/seal"
	"larder/internal/store"
)

// TestTheSigningKeyIsGoodNow: messages are signed with a key whose certificate subscribers take now: another one is
// made when it has ended, and when the clock was ahead when it was made; one that is good again is used again.
func TestTheSigningKeyIsGoodNow(t *testing.T) {
	const year = 365 * 24 * time.Hour
	made := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	need := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	state, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	need(err)
	defer state.Close()
	sealer, err := seal.New(make([]byte, seal.KeySize))
	need(err)
	authority, err := pki.NewAuthority(made)
	need(err)
	now := made.Add(5 * year)
	s := New(Config{Store: state, Sealer: sealer, Certifier: authority, Now: func() time.Time { return now }})
	names := map[string]bool{}
	for _, c := range []struct {
		at    time.Duration
		known int // how many keys there are then
	}{{5 * year, 1}, {5 * year, 1}, {0, 2}, {year, 2}, {3 * year, 3}, {0, 3}} {
		now = made.Add(c.at)
		k, err := s.signingKey()
		need(err)
		names[k.name] = true
		if len(names) != c.known {
			t.Errorf("after %s %d keys were used, want %d", c.at, len(names), c.known)
		}
		certificate, there := s.certificate(k.path())
		if !there || !(signer{Certificate: certificate}).good(now) {
			t.Errorf("after %s the certificate is there: %v, and not good", c.at, there)
		}
	}
}
