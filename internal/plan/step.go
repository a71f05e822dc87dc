package plan

import "net/netip"

// StepKind names what a step does.
type StepKind string

// Every kind of step. All are idempotent: running one again after a crash half way does no harm.
const (
	StartNode   StepKind = "start node"   // start the process; it serves nobody yet
	StopNode    StepKind = "stop node"    // end the process
	Configure   StepKind = "configure"    // bring the live parameters up to date
	Elect       StepKind = "elect"        // promote the member, record it as primary, and have it listen on Addresses; the old one is dead
	Promote     StepKind = "promote"      // REPLICAOF NO ONE
	Fence       StepKind = "fence"        // kill: it hangs
	Resume      StepKind = "resume"       // let a suspended process go on: it alone has the data
	Relax       StepKind = "relax"        // have the primary take writes with MinReplicas replicas
	Note        StepKind = "note"         // record the member's replication stream as the group's newest
	Refuse      StepKind = "refuse"       // do nothing, for Reason, until somebody decides
	Follow      StepKind = "follow"       // REPLICAOF the node at Target
	Serve       StepKind = "serve"        // listen on exactly Addresses, and cut clients of the addresses given up
	StartRelay  StepKind = "start relay"  // start the reader endpoint's process
	SetBackends StepKind = "set backends" // give it Addresses to spread connections over
	SetFronts   StepKind = "set fronts"   // have it take TLS and plain connections at exactly Addresses, for the nodes
	StopRelay   StepKind = "stop relay"
	Verify      StepKind = "verify" // reach every node and endpoint as a client does

	Authorize StepKind = "authorize" // bring the tokens that the node takes up to date
	Certify   StepKind = "certify"   // give the node another certificate
	Handover  StepKind = "handover"  // make the replica primary without losing a write; the old primary follows it
	Resize    StepKind = "resize"    // give the one node of a group the limits of another node type, as it runs
	Drop      StepKind = "drop"      // the member has left and its process is gone: forget it

	TakeSnapshot    StepKind = "take snapshot"    // begin to copy the member's data into the group's snapshot
	LoadSnapshot    StepKind = "load snapshot"    // begin to fill the member with the data that the group is made of
	Fallback        StepKind = "fall back"        // nobody has the group's data any more: have it made of Snapshot
	AbandonSnapshot StepKind = "abandon snapshot" // nobody is left who has the data: the snapshot failed
)

// Step is one thing to do. The steps of one plan may run side by side.
type Step struct {
	Kind      StepKind
	Member    string       // the member it is done to; empty for the group's own steps
	Target    netip.Addr   // of Follow
	Addresses []netip.Addr // of Serve, Elect, SetBackends and SetFronts
	// DataLost says that the group had data and nobody is left who has them: the member begins empty (Serve), or with
	// what it had before the last primary was elected (Elect).
	DataLost bool
	Reason   string // of Refuse
	Snapshot string // of Fallback
	// Reading are the replicas that have yet to read all that the last primary sent, of Elect and Promote: they are
	// waited for, and where that ends in time nothing else is done. Who has most is known only then.
	Reading     []string
	MinReplicas int // of Relax
}
