package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A directory in the place of a file that the engine makes anew keeps no engine from starting, and is kept.
func TestWhatStandsInTheWayIsSetAside(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	h := Home(t.TempDir())
	for _, name := range []string{"engine.json", "ca.pem", "ca-bundle.pem", socketName} {
		must(t, os.MkdirAll(h.path(filepath.Join(name, "within")), 0o700))
	}
	for _, name := range []string{"master.key", "larder.db"} {
		must(t, os.WriteFile(h.path(name), []byte("kept"), 0o600))
	}
	var said bytes.Buffer
	must(t, h.makeWay(now, slog.New(slog.NewTextHandler(&said, nil))))
	must(t, h.writeTrust([]byte("certificate")))
	must(t, h.writeInfo(Info{PID: 1}))
	for _, name := range []string{"engine.json", "ca.pem", "ca-bundle.pem", socketName} {
		kept := name + ".replaced-20260304T050607.000"
		if _, err := os.Stat(h.path(kept)); err != nil || !strings.Contains(said.String(), "kept="+kept) {
			t.Errorf("%s: %v\n%s", name, err, said.String())
		}
	}
	said.Reset()
	must(t, h.makeWay(now, slog.New(slog.NewTextHandler(&said, nil))))
	if said.Len() > 0 {
		t.Errorf("of what is in its place it says %s", said.String())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
