package app

import (
	"bytes"
	"log/slog"
	"testing"
	"time"
)

// TestAnInstallationOutlivesItsAuthority: an engine that starts when the local CA's certificate is about to end, has
// ended or is not good yet begins with another one for the same key, and keeps it.
func TestAnInstallationOutlivesItsAuthority(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	made := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	h := Home(t.TempDir())
	state := need(h.openState())(t)
	defer state.Close()
	id, _, err := h.load(state, made)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at      time.Time
		renewed bool
	}{{made, false}, {made.Add(year), false}, {made.Add(9 * year), true}, {made.Add(9 * year), false},
		{made.Add(40 * year), true}, {made, false}, {made.Add(-50 * year), true}, {made.Add(40 * year), false}} {
		in := &installation{Options: Options{Home: h, Now: func() time.Time { return c.at },
			Logger: slog.New(slog.DiscardHandler)}}
		kept, sealer, err := h.load(state, c.at)
		if err != nil {
			t.Fatal(err)
		}
		in.sealer = sealer
		now, err := in.vouch(state, kept)
		if err != nil {
			t.Fatal(err)
		}
		if renewed := !bytes.Equal(now.Certificate, kept.Certificate); renewed != c.renewed {
			t.Errorf("at %s it is renewed: %v", c.at, renewed)
		}
		if !bytes.Equal(now.Key, id.Key) || !bytes.Equal(in.authority.CertificatePEM(), now.Certificate) {
			t.Errorf("at %s it has another key", c.at)
		}
	}
}
