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
	Running bool // its process exists
	Answers bool // its admin socket answered; the fields from Role on are unknown otherwise
	Hung    bool // it does not answer and does nothing: it is stopped, or its main thread stands still
	Overdue bool // it has not answered for longer than a node may be busy
	// Suspended says, of one that is Overdue, that something outside keeps it from running: a signal, a debugger, its
	// cgroup's freezer. Its data are as they were. Held says that it was told to go on, and did not.
	Suspended, Held bool
	// Refuses says that it works, and turned the engine's question away, as one does that has no room for another
	// connection.
	Refuses bool
	// CutOff says that nobody can connect to it, so that its silence says nothing of it.
	CutOff bool
	Role   cache.Role   // what redis-server takes itself for
	Serves []netip.Addr // the addresses it listens on. None until the engine lets it serve: the boot guard
	// OtherPorts says that it listens on other ports than the group's nodes shall: encryption in transit was switched.
	OtherPorts bool
	Follows    netip.AddrPort // the primary it is told to follow; zero for a primary
	InSync     bool           // its link to that primary is up and the data set loaded
	Offset     int64          // replication offset, in bytes; negative for a replica that has yet to load a data set
	History    History        // the replication stream that the offset counts in
	// Lag is for how long a replica has lacked something that its primary has; for one that does not answer, since
	// when.
	Lag time.Duration
	// Unconfirmed says that the engine cannot know which tokens and parameters the process has: an earlier engine
	// started it, and may have ended before it recorded that, or the tokens it takes turned out to be others than were
	// recorded.
	Unconfirmed bool
	// Uncertified says that the certificate which the process shows clients has to be replaced: it ends soon or has
	// ended, it is not good yet, or the engine does not know which one that is, because an earlier engine issued it.
	Uncertified bool
	// Full is how many connections it has where it may have no more, and turns new clients away; 0 where there is room.
	Full int
	// KillsWithheld says that clients ended connections again and again, and may not now (CLIENT KILL).
	KillsWithheld bool
	// MinReplicas is how many replicas must be there for it to take writes (min-replicas-to-write).
	MinReplicas int
}

// History names a node's replication stream. Offsets can be compared within one stream only: a promoted replica goes on
// from where it was in a stream of its own.
type History struct {
	ID     string // master_replid
	Before string // the stream it went on from (master_replid2); empty when it began with ID
	Fork   int64  // the offset up to which it has the stream Before
}

// silent tells whether a node runs and cannot be asked.
func (s NodeState) silent() bool { return s.Running && !s.Answers }

// hasData tells whether a node's data set is the group's. A node that serves was let to by the engine; one that does
// not may have caught up, or been promoted, just before its primary died. Anything else is empty, as every process is
// when it starts.
func (s NodeState) hasData(known []string) bool {
	return s.Answers && (len(s.Serves) > 0 || s.Offset > 0 || s.Offset == 0 && s.Role == cache.Replica ||
		slices.Contains(known, s.History.ID))
}

// position is how new a data set is: the place of its stream among those known, 0 for the newest, and the offset in
// that stream. What a promoted replica adds in a stream that was never recorded nobody has written: the engine records
// a stream before it lets clients reach it.
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
	// Loading says that it is being loaded.
	Loading bool
}

// Add takes in what is seen of another shard.
func (o *Observed) Add(shard Observed) {
	maps.Copy(o.Nodes, shard.Nodes)
	if shard.Relay.Running {
		o.Relay = shard.Relay
	}
	o.Verified = o.Verified && shard.Verified
	o.Transferring, o.Loading = o.Transferring || shard.Transferring, o.Loading || shard.Loading
}
