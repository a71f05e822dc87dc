package plan

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"larder/internal/cache"
	"larder/internal/endpoint"
)

// NodeState is what is seen of a member's process.
type NodeState struct {
	Running  bool // its process exists
	Answers  bool // its admin socket answered; the fields from Role on are unknown otherwise
	Hung     bool // it does not answer and does nothing: it is stopped, or its main thread stands still
	TimedOut bool // it has not answered for longer than a node may be busy
	// Suspended says of a node that is TimedOut that something outside keeps it from running: a signal, a debugger, its
	// cgroup's freezer. Its data are as they were. Held says that it was told to go on, and did not.
	Suspended, Held bool
	// Refuses says that it works, and refused the engine's probe, as a node without room for another connection does.
	Refuses bool
	// CutOff says that nobody can connect to it: its silence does not mean that it hangs.
	CutOff bool
	Role   cache.Role   // as redis-server reports it
	Serves []netip.Addr // the addresses it listens on. None until the engine lets it serve: the boot guard
	// OtherPorts says that it listens on other ports than the group's nodes shall: encryption in transit was switched.
	OtherPorts bool
	Follows    netip.AddrPort // the primary it is told to follow; zero for a primary
	InSync     bool           // its link to that primary is up and the data set loaded
	Offset     int64          // replication offset, in bytes; negative for a replica that has yet to load a data set
	History    History        // the replication stream that the offset counts in
	// Lag is for how long a replica has lacked something that its primary has. For a node that does not answer, it is how
	// long the node has been silent.
	Lag time.Duration
	// Unconfirmed says that the engine cannot know which tokens and parameters the process has. An earlier engine started
	// the process, and may have ended before it recorded that; or the process takes other tokens than were recorded.
	Unconfirmed bool
	// Uncertified says that the process needs another certificate. Its own is about to end, has ended, is not valid yet,
	// or is unknown because an earlier engine issued it.
	Uncertified bool
	// Full is how many connections the node has when it may have no more and turns new clients away; 0 while it has room.
	Full int
	// KillsWithheld says that clients may not end connections now (CLIENT KILL), after they did so again and again.
	KillsWithheld bool
	// MinReplicas is how many replicas must be there for it to take writes (min-replicas-to-write).
	MinReplicas int
}

// History names a node's replication stream. Offsets can be compared within one stream only. A promoted replica begins
// a stream of its own, which goes on from the offset that the replica had.
type History struct {
	ID     string // master_replid
	Before string // the stream it went on from (master_replid2); empty when it began with ID
	Fork   int64  // the offset up to which it has the stream Before
}

// silent tells whether a node runs and does not answer.
func (s NodeState) silent() bool { return s.Running && !s.Answers }

// hasData tells whether a node's data set is the group's. The engine lets only such a node serve. A node that does not
// serve may have caught up, or been promoted, just before its primary died. Any other node is empty, as every process
// is when it starts.
func (s NodeState) hasData(known []string) bool {
	return s.Answers && (len(s.Serves) > 0 || s.Offset > 0 || s.Offset == 0 && s.Role == cache.Replica ||
		slices.Contains(known, s.History.ID))
}

// position is how new a data set is: the index of its stream among the known ones, 0 for the newest, and the offset in
// that stream. Clients have written nothing to a stream that was never recorded: the engine records a stream before it
// lets clients reach it. The offset of such a stream therefore counts up to its fork only.
func (s NodeState) position(known []string) (age int, offset int64) {
	if i := slices.Index(known, s.History.ID); i >= 0 {
		return i, s.Offset
	}
	if i := slices.Index(known, s.History.Before); i >= 0 && s.History.Before != "" {
		return i, min(s.Offset, s.History.Fork)
	}
	return len(known), s.Offset
}

// Observed is what the nodes are doing now.
type Observed struct {
	Nodes    map[string]NodeState // by member id
	Relay    endpoint.Relay
	Verified bool // the endpoints have answered a client since the last step that changed something
	// Transferring says that a snapshot is being taken of a node, or loaded into one.
	Transferring bool
	// Loading says that a snapshot is being loaded.
	Loading bool
}

// Add joins what is seen of another shard to what is seen of this one.
func (o *Observed) Add(shard Observed) {
	maps.Copy(o.Nodes, shard.Nodes)
	if shard.Relay.Running {
		o.Relay = shard.Relay
	}
	o.Verified = o.Verified && shard.Verified
	o.Transferring, o.Loading = o.Transferring || shard.Transferring, o.Loading || shard.Loading
}
