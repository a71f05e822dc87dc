package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/testkit"
)

// cutOffFixture has a group with a key, whose engine has ended, and tells its processes; each node may be silent for a
// second.
func cutOffFixture(t *testing.T, members int) (w *fixture, rg cache.Shard, before map[string]int) {
	t.Helper()
	w = newFixture(t)
	w.config.BusyLimit = time.Second
	w.stop()
	w.start()
	w.create("g", members, nil)
	rg = w.awaitAvailable("g")
	if err := w.client(rg.PrimaryAddress).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if members > 1 {
		if n, err := w.client(rg.PrimaryAddress).Wait(t.Context(), 1, patience).Result(); n < 1 || err != nil {
			t.Fatalf("%d replicas have the key: %v", n, err)
		}
	}
	before = w.processes()
	w.stop()
	return w, rg, before
}

// TestALoneNodeThatNobodyCanReachIsLeftAlone: while no engine ran its socket was removed, or something was put in its
// place, or its directory was removed. It serves clients, and has the only data.
func TestALoneNodeThatNobodyCanReachIsLeftAlone(t *testing.T) {
	t.Parallel()
	for what, damage := range map[string]func(dir string) error{
		"its socket is removed": func(dir string) error { return os.Remove(filepath.Join(dir, "admin.sock")) },
		"a file is in its place": func(dir string) error {
			return unmoved(dir, func(p string) error { return os.WriteFile(p, nil, 0o600) })
		},
		"a directory is": func(dir string) error {
			return unmoved(dir, func(p string) error { return os.Mkdir(p, 0o700) })
		},
		"its directory is removed": os.RemoveAll,
		"all directories are gone": func(dir string) error { return os.RemoveAll(filepath.Dir(dir)) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w, rg, before := cutOffFixture(t, 1)
			dir := filepath.Join(w.runtime.Dir, "g-001")
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			w.start()
			if rg := must(w.get("g"))(t); rg.Group.Status != cache.Modifying {
				t.Errorf("the group is %s when the engine has started", rg.Group.Status)
			}
			began := time.Now()
			testkit.Within(t, patience, "it is said what is wrong, for longer than a node may be silent", func() bool {
				text, stuck := w.engine.LastError("g")
				return stuck && strings.Contains(text, "nobody can connect to g-001 (process") &&
					time.Since(began) > 3*w.config.BusyLimit
			})
			if now := w.processes()["g-001"]; now != before["g-001"] {
				t.Errorf("it has process %d, had %d", now, before["g-001"])
			}
			if got, err := w.client(rg.PrimaryAddress).Get(t.Context(), "k").Result(); got != "v" {
				t.Errorf("the data are %q, %v", got, err)
			}
			w.kill("g-001") // which gives its data up
			w.awaitAvailable("g")
		})
	}
}

func unmoved(dir string, put func(path string) error) error {
	path := filepath.Join(dir, "admin.sock")
	return errors.Join(os.Remove(path), put(path))
}

// TestANodeThatNobodyCanReachIsReplaced where another one has its data: a replica from its primary, a primary by a
// failover.
func TestANodeThatNobodyCanReachIsReplaced(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"g-001", "g-002"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			w, rg, before := cutOffFixture(t, 2)
			if err := os.RemoveAll(filepath.Join(w.runtime.Dir, id)); err != nil {
				t.Fatal(err)
			}
			w.start()
			w.eventually("it has another process",
				func() bool { now := w.processes()[id]; return now != 0 && now != before[id] })
			w.awaitAvailable("g")
			if got, err := w.client(rg.PrimaryAddress).Get(t.Context(), "k").Result(); got != "v" {
				t.Errorf("the data are %q, %v", got, err)
			}
		})
	}
}
