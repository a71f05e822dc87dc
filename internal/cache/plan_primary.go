package cache

import (
	"cmp"
	"net/netip"
	"slices"
)

// settlePrimary makes the recorded primary serve, or records another one. An empty node must never become the source of a
// replication while another has data.
func (p *planner) settlePrimary() {
	primary := p.g.Primary()
	state := p.o.Nodes[primary.ID]
	serves := state.Answers && len(state.Serves) > 0
	heir, found := p.heir(primary)
	switch {
	case p.restoring():
		p.waiting = true
	case serves && state.Role == Primary:
	case serves, found && heir.ID == primary.ID && state.Role == Replica:
		p.add(Step{Kind: Promote, Member: primary.ID})
	case found && heir.ID == primary.ID:
		p.add(Step{Kind: Serve, Member: primary.ID, Addresses: p.free(*primary)})
	case found && p.g.AutomaticFailover && !p.hung(primary.ID):
		p.add(Step{Kind: Elect, Member: heir.ID})
	case !state.Answers, p.anyHung():
		p.waiting = true
	case found:
		p.reseed(primary, heir)
	case p.g.Restore != "":
		p.restore(primary)
	case state.Role == Replica:
		p.add(Step{Kind: Promote, Member: primary.ID})
	default:
		p.add(Step{Kind: Serve, Member: primary.ID, Addresses: p.free(*primary), DataLost: !primary.Created.IsZero()})
	}
}

// heir is the member with the most advanced data set, which has the highest offset; on a tie one that is primary already, the
// recorded primary, one outside its zone, which may be gone as a whole, the lowest id.
func (p *planner) heir(old *Member) (Member, bool) {
	var heirs []Member
	for _, m := range p.g.Members {
		if p.o.Nodes[m.ID].hasData() {
			heirs = append(heirs, m)
		}
	}
	if len(heirs) == 0 {
		return Member{}, false
	}
	return slices.MinFunc(heirs, func(a, b Member) int {
		as, bs := p.o.Nodes[a.ID], p.o.Nodes[b.ID]
		return cmp.Or(
			cmp.Compare(bs.Offset, as.Offset),
			cmp.Compare(rank(bs.Role == Primary), rank(as.Role == Primary)),
			cmp.Compare(rank(b.ID == old.ID), rank(a.ID == old.ID)),
			cmp.Compare(rank(a.Zone == old.Zone), rank(b.Zone == old.Zone)),
			cmp.Compare(a.ID, b.ID))
	}), true
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (p *planner) hung(id string) bool {
	s := p.o.Nodes[id]
	return s.Running && !s.Answers
}

func (p *planner) anyHung() bool {
	return slices.ContainsFunc(p.g.Members, func(m Member) bool { return p.hung(m.ID) })
}

// reseed gives a primary that came back empty the data of a replica. That is what the service does without automatic
// failover: the endpoint stays where it is, and serves again when the data are there.
func (p *planner) reseed(primary *Member, source Member) {
	state, from := p.o.Nodes[primary.ID], p.o.Nodes[source.ID]
	switch {
	case from.Role == Replica:
		// A replica without a link to its primary refuses to be one itself.
		p.add(Step{Kind: Promote, Member: source.ID})
	case len(from.Serves) == 0:
		p.add(Step{Kind: Serve, Member: source.ID, Addresses: []netip.Addr{source.Address}})
	case state.Follows != netip.AddrPortFrom(source.Address, uint16(p.g.Port)):
		p.add(Step{Kind: Follow, Member: primary.ID, Target: source.Address})
	case state.InSync:
		p.add(Step{Kind: Serve, Member: primary.ID, Addresses: []netip.Addr{primary.Address}})
	default:
		p.waiting = true
	}
}

// primaryServes tells whether the recorded primary is one, and reachable on its own address.
func (p *planner) primaryServes() bool {
	s := p.o.Nodes[p.g.Primary().ID]
	return s.Answers && s.Role == Primary && len(s.Serves) > 0
}

func (p *planner) followPrimary() {
	primary := p.g.Primary()
	target := netip.AddrPortFrom(primary.Address, uint16(p.g.Port))
	for _, m := range p.g.Members {
		s := p.o.Nodes[m.ID]
		if m.ID == primary.ID || !s.Answers {
			continue
		}
		if s.Role != Replica || s.Follows != target {
			p.add(Step{Kind: Follow, Member: m.ID, Target: primary.Address})
		} else if !s.InSync {
			p.waiting = true
		}
	}
}
