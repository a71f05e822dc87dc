package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// cores says where to run what: a load and the servers it is put on get a core each, so that they do not push each
// other about. On a machine with one core they share it.
type cores struct {
	load, serve int
	available   int
}

// ownCores takes the first and the last of the cores that this process may use. The first is the load's: most machines
// handle their interrupts there.
func ownCores() (cores, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return cores{}, fmt.Errorf("cannot see which cores this process may use: %w", err)
	}
	c := cores{load: -1, available: set.Count()}
	for i := range len(set) * strconv.IntSize {
		if !set.IsSet(i) {
			continue
		}
		if c.load < 0 {
			c.load = i
		}
		c.serve = i
	}
	return c, nil
}

// launcher runs a function that starts processes, and decides on which cores they run. The function must not start them
// from another goroutine.
type launcher func(func() error) error

// anywhere lets the kernel choose the cores.
func anywhere(f func() error) error { return f() }

// onCore returns a launcher that keeps processes on one core.
func onCore(core int) launcher {
	return func(f func() error) (err error) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var before unix.CPUSet
		if err := unix.SchedGetaffinity(0, &before); err != nil {
			return err
		}
		if err := moveTo(0, core); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unix.SchedSetaffinity(0, &before)) }()
		return f()
	}
}

// keepTo moves this process to a core for good: every thread there is, from which later ones inherit.
func keepTo(core int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := moveTo(id, core); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}

func moveTo(thread, core int) error {
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(thread, &set); err != nil {
		return fmt.Errorf("cannot run on core %d: %w", core, err)
	}
	return nil
}
