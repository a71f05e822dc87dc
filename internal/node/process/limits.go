package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// LeaveNoCore has this process, and whatever it starts, leave no core file when it crashes: that would hold what its
// memory does, in plain text.
func LeaveNoCore() error { return leaveNoCore(0) }

// leaveNoCore does so for a process; 0 is this one. No limit keeps the kernel from a program that takes cores from a
// pipe (core_pattern beginning with '|'): with an empty filter it gets none of the memory.
func leaveNoCore(pid int) error {
	name := "self"
	if pid != 0 {
		name = strconv.Itoa(pid)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil); err != nil {
		return fmt.Errorf("cannot keep process %s from leaving a core file: %w", name, err)
	}
	err := writeProc("/proc/"+name+"/coredump_filter", "0")
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without it writes no cores
		return fmt.Errorf("cannot keep process %s from leaving its memory in a core file: %w", name, err)
	}
	return nil
}

func writeProc(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// leastRoom is how much more than a process has, in bytes, a limit lets it take: one that is lowered ends nobody.
const leastRoom = 256 << 20

// LimitMemory limits what the process may have of private memory (RLIMIT_DATA), with a child's of its own; see
// node.Process. The machine keeps a tenth of its memory for all others.
func (p *process) LimitMemory(most int64) error {
	has, err := p.usage.private()
	if err == nil {
		var machine unix.Sysinfo_t
		if err = unix.Sysinfo(&machine); err == nil {
			all := (uint64(machine.Totalram) + uint64(machine.Totalswap)) * uint64(machine.Unit)
			err = limitMemory(p.pid, max(min(uint64(most), all/10*9), has+leastRoom))
		}
	}
	if err != nil {
		return fmt.Errorf("cannot limit the memory of %s: %w", p.id, err)
	}
	return nil
}

func limitMemory(pid int, most uint64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, nil, &limit); err != nil {
		return err
	}
	limit.Cur = min(most, limit.Max)
	return unix.Prlimit(pid, unix.RLIMIT_DATA, &limit, nil)
}

// limitLog has a process write no file further than most bytes from its beginning: what it logs beyond is lost, and
// nothing else becomes of it, as the signal that tells of it (SIGXFSZ) is ignored from its start on.
func limitLog(pid int, most int64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		return err
	}
	limit.Cur = min(uint64(most), limit.Max)
	return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil)
}

// logLimit returns how far a process may write; false where it may as far as it likes: one of larder's own, or one that
// a larder started that set no limit. That one did not ignore the signal either, and would end at it.
func logLimit(pid int) (most int64, limited bool, err error) {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		return 0, false, err
	}
	return int64(limit.Cur), limit.Cur != unix.RLIM_INFINITY, nil
}
