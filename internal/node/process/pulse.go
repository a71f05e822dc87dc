package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/node"
)

// tick is the unit of the CPU times in a stat file (USER_HZ, the same on every architecture that larder runs on).
const tick = 10 * time.Millisecond

// scheduler reads what the kernel shows of a process's main thread. The files are opened once: they are of that thread
// for good, whatever becomes of its number, and a look costs two reads.
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
func (s scheduler) pulse() (pulse node.SchedulerSample, err error) {
	var buffer [1 << 10]byte
	n, err := s.stat.ReadAt(buffer[:], 0)
	if n == 0 {
		return pulse, err
	}
	status, err := statusOf(buffer[:n])
	if err != nil {
		return pulse, err
	}
	pulse.Stopped, pulse.Runnable = status == 'T' || status == 't', status == 'R'
	pulse.CPU, err = s.cpu()
	return pulse, err
}

// cpu fails when the thread is gone.
func (s scheduler) cpu() (time.Duration, error) {
	var buffer [1 << 10]byte
	if s.schedstat == nil {
		n, err := s.stat.ReadAt(buffer[:], 0)
		if n == 0 {
			return 0, err
		}
		return mainThreadTime(buffer[:n])
	}
	n, err := s.schedstat.ReadAt(buffer[:], 0)
	if n == 0 {
		return 0, err
	}
	used, _, _ := bytes.Cut(buffer[:n], []byte(" "))
	ns, err := strconv.ParseInt(string(used), 10, 64)
	return time.Duration(ns), err
}

// Pulse looks at the process's main thread.
func (p *process) SchedulerSample() (node.SchedulerSample, error) {
	pulse, err := p.scheduler.pulse()
	if err != nil {
		return pulse, fmt.Errorf("cannot look at %s: %w", p.id, err)
	}
	return pulse, nil
}

// CPU is how much the process's main thread has used.
func (p *process) CPU() (time.Duration, error) {
	used, err := p.scheduler.cpu()
	if err != nil {
		return 0, fmt.Errorf("cannot look at %s: %w", p.id, err)
	}
	return used, nil
}

// AllCPU reads the process's clock, by its number, which may be another's once it is gone.
func (p *process) AllCPU() (time.Duration, error) {
	used, err := clockOf(p.pid)
	select {
	case <-p.exited:
		err = errors.New("it has ended")
	default:
	}
	if err != nil {
		return 0, fmt.Errorf("cannot read the clock of %s: %w", p.id, err)
	}
	return used, nil
}

// clockOf reads a process's clock. Source: clock_getcpuclockid(3), and include/linux/posix-timers.h for the number.
func clockOf(pid int) (time.Duration, error) {
	const scheduler = 2 // CPUCLOCK_SCHED
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &used); err != nil {
		return 0, fmt.Errorf("cannot read the clock of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// mainThreadTime is the CPU time in a thread's stat file.
func mainThreadTime(stat []byte) (time.Duration, error) {
	fields, err := statFields(stat)
	if err != nil {
		return 0, err
	}
	return ticks(fields, userTime, systemTime)
}

// statusOf is the state in a stat file, which follows the name in parentheses; that may hold anything. It fails when
// the process has ended.
func statusOf(stat []byte) (byte, error) {
	at := bytes.LastIndexByte(stat, ')') + len(") ")
	if at >= len(stat) {
		return 0, fmt.Errorf("the kernel's line %q is too short", stat)
	}
	if status := stat[at]; status != 'Z' && status != 'X' {
		return status, nil
	}
	return 0, errors.New("it has ended")
}

// Where a stat file has what, counted from the state.
const (
	userTime = iota + 11
	systemTime
	childrenUserTime // of those that were waited for
	childrenSystemTime
)

// statFields are the fields of a stat file from the state on. It fails when the process has ended.
func statFields(stat []byte) ([]string, error) {
	if _, err := statusOf(stat); err != nil {
		return nil, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= childrenSystemTime {
		return nil, fmt.Errorf("the kernel's line %q is too short", stat)
	}
	return fields, nil
}

// ticks adds up times of a stat file.
func ticks(fields []string, which ...int) (time.Duration, error) {
	var sum int64
	for _, i := range which {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the kernel's times %q: %w", fields, err)
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}
