package store_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"larder/internal/store"
)

// openVariable holds a path. When it is set, the test binary opens the store at that path and prints the result.
const openVariable = "LARDER_TEST_OPEN"

func TestMain(m *testing.M) {
	if path := os.Getenv(openVariable); path != "" {
		_, err := store.Open(path)
		fmt.Print(errors.Is(err, store.ErrLocked))
		return
	}
	os.Exit(m.Run())
}

const (
	numbers = store.Table[int]("numbers")
	others  = store.Table[int]("others")
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newStore(t *testing.T) *store.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "larder.db"))
}

func update(t *testing.T, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(f); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s *store.Store, key string, n int) {
	t.Helper()
	update(t, s, func(tx *store.Tx) error { return numbers.Put(tx, key, n) })
}

func get(s *store.Store, key string) (n int, err error) {
	err = s.View(func(tx *store.Tx) (err error) {
		n, err = numbers.Get(tx, key)
		return err
	})
	return n, err
}

var errRefused = errors.New("refused")

// operation is a Put or a Delete.
type operation struct {
	Key    string
	Value  int
	Delete bool
}

// TestTransactions compares the store with a map. A failed transaction must keep nothing. A successful one must notify
// once for each changed key, in the order of the changes.
func TestTransactions(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		f, err := os.CreateTemp(dir, "")
		if err != nil {
			rt.Fatal(err)
		}
		f.Close()
		s := open(t, f.Name())
		defer s.Close()
		var told []string
		defer s.Subscribe(string(numbers), func(key string) { told = append(told, key) })()

		model := map[string]int{}
		operations := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) operation {
			return operation{rapid.SampledFrom([]string{"a", "aa", "b", "é"}).Draw(t, "key"),
				rapid.Int().Draw(t, "value"), rapid.Bool().Draw(t, "delete")}
		}), 0, 6)
		for _, ops := range rapid.SliceOfN(operations, 0, 5).Draw(rt, "transactions") {
			told = nil
			refuse := rapid.Bool().Draw(rt, "refuse")
			next, changed := applyTo(model, ops)
			err := s.Update(func(tx *store.Tx) error { return run(tx, ops, refuse) })
			if refuse != errors.Is(err, errRefused) || !refuse && err != nil {
				rt.Fatalf("refuse %v: %v", refuse, err)
			}
			if refuse {
				next, changed = model, nil
			}
			if diff := cmp.Diff(changed, told, cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("told of (-want +got):\n%s", diff)
			}
			model = next
			checkRows(rt, s, model)
		}
	})
}

func applyTo(model map[string]int, ops []operation) (next map[string]int, changed []string) {
	next = maps.Clone(model)
	for _, op := range ops {
		_, there := next[op.Key]
		if op.Delete {
			delete(next, op.Key)
		} else {
			next[op.Key] = op.Value
		}
		if (there || !op.Delete) && !slices.Contains(changed, op.Key) {
			changed = append(changed, op.Key)
		}
	}
	return next, changed
}

func run(tx *store.Tx, ops []operation, refuse bool) error {
	for _, op := range ops {
		var err error
		if op.Delete {
			err = numbers.Delete(tx, op.Key)
		} else {
			err = numbers.Put(tx, op.Key, op.Value)
		}
		if err != nil {
			return err
		}
	}
	if refuse {
		return errRefused
	}
	return nil
}

func checkRows(t *rapid.T, s *store.Store, model map[string]int) {
	err := s.View(func(tx *store.Tx) error {
		for _, from := range []string{"", "a", "aa", "b", "z"} {
			var want, got []int
			for _, key := range slices.Sorted(maps.Keys(model)) {
				if key >= from {
					want = append(want, model[key])
				}
			}
			for row, err := range numbers.From(tx, from) {
				if err != nil {
					return err
				}
				got = append(got, row)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("from %q: %v, want %v", from, got, want)
			}
		}
		for _, key := range []string{"a", "aa", "b", "é"} {
			want, there := model[key]
			if got, err := numbers.Get(tx, key); got != want || there != (err == nil) || err != nil &&
				!errors.Is(err, store.ErrNotFound) {
				t.Fatalf("%q: %d, %v; want %d, %v", key, got, err, want, there)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStateOutlivesTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "larder.db")
	s := open(t, path)
	put(t, s, "a", 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := get(open(t, path), "a"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestAPanicKeepsNothing(t *testing.T) {
	s := newStore(t)
	put(t, s, "a", 1)
	func() {
		defer func() { recover() }()
		s.Update(func(tx *store.Tx) error {
			if err := numbers.Put(tx, "a", 2); err != nil {
				return err
			}
			panic("in the middle")
		})
	}()
	if n, err := get(s, "a"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	put(t, s, "a", 3) // no lock may be left
}

func TestAViewDoesNotChange(t *testing.T) {
	s := newStore(t)
	put(t, s, "a", 1)
	err := s.View(func(tx *store.Tx) error {
		done := make(chan error, 1)
		go func() { done <- s.Update(func(tx *store.Tx) error { return numbers.Put(tx, "a", 2) }) }()
		select {
		case err := <-done:
			if err != nil {
				return err
			}
		case <-time.After(20 * time.Second):
			return errors.New("an update waits for the view to end")
		}
		if n, err := numbers.Get(tx, "a"); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if err := numbers.Put(tx, "a", 3); err == nil {
			t.Error("a view takes changes")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if n, err := get(s, "a"); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestUpdatesAreOneAfterAnother(t *testing.T) {
	s := newStore(t)
	put(t, s, "a", 0)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := s.Update(func(tx *store.Tx) error {
				n, err := numbers.Get(tx, "a")
				if err != nil {
					return err
				}
				return numbers.Put(tx, "a", n+1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n, err := get(s, "a"); n != 8 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestSubscriptions(t *testing.T) {
	s := newStore(t)
	var first, second []string
	cancel := s.Subscribe(string(numbers), func(key string) {
		// A subscriber may write: the change is durable, and no lock is held.
		first = append(first, key)
		update(t, s, func(tx *store.Tx) error { return others.Put(tx, key, 1) })
	})
	defer s.Subscribe(string(others), func(key string) { second = append(second, key) })()
	put(t, s, "a", 1)
	cancel()
	put(t, s, "b", 1)
	if !slices.Equal(first, []string{"a"}) || !slices.Equal(second, []string{"a"}) {
		t.Errorf("%v, %v", first, second)
	}
}

func TestASecondStoreIsLockedOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "larder.db")
	open(t, path)
	if _, err := store.Open(path); !errors.Is(err, store.ErrLocked) {
		t.Errorf("in this process: %v", err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command(exe)
	other.Env = append(os.Environ(), openVariable+"="+path)
	if out, err := other.CombinedOutput(); string(out) != "true" || err != nil {
		t.Errorf("in another process: locked is %s, %v", out, err)
	}
}

func TestUnusableFiles(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("not a database, and longer than nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{garbage, dir, filepath.Join(dir, "missing", "larder.db")} {
		if s, err := store.Open(path); err == nil || errors.Is(err, store.ErrLocked) {
			t.Errorf("%s: %v", path, err)
			if s != nil {
				s.Close()
			}
		}
	}
	var damage *store.DamageError
	if _, err := store.Open(dir); !errors.As(err, &damage) || !strings.Contains(err.Error(), "it is not a regular file") {
		t.Errorf("a directory in the place of the file: %v", err)
	}
}
