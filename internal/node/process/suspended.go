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
	resumeTime = time.Second // for a process to go on after SIGCONT
	pollResume = 10 * time.Millisecond
)

// Suspended looks at the main thread, and at the freezers of the process's cgroups. A freezer that cannot be read is
// none.
func (p *process) Suspended() (bool, error) {
	pulse, err := p.SchedulerSample()
	if err != nil || pulse.Stopped {
		return pulse.Stopped, err
	}
	return inFreezer(p.pid)
}

// Activity tells whether a process that is not a runtime's is stopped, by a signal or a debugger, or frozen, and how
// much processor time it has used since it began. It fails when the process has ended.
func Activity(pid int) (suspended bool, used time.Duration, err error) {
	s, err := openScheduler(pid)
	if err != nil {
		return false, 0, err
	}
	defer s.close()
	pulse, err := s.pulse()
	if err != nil {
		return false, 0, err
	}
	if used, err = clockOf(pid); err != nil || pulse.Stopped {
		return pulse.Stopped, used, err
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

// Resume sends SIGCONT. A debugger's stop and a freezer outlast it.
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

// frozen tells whether one of the cgroups that /proc/PID/cgroup lists is frozen, or lies in one that is. Version 1 says
// so in the file freezer.state of its freezer hierarchy, version 2 in cgroup.events. Source: the kernel's
// freezer-subsystem.rst and cgroup-v2.rst.
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
			says(filepath.Join(root, "unified", fields[2], "cgroup.events"), "frozen 1"): // beside version 1
			return true
		}
	}
	return false
}

// says tells whether a file has that line.
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
