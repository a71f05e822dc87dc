package engine_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/testkit"
)

// TestSuspendedNodesKeepTheirData: somebody stops every node for longer than a node may be busy. They are told to go
// on, and not ended: what they have is in their memory.
func TestSuspendedNodesKeepTheirData(t *testing.T) {
	t.Parallel()
	for _, members := range []int{1, 3} {
		t.Run(fmt.Sprint(members), func(t *testing.T) {
			t.Parallel()
			w, c := suspendable(t, members)
			before := must(w.runtime.PIDs(t.Context()))(t)
			for i := range members {
				w.signal(cache.MemberID("g", i+1), syscall.SIGSTOP)
			}
			testkit.Within(t, patience, "the nodes go on", func() bool { return c.Get(t.Context(), "k").Val() == "v" })
			if now := must(w.runtime.PIDs(t.Context()))(t); now["g-001"] != before["g-001"] {
				t.Errorf("the processes were %v and are %v", before, now)
			}
			w.awaitAvailable("g")
			if n := w.noticed(event.New(event.AllDataLost, time.Time{}, "g-001", "0001").Message); n != 0 {
				t.Errorf("%d events say that the data are lost", n)
			}
		})
	}
}

// TestStoppedAgainAndAgain: a node that alone has the data goes on each time, with them.
func TestStoppedAgainAndAgain(t *testing.T) {
	t.Parallel()
	w, c := suspendable(t, 1)
	before := must(w.runtime.PIDs(t.Context()))(t)
	for range 3 {
		w.signal("g-001", syscall.SIGSTOP)
		testkit.Within(t, patience, "the node goes on", func() bool { return c.Get(t.Context(), "k").Val() == "v" })
	}
	if now := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, now) {
		t.Errorf("the processes were %v and are %v", before, now)
	}
}

// TestANodeThatIsHeldIsNotEnded while a debugger, or the freezer of its cgroup, holds it and it alone has the data:
// SIGCONT does not help, and it goes on when it is let go.
func TestANodeThatIsHeldIsNotEnded(t *testing.T) {
	t.Parallel()
	holders := map[string]func(t *testing.T, pid int) (release func()){"debugger": trace}
	if dir, err := os.MkdirTemp(freezer().root, "larder-test-"); err == nil { // as root, in some places
		holders["freezer"] = func(t *testing.T, pid int) func() { return freeze(t, dir, pid) }
	}
	for name, hold := range holders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, c := suspendable(t, 1)
			before := must(w.runtime.PIDs(t.Context()))(t)
			release := sync.OnceFunc(hold(t, before["g-001"]))
			defer release()
			testkit.Within(t, patience, "it is said that the node is held", func() bool {
				text, _ := w.engine.LastError("g")
				return text != ""
			})
			if now := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, now) {
				t.Fatalf("the processes were %v and are %v", before, now)
			}
			release()
			testkit.Within(t, patience, "it goes on", func() bool { return c.Get(t.Context(), "k").Val() == "v" })
			w.awaitAvailable("g")
			if now := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, now) {
				t.Errorf("the processes were %v and are %v", before, now)
			}
		})
	}
}

// TestASleepingMachine: all clocks go on by hours at once, between any two looks. No node is taken for one that hangs.
func TestASleepingMachine(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	var slept atomic.Int64
	w.config.BusyLimit = time.Second
	w.config.Now = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
	w.start()
	w.create("g", 3, nil)
	w.awaitAvailable("g")
	before := must(w.runtime.PIDs(t.Context()))(t)
	for range 4 {
		slept.Add(int64(8 * time.Hour))
		for range 20 { // the engine looks five times a second
			rg := must(w.get("g"))(t)
			now := must(w.runtime.PIDs(t.Context()))(t)
			if !maps.Equal(before, now) || rg.Primary().ID != "g-001" || rg.Group.Status != cache.Available {
				t.Fatalf("%s, primary %s, the processes were %v and are %v", rg.Group.Status, rg.Primary().ID, before, now)
			}
			time.Sleep(25 * time.Millisecond)
		}
	}
}

// suspendable makes a group whose nodes may be busy for a second, with a key k that is v.
func suspendable(t *testing.T, members int) (*fixture, *redis.Client) {
	w := newFixture(t)
	w.stop()
	w.config.BusyLimit = time.Second
	w.start()
	w.create("g", members, nil)
	c := w.client(w.awaitAvailable("g").PrimaryAddress)
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	return w, c
}

// trace stops a process as a debugger does, until it is released. Its tracer is one thread.
func trace(t *testing.T, pid int) (release func()) {
	t.Helper()
	let, done, stopped := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		err := unix.PtraceSeize(pid)
		if err == nil {
			err = unix.PtraceInterrupt(pid)
		}
		if err == nil {
			_, err = unix.Wait4(pid, nil, unix.WALL, nil)
		}
		stopped <- err
		<-let
		done <- unix.PtraceDetach(pid)
	}()
	if err := <-stopped; err != nil {
		t.Fatalf("cannot hold process %d as a debugger: %v", pid, err)
	}
	return func() {
		close(let)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// freezers is where control groups are frozen, and how.
type freezers struct{ root, state, on, off string }

// freezer is the one of whichever version the machine has.
func freezer() freezers {
	if _, err := os.Stat("/sys/fs/cgroup/freezer"); err == nil {
		return freezers{"/sys/fs/cgroup/freezer", "freezer.state", "FROZEN", "THAWED"}
	}
	return freezers{"/sys/fs/cgroup", "cgroup.freeze", "1", "0"}
}

// freeze puts a process into a cgroup, which it freezes until it is released.
func freeze(t *testing.T, dir string, pid int) (thaw func()) {
	t.Helper()
	f := freezer()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		write(filepath.Join(dir, f.state), f.off)
		os.WriteFile(filepath.Join(f.root, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o600) // it may be gone
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	write(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(pid))
	write(filepath.Join(dir, f.state), f.on)
	return func() { write(filepath.Join(dir, f.state), f.off) }
}
