package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// larder's own commands talk to the engine through a socket in the state directory, into which nobody else can put one.
// Whoever takes the API's port when the engine is gone gets nothing of theirs.
const socketName = "engine.sock"

// SocketFile is where the engine answers larder's own commands.
func (h Home) SocketFile() string { return h.path(socketName) }

// socketPath leads to the socket through an open directory: the path of a socket has 107 bytes at most, that of a
// directory may have more.
func socketPath(dir *os.File) string { return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), socketName) }

// listen makes the socket, in the directory that the engine holds. What an earlier engine left is removed. The socket
// has its mode before it has its name: the kernel takes that of the descriptor (unix_bind), so that there is no moment
// at which others could connect.
func listen(dir *os.File) (net.Listener, error) {
	path := socketPath(dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot remove the socket of an earlier engine: %w", err)
	}
	var errMode error
	private := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		err := raw.Control(func(fd uintptr) { errMode = unix.Fchmod(int(fd), 0o600) })
		return errors.Join(err, errMode)
	}}
	l, err := private.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot make the engine's socket in %s: %w", dir.Name(), err)
	}
	// The next engine may find no room for a new one but in this one's place.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	return l, nil
}

// StrangerError says that another process than the engine that holds the state directory has its socket. Nothing was
// sent to it.
type StrangerError struct {
	Home Home
	PID  int // 0: not known here
	Why  string
}

func (e *StrangerError) Error() string {
	return fmt.Sprintf("the socket %s is not of the engine that holds the state directory%s: %s; nothing was sent",
		e.Home.SocketFile(), processText(e.PID), e.Why)
}

// endingPause is between two looks at a process that may be ending: an engine lets go of the directory before it lets
// go of its socket.
const endingPause = 10 * time.Millisecond

// Dial connects to the engine of this state directory. It returns an error that is fs.ErrNotExist or ECONNREFUSED where
// none listens, and a StrangerError where somebody else does.
func (h Home) Dial(ctx context.Context) (net.Conn, error) {
	for end := time.Now().Add(endingPatience); ; {
		conn, err := h.dial(ctx)
		var stranger *StrangerError
		if !errors.As(err, &stranger) || stranger.Why != holdsNothing || time.Now().After(end) {
			return conn, err
		}
		select {
		case <-time.After(endingPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// holdsNothing is why a process of this user's is a stranger.
const holdsNothing = "the process does not hold the directory"

// dial is Dial once. What is answered too late is closed by who gets it.
func (h Home) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return answered(h, "connecting to engine.sock", func() (net.Conn, error) {
		conn, err := h.dialOnce(ctx)
		if err == nil && ctx.Err() != nil { // nobody waits any more
			err = errors.Join(ctx.Err(), conn.Close())
			conn = nil
		}
		return conn, err
	})
}

func (h Home) dialOnce(ctx context.Context) (net.Conn, error) {
	dir, err := os.Open(string(h))
	if err != nil {
		return nil, err
	}
	defer dir.Close() // read only: a failing close loses nothing
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socketPath(dir))
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %s: %w", h.SocketFile(), err)
	}
	if err := h.prove(dir, conn.(*net.UnixConn)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// prove sees that the process at the other end of a connection is the engine that holds the state directory, and this
// user's. Root may use an engine of the directory's owner.
func (h Home) prove(dir *os.File, conn *net.UnixConn) error {
	info, err := dir.Stat()
	if err != nil {
		return err
	}
	peer, err := peerOf(conn)
	if err != nil {
		return fmt.Errorf("cannot tell who listens on %s: %w", h.SocketFile(), err)
	}
	stranger := func(format string, args ...any) error {
		return &StrangerError{h, int(peer.Pid), fmt.Sprintf(format, args...)}
	}
	self, owner := uint32(os.Geteuid()), info.Sys().(*syscall.Stat_t).Uid
	switch locked, err := hasLocked(int(peer.Pid), info); {
	case peer.Uid != self && (self != 0 || peer.Uid != owner):
		return stranger("the process is of user %d, and this one of user %d", peer.Uid, self)
	case peer.Pid == 0:
		return stranger("the process is not of this machine or container, so that it cannot be looked at")
	case err != nil:
		return stranger("whether the process holds the directory cannot be told: %v", err)
	case !locked:
		return stranger(holdsNothing)
	}
	return nil
}

// peerOf is the process that listens at the other end of a connection.
func peerOf(conn *net.UnixConn) (peer *unix.Ucred, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var errPeer error
	err = raw.Control(func(fd uintptr) {
		peer,
			errPeer = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	return peer, errors.Join(err, errPeer)
}

// foreignError says that a file is not one that larder wrote for this user.
type foreignError struct{ why string }

func (e *foreignError) Error() string { return e.why }

// readOwn reads a regular file of this user's, or of root's. Root reads those of others too.
func readOwn(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a pipe in its place shall not keep anybody waiting
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only: a failing close loses nothing
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &foreignError{"it is no regular file"}
	}
	if owner, self := int(info.Sys().(*syscall.Stat_t).Uid), os.Geteuid(); owner != self && owner != 0 && self != 0 {
		return nil, &foreignError{fmt.Sprintf("it belongs to user %d, and this process to user %d", owner, self)}
	}
	return io.ReadAll(f)
}
