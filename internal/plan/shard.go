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
	// Fallback names the snapshot that the group shall be made of where nobody has its data any more; empty for none.
	Fallback string
	// FallbackUnknown says why it is not known which snapshot that is; empty where it is known.
	FallbackUnknown string
}

// UnknownMinReplicas stands for parameters that cannot be read: a node with a replica keeps what it has.
const UnknownMinReplicas = -1

// Shard returns the steps that lead a shard from observed towards desired, as far as can be seen now. No steps and
// settled means that nothing is left to do; no steps and not settled, that something is under way and worth another
// look.
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
	if p.settlePrimary(); p.electing() {
		return p.steps, false // whatever else there is to do can wait until clients are served
	}
	p.fence()
	p.startMissing()
	p.configure()
	if p.primaryServes() {
		p.dismiss()
		p.followPrimary()
		p.serve()
		p.relax()
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
	// s is without the members that leave, when a primary serves. Until then one of them may be the only one that has
	// the data.
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

// electing tells whether the plan is a failover.
func (p *planner) electing() bool {
	return slices.ContainsFunc(p.steps, func(s Step) bool { return s.Kind == Elect })
}

// fence kills what hangs, so that it cannot come back to life beside its successor, and what has been busy for too long
// where another node has its data. The one node that has the data is given the time that a busy one has, and is not
// ended while it works: killing it loses them. One that is suspended then is told to go on, which loses nothing.
func (p *planner) fence() {
	for _, m := range p.s.Members {
		switch {
		case p.doomed(m):
			p.add(Step{Kind: Fence, Member: m.ID})
		case p.o.Nodes[m.ID].Suspended:
			p.add(Step{Kind: Resume, Member: m.ID})
		}
	}
}

// doomed tells whether a member hangs and is not to be waited for. A hung replica may be the last that has the data,
// too. One that works, however long, and alone has them is let be: it comes to an end by itself. So is one that nobody
// can connect to: it may serve clients. One that is suspended is not given up while nobody else has data. So may a
// replica whose primary is silent: it waits for that one, and then for its end.
func (p *planner) doomed(m cache.Member) bool {
	s, primary := p.o.Nodes[m.ID], p.s.Primary()
	waits := !s.Hung || s.CutOff || s.Suspended && !p.givenUp(m) || m.ID != primary.ID && p.o.Nodes[primary.ID].silent()
	return s.Overdue && !waits || (s.Overdue || s.Hung) && p.replaceable(m)
}

// givenUp tells whether a suspended member did not go on when it was told to, and another one has data, which may be
// older.
func (p *planner) givenUp(m cache.Member) bool {
	_, found := p.heir(&m)
	return p.o.Nodes[m.ID].Held && found
}

// replaceable tells whether another node has data of the last primary's stream, with which the group can go on. One
// without a link, such as a replica that is being copied again, has old data, and is no reason to give newer ones up.
func (p *planner) replaceable(m cache.Member) bool {
	heir, found := p.heir(&m)
	if !found || heir.ID == m.ID {
		return false
	}
	s := p.o.Nodes[heir.ID]
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
