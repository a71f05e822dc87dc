package process_test

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/node"
	"larder/internal/node/nodetest"
	"larder/internal/node/process"
)

// patience bounds every wait for something that should happen at once.
const patience = 20 * time.Second

func mustStart(t *testing.T, r *process.Runtime, s node.Spec) node.Process {
	t.Helper()
	p, err := r.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func awaitExit(t *testing.T, p node.Process) {
	t.Helper()
	select {
	case <-p.Exited():
	case <-time.After(patience):
		t.Fatalf("the end of %s goes unseen", p.ID())
	}
}

func kill(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}

// TestAnExitIsSeenAtOnce compares with when the test itself learns of the exit, for a started and an adopted process.
// It takes the best of several runs, because the machine may be busy.
func TestAnExitIsSeenAtOnce(t *testing.T) {
	const atOnce = 50 * time.Millisecond
	dir := t.TempDir()
	own, next := newRuntime(t, dir), newRuntime(t, dir)
	best := map[string]time.Duration{"own": time.Hour, "adopted": time.Hour}
	for range 4 {
		p := mustStart(t, own, nodetest.Spec(t, "a"))
		found := adopt(t, next)
		if len(found) != 1 {
			t.Fatalf("found %v", found)
		}
		exit := exitOf(t, p.PID())
		kill(t, p.PID(), syscall.SIGKILL)
		exit()
		begin := time.Now()
		awaitExit(t, found[0])
		best["adopted"] = min(best["adopted"], time.Since(begin))
		awaitExit(t, p)
		best["own"] = min(best["own"], time.Since(begin))
	}
	for whose, took := range best {
		if took > atOnce {
			t.Errorf("%s: seen after %s", whose, took)
		}
	}
}

// exitOf opens a process. The returned function waits until it is gone.
func exitOf(t *testing.T, pid int) (await func()) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return func() {
		t.Helper()
		left := patience
		for end := time.Now().Add(patience); left > 0; left = time.Until(end) {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left/time.Millisecond))
			switch {
			case n == 1:
				return
			case err != nil && err != unix.EINTR: // the Go runtime sends itself signals
				t.Fatal(err)
			}
		}
		unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		t.Fatalf("process %d goes on", pid)
	}
}

func TestProcessesOutliveTheirRuntime(t *testing.T) {
	dir := t.TempDir()
	r := newRuntime(t, dir)
	p := mustStart(t, r, nodetest.Spec(t, "a"))
	sid, err := unix.Getsid(p.PID())
	if err != nil || sid != p.PID() {
		t.Errorf("its session is %d, %v: it would get the signals of larder's", sid, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Exited():
		t.Error("it is said to have exited when the runtime closed")
	default:
	}
	conn, err := p.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if found := adopt(t, newRuntime(t, dir)); len(found) != 1 || found[0].PID() != p.PID() {
		t.Errorf("found %v", found)
	}
}

// TestStopTakesTheChildrenToo: Stop ends children that ignore SIGTERM, and those of a killed process.
func TestStopTakesTheChildrenToo(t *testing.T) {
	for name, grace := range map[string]time.Duration{"asked": patience, "killed": 0} {
		t.Run(name, func(t *testing.T) {
			p := mustStart(t, newRuntime(t, t.TempDir()), nodetest.Parent(t, "a"))
			child, err := strconv.Atoi(nodetest.Ask(t, p, "child"))
			if err != nil {
				t.Fatal(err)
			}
			exit := exitOf(t, child)
			if err := p.Stop(t.Context(), grace); err != nil {
				t.Fatal(err)
			}
			exit()
		})
	}
}

func TestNothingOfTheInputsIsOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := nodetest.Spec(t, "a")
	s.Stdin, s.Files = []byte("a secret configuration"), [][]byte{[]byte("a secret key")}
	p := mustStart(t, newRuntime(t, dir), s)
	for i, want := range map[int]string{0: "a secret configuration", 3: "a secret key"} {
		fd := "/proc/" + strconv.Itoa(p.PID()) + "/fd/" + strconv.Itoa(i)
		if link, err := os.Readlink(fd); err != nil || !strings.HasPrefix(link, "/memfd:") {
			t.Errorf("descriptor %d is %s, %v", i, link, err)
		}
		if raw, err := os.ReadFile(fd); err != nil || string(raw) != want {
			t.Errorf("descriptor %d holds %q, %v", i, raw, err)
		}
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte("secret")) {
			t.Errorf("%s holds a secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheDirectoryIsItsOwners(t *testing.T) {
	dir := t.TempDir()
	mustStart(t, newRuntime(t, dir), nodetest.Spec(t, "a"))
	got := map[string]fs.FileMode{}
	err := filepath.WalkDir(filepath.Join(dir, "a"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if d.Type()&fs.ModeSocket == 0 { // a process chooses the mode of its socket itself
			got[d.Name()] = info.Mode().Perm()
		}
		return err
	})
	want := map[string]fs.FileMode{"a": 0o700, "node.log": 0o600}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

func TestPIDs(t *testing.T) {
	dir := t.TempDir()
	r := newRuntime(t, dir)
	check := func(processes ...node.Process) {
		t.Helper()
		want := map[string]int{}
		for _, p := range processes {
			want[p.ID()] = p.PID()
		}
		if got, err := r.PIDs(t.Context()); err != nil || !maps.Equal(got, want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
	check()
	a, b := mustStart(t, r, nodetest.Spec(t, "a")), mustStart(t, r, nodetest.Spec(t, "b"))
	check(a, b)
	if err := a.Stop(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	check(b)
}

// TestStartDoesNotWaitForever: if ctx ends, Start ends a process that has not opened its socket.
func TestStartDoesNotWaitForever(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	r, hidden := newRuntime(t, dir), nodetest.Hidden(t, "a")
	go func() {
		_, err := r.Start(ctx, hidden)
		done <- err
	}()
	var pids []int
	for deadline := time.Now().Add(patience); len(pids) == 0 && time.Now().Before(deadline); {
		all, err := r.PIDs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pids = slices.Collect(maps.Values(all))
	}
	cancel()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "cannot start a: its socket did not open") {
		t.Error(err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d is left behind", pid)
		}
	}
	if len(pids) != 1 {
		t.Errorf("%d processes were started", len(pids))
	}
}
