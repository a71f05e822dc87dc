package redisnode

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
)

// line is a connection that takes answers of a bounded size.
type line struct {
	*net.UnixConn
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

// lines makes what dial connects to lines.
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
