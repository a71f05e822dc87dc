package plan

import (
	"slices"

	"larder/internal/cache"
)

// removeMembers ends the members that are being removed.
func (p *planner) removeMembers() {
	for _, m := range p.d.Shard.Members {
		switch {
		case !m.Removable():
		case p.o.Nodes[m.ID].Running:
			p.add(Step{Kind: StopNode, Member: m.ID})
		default:
			p.add(Step{Kind: Drop, Member: m.ID})
		}
	}
}

// configure brings the tokens, parameters and certificates of running nodes up to date. It also sets them on a node of
// which it is unknown what it has: nothing is recorded, or the record may be another process's.
func (p *planner) configure() {
	access := cache.AccessFingerprint(p.g.AuthTokens)
	for _, m := range p.s.Members {
		s := p.o.Nodes[m.ID]
		if !s.Answers {
			continue
		}
		if s.Unconfirmed || m.Parameters != p.d.Parameters {
			p.add(Step{Kind: Configure, Member: m.ID})
		}
		if s.Unconfirmed || m.Access != access {
			p.add(Step{Kind: Authorize, Member: m.ID})
		}
		if s.Uncertified {
			p.add(Step{Kind: Certify, Member: m.ID})
		}
	}
}

// renew replaces the processes of a settled group that are not of its present spec, one at a time, replicas first. All
// nodes but one serve at any time, and the primary always has a replica that has everything. It also makes the planned
// promotion that was asked for.
func (p *planner) renew() (Step, bool) {
	primary := p.s.Primary()
	if candidate := p.s.Member(p.s.Promote); candidate != nil && candidate.ID != primary.ID {
		return Step{Kind: Switchover, Member: candidate.ID}, true
	}
	for _, m := range p.s.Members {
		if m.Role == cache.Replica && p.outdated(m) {
			return Step{Kind: StopNode, Member: m.ID}, true
		}
	}
	replicas := slices.DeleteFunc(slices.Clone(p.s.Members), func(m cache.Member) bool { return !p.syncs(m) })
	switch {
	case !p.outdated(*primary) && !primary.Removing:
		return Step{}, false
	case len(p.s.Members) == 1 && primary.Replacement != "":
		return Step{Kind: StopNode, Member: primary.ID}, true
	case len(p.s.Members) == 1:
		return Step{Kind: Resize, Member: primary.ID}, true
	case len(replicas) == 0:
		return Step{}, false
	}
	return Step{Kind: Switchover, Member: p.best(replicas, primary).ID}, true
}

// outdated tells whether a member gets another process. It does also when it is not recorded what its process is.
func (p *planner) outdated(m cache.Member) bool {
	return m.Replacement != "" || m.Spec != p.g.Spec()
}
