package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/testkit"
)

// clockTicks is the unit of times in /proc, per second: USER_HZ, which is 100 on every architecture that Go runs on.
const clockTicks = 100

// cpuTime is what the processes have used, in user and kernel mode, all their threads together.
func cpuTime(pids ...int) (time.Duration, error) {
	var total time.Duration
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, fmt.Errorf("cannot read a process's CPU time: %w", err)
		}
		used, err := parseStat(stat)
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// parseStat reads utime and stime, fields 14 and 15. The second, the program's name, may hold spaces and parentheses.
func parseStat(stat []byte) (time.Duration, error) {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("cannot read a process's CPU time from %q", stat)
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * (time.Second / clockTicks), errors.Join(errUser, errSystem)
}

// memory is what a process keeps in RAM, in MiB.
type memory struct{ now, most float64 }

func memoryOf(pid int) (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, fmt.Errorf("cannot read a process's memory: %w", err)
	}
	now, errNow := parseStatus(status, "VmRSS")
	most, errMost := parseStatus(status, "VmHWM")
	return memory{now, most}, errors.Join(errNow, errMost)
}

// parseStatus finds a value that is printed as "VmRSS:	   12345 kB", and returns MiB.
func parseStatus(status []byte, name string) (float64, error) {
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		value, ok := strings.CutPrefix(lines.Text(), name+":")
		if !ok {
			continue
		}
		kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 64)
		return kib / 1024, err
	}
	return 0, fmt.Errorf("cannot find %s in a process's status", name)
}

// processesIn finds the processes that work in a directory or below it.
func processesIn(dir string) ([]int, error) {
	all, err := testkit.ProcessesIn(dir)
	var pids []int
	for _, p := range all {
		pids = append(pids, p.PID)
	}
	return pids, err
}

// endAll kills what still works in a directory and waits until nothing does.
func endAll(dir string) error {
	const patience = 5 * time.Second
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		pids, err := processesIn(dir)
		if err != nil || len(pids) == 0 {
			return err
		}
		if time.Since(begin) > patience {
			return fmt.Errorf("cannot end the processes %v in %s", pids, dir)
		}
		for _, pid := range pids {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("cannot end process %d: %w", pid, err)
			}
		}
	}
}
