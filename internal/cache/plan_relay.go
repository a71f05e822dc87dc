package cache

import (
	"net/netip"
	"slices"
)

func (p *planner) relay() {
	if !p.g.SpreadsReads() {
		if p.o.Relay.Running {
			p.add(Step{Kind: StopRelay})
		}
		return
	}
	var backends []netip.Addr
	for _, m := range p.readable() {
		if slices.Contains(p.o.Nodes[m.ID].Serves, m.Address) {
			backends = append(backends, m.Address)
		}
	}
	if len(backends) == 0 && p.g.Status.Serving() {
		backends = []netip.Addr{p.g.Primary().Address}
	}
	switch {
	case !p.o.Relay.Running:
		p.add(Step{Kind: StartRelay})
	case len(backends) == 0, p.listensOnReader():
		p.waiting = true
	case !sameSet(p.o.Relay.Backends, backends):
		p.add(Step{Kind: SetBackends, Addresses: backends})
	}
}

// listensOnReader tells whether a node still has the reader endpoint, as it had while the group was smaller.
func (p *planner) listensOnReader() bool {
	for _, s := range p.o.Nodes {
		if slices.Contains(s.Serves, p.g.ReaderAddress) {
			return true
		}
	}
	return false
}
