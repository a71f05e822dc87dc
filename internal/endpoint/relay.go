package endpoint

import (
	"net/netip"
	"slices"

	"larder/internal/cache"
)

// relay returns the changes that bring the relay to where it should be, and whether something has to happen first.
func (s Shard) relay() (changes []Change, waiting bool) {
	needed := s.Spreads() || s.BothModes
	switch r := s.Relay; {
	case r.Running && (r.Hung || !s.Spreads() && (!s.BothModes || r.Spreads)):
		return []Change{{Kind: StopRelay}}, false
	case !needed:
		return nil, false
	case !r.Running:
		return []Change{{Kind: StartRelay}}, false
	}
	if fronts := s.fronts(); s.BothModes && !sameSet(s.Relay.Fronts, fronts) {
		changes = append(changes, Change{Kind: SetFronts, Addresses: fronts})
	}
	if !s.Spreads() {
		return changes, false
	}
	backends := s.backends()
	switch {
	case len(backends) == 0, s.nodeHoldsReader():
		waiting = true
	case !sameSet(s.Relay.Backends, backends):
		changes = append(changes, Change{Kind: SetBackends, Addresses: backends})
	}
	return changes, waiting
}

// CloseFronts returns the change by which the relay gives up the group's port, where clients may no longer connect both
// with TLS and without. No node can listen there before that.
func (s Shard) CloseFronts() (change Change, due bool) {
	switch {
	case len(s.Relay.Fronts) == 0 || s.BothModes:
		return Change{}, false
	case s.Relay.Hung || !s.Spreads():
		return Change{Kind: StopRelay}, true
	}
	return Change{Kind: SetFronts}, true
}

// backends are the own addresses of the nodes that the reader endpoint's connections are spread over: the replicas that
// may be read, or the primary where clients use the group and there is none.
func (s Shard) backends() (addrs []netip.Addr) {
	for _, n := range s.Nodes {
		if s.isBackend(n) {
			addrs = append(addrs, n.Address)
		}
	}
	if i := slices.IndexFunc(s.Nodes, isPrimary); len(addrs) == 0 && s.Served && i >= 0 {
		return []netip.Addr{s.Nodes[i].Address}
	}
	return addrs
}

// isBackend tells whether the relay shall lead to a node. A replica that is busy stays, since whoever made it so is
// waiting for the answer, until it has been busy for too long. One that hangs leaves at once.
func (s Shard) isBackend(n Node) bool {
	if n.Silent {
		return n.Role == cache.Replica && !n.Hung && slices.Contains(s.Relay.Backends, n.Address) && s.lagsLittle(n)
	}
	return s.readable(n) && n.holds(n.Address)
}

func isPrimary(n Node) bool { return n.Role == cache.Primary }

// fronts are the addresses at which the relay takes connections for the nodes: all of the shard's, but for the reader
// endpoint's where it spreads these, and where a node has yet to give the port up.
func (s Shard) fronts() []netip.Addr {
	all := []netip.Addr{s.Primary, s.Reader}
	for _, n := range s.Nodes {
		all = append(all, n.Address)
	}
	return slices.DeleteFunc(all, func(a netip.Addr) bool {
		return a == s.Reader && s.Spreads() || s.heldAtOtherPorts(a)
	})
}

func (s Shard) heldAtOtherPorts(a netip.Addr) bool {
	return slices.ContainsFunc(s.processes(), func(n Node) bool { return n.OtherPorts && n.holds(a) })
}

// relayHoldsReader tells whether the relay listens at the reader endpoint to spread its connections, or is about to.
func (s Shard) relayHoldsReader() bool {
	onlyFronts := s.BothModes && !s.Spreads() && !s.Relay.Spreads
	return s.Relay.Running && !onlyFronts
}

// nodeHoldsReader tells whether a node, or the relay for one, still has the reader endpoint, as it had while the shard
// was smaller.
func (s Shard) nodeHoldsReader() bool {
	return slices.Contains(s.Relay.Fronts, s.Reader) ||
		slices.ContainsFunc(s.processes(), func(n Node) bool { return n.holds(s.Reader) })
}
