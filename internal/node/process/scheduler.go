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

// tick is the unit of times in a stat file (USER_HZ, the same on all supported architectures).
const tick = 10 * time.Millisecond

// scheduler reads what the kernel reports about a process's main thread. The files are opened once, and always refer to
// that thread, even if its number is reused. A sample costs two reads.
type scheduler struct {
	stat      *os.File
	schedstat *os.File // in nanoseconds; nil if the kernel lacks it
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

// sample fails when the thread is gone.
func (s scheduler) sample() (sample node.SchedulerSample, err error) {
	var buffer [1 << 10]byte
	n, err := s.stat.ReadAt(buffer[:], 0)
	if n == 0 {
		return sample, err
	}
	status, err := statusOf(buffer[:n])
	if err != nil {
		return sample, err
	}
	sample.Stopped, sample.Runnable = status == 'T' || status == 't', status == 'R'
	sample.CPU, err = s.cpu()
	return sample, err
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

// SchedulerSample reads the state of the process's main thread; see node.Process.
func (p *process) SchedulerSample() (node.SchedulerSample, error) {
	sample, err := p.scheduler.sample()
	if err != nil {
		return sample, fmt.Errorf("cannot look at %s: %w", p.id, err)
	}
	return sample, nil
}

// CPU returns the processor time of the main thread.
func (p *process) CPU() (time.Duration, error) {
	used, err := p.scheduler.cpu()
	if err != nil {
		return 0, fmt.Errorf("cannot look at %s: %w", p.id, err)
	}
	return used, nil
}

// AllCPU reads the process's clock by its number. Afterwards it verifies that the process still exists, because the
// number could have been reused.
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

// mainThreadTime returns the processor time in a thread's stat file.
func mainThreadTime(stat []byte) (time.Duration, error) {
	fields, err := statFields(stat)
	if err != nil {
		return 0, err
	}
	return ticks(fields, userTime, systemTime)
}

// statusOf returns the state in a stat file. It follows the name in parentheses, which may contain any character. It
// fails when the process has ended.
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

// Indexes of fields in a stat file, counted from the state.
const (
	userTime = iota + 11
	systemTime
	childrenUserTime // of children that were waited for
	childrenSystemTime
)

// statFields returns the fields of a stat file from the state on. It fails when the process has ended.
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

// ticks sums times of a stat file.
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
