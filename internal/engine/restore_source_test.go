package engine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
	"larder/internal/operation"
)

// restart has another engine take over, with or without the last one's nodes.
func (w *fixture) restart(restoreLost bool, lost ...string) {
	w.stop()
	for _, id := range lost {
		w.kill(id)
	}
	w.config.RestoreLost = restoreLost
	w.start()
}

// saying are the events that say a node came back, and with what.
func (w *fixture) saying(what string) (said []string) {
	return slices.DeleteFunc(w.messages(), func(m string) bool { return !strings.Contains(m, what) })
}

// A group whose nodes are all lost begins with its newest snapshot where that is wanted, and with nothing where there
// is none; the event list says which.
func TestLostDataAreThoseOfTheNewestSnapshot(t *testing.T) {
	t.Parallel()
	const keys = 1000
	w := newFixture(t)
	w.restart(true)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	w.change("g", func(rg *cache.Shard) { rg.Group.Created = time.Now().Add(-time.Minute) })
	w.restart(true, "g-001", "g-002")
	w.eventually("it is said that there are no data",
		func() bool { return len(w.saying("restarted without data")) == 1 })
	rg = w.awaitAvailable("g")

	c := w.client(rg.PrimaryAddress)
	for _, name := range []string{"older", "newer"} {
		fill(t, c, keys)
		if err := c.Set(t.Context(), "snapshot", name, 0).Err(); err != nil {
			t.Fatal(err)
		}
		w.backup("g", name, cache.SnapshotAsked)
		w.awaitSnapshot(name, cache.SnapshotAvailable)
		rg = w.awaitAvailable("g")
	}
	want := contents(t, c, keys)
	if err := c.Set(t.Context(), "snapshot", "none", 0).Err(); err != nil {
		t.Fatal(err)
	}
	const restored = "restarted with the data of snapshot newer"
	for round := range 2 { // what was restored can be lost again
		w.restart(true, "g-001", "g-002")
		w.eventually("it is said that the newest snapshot is restored",
			func() bool { return len(w.saying(restored)) == round+1 })
		rg = w.awaitAvailable("g")
		w.awaitSnapshot("newer", cache.SnapshotAvailable)
		for _, addr := range rg.Addresses() {
			c := w.client(addr)
			if got := c.Get(t.Context(), "snapshot").Val(); got != "newer" || contents(t, c, keys) != want {
				t.Errorf("%s has the data of %q", addr, got)
			}
		}
	}
	if said := w.saying(restored); len(said) != 2 || rg.Group.Restore != "" {
		t.Errorf("said: %q; %q is to be restored", said, rg.Group.Restore)
	}
	byLarder := ">newer  succeeded, by " + operation.Engine
	if got := w.ended("g", operation.Restore); !slices.Equal(got, []string{byLarder, byLarder}) {
		t.Errorf("the restores: %q", got)
	}
	w.restart(true, "g-001") // while a node has the data, no snapshot counts
	if got := w.client(w.awaitPrimary("g", "g-001").PrimaryAddress).Get(t.Context(), "snapshot").Val(); got != "newer" {
		t.Errorf("after a failover: %q", got)
	}
}

// A snapshot that cannot be restored leaves the group down, with the reason, until it can, or until lost data may stay
// lost.
func TestLostDataThatCannotBeRestored(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, func(rg *cache.Shard) { rg.Group.Created = time.Now().Add(-time.Minute) })
	fill(t, w.client(w.awaitAvailable("g").PrimaryAddress), 100)
	w.backup("g", "s", cache.SnapshotAsked)
	w.awaitSnapshot("s", cache.SnapshotAvailable)
	w.awaitAvailable("g")
	path, away := filepath.Join(w.dir(), "s"), filepath.Join(t.TempDir(), "s")
	if err := os.Rename(path, away); err != nil {
		t.Fatal(err)
	}
	w.restart(true, "g-001")
	w.eventually("the reason is told", func() bool {
		text, stuck := w.engine.LastError("g")
		return stuck && strings.Contains(text, "no such file")
	})
	if rg, err := w.get("g"); err != nil || rg.Group.Status != cache.Modifying || rg.Group.Restore != "s" {
		t.Errorf("%+v, %v", rg, err)
	}
	if err := os.Rename(away, path); err != nil {
		t.Fatal(err)
	}
	rg := w.awaitAvailable("g")
	if n := w.client(rg.PrimaryAddress).DBSize(t.Context()).Val(); n != 100 {
		t.Errorf("%d keys", n)
	}

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.restart(true, "g-001")
	w.await("g", "to be restored", func(rg cache.Shard, _ error) bool { return rg.Group.Restore == "s" })
	w.restart(false)
	rg = w.awaitAvailable("g")
	if err := w.client(rg.PrimaryAddress).Get(t.Context(), "key-0").Err(); err != redis.Nil {
		t.Errorf("got %v", err)
	}
	w.awaitSnapshot("s", cache.SnapshotAvailable)
	if said := w.saying("restarted without data"); len(said) != 1 {
		t.Errorf("said: %q", said)
	}
}
