package redisnode

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// lines are a node's open connections.
type lines struct {
	mu   sync.Mutex
	open map[*line]struct{}
}

// line is a connection of which the kernel can be asked how much the node has yet to read, and which takes answers of a
// bounded size.
type line struct {
	*net.UnixConn
	of       *lines
	answered atomic.Int64 // bytes that were read since the last question
}

// maxAnswer is the most, in bytes, that the answers to questions sent at once may take. Clients decide about the size
// of some: the entries of ACL LOG and of the slow log hold what they sent, and what they call themselves.
const maxAnswer = 64 << 20

// ErrTooLarge is what reading an answer of more than maxAnswer fails with.
var ErrTooLarge = fmt.Errorf("the node's answer is larger than %d bytes", maxAnswer)

func (c *line) Write(p []byte) (int, error) {
	c.answered.Store(0)
	return c.UnixConn.Write(p)
}

func (c *line) Read(p []byte) (int, error) {
	if c.answered.Load() > maxAnswer {
		return 0, ErrTooLarge
	}
	n, err := c.UnixConn.Read(p)
	c.answered.Add(int64(n))
	return n, err
}

// dialer has the connections that dial makes among the lines until they are closed.
func (l *lines) dialer(dial func(context.Context) (net.Conn, error)) func(context.Context, string, string) (net.Conn,
	error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := dial(ctx)
		unixConn, ok := conn.(*net.UnixConn)
		if err != nil || !ok {
			return conn, err
		}
		added := &line{UnixConn: unixConn, of: l}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open == nil {
			l.open = map[*line]struct{}{}
		}
		l.open[added] = struct{}{}
		return added, nil
	}
}

func (c *line) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.UnixConn.Close()
}

// unread is how much memory what the node has yet to read takes, in bytes.
func (c *line) unread() (bytes int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	control := raw.Control(func(fd uintptr) { bytes, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	if control != nil {
		err = control
	}
	return bytes, err
}

// HasRead tells whether the node has read all that it was sent. One that has, and owes an answer, holds it back: it is
// paused (CLIENT PAUSE ... ALL). One that is busy does not read.
func (n *Node) HasRead() (bool, error) {
	n.lines.mu.Lock()
	defer n.lines.mu.Unlock()
	for c := range n.lines.open {
		if bytes, err := c.unread(); err != nil || bytes > 0 {
			if err != nil {
				err = fmt.Errorf("cannot tell what the node has read: %w", err)
			}
			return false, err
		}
	}
	return len(n.lines.open) > 0, nil
}
