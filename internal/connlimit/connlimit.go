// Package connlimit bounds the connections that an HTTP server holds, so that clients that ask nothing, or may not ask,
// keep nobody out.
package connlimit

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Listener accepts connections, and holds a bounded number of them. At the bound a new one takes the place of another
// that carries no request which Keep was called for: the one with the oldest request among those for which Keep never
// was, as long as they have more than a quarter of the places, else among all. When Keep was called for the requests of
// all, the new one is closed.
type Listener struct {
	net.Listener
	most  int
	write time.Duration

	mu   sync.Mutex
	held map[*conn]struct{}
	turn int // counts what happens to connections, for their order
}

// New bounds a listener to most connections, each of which may take the time write to read what it is sent.
func New(l net.Listener, most int, write time.Duration) *Listener {
	return &Listener{Listener: l, most: most, write: write, held: map[*conn]struct{}{}}
}

// conn is a held connection.
type conn struct {
	net.Conn
	of     *Listener
	kept   bool // its request may be answered in full
	proven bool // one of its requests was kept
	since  int  // the turn in which its last request began or ended, or it came
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, of: l}
		out, room := l.admit(c)
		if out != nil {
			out.Close()
		}
		if room {
			return c, nil
		}
		accepted.Close()
	}
}

// admit holds a connection if there is room, and returns the one that has to go for it.
func (l *Listener) admit(c *conn) (out *conn, room bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.held) >= l.most {
		if out = l.oldest(); out == nil {
			return nil, false
		}
		delete(l.held, out)
	}
	l.turn++
	c.since = l.turn
	l.held[c] = struct{}{}
	return out, true
}

// oldest is the connection that has to go; nil where all are kept.
func (l *Listener) oldest() (oldest *conn) {
	unproven := 0
	for c := range l.held {
		if !c.proven {
			unproven++
		}
	}
	unprovenFirst := unproven > l.most/4
	for c := range l.held {
		switch {
		case c.kept, unprovenFirst && c.proven:
		case oldest == nil || c.since < oldest.since:
			oldest = c
		}
	}
	return oldest
}

// Close gives the connection's place free.
func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.held, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// Write bounds how long the client may take to read.
func (c *conn) Write(b []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.of.write)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *conn) keep(kept bool) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.turn++
	c.kept, c.proven, c.since = kept, c.proven || kept, c.of.turn
}

// Track is an http.Server's ConnState: a connection is as old as the request that it carries, or carried last. One
// whose request has been answered may be given up.
func Track(of net.Conn, state http.ConnState) {
	if c, ok := of.(*conn); ok && (state == http.StateActive || state == http.StateIdle) {
		c.keep(false)
	}
}

type key struct{}

// Context is an http.Server's ConnContext: Keep finds the connection by it.
func Context(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, key{}, c)
}

// Keep keeps the connection of a request, whose context is given, until the request has been answered.
func Keep(ctx context.Context) {
	if c, ok := ctx.Value(key{}).(*conn); ok {
		c.keep(true)
	}
}

// Proven tells whether Keep was called for a request of the connection before.
func Proven(ctx context.Context) bool {
	c, ok := ctx.Value(key{}).(*conn)
	if !ok {
		return false
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	return c.proven
}
