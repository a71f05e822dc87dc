package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/node"
)

// process is a running process; see node.Process.
type process struct {
	id     string
	dir    string
	pid    int
	pidfd  *os.File
	exited chan struct{}
	opened atomic.Bool // its socket has existed

	scheduler scheduler
	usage     usage

	redacting sync.Mutex
	redacted  int64 // up to this offset the log contains no quoted data
}

// watch begins to watch a process. If it is a child of larder, watch waits for its end, so that no zombie is left.
func (r *Runtime) watch(id, dir string, handle *os.Process, child bool) (*process, error) {
	fd, err := unix.PidfdOpen(handle.Pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("cannot watch process %d of %s: %w", handle.Pid, id, err)
	}
	// Opened after the pidfd: if the process still exists afterwards, both belong to it.
	s, err := openScheduler(handle.Pid)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("cannot watch process %d of %s: %w", handle.Pid, id, err)
	}
	u, err := openUsage(handle.Pid)
	if err != nil {
		unix.Close(fd)
		s.close()
		return nil, fmt.Errorf("cannot watch process %d of %s: %w", handle.Pid, id, err)
	}
	p := &process{
		id: id, dir: dir, pid: handle.Pid, pidfd: os.NewFile(uintptr(fd), "pidfd"), exited: make(chan struct{}),
		scheduler: s, usage: u,
	}
	r.mu.Lock()
	if r.live == nil {
		r.live = map[*process]struct{}{}
	}
	r.live[p] = struct{}{}
	r.mu.Unlock()
	r.watchers.Go(func() {
		gone := false
		err := r.guard.Do("the end of "+p.id, func() error {
			if gone = p.awaitExit(); gone && child {
				unix.Kill(-p.pid, unix.SIGKILL) // kill its group now: after Wait the number may belong to others
				p.noteCrash(handle.Wait())
			}
			return nil
		})
		if gone {
			// If this fails, nobody can be notified, and readers redact the log anyway. The exit must be reported in any case.
			err = errors.Join(err, r.guard.Do("the log of "+p.id, func() error { p.redactLog(); return nil }))
		}
		if err != nil {
			p.note(err.Error())
		}
		r.mu.Lock()
		delete(r.live, p)
		r.mu.Unlock()
		p.pidfd.Close()
		p.scheduler.close()
		p.usage.close()
		if gone {
			close(p.exited)
		}
	})
	return p, nil
}

// noteCrash logs the signal that ended the process. redis-server's own crash report is disabled, because it would quote
// memory. Signals that larder sends are not logged. An error is dropped, because nobody could handle it.
func (p *process) noteCrash(state *os.ProcessState, err error) {
	if err != nil {
		return
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() == unix.SIGKILL || status.Signal() == unix.SIGTERM {
		return
	}
	p.note(fmt.Sprintf("process %d was ended by %s (%s)", p.pid, unix.SignalName(status.Signal()), status.Signal()))
}

// note writes a line of larder's to the process's log.
func (p *process) note(line string) {
	log, err := os.OpenFile(filepath.Join(p.dir, logName), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer log.Close()
	fmt.Fprintf(log, "larder: %s\n", line)
}

// awaitExit waits until the process is gone, or returns false if watching was ended first. The pidfd then becomes
// readable. The Go runtime's poller waits for that, which needs no thread.
func (p *process) awaitExit() bool {
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return false
	}
	err = conn.Read(func(fd uintptr) bool {
		polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(polled, 0)
		return err == nil && n == 1
	})
	return err == nil
}

func (p *process) ID() string              { return p.id }
func (p *process) PID() int                { return p.pid }
func (p *process) Exited() <-chan struct{} { return p.exited }

// Dial connects through the directory's descriptor, because a socket's path is limited to 107 characters and a state
// directory may have more.
func (p *process) Dial(ctx context.Context) (net.Conn, error) {
	dir, err := os.Open(p.dir)
	if err != nil {
		return nil, fmt.Errorf("cannot reach %s: %w", p.id, err)
	}
	defer dir.Close()
	var d net.Dialer
	return d.DialContext(ctx, "unix", "/proc/self/fd/"+strconv.Itoa(int(dir.Fd()))+"/"+node.Socket)
}

func (p *process) awaitSocket(ctx context.Context) error {
	tick := time.NewTicker(pollSocket)
	defer tick.Stop()
	for {
		if conn, err := p.Dial(ctx); err == nil {
			p.opened.Store(true)
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return fmt.Errorf("it ended at once: %s", p.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("its socket did not open: %w: %s", ctx.Err(), p.LastWords())
		}
	}
}

// Stop ends the process and its process group, which includes children such as one that writes a snapshot.
func (p *process) Stop(ctx context.Context, grace time.Duration) error {
	if grace > 0 {
		p.signal(unix.SIGTERM)
		if p.gone(ctx, grace) {
			return nil
		}
	}
	p.signal(unix.SIGKILL)
	const unkillable = 10 * time.Second // a killed process stays longer only if the kernel holds it
	if !p.gone(context.WithoutCancel(ctx), unkillable) {
		return fmt.Errorf("cannot end %s (process %d): still there after SIGKILL", p.id, p.pid)
	}
	return nil
}

func (p *process) gone(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// signal signals the process through its pidfd. Only if the process received the signal does it signal the group,
// because otherwise the group's number could belong to others.
func (p *process) signal(s unix.Signal) {
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return // closed: the process is gone
	}
	conn.Control(func(fd uintptr) {
		if unix.PidfdSendSignal(int(fd), s, nil, 0) == nil {
			unix.Kill(-p.pid, s)
		}
	})
}

// LastWords returns the last lines of the log, at most 2 KiB.
func (p *process) LastWords() string {
	const most = 2 << 10
	f, err := os.Open(filepath.Join(p.dir, logName))
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	tail := make([]byte, min(most, info.Size()))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	redact(tail)
	return string(bytes.TrimSpace(tail))
}
