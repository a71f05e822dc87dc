package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	resumeTime = time.Second // time for a process to run after SIGCONT
	pollResume = 10 * time.Millisecond
)

// Suspended checks the main thread and the freezers of the process's cgroups. A freezer that cannot be read is ignored.
func (p *process) Suspended() (bool, error) {
	sample, err := p.SchedulerSample()
	if err != nil || sample.Stopped {
		return sample.Stopped, err
	}
	return inFreezer(p.pid)
}

// Activity reports whether any process is stopped by a signal or a debugger, or frozen, and its processor time since
// its start. It fails when the process has ended.
func Activity(pid int) (suspended bool, used time.Duration, err error) {
	s, err := openScheduler(pid)
	if err != nil {
		return false, 0, err
	}
	defer s.close()
	sample, err := s.sample()
	if err != nil {
		return false, 0, err
	}
	if used, err = clockOf(pid); err != nil || sample.Stopped {
		return sample.Stopped, used, err
	}
	suspended, err = inFreezer(pid)
	return suspended, used, err
}

func inFreezer(pid int) (bool, error) {
	cgroups, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return false, fmt.Errorf("cannot read the cgroups of process %d: %w", pid, err)
	}
	return frozen(cgroupRoot, cgroups), nil
}

// Resume sends SIGCONT. It does not end a debugger's stop, nor thaw a freezer; then Resume fails.
func (p *process) Resume(ctx context.Context) error {
	p.signal(unix.SIGCONT)
	ctx, cancel := context.WithTimeout(ctx, resumeTime)
	defer cancel()
	tick := time.NewTicker(pollResume)
	defer tick.Stop()
	for {
		suspended, err := p.Suspended()
		if err != nil || !suspended {
			return err
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return errors.New(p.id + " has ended")
		case <-ctx.Done():
			return fmt.Errorf("%s (process %d) is still suspended after SIGCONT: a debugger or the freezer of its "+
				"cgroup holds it", p.id, p.pid)
		}
	}
}

// cgroupRoot is where the kernel's control groups are mounted. Source: cgroups(7).
const cgroupRoot = "/sys/fs/cgroup"

// frozen reports whether one of the cgroups in /proc/PID/cgroup, or an ancestor, is frozen. Version 1 reports that in
// freezer.state of its freezer hierarchy, version 2 in cgroup.events. Source: the kernel's freezer-subsystem.rst and
// cgroup-v2.rst.
func frozen(root string, cgroups []byte) bool {
	for lines := bufio.NewScanner(bytes.NewReader(cgroups)); lines.Scan(); {
		fields := strings.SplitN(lines.Text(), ":", 3) // hierarchy, controllers, path
		if len(fields) < 3 {
			continue
		}
		switch {
		case fields[1] == "freezer" && says(filepath.Join(root, "freezer", fields[2], "freezer.state"), "FROZEN"):
			return true
		case fields[1] != "":
		case says(filepath.Join(root, fields[2], "cgroup.events"), "frozen 1"),
			says(filepath.Join(root, "unified", fields[2], "cgroup.events"), "frozen 1"): // mounted beside version 1
			return true
		}
	}
	return false
}

// says reports whether a file contains that line.
func says(path, line string) bool {
	content, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	for l := range strings.Lines(string(content)) {
		if strings.TrimSpace(l) == line {
			return true
		}
	}
	return false
}
