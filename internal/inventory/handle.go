package inventory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/childenv"
)

// Handle is a process that stays the same one: where its id is given to another, no signal reaches that.
type Handle struct {
	Process
	fd int
}

// ErrGone says that a process has ended, or that its id is another's now.
var ErrGone = errors.New("the process is gone")

// Open opens a process of an inventory. Whether it is still that one is decided anew when it is held.
func Open(p Process) (*Handle, error) {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open process %d: %w", p.PID, err)
	}
	h := &Handle{Process: p, fd: fd}
	if err := h.verify(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// verify sees that the process that is held is the one of the inventory, by the same evidence.
func (h *Handle) verify() error {
	f, id, err := identified(h.PID)
	if err == nil && (id.Kind != h.Kind || f.Start != h.Start) {
		err = ErrGone
	}
	return err
}

// Look describes one process; ErrGone says that there is none of that id that is larder's and this user's.
func Look(pid int) (Process, error) {
	f, id, err := identified(pid)
	if err != nil {
		return Process{}, err
	}
	p, err := describe(f, id)
	if isGone(err) {
		err = ErrGone
	}
	return p, err
}

// identified reads the facts of a process that is larder's and this user's; ErrGone says that it is not.
func identified(pid int) (Facts, Identity, error) {
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return Facts{}, Identity{}, err
	}
	f, err := read(pid, own)
	if isGone(err) {
		return f, Identity{}, ErrGone
	}
	if err != nil {
		return f, Identity{}, fmt.Errorf("cannot look at process %d: %w", pid, err)
	}
	id, verdict := Identify(f, os.Getuid())
	if verdict != Ours {
		return f, Identity{}, ErrGone
	}
	return f, id, nil
}

// Close lets go of the process.
func (h *Handle) Close() error { return unix.Close(h.fd) }

// End asks an engine to end, and kills it where it has not done so within grace. Nodes and relays are killed at once,
// with their children: they have nothing to put in order. It returns when the process is gone.
func (h *Handle) End(ctx context.Context, grace time.Duration) error {
	if h.Kind == childenv.Engine {
		if err := h.signal(unix.SIGTERM); err != nil {
			return err
		}
		if err := h.signal(unix.SIGCONT); err != nil { // one that is stopped takes no other
			return err
		}
		if gone, err := h.Await(ctx, grace); gone || err != nil {
			return err
		}
	}
	if err := h.signal(unix.SIGKILL); err != nil {
		return err
	}
	const unkillable = 10 * time.Second // only the kernel can hold a killed process that long
	gone, err := h.Await(context.WithoutCancel(ctx), unkillable)
	if err == nil && !gone {
		err = fmt.Errorf("cannot end process %d: still there after SIGKILL", h.PID)
	}
	return err
}

// signal goes to the process, and to the group that a node or relay leads. The group's number can belong to nobody else
// while the process is there to receive the signal.
func (h *Handle) signal(s unix.Signal) error {
	err := unix.PidfdSendSignal(h.fd, s, nil, 0)
	switch {
	case errors.Is(err, unix.ESRCH):
		return nil
	case err != nil:
		return fmt.Errorf("cannot signal process %d: %w", h.PID, err)
	case h.Kind != childenv.Engine:
		if err := unix.Kill(-h.PID, s); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("cannot signal what process %d started: %w", h.PID, err)
		}
	}
	return nil
}

// Await waits until the process is gone; false says that it is not, within that time or before ctx ended.
func (h *Handle) Await(ctx context.Context, most time.Duration) (gone bool, err error) {
	const slice = 100 * time.Millisecond // between two looks at ctx
	for end := time.Now().Add(most); ; {
		left := min(time.Until(end), slice)
		polled := []unix.PollFd{{Fd: int32(h.fd), Events: unix.POLLIN}}
		n, err := unix.Poll(polled, int(max(left, 0)/time.Millisecond))
		switch {
		case n == 1:
			return true, nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return false, fmt.Errorf("cannot wait for process %d: %w", h.PID, err)
		case left <= 0 || ctx.Err() != nil:
			return false, nil
		}
	}
}
