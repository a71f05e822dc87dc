package process_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"larder/internal/node/nodetest"
	"larder/internal/testkit"
)

// TestEndNeedsNoFiles: End ends started and adopted processes and their children even if their directories are gone.
// After that, Start fails.
func TestEndNeedsNoFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nodes")
	before := newRuntime(t, dir)
	adopted := mustStart(t, before, nodetest.Spec(t, "a"))
	r := newRuntime(t, dir)
	adopt(t, r)
	own := mustStart(t, r, nodetest.Parent(t, "b"))
	child := nodetest.Ask(t, own, "child")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if n, err := r.End(t.Context()); n != 2 || err != nil {
		t.Fatalf("ended %d: %v", n, err)
	}
	awaitExit(t, adopted)
	awaitExit(t, own)
	testkit.Within(t, patience, "the child is gone", func() bool {
		_, err := os.Stat("/proc/" + child + "/cwd")
		return errors.Is(err, os.ErrNotExist)
	})
	if p, err := r.Start(t.Context(), nodetest.Spec(t, "c")); err == nil {
		t.Errorf("%s started after the end", p.ID())
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is there again: %v", err)
	}
}

// TestEndWhileProcessesStart: End also ends processes that are being started.
func TestEndWhileProcessesStart(t *testing.T) {
	for range 10 {
		r := newRuntime(t, t.TempDir())
		var starts sync.WaitGroup
		for _, id := range []string{"a", "b", "c", "d"} {
			starts.Go(func() { r.Start(t.Context(), nodetest.Spec(t, id)) }) // Start may fail
		}
		if _, err := r.End(t.Context()); err != nil {
			t.Error(err)
		}
		if left, err := r.PIDs(t.Context()); len(left) > 0 || err != nil {
			t.Errorf("%v are left after the end: %v", left, err)
		}
		starts.Wait()
		if left, err := r.PIDs(t.Context()); len(left) > 0 || err != nil {
			t.Errorf("%v are left after the starts: %v", left, err)
		}
	}
}

// TestNoDirectoryAboveComesBack: Start does not recreate a state directory that was deleted.
func TestNoDirectoryAboveComesBack(t *testing.T) {
	home := filepath.Join(t.TempDir(), "state")
	r := newRuntime(t, filepath.Join(home, "nodes"))
	if _, err := r.Start(t.Context(), nodetest.Spec(t, "a")); !errors.Is(err, unix.ENOENT) {
		t.Errorf("it starts, or fails with %v", err)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state directory is there again: %v", err)
	}
}

func TestDetached(t *testing.T) {
	dir := t.TempDir()
	before := newRuntime(t, dir)
	mustStart(t, before, nodetest.Spec(t, "adopted"))
	r := newRuntime(t, dir)
	adopt(t, r)
	for _, id := range []string{"removed", "kept", "deaf"} {
		mustStart(t, r, nodetest.Spec(t, id))
	}
	if got := r.Detached(); len(got) > 0 {
		t.Errorf("%v have lost nothing", got)
	}
	for _, path := range []string{"adopted", "removed", "deaf/admin.sock"} {
		if err := os.RemoveAll(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := r.Detached(), []string{"adopted", "deaf", "removed"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
