package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// LeaveNoCore prevents core files of this process and its children. A core file would contain secrets and data in plain
// text.
func LeaveNoCore() error { return leaveNoCore(0) }

// leaveNoCore does that for a process; 0 means this one. A limit does not stop a core_pattern that pipes cores to a
// program. Therefore leaveNoCore also sets an empty filter, so that such a program gets none of the memory.
func leaveNoCore(pid int) error {
	name := "self"
	if pid != 0 {
		name = strconv.Itoa(pid)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil); err != nil {
		return fmt.Errorf("cannot keep process %s from leaving a core file: %w", name, err)
	}
	err := writeProc("/proc/"+name+"/coredump_filter", "0")
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without this file writes no cores
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

// leastRoom is how many bytes more than its current memory a process may always have, so that a lowered limit does not
// end it.
const leastRoom = 256 << 20

// LimitMemory limits the private memory of the process (RLIMIT_DATA). A child has the same limit of its own. A tenth of
// the machine's memory is left for all others; see node.Process.
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

// limitLog limits the offset up to which a process may write files. What it logs beyond that is lost. Nothing else
// happens, because the process ignores SIGXFSZ from its start on.
func limitLog(pid int, most int64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		return err
	}
	limit.Cur = min(uint64(most), limit.Max)
	return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil)
}

// logLimit returns the offset up to which a process may write. It returns false if there is no limit: for larder's own
// programs, and for processes of an older larder that set none. Those do not ignore SIGXFSZ and would end.
func logLimit(pid int) (most int64, limited bool, err error) {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		return 0, false, err
	}
	return int64(limit.Cur), limit.Cur != unix.RLIM_INFINITY, nil
}
