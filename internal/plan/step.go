package plan

import "net/netip"

// StepKind names what a step does.
type StepKind string

// Every kind of step. All are idempotent: running one again after a crash half way does no harm.
const (
	StartNode StepKind = "start node" // start the process, which serves nobody yet
	StopNode  StepKind = "stop node"  // end the process
	Configure StepKind = "configure"  // bring the live parameters up to date
	// Failover promotes the member, records it as primary, and has it listen on Addresses. The old primary is dead.
	Failover       StepKind = "fail over"
	Promote        StepKind = "promote"          // REPLICAOF NO ONE
	Fence          StepKind = "fence"            // kill the process, which hangs
	Resume         StepKind = "resume"           // let a suspended process go on, which alone has the data
	SetMinReplicas StepKind = "set min replicas" // have the primary take writes with MinReplicas replicas
	RecordHistory  StepKind = "record history"   // record the member's replication stream as the group's newest
	Refuse         StepKind = "refuse"           // do nothing, for Reason, until somebody decides
	Follow         StepKind = "follow"           // REPLICAOF the node at Target
	Serve          StepKind = "serve"            // listen on exactly Addresses, and cut clients of the addresses given up
	StartRelay     StepKind = "start relay"      // start the reader endpoint's process
	SetBackends    StepKind = "set backends"     // give it Addresses to spread connections over
	SetFronts      StepKind = "set fronts"       // have it take TLS and plain connections at exactly Addresses
	StopRelay      StepKind = "stop relay"
	Verify         StepKind = "verify" // reach every node and endpoint as a client does

	Authorize  StepKind = "authorize"   // bring the tokens that the node takes up to date
	Certify    StepKind = "certify"     // give the node another certificate
	Switchover StepKind = "switch over" // make the replica primary and lose no write; the old primary follows it
	Resize     StepKind = "resize"      // give the one node of a group the limits of another node type, as it runs
	Drop       StepKind = "drop"        // remove the record of a member whose process is gone for good

	TakeSnapshot    StepKind = "take snapshot"    // begin to copy the member's data into the group's snapshot
	LoadSnapshot    StepKind = "load snapshot"    // begin to fill the member with the data that the group is made of
	RestoreSnapshot StepKind = "restore snapshot" // have the group made of Snapshot, as no node has its data
	AbandonSnapshot StepKind = "abandon snapshot" // record that the snapshot failed, as no node has the data
)

// Step is one thing to do. The steps of one plan may run side by side.
type Step struct {
	Kind      StepKind
	Member    string       // the member it is done to; empty for the group's own steps
	Target    netip.Addr   // of Follow
	Addresses []netip.Addr // of Serve, Failover, SetBackends and SetFronts
	// DataLost says that the group had data that no node has any more. The member begins empty (Serve), or with what it
	// had before the last primary took over (Failover).
	DataLost bool
	Reason   string // of Refuse
	Snapshot string // of RestoreSnapshot
	// Reading are the replicas that have yet to read all that the last primary sent, of Failover and Promote. The step
	// waits for them. If they come to the end in time it does nothing else: only then is known who has most.
	Reading     []string
	MinReplicas int // of SetMinReplicas
}
