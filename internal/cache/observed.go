package cache

import "net/netip"

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

// hasData tells whether a node's data set is the group's. A node that serves was let to by the engine; one that does not may have
// caught up, or been promoted, just before its primary died. Anything else is empty, as every process is when it starts.
func (s NodeState) hasData() bool {
	return s.Answers && (len(s.Serves) > 0 || s.Offset > 0 || s.Offset == 0 && s.Role == Replica)
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
