package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// controlTimeout bounds one control exchange.
const controlTimeout = 2 * time.Second

// Config is what a relay's process reads from its standard input, as JSON.
type Config struct {
	Address netip.AddrPort // of the reader endpoint
}

// request is what a control connection sends: Set nil asks for the backends, anything else replaces them.
type request struct{ Set []netip.Addr }

type response struct {
	Backends []netip.Addr
	Error    string
}

// control answers one request.
func (r *Relay) control(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(controlTimeout))
	var req request
	if err := json.NewDecoder(conn).Decode(&req); err != nil {
		return // such as a connection that only looks whether the socket is there
	}
	var resp response
	if req.Set != nil {
		if err := r.SetBackends(req.Set); err != nil {
			resp.Error = err.Error()
		}
	}
	resp.Backends = r.Backends()
	if err := json.NewEncoder(conn).Encode(resp); err != nil {
		r.Logger.Warn("cannot answer a control request", "error", err)
	}
}

// Client talks to a relay's control socket.
type Client struct {
	Dial func(context.Context) (net.Conn, error)
}

// Backends asks for the current backends.
func (c Client) Backends(ctx context.Context) ([]netip.Addr, error) {
	return c.exchange(ctx, request{})
}

// SetBackends replaces the backends.
func (c Client) SetBackends(ctx context.Context, addrs []netip.Addr) error {
	_, err := c.exchange(ctx, request{Set: append([]netip.Addr{}, addrs...)}) // nil would ask for them
	return err
}

func (c Client) exchange(ctx context.Context, req request) ([]netip.Addr, error) {
	conn, err := c.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the reader endpoint's relay: %w", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(controlTimeout))
	var resp response
	if err := errors.Join(json.NewEncoder(conn).Encode(req), json.NewDecoder(conn).Decode(&resp)); err != nil {
		return nil, fmt.Errorf("cannot ask the reader endpoint's relay: %w", err)
	}
	if resp.Error != "" {
		return nil, errors.New(resp.Error)
	}
	return resp.Backends, nil
}
