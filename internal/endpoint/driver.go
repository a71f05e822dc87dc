package endpoint

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"larder/internal/cache"
)

// Driver makes processes listen where an assignment says.
type Driver struct {
	Primary, Reader netip.Addr // the shard's endpoints
	Ports           cache.Ports
	// Listener finds the process that listens at an address. Its name is empty where there is none, or it cannot be
	// seen. Nil finds none.
	Listener func(netip.AddrPort) (pid int, name string)
}

// Process is what errors say of a process that is told where to listen.
type Process struct {
	ID  string
	PID int
}

// Server is a node's redis-server.
type Server interface {
	// Serve has it listen at exactly these addresses, and closes the connections to those that it gives up.
	Serve(ctx context.Context, addrs []netip.Addr, ports cache.Ports) error
	// Listen does the same, and leaves the connections.
	Listen(ctx context.Context, addrs []netip.Addr, ports cache.Ports) error
	// Cut closes the connections that clients made to these addresses.
	Cut(ctx context.Context, addrs []netip.Addr, ports cache.Ports) error
}

// RelayControl is a relay's process.
type RelayControl interface {
	SetBackends(ctx context.Context, addrs []netip.Addr) error
	SetFronts(ctx context.Context, addrs []netip.Addr) error
}

// Serve has a node listen at exactly these addresses. The error names who listens there instead.
func (d Driver) Serve(ctx context.Context, p Process, s Server, addrs []netip.Addr) error {
	return d.inTheWay(s.Serve(ctx, addrs, d.Ports), p, addrs, d.Ports)
}

// SetBackends has the relay spread the reader endpoint's connections over the nodes with these addresses. The error
// names who listens at the reader endpoint instead.
func (d Driver) SetBackends(ctx context.Context, p Process, r RelayControl, addrs []netip.Addr) error {
	return d.inTheWay(r.SetBackends(ctx, addrs), p, []netip.Addr{d.Reader}, cache.Ports{Group: d.Ports.Group})
}

// SetFronts has the relay take connections for the nodes at exactly these addresses. The error names who listens there
// instead.
func (d Driver) SetFronts(ctx context.Context, p Process, r RelayControl, addrs []netip.Addr) error {
	return d.inTheWay(r.SetFronts(ctx, addrs), p, addrs, cache.Ports{Group: d.Ports.Group})
}

// inTheWay adds to an error the processes because of which one cannot listen.
func (d Driver) inTheWay(err error, p Process, addrs []netip.Addr, ports cache.Ports) error {
	if err == nil || d.Listener == nil {
		return err
	}
	for _, a := range addrs {
		for _, port := range ports.Each() {
			at := netip.AddrPortFrom(a, uint16(port))
			if pid, name := d.Listener(at); name != "" && pid != p.PID {
				err = fmt.Errorf("%w: %s listens on %s, which %s needs", err, name, at, p.ID)
			}
		}
	}
	return err
}

// Serving is a node together with where it listens.
type Serving struct {
	Server
	Address netip.Addr // its own
	Serves  []netip.Addr
}

// MovePrimary moves the primary endpoint and its clients from one node to another, which has the role already. Both
// hold writes. Two processes cannot listen at one address: between the two who do, connections are refused, for as long
// as one exchange with a node takes.
//
//  1. The old primary gives up the endpoints; its clients stay. Either node answers reads, from equal data.
//  2. The new one takes the primary endpoint.
//  3. The old primary's clients are cut off. There is another one to go to now.
//  4. resume lets writes go on at the new one.
//  5. The new one's clients at the reader endpoint are cut off: they shall not find it writable.
//
// Where a step fails the rest is not done. CutStale ends what is left over.
func (d Driver) MovePrimary(ctx context.Context, from, to Serving, resume func(context.Context) error) error {
	if err := from.Listen(ctx, []netip.Addr{from.Address}, d.Ports); err != nil {
		return err
	}
	if err := to.Listen(ctx, []netip.Addr{to.Address, d.Primary}, d.Ports); err != nil {
		return err
	}
	if err := from.Cut(ctx, []netip.Addr{d.Primary, d.Reader}, d.Ports); err != nil {
		return err
	}
	if err := resume(ctx); err != nil {
		return err
	}
	gone := slices.DeleteFunc(slices.Clone(to.Serves), func(a netip.Addr) bool { return a == to.Address })
	return to.Cut(ctx, gone, d.Ports)
}

// CutStale closes the connections that clients made through an endpoint at which a node no longer listens.
func (d Driver) CutStale(ctx context.Context, s Server, serves []netip.Addr) error {
	given := slices.DeleteFunc([]netip.Addr{d.Primary, d.Reader},
		func(a netip.Addr) bool { return slices.Contains(serves, a) })
	return s.Cut(ctx, given, d.Ports)
}

// RelayPorts are the group's port, which the relay has, and those at which it reaches nodes without TLS and with it. It
// outlives a change of the mode, so that they do not depend on the mode.
func RelayPorts(g *cache.ReplicationGroup) cache.Ports {
	both := *g
	both.SetTransit(cache.TransitPreferred)
	return both.Ports()
}
