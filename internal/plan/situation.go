package plan

import (
	"fmt"
	"slices"

	"larder/internal/cache"
)

// fact is something that is true or false of a shard's recorded primary, and of who else has its data.
type fact int

const (
	loading         fact = iota // a snapshot is being loaded into a node
	serves                      // the primary answers, and listens on an address
	isReplica                   // the primary takes itself for a replica
	recorded                    // the primary's replication stream is recorded as the newest
	superseded                  // the primary follows another member, which clients write to
	divergent                   // the data sets that are left belong to several streams, none of which is known
	heldBySome                  // a member has data of the shard
	heldByPrimary               // the primary's data are the newest that are known
	olderThanSilent             // a node that does not answer may have newer data than any other
	failsOver                   // automatic failover is on, and the primary answers or is gone
	unanswered                  // the primary does not answer, or another node that runs does not
	restorable                  // the shard shall have the data of a snapshot that is known
	snapshotUnknown             // the shard had data, and which snapshot is its newest cannot be told
	snapshotThere               // the shard had data, and there is a snapshot of them
	facts
)

// factTexts are the facts in words, for the page that shows the table.
var factTexts = [facts]string{
	"loading", "serves", "is replica", "stream recorded", "superseded", "divergent", "some have data",
	"primary has newest", "silent may be newer", "fails over", "unanswered", "restorable", "snapshot unknown",
	"snapshot there",
}

// situation is what a plan does about the primary when some facts are true and others are false.
type situation struct {
	name    string
	yes, no []fact
	does    string // in words, for the page that shows the table
	answer  func(*planner, seen)
}

// seen is what the answers need.
type seen struct {
	primary   *cache.Member
	state     NodeState
	candidate cache.Member // has the newest data; zero where nobody has any
}

// Facts that earlier situations need, and later ones exclude: somebody serves, somebody has data, a node is silent.
var (
	idle  = []fact{loading, serves, divergent}
	lost  = and(idle, heldBySome, unanswered)
	blank = and(lost, restorable, snapshotUnknown)
)

func and(some []fact, more ...fact) []fact { return slices.Concat(some, more) }

// situations are all that there are. Exactly one of them is true at any time. An empty node must never become the
// source of a replication while another one has data.
var situations = []situation{
	{"data on their way", []fact{loading}, nil, "wait", (*planner).wait},
	{"all is well", []fact{serves, recorded}, []fact{loading, isReplica}, "nothing", (*planner).leave},
	{"an unknown stream", []fact{serves}, []fact{loading, isReplica, recorded}, "record the stream",
		(*planner).recordHistory},
	{"an older record", []fact{serves, isReplica, superseded}, []fact{loading}, "record who took over",
		(*planner).followMove},
	{"a replica serves as primary", []fact{serves, isReplica}, []fact{loading, superseded}, "promote it",
		(*planner).promote},

	{"unrelated data sets", []fact{divergent}, []fact{loading, serves}, "refuse", (*planner).refuseDivergent},
	{"newer data may be silent", []fact{heldBySome, olderThanSilent}, idle, "wait", (*planner).wait},
	{"the primary went on as a replica", []fact{heldBySome, heldByPrimary, isReplica}, and(idle, olderThanSilent),
		"promote it", (*planner).promote},
	{"the primary is back", []fact{heldBySome, heldByPrimary}, and(idle, olderThanSilent, isReplica), "let it serve",
		(*planner).letServe},
	{"failover", []fact{heldBySome, failsOver}, and(idle, olderThanSilent, heldByPrimary), "fail over to the newest data",
		(*planner).failOver},
	{"no failover, and silence", []fact{heldBySome, unanswered}, and(idle, olderThanSilent, heldByPrimary, failsOver),
		"wait", (*planner).wait},
	{"no failover", []fact{heldBySome}, and(idle, olderThanSilent, heldByPrimary, failsOver, unanswered),
		"copy the data to the primary", (*planner).copyBack},

	{"no data, and silence", []fact{unanswered}, and(idle, heldBySome), "wait", (*planner).wait},
	{"a restore", []fact{restorable}, lost, "load the snapshot", (*planner).restore},
	{"no data, and no known snapshot", []fact{snapshotUnknown}, and(lost, restorable), "refuse",
		(*planner).refuseUnknown},
	{"an empty replica", []fact{isReplica}, blank, "promote it", (*planner).promote},
	{"no data, and a snapshot", []fact{snapshotThere}, and(blank, isReplica), "have the shard made of it",
		(*planner).fallBack},
	{"no data", nil, and(blank, isReplica, snapshotThere), "let it serve, empty", (*planner).beginEmpty},
}

// is tells whether the situation is the one that these facts describe.
func (s situation) is(so [facts]bool) bool {
	return !slices.ContainsFunc(s.yes, func(f fact) bool { return !so[f] }) &&
		!slices.ContainsFunc(s.no, func(f fact) bool { return so[f] })
}

// settlePrimary makes the recorded primary serve, or records another one.
func (p *planner) settlePrimary() {
	so, v := p.observe()
	for _, s := range situations {
		if s.is(so) {
			s.answer(p, v)
			return
		}
	}
}

// observe tells which facts are true.
func (p *planner) observe() (so [facts]bool, v seen) {
	v.primary = p.s.Primary()
	v.state = p.o.Nodes[v.primary.ID]
	v.candidate, so[heldBySome] = p.candidate(v.primary)
	so[loading] = p.o.Loading
	so[serves] = v.state.Answers && len(v.state.Serves) > 0
	so[isReplica] = v.state.Role == cache.Replica
	so[recorded] = p.isRecorded(v.state)
	so[superseded] = p.superseded(v.state) != nil
	so[divergent] = p.divergent()
	so[heldByPrimary] = so[heldBySome] && v.candidate.ID == v.primary.ID
	so[olderThanSilent] = so[heldBySome] && p.outdatedBySilent(v.candidate)
	so[failsOver] = p.g.AutomaticFailover && !v.state.silent()
	so[unanswered] = !v.state.Answers || p.anySilent()
	so[restorable] = p.g.Restore != "" && (p.creating() || p.d.RestoreSource != "")
	so[snapshotUnknown] = !p.creating() && p.d.RestoreSourceUnknown != ""
	so[snapshotThere] = !p.creating() && p.d.RestoreSource != ""
	return so, v
}

func (p *planner) wait(seen) { p.waiting = true }

func (p *planner) leave(seen) {}

func (p *planner) recordHistory(v seen) { p.add(Step{Kind: RecordHistory, Member: v.primary.ID}) }

func (p *planner) promote(v seen) { p.add(Step{Kind: Promote, Member: v.primary.ID}) }

// followMove records the member that clients write to, whose data are the newest.
func (p *planner) followMove(v seen) {
	moved := p.failOverTo(*p.superseded(v.state))
	moved.DataLost = false
	p.add(moved)
}

func (p *planner) refuseDivergent(seen) {
	p.add(Step{Kind: Refuse, Reason: fmt.Sprintf("the nodes of %s hold data sets that do not descend from each other, "+
		"and none of them is the last primary's: which is the newest cannot be known. End the nodes whose data you "+
		"can do without", p.g.ID)})
}

func (p *planner) letServe(v seen) {
	p.add(Step{Kind: Serve, Member: v.primary.ID, Addresses: p.endpoints().Free(v.primary.ID)})
}

func (p *planner) failOver(v seen) { p.add(p.failOverTo(v.candidate)) }

func (p *planner) copyBack(v seen) { p.resyncPrimary(v.primary, v.candidate) }

func (p *planner) refuseUnknown(seen) {
	p.add(Step{Kind: Refuse, Reason: fmt.Sprintf("no node has the data of %s any more, and which snapshot is its newest "+
		"is unknown: %s", p.g.ID, p.d.RestoreSourceUnknown)})
}

func (p *planner) fallBack(v seen) {
	p.add(Step{Kind: RestoreSnapshot, Member: v.primary.ID, Snapshot: p.d.RestoreSource})
}

func (p *planner) beginEmpty(v seen) {
	p.add(Step{Kind: Serve, Member: v.primary.ID, Addresses: p.endpoints().Free(v.primary.ID), DataLost: !p.creating()})
}
