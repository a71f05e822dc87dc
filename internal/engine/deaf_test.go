package engine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"larder/internal/testkit"
)

// deafen closes the TCP listeners of a process without its knowledge, as a change of its addresses leaves it that could
// neither be made nor be undone.
func deafen(pid int) error {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(process)
	names, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
	if err != nil {
		return err
	}
	closed := 0
	for _, name := range names {
		number, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			return err
		}
		fd, err := unix.PidfdGetfd(process, number, 0)
		if errors.Is(err, unix.EBADF) { // closed meanwhile
			continue
		}
		if err != nil {
			return err
		}
		is, err := closeListener(fd)
		if err := errors.Join(err, unix.Close(fd)); err != nil {
			return err
		}
		closed += is
	}
	if closed == 0 {
		return fmt.Errorf("process %d has no listener", pid)
	}
	return nil
}

// closeListener closes a socket that listens for TCP, and returns how many it was: 1 or 0.
func closeListener(fd int) (int, error) {
	family, errFamily := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	listens, errListens := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if errFamily != nil || errListens != nil || family != unix.AF_INET || listens == 0 { // such as a file
		return 0, nil
	}
	return 1, unix.Shutdown(fd, unix.SHUT_RD)
}

// TestADeafNodeIsMadeToListenAgain: a node that says it listens, and does not, is no reason for a group to be stuck.
func TestADeafNodeIsMadeToListenAgain(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	before := must(w.runtime.PIDs(t.Context()))(t)
	for _, id := range []string{"g-001", "g-002"} {
		w.stop()
		err := deafen(before[id])
		w.start()
		if errors.Is(err, unix.EPERM) && os.Getuid() != 0 {
			testkit.Missing(t, "the node's sockets cannot be got at: "+err.Error())
		}
		if err != nil {
			t.Fatal(err)
		}
		w.eventually(id+" can be reached", func() bool {
			c := w.client(rg.Member(id).Address)
			defer c.Close()
			return c.Ping(t.Context()).Err() == nil
		})
	}
	w.awaitAvailable("g")
	after := must(w.runtime.PIDs(t.Context()))(t)
	if after["g-001"] != before["g-001"] || after["g-002"] != before["g-002"] {
		t.Errorf("the processes are %v, and were %v", after, before)
	}
}
