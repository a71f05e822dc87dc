package cache

// Desired is what the API was asked for.
type Desired struct {
	Group      *ReplicationGroup
	Parameters string // the Fingerprint of the live directives that every node shall have
}

// Plan returns the steps that lead from observed towards desired, as far as can be seen now. No steps and settled means
// that nothing is left to do; no steps and not settled, that something is under way and worth another look.
func Plan(d Desired, o Observed) (steps []Step, settled bool) {
	staying := *d.Group
	staying.Members = d.Group.Staying()
	p := planner{g: &staying, d: d, o: o}
	switch d.Group.Status {
	case Deleting:
		if steps, done := p.finalBackup(); !done {
			return steps, false
		}
		return p.tearDown(), false
	case CreateFailed:
		steps = p.stopAll()
		return steps, len(steps) == 0
	}
	p.dismiss()
	p.startMissing()
	p.configure()
	p.settlePrimary()
	if p.primaryServes() {
		p.followPrimary()
		p.serve()
		p.relay()
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
	g       *ReplicationGroup // without the members that leave
	d       Desired
	o       Observed
	steps   []Step
	waiting bool
}

func (p *planner) add(s Step) { p.steps = append(p.steps, s) }

func (p *planner) tearDown() []Step {
	if steps := p.stopAll(); len(steps) > 0 {
		return steps
	}
	return []Step{{Kind: Forget}}
}

func (p *planner) stopAll() []Step {
	var steps []Step
	if p.o.Relay.Running {
		steps = append(steps, Step{Kind: StopRelay})
	}
	for _, m := range p.d.Group.Members {
		if p.o.Nodes[m.ID].Running {
			steps = append(steps, Step{Kind: StopNode, Member: m.ID})
		}
	}
	return steps
}

func (p *planner) startMissing() {
	for _, m := range p.g.Members {
		switch s := p.o.Nodes[m.ID]; {
		case !s.Running:
			p.add(Step{Kind: StartNode, Member: m.ID})
		case !s.Answers:
			p.waiting = true
		}
	}
}
