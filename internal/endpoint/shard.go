// Package endpoint knows who listens at which address of a shard.
//
// An assignment is pure: Shard.Next compares where the processes listen with where they should, and returns what to
// change now. Driver makes the changes.
//
//	                       own address            primary endpoint   reader endpoint
//	primary                always                 always             while no replica can be read and the relay lacks it
//	replica in sync        always                 never              when it is the only one, and lags little
//	replica not in sync    as long as it has it   never              never
//	relay                  where clients may connect with and       with several replicas, of which it knows
//	                       without TLS: everywhere, for the nodes   those in sync that lag little
//
// Two processes cannot listen at one address: it is given up by one change and taken by a later one.
package endpoint

import (
	"net/netip"
	"slices"
	"time"

	"larder/internal/cache"
)

// Shard is a shard as far as its endpoints depend on it.
type Shard struct {
	Primary, Reader netip.Addr // the endpoints
	// Nodes are the processes of the members that stay. Each of them is given addresses.
	Nodes []Node
	// Removed are the processes of members that are being removed. They may still listen where another one shall.
	Removed []Node
	Relay   Relay
	// Served says that clients use the group already: the reader endpoint then never goes without somebody behind it.
	Served bool
	// BothModes says that clients may connect with TLS and without it at the group's port, which is then the relay's.
	BothModes bool
}

// Node is a redis-server as far as the endpoints depend on it.
type Node struct {
	ID      string
	Address netip.Addr // its own
	Role    cache.Role // as recorded
	Answers bool       // it can be told where to listen; the fields from Serves on are unknown otherwise
	Silent  bool       // it runs and does not answer
	Hung    bool       // it is silent, and does nothing
	Serves  []netip.Addr
	// OtherPorts says that it listens at ports that the group's nodes no longer have.
	OtherPorts bool
	InSync     bool // a replica that follows the recorded primary and has caught up
	// Lag is for how long a replica has lacked something that its primary has. For a silent node: since when it has
	// been silent.
	Lag time.Duration
}

// Relay is the process that spreads the reader endpoint's connections, and takes TLS and plain ones at one port.
type Relay struct {
	Running  bool
	Hung     bool // it does not answer, and has nothing to be busy with
	Spreads  bool // it listens at the reader endpoint, to spread its connections over Backends
	Backends []netip.Addr
	Fronts   []netip.Addr // the addresses at which it takes both TLS and plain connections for the nodes
}

// ChangeKind says what a change does.
type ChangeKind string

// Every kind of change.
const (
	Serve       ChangeKind = "serve"        // the node listens at exactly Addresses
	StartRelay  ChangeKind = "start relay"  // the relay's process is started; it listens nowhere yet
	SetBackends ChangeKind = "set backends" // the relay spreads the reader endpoint's connections over Addresses
	SetFronts   ChangeKind = "set fronts"   // the relay takes TLS and plain connections at exactly Addresses
	StopRelay   ChangeKind = "stop relay"   // the relay's process is ended
)

// Change is one thing to change about who listens where.
type Change struct {
	Kind      ChangeKind
	Node      string // of Serve
	Addresses []netip.Addr
}

// Next returns the changes that can be made now, in any order or side by side. It says whether something else has to
// happen before the rest can be: another process gives up an address, or a replica can be read.
func (s Shard) Next() (changes []Change, waiting bool) {
	for _, n := range s.Nodes {
		change, due, waits := s.serve(n)
		if due {
			changes = append(changes, change)
		}
		waiting = waiting || waits
	}
	relay, waits := s.relay()
	return append(changes, relay...), waiting || waits
}

// Spreads tells whether the reader endpoint has several replicas to choose from. With one, the replica listens there
// itself; with none, the primary does.
func (s Shard) Spreads() bool { return len(s.Nodes) > 2 }

// processes are all that may listen at the shard's addresses, but for the relay.
func (s Shard) processes() []Node { return slices.Concat(s.Nodes, s.Removed) }

// holds tells whether a process listens at an address.
func (n Node) holds(a netip.Addr) bool { return slices.Contains(n.Serves, a) }

// sameSet tells whether two lists without repetition hold the same addresses.
func sameSet(a, b []netip.Addr) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x netip.Addr) bool { return !slices.Contains(b, x) })
}
