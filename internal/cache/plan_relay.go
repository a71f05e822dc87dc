package cache

import (
	"net/netip"
	"slices"
)

// RelaySuffix makes a relay's process id from its group's. The dot cannot be part of a member's id.
const RelaySuffix = ".reader"

func (p *planner) relay() {
	if !p.g.SpreadsReads() {
		if p.o.Relay.Running {
			p.add(Step{Kind: StopRelay})
		}
		return
	}
	var backends []netip.Addr
	for _, m := range p.g.Members {
		if p.backend(m) {
			backends = append(backends, m.Address)
		}
	}
	if len(backends) == 0 && p.g.Status.Serving() {
		backends = []netip.Addr{p.g.Primary().Address}
	}
	switch {
	case p.o.Relay.Hung:
		p.add(Step{Kind: StopRelay})
	case !p.o.Relay.Running:
		p.add(Step{Kind: StartRelay})
	case len(backends) == 0, p.listensOnReader():
		p.waiting = true
	case !sameSet(p.o.Relay.Backends, backends):
		p.add(Step{Kind: SetBackends, Addresses: backends})
	}
}

// backend tells whether the relay shall lead to a member. A replica that is busy stays, since whoever made it so is
// waiting for the answer, until it has been so for too long; one that hangs leaves at once.
func (p *planner) backend(m Member) bool {
	s := p.o.Nodes[m.ID]
	if s.silent() {
		return m.Role == Replica && !s.Hung && slices.Contains(p.o.Relay.Backends, m.Address) && p.fresh(m)
	}
	return p.syncs(m) && p.fresh(m) && slices.Contains(s.Serves, m.Address)
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
