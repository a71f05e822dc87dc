package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"larder/internal/node"
)

// tick is the unit of the CPU times in a stat file (USER_HZ, the same on every architecture that larder runs on).
const tick = 10 * time.Millisecond

// scheduler reads what the kernel shows of a process's main thread. The files are opened once: they are of that thread for good,
// whatever becomes of its number, and a look costs two reads.
type scheduler struct {
	stat      *os.File
	schedstat *os.File // counts in nanoseconds; nil where the kernel does not
}

func openScheduler(pid int) (scheduler, error) {
	thread := "/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(pid)
	stat, err := os.Open(thread + "/stat")
	if err != nil {
		return scheduler{}, err
	}
	schedstat, err := os.Open(thread + "/schedstat")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		stat.Close()
		return scheduler{}, err
	}
	return scheduler{stat, schedstat}, nil
}

func (s scheduler) close() {
	s.stat.Close()
	if s.schedstat != nil {
		s.schedstat.Close()
	}
}

// pulse fails when the thread is gone.
func (s scheduler) pulse() (node.Pulse, error) {
	var buffer [1 << 10]byte
	n, err := s.stat.ReadAt(buffer[:], 0)
	if n == 0 {
		return node.Pulse{}, err
	}
	pulse, err := parsePulse(buffer[:n])
	if err != nil || s.schedstat == nil {
		return pulse, err
	}
	n, err = s.schedstat.ReadAt(buffer[:], 0)
	if n == 0 {
		return pulse, err
	}
	used, _, _ := bytes.Cut(buffer[:n], []byte(" "))
	ns, err := strconv.ParseInt(string(used), 10, 64)
	pulse.CPU = time.Duration(ns)
	return pulse, err
}

// Pulse looks at the process's main thread.
func (p *process) Pulse() (node.Pulse, error) {
	pulse, err := p.scheduler.pulse()
	if err != nil {
		return pulse, fmt.Errorf("cannot look at %s: %w", p.id, err)
	}
	return pulse, nil
}

// parsePulse reads a stat file: after the name in parentheses, which may hold anything, come the state and, 11 and 12 fields
// later, the ticks spent in user and in kernel mode.
func parsePulse(stat []byte) (node.Pulse, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const state, user, system = 0, 11, 12
	if len(fields) <= system {
		return node.Pulse{}, fmt.Errorf("the kernel's line %q is too short", stat)
	}
	var ticks int64
	for _, i := range []int{user, system} {
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		if err != nil {
			return node.Pulse{}, fmt.Errorf("the kernel's line %q: %w", stat, err)
		}
		ticks += n
	}
	switch s := string(fields[state]); s {
	case "Z", "X":
		return node.Pulse{}, errors.New("it has ended")
	default:
		return node.Pulse{Stopped: s == "T" || s == "t", Runnable: s == "R", CPU: time.Duration(ticks) * tick}, nil
	}
}
