// Package relay spreads the connections to a reader endpoint over several replicas, and takes both TLS and plain
// connections at one port, for nodes that serve them at two. It runs as a process of its own, so that it goes on when
// larder does not. Bytes pass through the kernel (splice) and stay encrypted from client to node.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"larder/internal/isolate"
)

// dialTimeout is how long a replica may take to accept before the next one is tried.
const dialTimeout = time.Second

// Relay accepts connections on one address and hands each to the backend that has the fewest. SetFronts has it accept
// them on more, for one node each.
type Relay struct {
	Address netip.AddrPort // of the reader endpoint; backends listen on the same port
	// Plain and TLS are the ports that the nodes behind the fronts listen on.
	Plain, TLS uint16
	Logger     *slog.Logger

	mu       sync.Mutex
	listener net.Listener // nil until there are backends
	backends map[netip.Addr]*backend
	fronts   map[netip.Addr]*front
	turn     int // breaks ties between equally loaded backends
	work     sync.WaitGroup
	guard    isolate.Guard
}

type backend struct {
	addr  netip.Addr
	last  int // the turn in which it was last chosen
	conns map[net.Conn]struct{}
}

// Backends returns the current ones, sorted.
func (r *Relay) Backends() []netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	var addrs []netip.Addr
	for a := range r.backends {
		addrs = append(addrs, a)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return addrs
}

// Spreads tells whether the reader endpoint is open.
func (r *Relay) Spreads() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.listener != nil
}

// SetBackends replaces the backends. Connections to those that leave are closed, so that their clients come back and
// get another. The first call opens the endpoint.
func (r *Relay) SetBackends(addrs []netip.Addr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener == nil && len(addrs) > 0 {
		l, err := net.Listen("tcp", r.Address.String())
		if err != nil {
			return fmt.Errorf("cannot open the reader endpoint: %w", err)
		}
		r.listener = l
		r.work.Go(func() { r.accept(l, r.serve) })
	}
	next := map[netip.Addr]*backend{}
	for _, a := range addrs {
		next[a] = r.backends[a]
		if next[a] == nil {
			next[a] = &backend{addr: a, conns: map[net.Conn]struct{}{}}
		}
	}
	for a, b := range r.backends {
		if next[a] == nil {
			b.closeAll()
		}
	}
	r.backends = next
	return nil
}

func (b *backend) closeAll() {
	for c := range b.conns {
		c.Close()
	}
}

// Close stops accepting, closes every connection and waits for their ends.
func (r *Relay) Close() {
	r.mu.Lock()
	if r.listener != nil {
		r.listener.Close()
	}
	for _, b := range r.backends {
		b.closeAll()
	}
	for _, f := range r.fronts {
		f.close()
	}
	r.backends, r.fronts = nil, nil
	r.mu.Unlock()
	r.work.Wait()
}

// accept gives each connection to serve, until l is closed.
func (r *Relay) accept(l net.Listener, serve func(net.Conn)) {
	for {
		client, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as no free descriptors: give the others time to end
			r.Logger.Warn("cannot accept", "address", l.Addr(), "error", err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		r.work.Go(func() { r.guard.Run(r.Logger, "a client's connection", func() { serve(client) }) })
	}
}

// serve connects the client to a backend, trying each once, and copies until either side ends.
func (r *Relay) serve(client net.Conn) {
	defer client.Close()
	var tried []netip.Addr
	for {
		b := r.choose(client, tried)
		if b == nil {
			return
		}
		server, err := net.DialTimeout("tcp", netip.AddrPortFrom(b.addr, r.Address.Port()).String(), dialTimeout)
		if err != nil {
			r.Logger.Warn("backend does not answer", "backend", b.addr, "error", err)
			tried = append(tried, b.addr)
			r.release(b, client)
			continue
		}
		defer r.release(b, client)
		r.join(client, server)
		return
	}
}

// choose picks the backend with the fewest connections, the one that waited longest on a tie, and counts the client to
// it.
func (r *Relay) choose(client net.Conn, tried []netip.Addr) *backend {
	r.mu.Lock()
	defer r.mu.Unlock()
	var best *backend
	for a, b := range r.backends {
		if slices.Contains(tried, a) {
			continue
		}
		if best == nil || len(b.conns) < len(best.conns) || len(b.conns) == len(best.conns) && b.last < best.last {
			best = b
		}
	}
	if best != nil {
		r.turn++
		best.last = r.turn
		best.conns[client] = struct{}{}
	}
	return best
}

func (r *Relay) release(b *backend, client net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(b.conns, client)
}

// join copies both ways. The end of one direction is passed on as such, so that a client may still read what it asked
// for.
func (r *Relay) join(client, server net.Conn) {
	defer server.Close()
	var both sync.WaitGroup
	pipe := func(to, from net.Conn) {
		if _, err := io.Copy(to, from); err != nil {
			to.Close()
			from.Close()
			return
		}
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		}
	}
	for _, ends := range [][2]net.Conn{{server, client}, {client, server}} {
		both.Go(func() {
			if !r.guard.Run(r.Logger, "a client's connection", func() { pipe(ends[0], ends[1]) }) {
				client.Close()
				server.Close()
			}
		})
	}
	both.Wait()
}

// Run is the relay's process: it serves control requests on l until ctx ends.
func (r *Relay) Run(ctx context.Context, l net.Listener) error {
	defer r.Close()
	var control sync.WaitGroup
	defer control.Wait()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot accept control connections: %w", err)
		}
		control.Go(func() {
			// A connection that asks nothing must not hold up the end.
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			r.guard.Run(r.Logger, "a control connection", func() { r.control(conn) })
		})
	}
}
