package process_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/node"
	"larder/internal/node/nodetest"
	"larder/internal/node/process"
	"larder/internal/testkit"
)

// coreRules returns the kernel's core file settings of a process.
func coreRules(t *testing.T, pid int) string {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_CORE, nil, &limit); err != nil {
		t.Fatal(err)
	}
	filter, err := os.ReadFile(fmt.Sprintf("/proc/%d/coredump_filter", pid))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d of %d, filter %s", limit.Cur, limit.Max,
		strings.TrimLeft(strings.TrimSpace(string(filter)), "0"))
}

const noCores = "0 of 0, filter "

// TestNoProcessLeavesACore covers a started process, and an adopted one of an older larder.
func TestNoProcessLeavesACore(t *testing.T) {
	dir := t.TempDir()
	r := newRuntime(t, dir)
	p := mustStart(t, r, nodetest.Spec(t, "a"))
	if got := coreRules(t, p.PID()); got != noCores {
		t.Errorf("started: %s", got)
	}

	older := nodetest.Spec(t, "a")
	cmd := exec.Command(older.Path, older.Args...)
	home := dir + "/b"
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.MemfdCreate("larder-0", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = os.NewFile(uintptr(fd), "memory")
	cmd.Dir, cmd.SysProcAttr = home, &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	next := newRuntime(t, dir)
	if found := adopt(t, next); len(found) != 2 {
		t.Fatalf("found %v", found)
	}
	if err := next.TrimLogs(); err != nil {
		t.Fatal(err)
	}
	if got := coreRules(t, cmd.Process.Pid); got != noCores {
		t.Errorf("adopted: %s", got)
	}
	var limit unix.Rlimit
	if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil ||
		limit.Cur != unix.RLIM_INFINITY {
		t.Errorf("adopted: it may write %d bytes, %v: it does not ignore the signal, and would end", limit.Cur, err)
	}
}

// dataLimit returns the limit of a process's private memory.
func dataLimit(t *testing.T, pid int) uint64 {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, nil, &limit); err != nil {
		t.Fatal(err)
	}
	return limit.Cur
}

// TestMemoryIsLimited: the limit is as requested, but leaves some memory to the machine, and is not below what the
// process has.
func TestMemoryIsLimited(t *testing.T) {
	p := mustStart(t, newRuntime(t, t.TempDir()), nodetest.Spec(t, "a"))
	var machine unix.Sysinfo_t
	if err := unix.Sysinfo(&machine); err != nil {
		t.Fatal(err)
	}
	all := uint64(machine.Totalram+machine.Totalswap) * uint64(machine.Unit)
	for _, c := range []struct{ ask, least, most uint64 }{
		{1 << 30, 1 << 30, 1<<30 + 512<<20}, {all * 2, all / 2, all - all/20}, {1, 256 << 20, 1 << 30},
	} {
		if err := p.LimitMemory(int64(c.ask)); err != nil {
			t.Fatal(err)
		}
		if got := dataLimit(t, p.PID()); got < c.least || got > c.most {
			t.Errorf("of %d bytes it may have %d, want %d to %d", c.ask, got, c.least, c.most)
		}
	}
	kill(t, p.PID(), syscall.SIGKILL)
	awaitExit(t, p)
	if err := p.LimitMemory(1 << 30); err == nil {
		t.Error("the memory of a process that is gone was limited")
	}
}

// TestABurstIsBounded: a program that logs far more than its log may hold continues, and its later lines are kept. The
// log names the signal that ends it.
func TestABurstIsBounded(t *testing.T) {
	perl, err := exec.LookPath("perl")
	if err != nil {
		testkit.Missing(t, "perl is needed for a process with a socket that is not Go's")
	}
	const program = `use IO::Socket::UNIX; $| = 1;
my $l = IO::Socket::UNIX->new(Local => "admin.sock", Listen => 8) or die;
while (my $c = $l->accept) { my $n = <$c>; next unless defined $n; print "x" x 999, "\n" for 1..$n; print $c "done\n"; }`
	dir := t.TempDir()
	r := newRuntime(t, dir)
	p := mustStart(t, r, node.Spec{ID: "a", Path: perl, Args: []string{"-e", program}})
	for round := range 3 {
		for _, lines := range []string{"12000", "1"} {
			nodetest.Ask(t, p, lines)
			info, err := os.Stat(dir + "/a/node.log")
			if err != nil {
				t.Fatal(err)
			}
			if on := info.Sys().(*syscall.Stat_t).Blocks * 512; on > 5<<20+64<<10 {
				t.Errorf("round %d: %d bytes on disk", round, on)
			}
			if err := r.TrimLogs(); err != nil {
				t.Fatal(err)
			}
		}
	}
	select {
	case <-p.Exited():
		t.Errorf("it is gone: %s", p.LastWords())
	case <-time.After(0):
	}
	kill(t, p.PID(), syscall.SIGSEGV)
	awaitExit(t, p)
	if want := fmt.Sprintf("process %d was ended by SIGSEGV", p.PID()); !strings.Contains(p.LastWords(), want) {
		t.Errorf("last words %q, want %q", p.LastWords(), want)
	}
	own := process.Runtime{Dir: dir}
	if size, err := own.LogSize("a"); err != nil || size < 5<<20 {
		t.Errorf("%d bytes were logged, %v", size, err)
	}
}
