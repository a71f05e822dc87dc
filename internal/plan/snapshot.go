package plan

import "larder/internal/cache"

// What a plan does about snapshots. Taking and loading one are snapshot jobs, which outlast a plan: the next plans go
// on beside them.

// backup takes the snapshot that was asked for, when the group is as it should be. Busy says that there is one to take.
// If the member that was named is gone, the primary is copied instead.
func (p *planner) backup() (steps []Step, busy bool) {
	b := p.g.Snapshot
	switch {
	case b == nil:
		return nil, false
	case p.o.Transferring:
		return nil, true
	case p.s.Member(b.Member) != nil:
		return []Step{{Kind: TakeSnapshot, Member: b.Member}}, true
	}
	return []Step{{Kind: TakeSnapshot, Member: p.s.Primary().ID}}, true
}

// finalBackup takes the last snapshot of a group that is being deleted. Done says that there is none to take, or no
// more. It copies the primary, or else the member that has most. A member that does not answer is tried nevertheless;
// that fails and says so. The data are given up only when no process is left that may have them.
func (p *planner) finalBackup() (steps []Step, done bool) {
	if p.g.Snapshot == nil {
		return nil, true
	}
	primary := p.s.Primary()
	candidate, found := p.candidate(primary)
	switch {
	case p.o.Transferring:
		return nil, false
	case p.shouldFence(*primary):
		return []Step{{Kind: Fence, Member: primary.ID}}, false
	case p.o.Nodes[primary.ID].Suspended:
		return []Step{{Kind: Resume, Member: primary.ID}}, false
	case p.o.Nodes[primary.ID].silent(), p.primaryServes(): // no replica has more, though it may seem so
		return []Step{{Kind: TakeSnapshot, Member: primary.ID}}, false
	case found && p.o.Nodes[candidate.ID].Role == cache.Replica && !p.o.Nodes[candidate.ID].InSync:
		// A replica without a link to its primary gives nobody a copy.
		return []Step{{Kind: Promote, Member: candidate.ID}}, false
	case found:
		return []Step{{Kind: TakeSnapshot, Member: candidate.ID}}, false
	}
	for _, m := range p.s.Members {
		switch s := p.o.Nodes[m.ID]; {
		case s.Suspended:
			return []Step{{Kind: Resume, Member: m.ID}}, false
		case s.silent():
			return []Step{{Kind: TakeSnapshot, Member: m.ID}}, false
		}
	}
	return []Step{{Kind: AbandonSnapshot}}, false
}

// creating tells whether nobody has had the group's data yet.
func (p *planner) creating() bool { return p.g.Status == cache.Creating }

// restore fills an empty primary with the data that its group begins with. A snapshot that was being taken of a node
// that is gone ends first.
func (p *planner) restore(v seen) {
	if p.o.Transferring {
		p.waiting = true
		return
	}
	p.add(Step{Kind: LoadSnapshot, Member: v.primary.ID})
}
