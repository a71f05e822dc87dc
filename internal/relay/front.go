package relay

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// handshake is the first byte of a client that speaks TLS (RFC 8446, section 5.1). No Redis command begins with it.
const handshake = 0x16

// front takes the connections at one address.
type front struct {
	addr     netip.Addr
	listener net.Listener
	conns    map[net.Conn]struct{} // of clients
}

// Fronts returns the addresses at which the relay takes connections for the nodes that listen there, sorted.
func (r *Relay) Fronts() []netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	var addrs []netip.Addr
	for a := range r.fronts {
		addrs = append(addrs, a)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return addrs
}

// SetFronts has the relay take connections at exactly these addresses, on the port of Address. Each leads to the same
// address: to port TLS where the client begins with a TLS handshake, and to port Plain otherwise. Connections at the
// addresses that leave are closed. Addresses at which it cannot listen are left out, and are what the error is about.
func (r *Relay) SetFronts(addrs []netip.Addr) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a, f := range r.fronts {
		if !slices.Contains(addrs, a) {
			f.close()
			delete(r.fronts, a)
		}
	}
	var errs []error
	for _, a := range addrs {
		if r.fronts[a] == nil {
			errs = append(errs, r.openFront(a))
		}
	}
	return errors.Join(errs...)
}

func (r *Relay) openFront(a netip.Addr) error {
	l, err := net.Listen("tcp", netip.AddrPortFrom(a, r.Address.Port()).String())
	if err != nil {
		return fmt.Errorf("cannot take TLS and plain connections at %s: %w", a, err)
	}
	f := &front{addr: a, listener: l, conns: map[net.Conn]struct{}{}}
	if r.fronts == nil {
		r.fronts = map[netip.Addr]*front{}
	}
	r.fronts[a] = f
	r.work.Go(func() { r.accept(l, func(client net.Conn) { r.lead(f, client) }) })
	return nil
}

// close ends the front, and its connections.
func (f *front) close() {
	f.listener.Close()
	for c := range f.conns {
		c.Close()
	}
}

// lead connects a client to the node, at the port that suits how it begins, and copies until either side ends.
func (r *Relay) lead(f *front, client net.Conn) {
	defer client.Close()
	if !r.enter(f, client) {
		return
	}
	defer r.leave(f, client)
	first := make([]byte, 512)
	n, err := client.Read(first) // a client of Redis speaks first, with TLS and without
	if err != nil {
		return
	}
	port := r.Plain
	if first[0] == handshake {
		port = r.TLS
	}
	at := netip.AddrPortFrom(f.addr, port)
	server, err := net.DialTimeout("tcp", at.String(), dialTimeout)
	if err != nil {
		r.Logger.Warn("node does not answer", "node", at, "error", err)
		return
	}
	if _, err := server.Write(first[:n]); err != nil {
		server.Close()
		return
	}
	r.join(client, server)
}

// enter counts a client to a front, if that has not closed meanwhile.
func (r *Relay) enter(f *front, client net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fronts[f.addr] != f {
		return false
	}
	f.conns[client] = struct{}{}
	return true
}

func (r *Relay) leave(f *front, client net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(f.conns, client)
}
