package cache

import (
	"cmp"
	"net/netip"
	"slices"
)

// Desired is what the API was asked for.
type Desired struct {
	Group      *ReplicationGroup
	Parameters string // the Fingerprint of the live directives that every node shall have
}

// NodeState is what is seen of a member's process.
type NodeState struct {
	Running bool           // its process exists
	Answers bool           // its admin socket answered; the fields below are unknown otherwise
	Role    Role           // what redis-server takes itself for
	Serves  []netip.Addr   // the addresses it listens on. None until the engine lets it serve: the boot guard
	Follows netip.AddrPort // the primary it is told to follow; zero for a primary
	InSync  bool           // its link to that primary is up and the data set loaded
	Offset  int64          // replication offset, in bytes; negative for a replica that has yet to load a data set
}

// RelayState is what is seen of the process that spreads the reader endpoint's connections.
type RelayState struct {
	Running  bool
	Backends []netip.Addr
}

// Observed is what the nodes are doing now.
type Observed struct {
	Nodes    map[string]NodeState // by member id
	Relay    RelayState
	Verified bool // the endpoints have answered a client since the last step that changed something
	// Transferring says that a snapshot is being taken of a node, or loaded into one.
	Transferring bool
}

// StepKind names what a step does.
type StepKind string

// Every kind of step. All are idempotent: running one again after a crash half way does no harm.
const (
	StartNode   StepKind = "start node"   // start the process; it serves nobody yet
	StopNode    StepKind = "stop node"    // end the process
	Configure   StepKind = "configure"    // bring the live parameters up to date
	Elect       StepKind = "elect"        // record the member as primary; the old one is dead
	Promote     StepKind = "promote"      // REPLICAOF NO ONE
	Follow      StepKind = "follow"       // REPLICAOF the node at Target
	Serve       StepKind = "serve"        // listen on exactly Addresses, and cut clients of the addresses given up
	StartRelay  StepKind = "start relay"  // start the reader endpoint's process
	SetBackends StepKind = "set backends" // give it Addresses to spread connections over
	StopRelay   StepKind = "stop relay"
	Verify      StepKind = "verify" // reach every node and endpoint as a client does
	Forget      StepKind = "forget" // nothing is left running: drop the group's record

	Authorize StepKind = "authorize" // bring the tokens that the node takes up to date
	Handover  StepKind = "handover"  // make the replica primary without losing a write; the old primary follows it
	Resize    StepKind = "resize"    // give the one node of a group the limits of another node type, as it runs
	Drop      StepKind = "drop"      // the member has left and its process is gone: forget it

	TakeSnapshot    StepKind = "take snapshot"    // begin to copy the member's data into the group's snapshot
	LoadSnapshot    StepKind = "load snapshot"    // begin to fill the member with the data that the group is made of
	AbandonSnapshot StepKind = "abandon snapshot" // nobody is left who has the data: the snapshot failed
)

// Step is one thing to do. The steps of one plan may run side by side.
type Step struct {
	Kind      StepKind
	Member    string       // the member it is done to; empty for the group's own steps
	Target    netip.Addr   // of Follow
	Addresses []netip.Addr // of Serve and SetBackends
	// DataLost, of Serve, says that the group had data and nobody is left who has them: the member begins empty.
	DataLost bool
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

// dismiss ends the members that leave. None of them is the primary.
func (p *planner) dismiss() {
	for _, m := range p.d.Group.Members {
		switch {
		case !m.Leaving:
		case p.o.Nodes[m.ID].Running:
			p.add(Step{Kind: StopNode, Member: m.ID})
		default:
			p.add(Step{Kind: Drop, Member: m.ID})
		}
	}
}

// renew moves a settled group on to processes of its present spec, one at a time, replicas first: at any moment all but one of
// the nodes serve, and the primary is never without a replica that has everything. It also makes the planned promotion that
// was asked for.
func (p *planner) renew() (Step, bool) {
	primary := p.g.Primary()
	if heir := p.g.Member(p.g.Promote); heir != nil && heir.ID != primary.ID {
		return Step{Kind: Handover, Member: heir.ID}, true
	}
	outdated := func(m Member) bool { return m.Spec != "" && m.Spec != p.g.Spec() }
	for _, m := range p.g.Members {
		if m.Role == Replica && outdated(m) {
			return Step{Kind: StopNode, Member: m.ID}, true
		}
	}
	switch {
	case !outdated(*primary):
		return Step{}, false
	case len(p.g.Members) == 1:
		return Step{Kind: Resize, Member: primary.ID}, true
	}
	heir := slices.MinFunc(p.readable(), func(a, b Member) int {
		return cmp.Or(cmp.Compare(p.o.Nodes[b.ID].Offset, p.o.Nodes[a.ID].Offset), cmp.Compare(a.ID, b.ID))
	})
	return Step{Kind: Handover, Member: heir.ID}, true
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

func (p *planner) configure() {
	access := AccessFingerprint(p.g.AuthTokens)
	for _, m := range p.g.Members {
		if !p.o.Nodes[m.ID].Answers {
			continue
		}
		if m.Parameters != p.d.Parameters {
			p.add(Step{Kind: Configure, Member: m.ID})
		}
		if m.Access != "" && m.Access != access {
			p.add(Step{Kind: Authorize, Member: m.ID})
		}
	}
}

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

// hasData tells whether a node's data set is the group's. A node that serves was let to by the engine; one that does not may have
// caught up, or been promoted, just before its primary died. Anything else is empty, as every process is when it starts.
func (s NodeState) hasData() bool {
	return s.Answers && (len(s.Serves) > 0 || s.Offset > 0 || s.Offset == 0 && s.Role == Replica)
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

// serve makes every node listen where it should. An address that moves is given up in one plan and taken in the next: two
// processes cannot listen on it at once.
func (p *planner) serve() {
	for _, m := range p.g.Members {
		s := p.o.Nodes[m.ID]
		wanted := p.wanted(m)
		if !s.Answers || len(wanted) == 0 || sameSet(s.Serves, wanted) {
			continue
		}
		free := p.free(m)
		if len(free) < len(wanted) {
			p.waiting = true
		}
		if !sameSet(s.Serves, free) {
			p.add(Step{Kind: Serve, Member: m.ID, Addresses: free})
		}
	}
}

// free lists those of the wanted addresses on which nobody else listens.
func (p *planner) free(m Member) []netip.Addr {
	return slices.DeleteFunc(p.wanted(m), func(a netip.Addr) bool { return p.heldByAnother(m, a) })
}

// heldByAnother tells whether another process listens on the address, or may: one that does not answer keeps the reader
// endpoint's if it had it.
func (p *planner) heldByAnother(m Member, a netip.Addr) bool {
	if a == p.g.ReaderAddress && p.o.Relay.Running {
		return true
	}
	for id, s := range p.o.Nodes {
		if id != m.ID && (slices.Contains(s.Serves, a) || a == p.g.ReaderAddress && p.hung(id)) {
			return true
		}
	}
	return false
}

// wanted lists the addresses on which a member should listen now. A replica that is not in sync keeps those it has of its
// own, so that its last data stay readable there, and never gets the reader endpoint's.
func (p *planner) wanted(m Member) []netip.Addr {
	s := p.o.Nodes[m.ID]
	addrs := []netip.Addr{m.Address}
	if m.Role == Primary {
		addrs = append(addrs, p.g.PrimaryAddress)
		if !p.g.SpreadsReads() && len(p.readable()) == 0 && (len(p.g.Members) == 1 || p.g.Status.Serving()) {
			addrs = append(addrs, p.g.ReaderAddress)
		}
		return addrs
	}
	if !p.syncs(m) {
		return slices.DeleteFunc(addrs, func(a netip.Addr) bool { return !slices.Contains(s.Serves, a) })
	}
	if !p.g.SpreadsReads() {
		addrs = append(addrs, p.g.ReaderAddress)
	}
	return addrs
}

// syncs tells whether a replica follows the recorded primary and has caught up.
func (p *planner) syncs(m Member) bool {
	s := p.o.Nodes[m.ID]
	return m.Role == Replica && s.Answers && s.Role == Replica && s.InSync &&
		s.Follows == netip.AddrPortFrom(p.g.Primary().Address, uint16(p.g.Port))
}

// readable lists the replicas that the reader endpoint may hand out.
func (p *planner) readable() []Member {
	return slices.DeleteFunc(slices.Clone(p.g.Members), func(m Member) bool { return !p.syncs(m) })
}

func (p *planner) relay() {
	if !p.g.SpreadsReads() {
		if p.o.Relay.Running {
			p.add(Step{Kind: StopRelay})
		}
		return
	}
	var backends []netip.Addr
	for _, m := range p.readable() {
		if slices.Contains(p.o.Nodes[m.ID].Serves, m.Address) {
			backends = append(backends, m.Address)
		}
	}
	if len(backends) == 0 && p.g.Status.Serving() {
		backends = []netip.Addr{p.g.Primary().Address}
	}
	switch {
	case !p.o.Relay.Running:
		p.add(Step{Kind: StartRelay})
	case len(backends) == 0, p.listensOnReader():
		p.waiting = true
	case !sameSet(p.o.Relay.Backends, backends):
		p.add(Step{Kind: SetBackends, Addresses: backends})
	}
}

// listensOnReader tells whether a node still has the reader endpoint, as it had while the group was smaller.
func (p *planner) listensOnReader() bool {
	for _, s := range p.o.Nodes {
		if slices.Contains(s.Serves, p.g.ReaderAddress) {
			return true
		}
	}
	return false
}

// sameSet tells whether two lists without repetition hold the same addresses.
func sameSet(a, b []netip.Addr) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x netip.Addr) bool { return !slices.Contains(b, x) })
}
