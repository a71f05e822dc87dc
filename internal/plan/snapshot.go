package plan

import "larder/internal/cache"

// What a plan does about snapshots. Taking and loading one are transfers: they outlast a plan, which goes on beside
// them.

// backup has a snapshot taken of a group that is as it should be; busy says that the group has one to take. A member
// that is gone is stood in for by the primary.
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

// finalBackup has the last snapshot taken of a group that is being deleted; done says that there is none, or none any
// more. It is the primary's, or else that of the member who has most. One that does not answer is asked nevertheless,
// which fails and says so: data that somebody wants to keep are given up only when no process is left that may have
// them.
func (p *planner) finalBackup() (steps []Step, done bool) {
	if p.g.Snapshot == nil {
		return nil, true
	}
	primary := p.s.Primary()
	heir, found := p.heir(primary)
	switch {
	case p.o.Transferring:
		return nil, false
	case p.doomed(*primary):
		return []Step{{Kind: Fence, Member: primary.ID}}, false
	case p.o.Nodes[primary.ID].Suspended:
		return []Step{{Kind: Resume, Member: primary.ID}}, false
	case p.o.Nodes[primary.ID].silent(), p.primaryServes(): // no replica has more, though it may seem so
		return []Step{{Kind: TakeSnapshot, Member: primary.ID}}, false
	case found && p.o.Nodes[heir.ID].Role == cache.Replica && !p.o.Nodes[heir.ID].InSync:
		// A replica without a link to its primary gives nobody a copy.
		return []Step{{Kind: Promote, Member: heir.ID}}, false
	case found:
		return []Step{{Kind: TakeSnapshot, Member: heir.ID}}, false
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

// restore gives an empty primary the data that its group shall begin with. A snapshot that was being taken of a node
// that is gone ends first.
func (p *planner) restore(v seen) {
	if p.o.Transferring {
		p.waiting = true
		return
	}
	p.add(Step{Kind: LoadSnapshot, Member: v.primary.ID})
}
