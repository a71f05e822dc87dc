package plan

import (
	"slices"

	"larder/internal/cache"
)

// Desired is what the API was asked for.
type Desired struct {
	Shard      *cache.Shard
	Parameters string // the Fingerprint of the live directives that every node shall have
	// MinReplicas is what the parameters want of min-replicas-to-write, or UnknownMinReplicas.
	MinReplicas int
	// RestoreSource names the snapshot that the group is made of when no node has its data any more; empty for none.
	RestoreSource string
	// RestoreSourceUnknown says why it is not known which snapshot that is; empty when it is known.
	RestoreSourceUnknown string
}

// UnknownMinReplicas stands for parameters that cannot be read. A primary with a replica then keeps what it has.
const UnknownMinReplicas = -1

// Shard returns the next steps that lead a shard from observed towards desired. Without steps, settled says whether
// nothing is left to do, or something is under way and the caller shall observe again.
func Shard(d Desired, o Observed) (steps []Step, settled bool) {
	p := planner{g: d.Shard.Group, s: d.Shard, d: d, o: o}
	if p.primaryServes() {
		staying := *d.Shard
		staying.Members = d.Shard.Staying()
		p.s = &staying
	}
	switch p.g.Status {
	case cache.Deleting:
		if steps, done := p.finalBackup(); !done {
			return steps, false
		}
		steps = p.stopAll()
		return steps, len(steps) == 0
	case cache.CreateFailed:
		steps = p.stopAll()
		return steps, len(steps) == 0
	}
	if change, due := p.endpoints().CloseFronts(); due {
		return []Step{stepOf(change)}, false // no node can listen until that is done
	}
	if p.settlePrimary(); p.failingOver() {
		return p.steps, false // whatever else there is to do can wait until clients are served
	}
	p.fence()
	p.startMissing()
	p.configure()
	if p.primaryServes() {
		p.removeMembers()
		p.followPrimary()
		p.serve()
		p.setMinReplicas()
	}
	if len(p.steps) > 0 || p.waiting {
		return p.steps, false
	}
	if !o.Verified {
		return []Step{{Kind: Verify}}, false
	}
	if steps, busy := p.backup(); busy {
		return steps, len(steps) == 0
	}
	if step, ok := p.renew(); ok {
		return []Step{step}, false
	}
	return nil, true
}

type planner struct {
	g *cache.ReplicationGroup
	// s is without the members that are being removed, when a primary serves. Until then one of them may be the only
	// one that has the data.
	s       *cache.Shard
	d       Desired
	o       Observed
	steps   []Step
	waiting bool
}

func (p *planner) add(s Step) { p.steps = append(p.steps, s) }

func (p *planner) stopAll() []Step {
	var steps []Step
	if p.o.Relay.Running {
		steps = append(steps, Step{Kind: StopRelay})
	}
	for _, m := range p.d.Shard.Members {
		if p.o.Nodes[m.ID].Running {
			steps = append(steps, Step{Kind: StopNode, Member: m.ID})
		}
	}
	return steps
}

// failingOver tells whether the plan is a failover.
func (p *planner) failingOver() bool {
	return slices.ContainsFunc(p.steps, func(s Step) bool { return s.Kind == Failover })
}

// fence kills nodes that hang, so that none can come back to life beside its successor, and nodes that have been busy
// for too long when another node has their data. A suspended node is told to go on, which loses nothing.
func (p *planner) fence() {
	for _, m := range p.s.Members {
		switch {
		case p.shouldFence(m):
			p.add(Step{Kind: Fence, Member: m.ID})
		case p.o.Nodes[m.ID].Suspended:
			p.add(Step{Kind: Resume, Member: m.ID})
		}
	}
}

// shouldFence tells whether a member is to be killed:
//
//   - It hangs or has timed out, and another node can replace it.
//   - It hangs, has timed out, and is the last node with the data. A node that works is left alone however long it
//     takes, and so is one that nobody can connect to, which may serve clients. A suspended node is given up only when
//     it did not go on and another one has data. A replica whose primary is silent is waiting for that one.
func (p *planner) shouldFence(m cache.Member) bool {
	s, primary := p.o.Nodes[m.ID], p.s.Primary()
	waits := !s.Hung || s.CutOff || s.Suspended && !p.givenUp(m) || m.ID != primary.ID && p.o.Nodes[primary.ID].silent()
	return s.TimedOut && !waits || (s.TimedOut || s.Hung) && p.replaceable(m)
}

// givenUp tells whether a suspended member did not go on when it was told to, and another one has data, perhaps older
// ones.
func (p *planner) givenUp(m cache.Member) bool {
	_, found := p.candidate(&m)
	return p.o.Nodes[m.ID].Held && found
}

// replaceable tells whether the group can go on with another node, which has data of the last primary's stream. A
// replica without a link, such as one that is being copied again, has old data: newer ones are not given up for them.
func (p *planner) replaceable(m cache.Member) bool {
	candidate, found := p.candidate(&m)
	if !found || candidate.ID == m.ID {
		return false
	}
	s := p.o.Nodes[candidate.ID]
	age, _ := s.position(p.s.Histories)
	return age == 0 && (s.InSync || s.Lag == 0)
}

func (p *planner) startMissing() {
	for _, m := range p.s.Members {
		switch s := p.o.Nodes[m.ID]; {
		case m.Removable() && !s.Running:
		case !s.Running:
			p.add(Step{Kind: StartNode, Member: m.ID})
		case s.silent():
			p.waiting = true
		}
	}
}
