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

// Handle is a process that cannot be confused with another. If its id is reused, no signal reaches the new process.
type Handle struct {
	Process
	fd int
}

// ErrGone reports that a process has ended, or that its id is now another's.
var ErrGone = errors.New("the process is gone")

// Open opens a process of an inventory. It then verifies that it is still the same process.
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

// verify checks by the same evidence that the open process is the one of the inventory.
func (h *Handle) verify() error {
	f, id, err := identified(h.PID)
	if err == nil && (id.Kind != h.Kind || f.Start != h.Start) {
		err = ErrGone
	}
	return err
}

// Look describes one process. It returns ErrGone if the process of that id is not larder's and this user's.
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

// identified reads the facts of a process. It returns ErrGone if the process is not larder's and this user's.
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

// Close releases the handle. The process continues.
func (h *Handle) Close() error { return unix.Close(h.fd) }

// End asks an engine to end, and kills it if it has not ended within grace. It kills nodes and relays at once, with
// their children: they have nothing to save. It returns when the process is gone.
func (h *Handle) End(ctx context.Context, grace time.Duration) error {
	if h.Kind == childenv.Engine {
		if err := h.signal(unix.SIGTERM); err != nil {
			return err
		}
		if err := h.signal(unix.SIGCONT); err != nil { // a stopped process handles no other signal
			return err
		}
		if gone, err := h.Await(ctx, grace); gone || err != nil {
			return err
		}
	}
	if err := h.signal(unix.SIGKILL); err != nil {
		return err
	}
	const unkillable = 10 * time.Second // only the kernel can keep a killed process that long
	gone, err := h.Await(context.WithoutCancel(ctx), unkillable)
	if err == nil && !gone {
		err = fmt.Errorf("cannot end process %d: still there after SIGKILL", h.PID)
	}
	return err
}

// signal signals the process, and also the process group that a node or relay leads. The group's number cannot be
// another's while the process can receive the signal.
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

// Await waits until the process is gone. It returns false if it is not gone within that time, or before ctx ends.
func (h *Handle) Await(ctx context.Context, most time.Duration) (gone bool, err error) {
	const slice = 100 * time.Millisecond // between two checks of ctx
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
