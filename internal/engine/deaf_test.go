package engine_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// deafen closes the TCP listeners of a process without its knowledge, as a change of its addresses leaves it that could
// neither be made nor be undone.
func deafen(t *testing.T, pid int) {
	t.Helper()
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(process)
	closed := 0
	for _, name := range must(filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*")))(t) {
		number := must(strconv.Atoi(filepath.Base(name)))(t)
		fd, err := unix.PidfdGetfd(process, number, 0)
		if err != nil {
			if os.Getuid() != 0 {
				t.Skipf("the node's sockets cannot be got at: %v", err)
			}
			t.Fatal(err)
		}
		family, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		listens, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if family == unix.AF_INET && listens == 1 {
			if err := unix.Shutdown(fd, unix.SHUT_RD); err != nil {
				t.Fatal(err)
			}
			closed++
		}
		if err := unix.Close(fd); err != nil {
			t.Fatal(err)
		}
	}
	if closed == 0 {
		t.Fatalf("process %d has no listener", pid)
	}
}

// TestADeafNodeIsMadeToListenAgain: a node that says it listens, and does not, is no reason for a group to be stuck.
func TestADeafNodeIsMadeToListenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	before := must(w.runtime.PIDs(t.Context()))(t)
	for _, id := range []string{"g-001", "g-002"} {
		w.stop()
		deafen(t, before[id])
		w.start()
		w.eventually(id+" can be reached", func() bool {
			c := w.client(rg.Member(id).Address)
			defer c.Close()
			return c.Ping(t.Context()).Err() == nil
		})
	}
	w.awaitAvailable("g")
	if after := must(w.runtime.PIDs(t.Context()))(t); after["g-001"] != before["g-001"] || after["g-002"] != before["g-002"] {
		t.Errorf("the processes are %v, and were %v", after, before)
	}
}
