package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// soon is how long a command may take to say that the engine does not answer, on a busy machine.
const soon = 30 * time.Second

// signal sends a signal to a process.
func (d *harness) signal(pid int, s syscall.Signal) {
	d.t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		d.t.Fatal(err)
	}
}

// silent runs commands side by side. Each has to fail soon, to name the engine's process and to say what to do; none
// may say that there is no engine, nor change anything.
func (d *harness) silent(pid int, next string, commands ...[]string) {
	d.t.Helper()
	var all sync.WaitGroup
	for _, args := range commands {
		all.Go(func() {
			begin := time.Now()
			r := d.larder(args...)
			name := "larder " + strings.Join(args, " ")
			if r.code == 0 || r.stdout != "" || time.Since(begin) > soon {
				d.t.Errorf("%s: exit %d after %s: %s", name, r.code, time.Since(begin), r.stdout)
			}
			for _, w := range []string{fmt.Sprintf("process %d", pid), "does not answer", next, "nodes go on"} {
				if !strings.Contains(r.stderr, w) {
					d.t.Errorf("%s: %q is not in\n%s", name, w, r.stderr)
				}
			}
			if strings.Contains(r.stderr, "no engine is running") {
				d.t.Errorf("%s: %s", name, r.stderr)
			}
		})
	}
	all.Wait()
}

// TestASuspendedEngineIsSaidToBe: no command takes an engine that does not answer for one that is gone, and `down` and
// `up` change nothing. One that was suspended goes on where it was.
func TestASuspendedEngineIsSaidToBe(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-dev-redis"
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	pid, nodes := d.pid(), len(d.pids())
	kept := read(t, filepath.Join(d.home, "engine.json"))
	d.signal(pid, syscall.SIGSTOP)
	cont := fmt.Sprintf("kill -CONT %d", pid)
	d.silent(pid, cont, []string{"status"}, []string{"status", id, "--json"}, []string{"status", "--watch"},
		[]string{"env"}, []string{"outputs"}, []string{"logs"},
		[]string{"logs", "--follow"}, []string{"top", "--once"}, []string{"top"})
	d.silent(pid, cont, []string{"failover"}, []string{"destroy", "--yes"}, []string{"mail", "--confirm"},
		[]string{"down", "--yes"}, []string{"up", seed + "development.tf"})
	if err := os.Remove(filepath.Join(d.home, "engine.json")); err != nil {
		t.Fatal(err)
	}
	d.silent(pid, cont, []string{"status"}, []string{"down", "--yes"}, []string{"up", seed + "development.tf"})
	d.signal(pid, syscall.SIGCONT)
	d.eventually("the engine, which goes on, writes engine.json anew", func() bool {
		now, err := os.ReadFile(filepath.Join(d.home, "engine.json"))
		return err == nil && string(now) == kept
	})
	if s := d.status(id); s.Status != "available" || d.pid() != pid || len(d.pids()) != nodes {
		t.Errorf("the group is %s; the engine is process %d, before it was %d; %d nodes, before there were %d",
			s.Status, d.pid(), pid, len(d.pids()), nodes)
	}
}

// TestAWatchSaysThatTheEngineDoesNotAnswer, and goes on when it does.
func TestAWatchSaysThatTheEngineDoesNotAnswer(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	pid := d.pid()
	for _, c := range []struct{ command, first, again string }{
		{"status --watch --json", "available", ""}, {"top --json", `"nodes"`, `"nodes"`},
	} {
		shown := d.follow(d.env, "sh", "-c", "exec "+program+" "+c.command+" 2>&1")
		shown.await(c.first)
		d.signal(pid, syscall.SIGSTOP)
		shown.await(fmt.Sprintf("process %d) does not answer", pid))
		d.signal(pid, syscall.SIGCONT)
		if c.again != "" {
			shown.await(c.again)
		}
		shown.interrupt()
	}
	d.must("status")
}

// TestASlowEngineIsWaitedFor: an engine that gets a tenth of the time answers late, and is not called suspended.
func TestASlowEngineIsWaitedFor(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	pid := d.pid()
	ctx, stop := context.WithCancel(t.Context())
	starved := make(chan struct{})
	go func() {
		defer close(starved)
		for ctx.Err() == nil {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
			time.Sleep(900 * time.Millisecond) // the engine's share of time, and nothing that is waited for
			_ = syscall.Kill(pid, syscall.SIGCONT)
			time.Sleep(100 * time.Millisecond)
		}
	}()
	for range 3 {
		d.must("status")
	}
	d.must("up", seed+"development.tf")
	stop()
	<-starved
}

// TestUpWaitsForAnEngineThatIsSlowToStart: an engine that holds the directory and does not answer yet is waited for by
// the `up` that starts it.
func TestUpWaitsForAnEngineThatIsSlowToStart(t *testing.T) {
	t.Parallel()
	for range 20 {
		d := newHarness(t)
		ended := make(chan result, 1)
		go func() { ended <- d.larder("up", seed+"development.tf") }()
		pid := d.starting()
		d.signal(pid, syscall.SIGSTOP)
		_, err := os.Lstat(filepath.Join(d.home, "engine.sock"))
		early := errors.Is(err, fs.ErrNotExist)
		if early {
			time.Sleep(3 * time.Second) // longer than what counts as suspended
		}
		d.signal(pid, syscall.SIGCONT)
		if r := <-ended; r.code != 0 {
			t.Fatalf("up: exit %d: %s", r.code, r.stderr)
		}
		if d.pid() != pid {
			t.Errorf("the engine is process %d, and process %d was started", d.pid(), pid)
		}
		if early {
			return
		}
	}
	t.Error("the engine had started each time before it was suspended")
}

// starting is the process of an engine that has begun to start.
func (d *harness) starting() (pid int) {
	d.t.Helper()
	d.eventually("an engine starts", func() bool {
		_, err := os.Lstat(filepath.Join(d.home, "larder.db"))
		return err == nil
	})
	d.eventually("its process is known", func() bool {
		for _, p := range d.processes() {
			cmd, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/cmdline")
			if err == nil && strings.Contains(string(cmd), "serve") {
				pid = p.PID
			}
		}
		return pid != 0
	})
	return pid
}
