package redisnode

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
)

// line is a connection that limits the size of answers.
type line struct {
	*net.UnixConn
	answered atomic.Int64 // bytes read since the last command
}

// maxAnswer is how many bytes the answers to one pipeline may have. Clients determine the size of some: the entries of
// ACL LOG and of the slow log contain what clients sent, and their names.
const maxAnswer = 64 << 20

// ErrTooLarge reports an answer of more than maxAnswer bytes.
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

// lines wraps dial so that its connections limit the size of answers.
func lines(dial func(context.Context) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := dial(ctx)
		unixConn, ok := conn.(*net.UnixConn)
		if err != nil || !ok {
			return conn, err
		}
		return &line{UnixConn: unixConn}, nil
	}
}
