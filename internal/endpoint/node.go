package endpoint

import (
	"net/netip"
	"slices"
	"time"

	"larder/internal/cache"
)

// serve returns the change that brings a node nearer to the addresses that it should have, and whether another process
// has to give one of these up first.
func (s Shard) serve(n Node) (change Change, due, waiting bool) {
	wanted := s.wanted(n)
	if !n.Answers || len(wanted) == 0 || sameSet(n.Serves, wanted) && !n.OtherPorts {
		return Change{}, false, false
	}
	free := s.free(n, wanted)
	due = !sameSet(n.Serves, free) || n.OtherPorts
	return Change{Kind: Serve, Node: n.ID, Addresses: free}, due, len(free) < len(wanted)
}

// Free lists the addresses at which the node with that id should listen, without those that another process still has.
func (s Shard) Free(id string) []netip.Addr {
	for _, n := range s.Nodes {
		if n.ID == id {
			return s.free(n, s.wanted(n))
		}
	}
	return nil
}

func (s Shard) free(n Node, wanted []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(wanted, func(a netip.Addr) bool { return s.heldByAnother(n, a) })
}

// heldByAnother tells whether another process listens at the address, or may: one that does not answer keeps the reader
// endpoint's if it had it.
func (s Shard) heldByAnother(n Node, a netip.Addr) bool {
	if a == s.Reader && s.relayHoldsReader() {
		return true
	}
	return slices.ContainsFunc(s.processes(), func(other Node) bool {
		return other.ID != n.ID && (other.holds(a) || a == s.Reader && other.Silent)
	})
}

// wanted lists the addresses at which a node should listen now. A replica that is not in sync keeps its own if it has
// it, so that its last data stay readable there. It never gets the reader endpoint's.
func (s Shard) wanted(n Node) []netip.Addr {
	switch {
	case n.Role == cache.Primary && s.primaryIsRead():
		return []netip.Addr{n.Address, s.Primary, s.Reader}
	case n.Role == cache.Primary:
		return []netip.Addr{n.Address, s.Primary}
	case !n.InSync && n.holds(n.Address):
		return []netip.Addr{n.Address}
	case !n.InSync:
		return nil
	case !s.Spreads() && s.lagsLittle(n):
		return []netip.Addr{n.Address, s.Reader}
	}
	return []netip.Addr{n.Address}
}

// primaryIsRead tells whether the primary is to listen at the reader endpoint: there is no other node, or clients use
// the group and its one replica cannot be read.
func (s Shard) primaryIsRead() bool {
	return !s.Spreads() && !slices.ContainsFunc(s.Nodes, s.readable) && (len(s.Nodes) == 1 || s.Served)
}

// readable tells whether the reader endpoint may lead to a node as a replica.
func (s Shard) readable(n Node) bool { return n.InSync && s.lagsLittle(n) }

// How long a replica may have lacked what its primary has, and be read through the reader endpoint. One that was taken
// out comes back when it has caught up better than that, so that it does not go in and out.
const (
	maxReaderLag    = 5 * time.Second
	returnReaderLag = 1 * time.Second
)

// lagsLittle tells whether a replica lags by no more than the reader endpoint's clients have to put up with.
func (s Shard) lagsLittle(n Node) bool {
	if n.holds(s.Reader) || slices.Contains(s.Relay.Backends, n.Address) {
		return n.Lag <= maxReaderLag
	}
	return n.Lag <= returnReaderLag
}

// HoldsPrimary tells whether a node listens at the primary endpoint.
func (s Shard) HoldsPrimary(id string) bool {
	return slices.ContainsFunc(s.processes(), func(n Node) bool { return n.ID == id && n.holds(s.Primary) })
}

// Withdraw returns the change that ends a node's part in the reader endpoint, and whether it has one.
func (s Shard) Withdraw(id string) (change Change, due bool) {
	for _, n := range s.Nodes {
		switch {
		case n.ID != id:
		case slices.Contains(s.Relay.Backends, n.Address):
			others := slices.DeleteFunc(slices.Clone(s.Relay.Backends), func(a netip.Addr) bool { return a == n.Address })
			return Change{Kind: SetBackends, Addresses: others}, true
		case n.holds(s.Reader):
			return Change{Kind: Serve, Node: id, Addresses: []netip.Addr{n.Address}}, true
		}
	}
	return Change{}, false
}
