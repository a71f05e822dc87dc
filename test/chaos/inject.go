package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// injections do what each kind is named after, and take its cause away again. They return as soon as the group can be
// expected to become whole by itself.
var injections = map[Kind]func(context.Context, *harness, Fault) error{
	KillPrimary:  func(_ context.Context, d *harness, _ Fault) error { return d.signal(syscall.SIGKILL, 0) },
	CrashPrimary: func(_ context.Context, d *harness, _ Fault) error { return d.signal(syscall.SIGSEGV, 0) },
	KillReplica:  func(_ context.Context, d *harness, f Fault) error { return d.signal(syscall.SIGKILL, d.replica(f)) },
	KillReplicas: func(_ context.Context, d *harness, _ Fault) error {
		return d.signal(syscall.SIGKILL, d.everyNode()[1:]...)
	},
	KillAll: func(_ context.Context, d *harness,
		_ Fault) error {
		return d.signal(syscall.SIGKILL, d.everyNode()...)
	},
	StopPrimary:    func(ctx context.Context, d *harness, f Fault) error { return d.freeze(ctx, 0, f.Hold) },
	StopReplica:    func(ctx context.Context, d *harness, f Fault) error { return d.freeze(ctx, d.replica(f), f.Hold) },
	ExhaustPrimary: exhaust,
	FillDisk:       fillDisk,
	KillEngine: func(ctx context.Context, d *harness,
		f Fault) error {
		return d.restart(ctx, syscall.SIGKILL, f.Hold)
	},
	StopEngine: func(ctx context.Context, d *harness,
		f Fault) error {
		return d.restart(ctx, syscall.SIGTERM, f.Hold)
	},
	KillBoth:        killBoth,
	KillMidFailover: killMidFailover,
	KillCandidate:   killCandidate,
	KillPastStale:   killPastStale,
	StopUnwatched:   stopUnwatched,
	Scale:           scale,
	KillMidResize:   killMidResize,
	KillMidScale:    killMidScale,
	ResetConnections: func(ctx context.Context, d *harness, f Fault) error {
		return d.cut(ctx, f.Hold, "normal", d.everyNode()...)
	},
	CutLinks:         func(ctx context.Context, d *harness, f Fault) error { return d.cut(ctx, f.Hold, "replica", 0) },
	Promote:          promote,
	Resize:           resize,
	KillMidPromotion: killMidPromotion,
	TestFailover:     testFailover,
	Reboot:           reboot,
	JumpClocks:       jumpClocks,
	JumpAndKill:      jumpAndKill,
	JumpMidPromotion: jumpMidPromotion,
	SetToken:         setToken,
	RotateToken:      rotateToken,
	KillMidRotation:  killMidRotation,
	KillUnrecorded:   killUnrecorded,
}

// everyNode lists the places of the group's members: the primary's is 0.
func (d *harness) everyNode() []int {
	var all []int
	for i := range d.group.Nodes {
		all = append(all, i)
	}
	return all
}

func (d *harness) replica(f Fault) int { return 1 + f.Pick%(len(d.group.Nodes)-1) }

// process takes hold of a member's process. Nothing that does not work in this state directory is ever signalled: a
// process id may have been given to another since larder named it.
func (d *harness) process(at int) (*os.Process, error) {
	m := d.group.Nodes[at]
	p, err := os.FindProcess(m.PID) // holds a pidfd, so that from here on it is the same process
	if err != nil {
		return nil, fmt.Errorf("cannot find %s: %w", m.ID, err)
	}
	dir, err := filepath.EvalSymlinks(string(d.home()))
	if err != nil {
		return nil, err
	}
	if !worksIn("/proc/"+strconv.Itoa(m.PID)+"/cwd", dir) {
		return nil, fmt.Errorf("process %d is not %s any more", m.PID, m.ID)
	}
	return p, nil
}

// worksIn tells whether a process's working directory, which /proc shows as that link, lies in dir.
func worksIn(link, dir string) bool {
	cwd, err := os.Readlink(link)
	return err == nil && (cwd == dir || strings.HasPrefix(cwd, dir+"/"))
}

// signal sends a signal to some of the nodes, as near to at once as can be.
func (d *harness) signal(s syscall.Signal, at ...int) error {
	var processes []*os.Process
	for _, i := range at {
		p, err := d.process(i)
		if err != nil {
			return err
		}
		defer p.Release()
		processes = append(processes, p)
	}
	d.struck = time.Now()
	for _, p := range processes {
		if err := p.Signal(s); err != nil {
			return fmt.Errorf("cannot signal process %d: %w", p.Pid, err)
		}
	}
	return nil
}

// freeze stops a node for a while. It may have been put an end to when it is to go on.
func (d *harness) freeze(ctx context.Context, at int, hold time.Duration) error {
	p, err := d.process(at)
	if err != nil {
		return err
	}
	defer p.Release()
	d.struck = time.Now()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	errWait := wait(ctx, hold)
	if err := p.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return errWait
}

// killCandidate kills the primary, and then whoever took over.
func killCandidate(ctx context.Context, d *harness, f Fault) error {
	old := d.group.Nodes[0]
	if err := d.signal(syscall.SIGKILL, 0); err != nil {
		return err
	}
	candidate := 0
	err := await(ctx, settlePatience, "another primary", func(ctx context.Context) error {
		s, err := d.status(ctx)
		candidate = slices.IndexFunc(d.group.Nodes, func(m member) bool {
			return m.ID != old.ID && slices.ContainsFunc(s.Nodes,
				func(n member) bool { return n.ID == m.ID && n.PID == m.PID && n.Role == "primary" })
		})
		if err == nil && candidate < 0 {
			err = errors.New("there is none")
		}
		return err
	})
	if err := errors.Join(err, wait(ctx, f.Hold)); err != nil {
		return err
	}
	return d.signal(syscall.SIGKILL, candidate)
}

// killPastStale kills the primary while one replica has not listened for a while: the other has to take over. It stays
// stopped for as long again.
func killPastStale(ctx context.Context, d *harness, f Fault) error {
	p, err := d.process(d.replica(f))
	if err != nil {
		return err
	}
	defer p.Release()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	err = errors.Join(wait(ctx, f.Hold/2), d.signal(syscall.SIGKILL, 0), wait(ctx, f.Hold/2))
	if errCont := p.Signal(syscall.SIGCONT); !errors.Is(errCont, os.ErrProcessDone) { // it may have been put an end to
		err = errors.Join(err, errCont)
	}
	return err
}

// stopUnwatched stops the primary while no engine looks, and lets it go on some time after one looks again.
func stopUnwatched(ctx context.Context, d *harness, f Fault) error {
	p, err := d.process(0)
	if err != nil {
		return err
	}
	defer p.Release()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	d.struck = time.Now()
	err = errors.Join(d.restart(ctx, syscall.SIGKILL, f.Hold/2), wait(ctx, f.Hold/2))
	if errCont := p.Signal(syscall.SIGCONT); !errors.Is(errCont, os.ErrProcessDone) {
		err = errors.Join(err, errCont)
	}
	return err
}

// exhaust lets the primary open nothing any more and then cuts its clients off: it cannot take them back.
func exhaust(ctx context.Context, d *harness, f Fault) error {
	primary := d.group.Nodes[0]
	c, err := d.node(ctx, primary.ID)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := setLimit(primary.PID, unix.RLIMIT_NOFILE, 4); err != nil {
		return err
	}
	_, err = c.do("CLIENT", "KILL", "TYPE", "normal")
	err = errors.Join(err, wait(ctx, f.Hold))
	if errLimit := setLimit(primary.PID, unix.RLIMIT_NOFILE, unix.RLIM_INFINITY); !errors.Is(errLimit,
		unix.ESRCH) { // it may have been put an end to
		err = errors.Join(err, errLimit)
	}
	return err
}

// fillDisk takes the primary away while there is no room to write down what becomes of it, but what larder has reserved
// for that.
func fillDisk(ctx context.Context, d *harness, f Fault) error {
	if err := d.disk.fill(d.engine.Process.Pid); err != nil {
		return err
	}
	err := d.signal(syscall.SIGKILL, 0)
	if _, ok := d.disk.(mounted); err == nil && ok {
		err = d.awaitSuccessor(ctx)
	}
	return errors.Join(err, wait(ctx, f.Hold), d.disk.free(d.engine.Process.Pid))
}

// awaitSuccessor waits until another process than the primary's answers at the primary endpoint.
func (d *harness) awaitSuccessor(ctx context.Context) error {
	return await(ctx, commandPatience, "another primary", func(ctx context.Context) error {
		return d.behind(ctx, d.primaryEndpoint, d.group.runs()[1:]...)
	})
}

// restart has the group without an engine for a while.
func (d *harness) restart(ctx context.Context, s syscall.Signal, hold time.Duration) error {
	if err := d.end(s); err != nil {
		return err
	}
	return errors.Join(wait(ctx, hold), d.start(ctx))
}

func killBoth(ctx context.Context, d *harness, f Fault) error {
	if err := d.signal(syscall.SIGKILL, 0); err != nil {
		return err
	}
	return d.restart(ctx, syscall.SIGKILL, f.Hold)
}

// killMidFailover ends larder within the time that a failover takes.
func killMidFailover(ctx context.Context, d *harness, f Fault) error {
	if err := d.signal(syscall.SIGKILL, 0); err != nil {
		return err
	}
	if err := wait(ctx, f.Hold); err != nil {
		return err
	}
	return d.restart(ctx, syscall.SIGKILL, 0)
}

// cut closes connections of a type again and again.
func (d *harness) cut(ctx context.Context, hold time.Duration, kind string, at ...int) error {
	const every = 50 * time.Millisecond
	var admins []*conn
	for _, i := range at {
		c, err := d.node(ctx, d.group.Nodes[i].ID)
		if err != nil {
			return err
		}
		defer c.Close()
		admins = append(admins, c)
	}
	for end := time.Now().Add(hold); time.Now().Before(end); {
		for _, c := range admins {
			if _, err := c.do("CLIENT", "KILL", "TYPE", kind); err != nil {
				return err
			}
		}
		if err := wait(ctx, every); err != nil {
			return err
		}
	}
	return nil
}

// wait lets a cause last.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
