package plan

import (
	"larder/internal/cache"
	"larder/internal/endpoint"
)

// endpoints is the shard as far as its endpoints depend on it.
func (p *planner) endpoints() endpoint.Shard {
	e := endpoint.Shard{
		Primary: p.s.PrimaryAddress, Reader: p.s.ReaderAddress, Relay: p.o.Relay, Served: p.g.Status.Serving(),
		BothModes: p.g.Transit() == cache.TransitPreferred,
	}
	for _, m := range p.s.Members {
		e.Nodes = append(e.Nodes, p.node(m))
	}
	for _, m := range p.d.Shard.Members {
		if p.s.Member(m.ID) == nil {
			e.Removed = append(e.Removed, p.node(m))
		}
	}
	return e
}

func (p *planner) node(m cache.Member) endpoint.Node {
	s := p.o.Nodes[m.ID]
	return endpoint.Node{
		ID: m.ID, Address: m.Address, Role: m.Role, Answers: s.Answers, Silent: s.silent(), Hung: s.Hung,
		Serves: s.Serves, OtherPorts: s.OtherPorts, InSync: p.syncs(m), Lag: s.Lag,
	}
}

// endpointSteps are the steps that make each kind of change.
var endpointSteps = map[endpoint.ChangeKind]StepKind{
	endpoint.Serve:       Serve,
	endpoint.StartRelay:  StartRelay,
	endpoint.SetBackends: SetBackends,
	endpoint.SetFronts:   SetFronts,
	endpoint.StopRelay:   StopRelay,
}

// stepOf is the step that makes a change of who listens where.
func stepOf(c endpoint.Change) Step {
	return Step{Kind: endpointSteps[c.Kind], Member: c.Node, Addresses: c.Addresses}
}

// serve makes every node, and the relay, listen where it should.
func (p *planner) serve() {
	changes, waiting := p.endpoints().Next()
	for _, c := range changes {
		p.add(stepOf(c))
	}
	p.waiting = p.waiting || waiting
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
