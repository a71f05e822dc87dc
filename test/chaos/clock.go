package chaos

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// jump is by how much a clock is moved, and moved back.
const jump = time.Hour

// Variables of the environment that name the files which say how far off a clock is.
const (
	engineClock = "LARDER_CLOCK_ENGINE" // read by the program in test/chaos/larder
	nodeClock   = "LARDER_CLOCK_NODES"  // read by testdata/clock.c
)

// clocks are the wall clocks of larder and of its nodes, as the files say that those read. No process's monotonic clock
// is moved: the machine's is not, when somebody sets its time.
type clocks struct {
	engine, nodes string // the files
	library       string // of testdata/clock.c; empty where there is no C compiler: then the nodes' clocks stay
}

// newClocks makes clocks that are right, with their files in dir.
func newClocks(ctx context.Context, dir string) (clocks, error) {
	c := clocks{engine: filepath.Join(dir, "engine.clock"), nodes: filepath.Join(dir, "nodes.clock"),
		library: filepath.Join(dir, "clock.so")}
	if err := c.set(0); err != nil {
		return c, err
	}
	out, err := exec.CommandContext(ctx, "cc", "-shared", "-fPIC", "-O2", "-o", c.library,
		filepath.Join("testdata", "clock.c")).CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true":
		c.library = ""
	case err != nil:
		return c, fmt.Errorf("cannot build the library that moves the nodes' clocks: %w\n%s", err, out)
	}
	return c, nil
}

func (c clocks) String() string {
	if c.library == "" {
		return "no C compiler: larder's clock jumps, and not the nodes'"
	}
	return "larder's clock jumps, and the nodes'"
}

// env has larder and its nodes read the files. larder itself does not ask the C library for the time.
func (c clocks) env() []string {
	env := []string{engineClock + "=" + c.engine, nodeClock + "=" + c.nodes}
	if c.library != "" {
		env = append(env, "LD_PRELOAD="+c.library)
	}
	return env
}

// set moves the clocks to where they are off by d. A file is written in place, in one write: it is mapped, or read in
// one read.
func (c clocks) set(d time.Duration) error {
	raw := binary.NativeEndian.AppendUint64(nil, uint64(d))
	for _, path := range []string{c.engine, c.nodes} {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = f.WriteAt(raw, 0)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("cannot move a clock: %w", err)
		}
	}
	return nil
}

// direction is +1 h or -1 h.
func (f Fault) direction() time.Duration {
	if f.Pick == 0 {
		return jump
	}
	return -jump
}

// jumpClocks moves the clocks, one way and back. The engine is not asked for anything meanwhile: it would take a
// request of the test, whose clock is right, for an old one.
func jumpClocks(ctx context.Context, d *harness, f Fault) error {
	return d.whileOff(f, func() error { return errors.Join(d.checkOff(ctx, f), wait(ctx, f.Hold)) })
}

// checkOff sees that every node's clock is off, where it can be moved.
func (d *harness) checkOff(ctx context.Context, f Fault) error {
	if d.clocks.library == "" {
		return nil
	}
	for _, m := range d.group.Nodes {
		c, err := d.node(ctx, m.ID)
		if err != nil {
			return err
		}
		answer, err := c.do("TIME")
		c.Close()
		if err != nil {
			return err
		}
		at := time.Unix(number(answer.([]any)[0]), 0)
		if off := time.Until(at); (off - f.direction()).Abs() > time.Minute {
			return fmt.Errorf("the clock of %s is off by %s, want %s", m.ID, off, f.direction())
		}
	}
	return nil
}

// whileOff does something while the clocks are off.
func (d *harness) whileOff(f Fault, do func() error) error {
	if err := d.clocks.set(f.direction()); err != nil {
		return err
	}
	return errors.Join(do(), d.clocks.set(0))
}

// jumpAndKill has a failover happen while the clocks are off.
func jumpAndKill(ctx context.Context, d *harness, f Fault) error {
	return d.whileOff(f, func() error {
		return errors.Join(wait(ctx, f.Hold/2), d.signal(syscall.SIGKILL, 0), wait(ctx, f.Hold/2))
	})
}

// jumpMidPromotion moves the clocks within the time that a planned move takes.
func jumpMidPromotion(ctx context.Context, d *harness, f Fault) error {
	const settling = 500 * time.Millisecond
	if err := d.askPromotion(ctx, f); err != nil {
		return err
	}
	if err := wait(ctx, f.Hold); err != nil {
		return err
	}
	if err := d.whileOff(f, func() error { return wait(ctx, settling) }); err != nil {
		return err
	}
	return d.promoted(ctx, f)
}
