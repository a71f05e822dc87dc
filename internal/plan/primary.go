package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"larder/internal/cache"
)

// superseded returns the member that clients write to, and whose replica the recorded primary is; nil when there is
// none. The record is then older than the last move of the role, as after a store was put back from a backup. The
// newest data are that member's.
func (p *planner) superseded(recorded NodeState) *cache.Member {
	endpoints := p.endpoints()
	for i, m := range p.s.Members {
		s := p.o.Nodes[m.ID]
		if recorded.Follows.Addr() == m.Address && s.Answers && s.Role == cache.Primary && endpoints.HoldsPrimary(m.ID) {
			return &p.s.Members[i]
		}
	}
	return nil
}

// isRecorded tells whether a node's stream is recorded as the newest.
func (p *planner) isRecorded(s NodeState) bool {
	return s.History.ID == "" || len(p.s.Histories) > 0 && p.s.Histories[0] == s.History.ID
}

// failOverTo is the step that makes a member primary, with the addresses that it then has.
func (p *planner) failOverTo(candidate cache.Member) Step {
	next := *p
	s := *p.s
	s.Members = slices.Clone(s.Members)
	s.SetPrimary(candidate.ID)
	next.s = &s
	age, _ := p.o.Nodes[candidate.ID].position(p.s.Histories)
	return Step{Kind: Failover, Member: candidate.ID, Addresses: next.endpoints().Free(candidate.ID), DataLost: age > 0 &&
		len(p.s.Histories) > 0, Reading: p.reading()}
}

// reading lists the replicas whose link to a primary that serves nobody has not ended yet. It ends when they have read
// all that was sent before the primary's process was gone. Promoting one earlier would throw the rest away, with
// acknowledged writes in it.
func (p *planner) reading() (ids []string) {
	for _, m := range p.s.Members {
		if p.syncs(m) {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// candidate is the member with the most advanced data set, which takes over from old. Found is false when no member has
// data.
func (p *planner) candidate(old *cache.Member) (candidate cache.Member, found bool) {
	candidates := p.withData()
	if len(candidates) == 0 {
		return cache.Member{}, false
	}
	return p.best(candidates, old), true
}

// best is the member that takes over from old. The order of what decides:
//
//  1. data of the newest stream
//  2. the highest offset
//  3. being primary already
//  4. being the recorded primary
//  5. not being removed
//  6. another zone than that of old, which may be lost as a whole
//  7. the lowest id
func (p *planner) best(some []cache.Member, old *cache.Member) cache.Member {
	return slices.MinFunc(some, func(a, b cache.Member) int {
		as, bs := p.o.Nodes[a.ID], p.o.Nodes[b.ID]
		aAge, aOffset := as.position(p.s.Histories)
		bAge, bOffset := bs.position(p.s.Histories)
		return cmp.Or(
			cmp.Compare(aAge, bAge),
			cmp.Compare(bOffset, aOffset),
			cmp.Compare(rank(bs.Role == cache.Primary), rank(as.Role == cache.Primary)),
			cmp.Compare(rank(b.ID == old.ID), rank(a.ID == old.ID)),
			cmp.Compare(rank(a.Removing), rank(b.Removing)),
			cmp.Compare(rank(a.Zone == old.Zone), rank(b.Zone == old.Zone)),
			cmp.Compare(a.ID, b.ID))
	})
}

// withData lists the members that have data of the group.
func (p *planner) withData() []cache.Member {
	return slices.DeleteFunc(slices.Clone(p.s.Members),
		func(m cache.Member) bool { return !p.o.Nodes[m.ID].hasData(p.s.Histories) })
}

// divergent tells whether the data sets that are left belong to several streams, none of which is known.
func (p *planner) divergent() bool {
	streams := map[string]bool{}
	for _, m := range p.withData() {
		s := p.o.Nodes[m.ID]
		if age, _ := s.position(p.s.Histories); age < len(p.s.Histories) {
			return false
		}
		streams[s.History.ID] = true
	}
	return len(streams) > 1
}

// outdatedBySilent tells whether a node that does not answer may have newer data than the candidate, whose data are not
// of the last primary's stream.
func (p *planner) outdatedBySilent(candidate cache.Member) bool {
	age, _ := p.o.Nodes[candidate.ID].position(p.s.Histories)
	return age > 0 && p.anySilent()
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (p *planner) anySilent() bool {
	return slices.ContainsFunc(p.s.Members, func(m cache.Member) bool { return p.o.Nodes[m.ID].silent() })
}

// resyncPrimary gives a primary that came back empty the data of a replica. The service does that without automatic
// failover: the endpoint stays where it is, and serves again when the data are there. The source gives the reader
// endpoint up before it is promoted, so that clients who only read never find it writable.
func (p *planner) resyncPrimary(primary *cache.Member, source cache.Member) {
	state, from := p.o.Nodes[primary.ID], p.o.Nodes[source.ID]
	own := []netip.Addr{source.Address}
	withdrawal, read := p.endpoints().Withdraw(source.ID)
	switch {
	case from.Role == cache.Replica && read:
		p.add(stepOf(withdrawal))
	case from.Role == cache.Replica:
		// A replica without a link to its primary refuses to be one itself.
		p.add(Step{Kind: Promote, Member: source.ID, Reading: p.reading()})
	case !p.isRecorded(from):
		p.add(Step{Kind: RecordHistory, Member: source.ID}) // the primary gets this stream with the copy
	case len(from.Serves) == 0 || from.OtherPorts:
		p.add(Step{Kind: Serve, Member: source.ID, Addresses: own})
	case state.Follows != netip.AddrPortFrom(source.Address, uint16(p.g.ReplicationPort())):
		p.add(Step{Kind: Follow, Member: primary.ID, Target: source.Address})
	case state.InSync:
		p.add(Step{Kind: Serve, Member: primary.ID, Addresses: []netip.Addr{primary.Address}})
	default:
		p.waiting = true
	}
}

// primaryServes tells whether the recorded primary is one, and reachable on its own address.
func (p *planner) primaryServes() bool {
	s := p.o.Nodes[p.s.Primary().ID]
	return s.Answers && s.Role == cache.Primary && len(s.Serves) > 0
}

func (p *planner) followPrimary() {
	primary := p.s.Primary()
	target := netip.AddrPortFrom(primary.Address, uint16(p.g.ReplicationPort()))
	endpoints := p.endpoints()
	moved := !p.o.Nodes[primary.ID].OtherPorts // it can be reached there
	for _, m := range p.s.Members {
		s := p.o.Nodes[m.ID]
		if m.ID == primary.ID || !s.Answers {
			continue
		}
		if endpoints.HoldsPrimary(m.ID) {
			p.waiting = true // it gives up the endpoint first, so that nobody who writes there finds a replica
		} else if s.Role != cache.Replica || s.Follows.Addr() != target.Addr() || moved && s.Follows != target {
			p.add(Step{Kind: Follow, Member: m.ID, Target: primary.Address})
		} else if !s.InSync {
			p.waiting = true
		}
	}
}

// setMinReplicas lets the primary take writes without replicas (min-replicas-to-write) while no other node has the
// group's data. Nobody could acknowledge them, and the bound on what may be lost would become an outage. The bound
// holds again as soon as one replica has the data.
func (p *planner) setMinReplicas() {
	primary := p.s.Primary()
	want := 0
	for _, m := range p.s.Members {
		if s := p.o.Nodes[m.ID]; m.ID != primary.ID && (s.silent() || s.hasData(p.s.Histories)) {
			want = p.d.MinReplicas
		}
	}
	if want == UnknownMinReplicas {
		return
	}
	if p.o.Nodes[primary.ID].MinReplicas != want {
		p.add(Step{Kind: SetMinReplicas, Member: primary.ID, MinReplicas: want})
	}
}
