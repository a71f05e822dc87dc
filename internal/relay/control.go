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
	Address    netip.AddrPort // of the reader endpoint
	Plain, TLS uint16         // see Relay
}

// request is what a control connection sends: lists that are nil stay as they are, anything else replaces them.
type request struct {
	Set    []netip.Addr // the backends
	Fronts []netip.Addr
}

type response struct {
	Status
	Error string
}

// Status is what a relay does.
type Status struct {
	Spreads  bool         // the reader endpoint is open
	Backends []netip.Addr // sorted
	Fronts   []netip.Addr // sorted
}

// control answers one request.
func (r *Relay) control(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(controlTimeout))
	var req request
	if err := json.NewDecoder(conn).Decode(&req); err != nil {
		return // such as a connection that only looks whether the socket is there
	}
	var err error
	if req.Set != nil {
		err = r.SetBackends(req.Set)
	}
	if req.Fronts != nil {
		err = errors.Join(err, r.SetFronts(req.Fronts))
	}
	resp := response{Status: Status{Spreads: r.Spreads(), Backends: r.Backends(), Fronts: r.Fronts()}}
	if err != nil {
		resp.Error = err.Error()
	}
	if err := json.NewEncoder(conn).Encode(resp); err != nil {
		r.Logger.Warn("cannot answer a control request", "error", err)
	}
}

// Client talks to a relay's control socket.
type Client struct {
	Dial func(context.Context) (net.Conn, error)
}

// Status asks what the relay does.
func (c Client) Status(ctx context.Context) (Status, error) {
	return c.exchange(ctx, request{})
}

// SetBackends replaces the backends.
func (c Client) SetBackends(ctx context.Context, addrs []netip.Addr) error {
	_, err := c.exchange(ctx, request{Set: append([]netip.Addr{}, addrs...)}) // nil would leave them
	return err
}

// ErrNoFronts is the error of a relay that an earlier larder started, and that takes connections for no node.
var ErrNoFronts = errors.New("the relay does not take TLS and plain connections at one port")

// SetFronts replaces the addresses at which the relay takes connections for nodes.
func (c Client) SetFronts(ctx context.Context, addrs []netip.Addr) error {
	s, err := c.exchange(ctx, request{Fronts: append([]netip.Addr{}, addrs...)})
	if err == nil && len(s.Fronts) != len(addrs) {
		return ErrNoFronts
	}
	return err
}

func (c Client) exchange(ctx context.Context, req request) (Status, error) {
	conn, err := c.Dial(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("cannot reach the group's relay: %w", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(controlTimeout))
	var resp response
	if err := errors.Join(json.NewEncoder(conn).Encode(req), json.NewDecoder(conn).Decode(&resp)); err != nil {
		return Status{}, fmt.Errorf("cannot ask the group's relay: %w", err)
	}
	if resp.Error != "" {
		return Status{}, errors.New(resp.Error)
	}
	return resp.Status, nil
}
