package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
	"larder/internal/testkit"
)

// backup asks for a snapshot as the API does: of a group that goes on, or of one that is being deleted.
func (w *fixture) backup(id, name string, event cache.Event) {
	w.t.Helper()
	err := w.config.Store.Update(func(tx *store.Tx) error {
		rg, err := state.Group(tx, id)
		if err != nil {
			return err
		}
		if rg.Status, err = cache.Transition(rg.Status, event); err != nil {
			return err
		}
		s := cache.SnapshotOf(rg.Only(), *rg.Only().Primary())
		s.Name, s.ByGroup = name, true
		rg.Snapshot = &cache.Backup{Name: name}
		return errors.Join(state.Snapshots.Put(tx, name, s),
			state.PutGroup(tx, rg, operation.Origin{By: asker, At: time.Now()}))
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// from makes a group that is to be created one that begins with a snapshot, on addresses of its own.
func (w *fixture) from(name string) func(*cache.Shard) {
	return func(rg *cache.Shard) {
		shift(rg, 20)
		rg.Group.Restore = name
		w.changeSnapshot(name, func(s *cache.Snapshot) {
			if err := s.Fire(cache.RestoreAsked); err != nil {
				w.t.Fatal(err)
			}
		})
	}
}

func (w *fixture) changeSnapshot(name string, change func(*cache.Snapshot)) {
	w.t.Helper()
	err := w.config.Store.Update(func(tx *store.Tx) error {
		s, err := state.Snapshots.Get(tx, name)
		if err != nil {
			return err
		}
		change(&s)
		return state.Snapshots.Put(tx, name, s)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *fixture) snapshot(name string) (s cache.Snapshot, err error) {
	err = w.config.Store.View(func(tx *store.Tx) (err error) {
		s, err = state.Snapshots.Get(tx, name)
		return err
	})
	return s, err
}

func (w *fixture) awaitSnapshot(name string, status cache.SnapshotStatus) cache.Snapshot {
	w.t.Helper()
	var s cache.Snapshot
	w.eventually("the snapshot "+name+" is "+string(status), func() bool {
		var err error
		s, err = w.snapshot(name)
		return err == nil && s.Status == status
	})
	return s
}

func (w *fixture) eventually(what string, condition func() bool) {
	w.t.Helper()
	testkit.Within(w.t, patience, what, condition)
}

func (w *fixture) awaitGone(id string) {
	w.t.Helper()
	w.await(id, "gone", func(_ cache.Shard, err error) bool { return errors.Is(err, store.ErrNotFound) })
}

func (w *fixture) dir() string { return w.config.Snapshots.Dir }

const secretValue = "a value that must not be found on any disk"

// fill writes keys, one in ten with an expiry.
func fill(t *testing.T, c *redis.Client, keys int) {
	t.Helper()
	pipe := c.Pipeline()
	for i := range keys {
		expiry := time.Duration(0)
		if i%10 == 0 {
			expiry = time.Hour
		}
		pipe.Set(t.Context(), fmt.Sprint("key-", i), fmt.Sprint(secretValue, i), expiry)
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// contents are all keys with their values and expiries.
func contents(t *testing.T, c *redis.Client, keys int) string {
	t.Helper()
	pipe := c.Pipeline()
	var out []redis.Cmder
	for i := range keys {
		out = append(out, pipe.Get(t.Context(), fmt.Sprint("key-", i)),
			pipe.PExpireTime(t.Context(), fmt.Sprint("key-", i)))
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, cmd := range out {
		b.WriteString(cmd.String() + "\n")
	}
	return b.String()
}

// unreadable checks that no file of the world holds what was written.
func (w *fixture) unreadable() {
	w.t.Helper()
	err := filepath.WalkDir(filepath.Dir(w.dir()), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(secretValue)) {
			w.t.Errorf("%s holds a value in plain text", path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *fixture) snapshotFiles() string {
	w.t.Helper()
	entries, err := os.ReadDir(w.dir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestASnapshotIsMadeAndRestored(t *testing.T) {
	t.Parallel()
	const keys = 2000
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	c := w.client(rg.PrimaryAddress)
	fill(t, c, keys)
	want := contents(t, c, keys)
	w.backup("g", "s", cache.SnapshotAsked)
	s := w.awaitSnapshot("s", cache.SnapshotAvailable)
	if s.Member != "g-001" || s.Size == 0 || s.CacheSize == 0 || s.Taken.IsZero() {
		t.Errorf("got %+v", s)
	}
	w.awaitAvailable("g")
	if n := w.noticed("Snapshot succeeded for snapshot with ID 's' of replication group with ID 'g'"); n != 1 {
		t.Errorf("%d notices", n)
	}
	w.unreadable()

	w.create("h", 3, w.from("s"))
	restored := w.awaitAvailable("h")
	for _, addr := range restored.Addresses() {
		if got := contents(t, w.client(addr), keys); got != want {
			t.Errorf("%s has other data", addr)
		}
	}
	if s := w.awaitSnapshot("s", cache.SnapshotAvailable); restored.Group.Restore != "" {
		t.Errorf("%+v after %+v", restored, s)
	}
	if got := w.ended("h", operation.Restore); !slices.Equal(got, []string{">s  succeeded, by " + asker}) {
		t.Errorf("the restore: %q", got)
	}
	w.unreadable()

	w.changeSnapshot("s", func(s *cache.Snapshot) {
		if err := s.Fire(cache.SnapshotDeleteAsked); err != nil {
			t.Fatal(err)
		}
	})
	w.eventually("the snapshot is gone", func() bool {
		_, err := w.snapshot("s")
		return errors.Is(err, store.ErrNotFound) && w.snapshotFiles() == ""
	})
}

func TestAFinalSnapshotIsMadeBeforeAnythingEnds(t *testing.T) {
	t.Parallel()
	const keys = 2000
	w := newFixture(t)
	w.create("g", 2, nil)
	c := w.client(w.awaitAvailable("g").PrimaryAddress)
	fill(t, c, keys)
	want := contents(t, c, keys)
	w.backup("g", "s", cache.DeleteAsked)
	w.awaitGone("g")
	w.awaitSnapshot("s", cache.SnapshotAvailable)
	w.create("h", 1, w.from("s"))
	if got := contents(t, w.client(w.awaitAvailable("h").PrimaryAddress), keys); got != want {
		t.Error("the restored group has other data")
	}
}

// As long as the final snapshot cannot be taken, nothing is deleted, and the reason can be read. When it can, the group
// goes.
func TestAFinalSnapshotThatFailsKeepsTheGroup(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	if err := os.WriteFile(w.dir(), nil, 0o600); err != nil { // where the directory should be
		t.Fatal(err)
	}
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	c := w.client(rg.PrimaryAddress)
	fill(t, c, 10)
	// The primary is lost too; its replica has everything.
	if n, err := c.Do(t.Context(), "WAIT", 1, patience.Milliseconds()).Int(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	w.backup("g", "s", cache.DeleteAsked)
	w.eventually("the trouble is told", func() bool {
		text, stuck := w.engine.LastError("g")
		return stuck && strings.Contains(text, "final snapshot s could not be taken yet") &&
			strings.Contains(text, "not a directory")
	})
	w.kill("g-001")
	if rg, err := w.get("g"); err != nil || rg.Group.Status != cache.Deleting {
		t.Fatal(rg.Group.Status, err)
	}
	if got := contents(t, w.client(rg.Members[1].Address), 10); !strings.Contains(got, secretValue) {
		t.Error("the data are gone")
	}
	if err := os.Remove(w.dir()); err != nil {
		t.Fatal(err)
	}
	w.awaitGone("g")
	if s := w.awaitSnapshot("s", cache.SnapshotAvailable); s.Member != "g-002" {
		t.Errorf("got %+v", s)
	}
}

func TestAFinalSnapshotOfNothingFailsAndTheGroupGoes(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, func(rg *cache.Shard) { rg.Group.EngineVersion = "6.0.0" })
	w.await("g", "create-failed", func(rg cache.Shard,
		_ error) bool {
		return rg.Group.Status == cache.CreateFailed
	})
	w.backup("g", "s", cache.DeleteAsked)
	w.awaitGone("g")
	if s := w.awaitSnapshot("s", cache.SnapshotFailed); !strings.Contains(s.Reason, "no node was left") {
		t.Errorf("got %+v", s)
	}
}

// A manual snapshot that fails says so, and the group goes on.
func TestASnapshotThatFails(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	if err := os.WriteFile(w.dir(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.create("g", 1, nil)
	w.awaitAvailable("g")
	w.backup("g", "s", cache.SnapshotAsked)
	if s := w.awaitSnapshot("s", cache.SnapshotFailed); !strings.Contains(s.Reason, "not a directory") {
		t.Errorf("got %+v", s)
	}
	w.awaitAvailable("g")
	if n := w.noticed("Snapshot failed for snapshot with ID 's' of replication group with ID 'g'"); n != 1 {
		t.Errorf("%d notices", n)
	}
}

func TestARestoreThatCannotSucceedSaysWhy(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, nil)
	fill(t, w.client(w.awaitAvailable("g").PrimaryAddress), 5000)
	w.backup("g", "s", cache.SnapshotAsked)
	w.awaitSnapshot("s", cache.SnapshotAvailable)
	path := filepath.Join(w.dir(), "s")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	w.parameters(map[string]string{"reserved-memory-percent": "90"}) // of the group custom
	for name, c := range map[string]struct {
		damage func()
		reason string
	}{
		"beside the reserve": {func() {
			w.changeSnapshot("s", func(s *cache.Snapshot) { s.CacheSize = w.config.NodeTypes[s.NodeType].MaxMemory / 2 })
		}, "or reserve less"},
		"changed": {func() { w.writeFile(path, append(bytes.Clone(whole[:len(whole)/2]), 0)) }, "changed or cut off"},
		"gone":    {func() { os.Remove(path) }, "no such file"},
		"too large": {func() {
			w.changeSnapshot("s", func(s *cache.Snapshot) { s.NodeType, s.CacheSize = "cache.r6g.large", 1<<40 })
		}, "choose a larger CacheNodeType"},
	} {
		c.damage()
		at++
		id := fmt.Sprint("h", at)
		w.create(id, 1, func(rg *cache.Shard) {
			w.from("s")(rg)
			shift(rg, 10*at)
			if name == "beside the reserve" {
				rg.Group.ParameterGroup = "custom"
			}
		})
		rg := w.await(id, "create-failed",
			func(rg cache.Shard, _ error) bool { return rg.Group.Status == cache.CreateFailed })
		if !strings.Contains(rg.Group.StatusReason, c.reason) || !strings.Contains(rg.Group.StatusReason, "snapshot s") {
			t.Errorf("%s: the reason is %q", name, rg.Group.StatusReason)
		}
		for _, o := range w.operations(id) {
			if o.Operation.Outcome != operation.Failed || !strings.Contains(o.Operation.Reason, c.reason) {
				t.Errorf("%s: %s %s: %s", name, o.Kind, o.Operation.Outcome, o.Operation.Reason)
			}
		}
		w.awaitSnapshot("s", cache.SnapshotAvailable)
		w.writeFile(path, whole)
		w.changeSnapshot("s", func(s *cache.Snapshot) { s.NodeType, s.CacheSize = "cache.t3.micro", 1 })
	}
}

func (w *fixture) writeFile(path string, data []byte) {
	w.t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// What an engine left undone when it ended, the next one does: it removes what is half written and begins again.
func TestASnapshotIsResumed(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, nil)
	fill(t, w.client(w.awaitAvailable("g").PrimaryAddress), 100)
	w.stop()
	w.backup("g", "s", cache.DeleteAsked)
	if err := os.MkdirAll(w.dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	w.writeFile(filepath.Join(w.dir(), "s.partial"), []byte("half"))
	w.writeFile(filepath.Join(w.dir(), "unknown"), []byte("whole"))
	w.start()
	w.awaitGone("g")
	w.awaitSnapshot("s", cache.SnapshotAvailable)
	if got := w.snapshotFiles(); got != "s" {
		t.Errorf("files: %s", got)
	}
}
