package plan

import (
	"net/netip"
	"slices"
	"time"

	"larder/internal/cache"
)

// serve makes every node listen where it should. An address that moves is given up in one plan and taken in the next:
// two processes cannot listen on it at once.
func (p *planner) serve() {
	for _, m := range p.s.Members {
		s := p.o.Nodes[m.ID]
		wanted := p.wanted(m)
		if !s.Answers || len(wanted) == 0 || sameSet(s.Serves, wanted) && !s.OtherPorts {
			continue
		}
		free := p.free(m)
		if len(free) < len(wanted) {
			p.waiting = true
		}
		if !sameSet(s.Serves, free) || s.OtherPorts {
			p.add(Step{Kind: Serve, Member: m.ID, Addresses: free})
		}
	}
}

// free lists those of the wanted addresses on which nobody else listens.
func (p *planner) free(m cache.Member) []netip.Addr {
	return slices.DeleteFunc(p.wanted(m), func(a netip.Addr) bool { return p.heldByAnother(m, a) })
}

// heldByAnother tells whether another process listens on the address, or may: one that does not answer keeps the reader
// endpoint's if it had it.
func (p *planner) heldByAnother(m cache.Member, a netip.Addr) bool {
	if a == p.s.ReaderAddress && p.relaySpreads() {
		return true
	}
	for id, s := range p.o.Nodes {
		if id != m.ID && (slices.Contains(s.Serves, a) || a == p.s.ReaderAddress && s.silent()) {
			return true
		}
	}
	return false
}

// relaySpreads tells whether the relay listens on the reader endpoint to spread its connections, or is about to.
func (p *planner) relaySpreads() bool {
	onlyFronts := p.g.Transit() == cache.TransitPreferred && !p.s.SpreadsReads() && !p.o.Relay.Spreads
	return p.o.Relay.Running && !onlyFronts
}

// wanted lists the addresses on which a member should listen now. A replica that is not in sync keeps those it has of
// its own, so that its last data stay readable there, and never gets the reader endpoint's.
func (p *planner) wanted(m cache.Member) []netip.Addr {
	s := p.o.Nodes[m.ID]
	addrs := []netip.Addr{m.Address}
	if m.Role == cache.Primary {
		addrs = append(addrs, p.s.PrimaryAddress)
		if !p.s.SpreadsReads() && len(p.readable()) == 0 && (len(p.s.Members) == 1 || p.g.Status.Serving()) {
			addrs = append(addrs, p.s.ReaderAddress)
		}
		return addrs
	}
	if !p.syncs(m) {
		return slices.DeleteFunc(addrs, func(a netip.Addr) bool { return !slices.Contains(s.Serves, a) })
	}
	if !p.s.SpreadsReads() && p.fresh(m) {
		addrs = append(addrs, p.s.ReaderAddress)
	}
	return addrs
}

// InSync tells whether a member is the primary, or a replica that follows the recorded primary and has caught up, as
// replication says.
func InSync(s *cache.Shard, o Observed, member string) bool {
	m, seen := s.Member(member), o.Nodes[member]
	if m != nil && m.Role == cache.Primary {
		return seen.Answers && seen.Role == cache.Primary
	}
	p := planner{g: s.Group, s: s, o: o}
	return m != nil && s.Primary() != nil && p.syncs(*m)
}

// syncs tells whether a replica follows the recorded primary, at whatever port, and has caught up.
func (p *planner) syncs(m cache.Member) bool {
	s := p.o.Nodes[m.ID]
	return m.Role == cache.Replica && s.Answers && s.Role == cache.Replica && s.InSync &&
		s.Follows.Addr() == p.s.Primary().Address
}

// How long a replica may have lacked what its primary has, and be read through the reader endpoint. One that was taken
// out comes back when it has caught up better than that, lest it goes in and out.
const (
	maxReaderLag   = 5 * time.Second
	freshReaderLag = 1 * time.Second
)

// fresh tells whether a replica lags by no more than the reader endpoint's clients have to put up with.
func (p *planner) fresh(m cache.Member) bool {
	s := p.o.Nodes[m.ID]
	if slices.Contains(s.Serves, p.s.ReaderAddress) || slices.Contains(p.o.Relay.Backends, m.Address) {
		return s.Lag <= maxReaderLag
	}
	return s.Lag <= freshReaderLag
}

// readable lists the replicas that the reader endpoint may hand out.
func (p *planner) readable() []cache.Member {
	return slices.DeleteFunc(slices.Clone(p.s.Members), func(m cache.Member) bool { return !p.syncs(m) || !p.fresh(m) })
}

// sameSet tells whether two lists without repetition hold the same addresses.
func sameSet(a, b []netip.Addr) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x netip.Addr) bool { return !slices.Contains(b, x) })
}
