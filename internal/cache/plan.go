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
	Offset  int64          // replication offset, in bytes
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
	p := planner{g: d.Group, d: d, o: o}
	switch d.Group.Status {
	case Deleting:
		return p.tearDown(), false
	case CreateFailed:
		steps = p.stopAll()
		return steps, len(steps) == 0
	}
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
	return nil, true
}

type planner struct {
	g       *ReplicationGroup
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
	for _, m := range p.g.Members {
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

func (p *planner) configure() {
	for _, m := range p.g.Members {
		if p.o.Nodes[m.ID].Answers && m.Parameters != p.d.Parameters {
			p.add(Step{Kind: Configure, Member: m.ID})
		}
	}
}

// settlePrimary makes the recorded primary serve, or records another one. A node that serves has a data set the engine has
// blessed; one that does not is empty or unknown, and must never become the source of a replication while another serves.
func (p *planner) settlePrimary() {
	primary := p.g.Primary()
	state := p.o.Nodes[primary.ID]
	if state.Answers && len(state.Serves) > 0 {
		if state.Role == Replica {
			p.add(Step{Kind: Promote, Member: primary.ID})
		}
		return
	}
	heir, found := p.heir(primary)
	switch {
	case found && p.g.AutomaticFailover && !p.hung(primary.ID):
		p.add(Step{Kind: Elect, Member: heir.ID})
	case !state.Answers, p.anyHung():
		p.waiting = true
	case found:
		p.reseed(primary, heir)
	case state.Role == Replica:
		p.add(Step{Kind: Promote, Member: primary.ID})
	default:
		p.add(Step{Kind: Serve, Member: primary.ID, Addresses: p.wanted(*primary), DataLost: !primary.Created.IsZero()})
	}
}

// heir is the serving member with the most advanced data set: one that is primary already, else the highest offset; on a tie
// one outside the old primary's zone, which may be gone as a whole, then the lowest id.
func (p *planner) heir(old *Member) (Member, bool) {
	var heirs []Member
	for _, m := range p.g.Members {
		if s := p.o.Nodes[m.ID]; m.ID != old.ID && s.Answers && len(s.Serves) > 0 {
			heirs = append(heirs, m)
		}
	}
	if len(heirs) == 0 {
		return Member{}, false
	}
	return slices.MinFunc(heirs, func(a, b Member) int {
		as, bs := p.o.Nodes[a.ID], p.o.Nodes[b.ID]
		return cmp.Or(
			cmp.Compare(rank(bs.Role == Primary), rank(as.Role == Primary)),
			cmp.Compare(bs.Offset, as.Offset),
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
	state := p.o.Nodes[primary.ID]
	switch {
	case p.o.Nodes[source.ID].Role == Replica:
		// A replica without a link to its primary refuses to be one itself.
		p.add(Step{Kind: Promote, Member: source.ID})
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
	held := map[netip.Addr]string{}
	for id, s := range p.o.Nodes {
		for _, a := range s.Serves {
			held[a] = id
		}
	}
	for _, m := range p.g.Members {
		s := p.o.Nodes[m.ID]
		wanted := p.wanted(m)
		if !s.Answers || len(wanted) == 0 || sameSet(s.Serves, wanted) {
			continue
		}
		free := slices.DeleteFunc(slices.Clone(wanted), func(a netip.Addr) bool {
			holder, taken := held[a]
			return taken && holder != m.ID
		})
		if len(free) < len(wanted) {
			p.waiting = true
		}
		if !sameSet(s.Serves, free) {
			p.add(Step{Kind: Serve, Member: m.ID, Addresses: free})
		}
	}
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
	case len(backends) == 0:
		p.waiting = true
	case !sameSet(p.o.Relay.Backends, backends):
		p.add(Step{Kind: SetBackends, Addresses: backends})
	}
}

// sameSet tells whether two lists without repetition hold the same addresses.
func sameSet(a, b []netip.Addr) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x netip.Addr) bool { return !slices.Contains(b, x) })
}
