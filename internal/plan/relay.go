package plan

import (
	"net/netip"
	"slices"

	"larder/internal/cache"
)

// relay brings the group's relay to where it should be: it spreads the reader endpoint's connections over several
// replicas, and takes TLS and plain connections on one port, for the nodes, where clients may use either.
func (p *planner) relay() {
	spreads, fronts := p.s.SpreadsReads(), p.g.Transit() == cache.TransitPreferred
	switch r := p.o.Relay; {
	case r.Running && (r.Hung || !spreads && (!fronts || r.Spreads)):
		p.add(Step{Kind: StopRelay})
		return
	case !spreads && !fronts:
		return
	case !r.Running:
		p.add(Step{Kind: StartRelay})
		return
	}
	if fronts {
		p.front()
	}
	if spreads {
		p.spread()
	}
}

// spread gives the relay the replicas that may be read.
func (p *planner) spread() {
	var backends []netip.Addr
	for _, m := range p.s.Members {
		if p.backend(m) {
			backends = append(backends, m.Address)
		}
	}
	if len(backends) == 0 && p.g.Status.Serving() {
		backends = []netip.Addr{p.s.Primary().Address}
	}
	switch {
	case len(backends) == 0, p.listensOnReader():
		p.waiting = true
	case !sameSet(p.o.Relay.Backends, backends):
		p.add(Step{Kind: SetBackends, Addresses: backends})
	}
}

// front has the relay take connections at every address of the group, but for the reader endpoint's where it spreads
// these, and where a node has yet to give the port up.
func (p *planner) front() {
	fronts := slices.DeleteFunc(p.s.Addresses(), func(a netip.Addr) bool {
		return a == p.s.ReaderAddress && p.s.SpreadsReads() || p.heldAtOtherPorts(a)
	})
	if !sameSet(p.o.Relay.Fronts, fronts) {
		p.add(Step{Kind: SetFronts, Addresses: fronts})
	}
}

func (p *planner) heldAtOtherPorts(a netip.Addr) bool {
	for _, s := range p.o.Nodes {
		if s.OtherPorts && slices.Contains(s.Serves, a) {
			return true
		}
	}
	return false
}

// closeFronts has the relay give the group's port up where clients may no longer connect in both ways: a node that is
// to listen there cannot before that.
func (p *planner) closeFronts() (Step, bool) {
	r := p.o.Relay
	switch {
	case len(r.Fronts) == 0 || p.g.Transit() == cache.TransitPreferred:
		return Step{}, false
	case r.Hung || !p.s.SpreadsReads():
		return Step{Kind: StopRelay}, true
	}
	return Step{Kind: SetFronts}, true
}

// backend tells whether the relay shall lead to a member. A replica that is busy stays, since whoever made it so is
// waiting for the answer, until it has been so for too long; one that hangs leaves at once.
func (p *planner) backend(m cache.Member) bool {
	s := p.o.Nodes[m.ID]
	if s.silent() {
		return m.Role == cache.Replica && !s.Hung && slices.Contains(p.o.Relay.Backends, m.Address) && p.fresh(m)
	}
	return p.syncs(m) && p.fresh(m) && slices.Contains(s.Serves, m.Address)
}

// listensOnReader tells whether a node, or the relay for one, still has the reader endpoint, as it had while the
// group was smaller.
func (p *planner) listensOnReader() bool {
	if slices.Contains(p.o.Relay.Fronts, p.s.ReaderAddress) {
		return true
	}
	for _, s := range p.o.Nodes {
		if slices.Contains(s.Serves, p.s.ReaderAddress) {
			return true
		}
	}
	return false
}
