package engine_test

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"larder/internal/cache"
	"larder/internal/engine"
	"larder/internal/seal"
	"larder/internal/snapshot"
	"larder/internal/state"
	"larder/internal/store"
)

// TestScrubOfSnapshots: one that is damaged is named until it is deleted, or its file is put back; one that is being
// taken is not read, and another of the name of one that was damaged is not taken for it.
func TestScrubOfSnapshots(t *testing.T) {
	t.Parallel()
	s := must(store.Open(filepath.Join(t.TempDir(), "state.db")))(t)
	defer s.Close()
	sealer := must(seal.New(make([]byte, seal.KeySize)))(t)
	vault := &snapshot.Vault{Dir: filepath.Join(t.TempDir(), "snapshots"), Sealer: sealer}
	e := engine.New(engine.Config{Store: s, Snapshots: vault, Logger: slog.New(slog.DiscardHandler)})
	take := func(name string, status cache.SnapshotStatus) {
		t.Helper()
		made := must(vault.Write(name, "", func(w io.Writer) (int64, error) {
			n, err := w.Write([]byte(strings.Repeat("data", 50_000)))
			return int64(n), err
		}))(t)
		record := cache.Snapshot{Name: name, ARN: "arn:" + name, Status: status, DataKey: made.DataKey, Size: made.Size}
		if err := s.Update(func(tx *store.Tx) error { return state.Snapshots.Put(tx, name, record) }); err != nil {
			t.Fatal(err)
		}
	}
	flip := func(name string) {
		t.Helper()
		path := filepath.Join(vault.Dir, name)
		data := must(os.ReadFile(path))(t)
		data[len(data)-1] ^= 1
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	scrub := func() []string {
		t.Helper()
		if err := e.ScrubSnapshots(func(int) error { return nil }); err != nil {
			t.Fatal(err)
		}
		return e.DamagedSnapshots()
	}
	for _, name := range []string{"good", "bad", "gone"} {
		take(name, cache.SnapshotAvailable)
	}
	take("new", cache.SnapshotCreating)
	flip("new")
	if all := scrub(); len(all) > 0 {
		t.Errorf("of what is intact damaged are %v", all)
	}
	flip("bad")
	if err := os.Remove(filepath.Join(vault.Dir, "gone")); err != nil {
		t.Fatal(err)
	}
	all := scrub()
	if len(all) != 2 || !strings.HasPrefix(all[0], "bad: ") || !strings.HasPrefix(all[1], "gone: ") {
		t.Errorf("damaged are %v", all)
	}
	enough := errors.New("enough")
	err := e.ScrubSnapshots(func(int) error { return enough })
	if !errors.Is(err, enough) || len(e.DamagedSnapshots()) != 2 {
		t.Errorf("one that is to end: %v, and damaged are %v", err, e.DamagedSnapshots())
	}
	flip("bad") // it is as it was
	take("gone", cache.SnapshotAvailable)
	if all := e.DamagedSnapshots(); len(all) != 1 || !strings.HasPrefix(all[0], "bad: ") {
		t.Errorf("before the next scrub damaged are %v", all)
	}
	if all := scrub(); len(all) > 0 {
		t.Errorf("of what is put back damaged are %v", all)
	}
}
