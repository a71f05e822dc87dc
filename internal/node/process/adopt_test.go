package process_test

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"larder/internal/node"
	"larder/internal/node/nodetest"
	"larder/internal/node/process"
	"larder/internal/testkit"
)

func adopt(t *testing.T, r *process.Runtime) []node.Process {
	t.Helper()
	found, err := r.Adopt(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestAdoptThroughALink: the kernel reports a process's directory by its real path.
func TestAdoptThroughALink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	p := mustStart(t, newRuntime(t, link), nodetest.Spec(t, "a"))
	for _, path := range []string{link, link + "/", dir} {
		if found := adopt(t, newRuntime(t, path)); len(found) != 1 || found[0].PID() != p.PID() {
			t.Errorf("by %s: found %v", path, found)
		}
	}
	t.Chdir(dir)
	if found := adopt(t, newRuntime(t, ".")); len(found) != 1 || found[0].PID() != p.PID() {
		t.Errorf("by a relative path: found %v", found)
	}
}

func TestAdoptWhereNothingEverRan(t *testing.T) {
	if found := adopt(t, newRuntime(t, filepath.Join(t.TempDir(), "missing"))); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

// TestAdoptTakesNodesOnly: a program that a person runs in a node's directory is not adopted, nor is a node's child or
// a process in another directory.
func TestAdoptTakesNodesOnly(t *testing.T) {
	dir := t.TempDir()
	p := mustStart(t, newRuntime(t, dir), nodetest.Spec(t, "a"))
	parent := mustStart(t, newRuntime(t, dir), nodetest.Parent(t, "b"))
	if err := os.Mkdir(filepath.Join(dir, "stranger"), 0o700); err != nil {
		t.Fatal(err)
	}
	self := nodetest.Spec(t, "a")
	for _, c := range []struct {
		in  string
		own bool // it leads a session, as a terminal's shell does
		run []string
	}{
		{"a", true, []string{"sleep", "60"}},
		{"a", false, []string{"sleep", "60"}},
		{"a", false, append([]string{self.Path}, nodetest.Hidden(t, "a").Args...)},
		{"stranger", true, append([]string{self.Path}, nodetest.Hidden(t, "a").Args...)},
		{".", true, append([]string{self.Path}, nodetest.Hidden(t, "a").Args...)},
	} {
		cmd := exec.Command(c.run[0], c.run[1:]...)
		cmd.Dir, cmd.SysProcAttr = filepath.Join(dir, c.in), &syscall.SysProcAttr{Setsid: c.own}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
	}
	got := map[string]int{}
	for _, f := range adopt(t, newRuntime(t, dir)) {
		got[f.ID()] = f.PID()
	}
	if want := map[string]int{"a": p.PID(), "b": parent.PID()}; !maps.Equal(got, want) {
		t.Errorf("adopted %v, want %v", got, want)
	}
}

// TestAdoptLeavesZombiesAlone: a process that ended, but whose parent has not waited for it, is not adopted.
func TestAdoptLeavesZombiesAlone(t *testing.T) {
	dir := t.TempDir()
	r := newRuntime(t, dir)
	p := mustStart(t, r, nodetest.Spec(t, "a"))
	if err := r.Close(); err != nil { // nobody waits for the process any more
		t.Fatal(err)
	}
	kill(t, p.PID(), syscall.SIGKILL)
	if err := unix.Waitid(unix.P_PID, p.PID(), nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if found := adopt(t, newRuntime(t, dir)); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	if _, err := syscall.Wait4(p.PID(), nil, 0, nil); err != nil {
		t.Fatal(err)
	}
}

// TestAdoptWithoutDescriptors: Adopt fails if it cannot inspect a process. It must not treat a node as gone.
func TestAdoptWithoutDescriptors(t *testing.T) {
	dir := t.TempDir()
	p := mustStart(t, newRuntime(t, dir), nodetest.Spec(t, "a"))
	r := newRuntime(t, dir)
	for most := uint64(3); most < 40; most++ { // opening fails at each of the needed files in turn
		restore := testkit.LimitDescriptors(t, most)
		found, err := r.Adopt(t.Context())
		restore()
		if len(found) == 0 && err == nil {
			t.Fatalf("with %d descriptors at most nothing is found, and no error", most)
		}
		if len(found) == 1 && found[0].PID() != p.PID() {
			t.Errorf("found %v", found)
		}
	}
	if found := adopt(t, newRuntime(t, dir)); len(found) != 1 {
		t.Errorf("found %v", found)
	}
}

// TestAdoptNeedsNoFile: a node is adopted although its files were deleted or damaged.
func TestAdoptNeedsNoFile(t *testing.T) {
	for what, damage := range map[string]func(t *testing.T, dir string) error{
		"every file is emptied": func(t *testing.T, dir string) error {
			entries, err := os.ReadDir(dir)
			for _, e := range entries {
				err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())),
					os.WriteFile(filepath.Join(dir, e.Name()), nil, 0o600))
			}
			return err
		},
		"its directory is removed": func(_ *testing.T, dir string) error { return os.RemoveAll(dir) },
		"the runtime's directory is": func(_ *testing.T, dir string) error {
			return os.RemoveAll(filepath.Dir(dir))
		},
		"another is in its directory's": func(_ *testing.T, dir string) error {
			return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700))
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "nodes")
			p := mustStart(t, newRuntime(t, dir), nodetest.Spec(t, "a"))
			if err := damage(t, filepath.Join(dir, "a")); err != nil {
				t.Fatal(err)
			}
			if found := adopt(t, newRuntime(t, dir)); len(found) != 1 || found[0].PID() != p.PID() ||
				found[0].ID() != "a" {
				t.Errorf("found %v, want process %d", found, p.PID())
			}
		})
	}
}
