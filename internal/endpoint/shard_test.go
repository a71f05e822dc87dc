package endpoint_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/endpoint"
)

func addr(n int) netip.Addr { return netip.AddrFrom4([4]byte{127, 1, 0, byte(n)}) }

func addrs(ns ...int) (all []netip.Addr) {
	for _, n := range ns {
		all = append(all, addr(n))
	}
	return all
}

// The endpoints of every shard in these tests; its nodes have the addresses from 11 on.
const (
	primaryEnd = 1
	readerEnd  = 2
)

// shard has a primary, 1, and replicas that are in sync. Each listens at these addresses.
func shard(serves ...[]netip.Addr) endpoint.Shard {
	s := endpoint.Shard{Primary: addr(primaryEnd), Reader: addr(readerEnd), Served: true}
	for i, at := range serves {
		n := endpoint.Node{ID: fmt.Sprint(i + 1), Address: addr(11 + i), Role: cache.Replica, Answers: true, Serves: at,
			InSync: true}
		if i == 0 {
			n.Role, n.InSync = cache.Primary, false
		}
		s.Nodes = append(s.Nodes, n)
	}
	return s
}

func running(backends ...int) endpoint.Relay {
	return endpoint.Relay{Running: true, Spreads: true, Backends: addrs(backends...)}
}

func TestNext(t *testing.T) {
	serve := func(id string, ns ...int) endpoint.Change {
		return endpoint.Change{Kind: endpoint.Serve, Node: id, Addresses: addrs(ns...)}
	}
	for name, tt := range map[string]struct {
		shard   endpoint.Shard
		but     func(*endpoint.Shard)
		want    []endpoint.Change
		waiting bool
	}{
		"one node":    {shard: shard(addrs(11)), want: []endpoint.Change{serve("1", 11, primaryEnd, readerEnd)}},
		"it is done":  {shard: shard(addrs(11, 1, 2))},
		"one replica": {shard: shard(addrs(11, 1), addrs(12)), want: []endpoint.Change{serve("2", 12, readerEnd)}},
		"the primary has what the replica shall have": {shard: shard(addrs(11, 1, 2), addrs(12)),
			want: []endpoint.Change{serve("1", 11, primaryEnd)}, waiting: true},
		"the replica lags": {shard: shard(addrs(11, 1), addrs(12, 2)),
			but:  func(s *endpoint.Shard) { s.Nodes[1].Lag = 6 * time.Second },
			want: []endpoint.Change{serve("2", 12)}, waiting: true},
		"one that was taken out comes back later than it left": {shard: shard(addrs(11, 1, 2), addrs(12)),
			but: func(s *endpoint.Shard) { s.Nodes[1].Lag = 3 * time.Second }},
		"a replica without a link keeps its own address": {shard: shard(addrs(11, 1, 2), addrs(12)),
			but: func(s *endpoint.Shard) { s.Nodes[1].InSync = false }},
		"a silent replica may have the reader endpoint": {shard: shard(addrs(11, 1), addrs(12, 2)),
			but: func(s *endpoint.Shard) {
				s.Nodes[1] = endpoint.Node{ID: "2", Address: addr(12), Role: cache.Replica, Silent: true}
			}, waiting: true},
		"a group that is being created waits for its replica": {shard: shard(addrs(11, 1), nil),
			but: func(s *endpoint.Shard) { s.Served, s.Nodes[1].InSync = false, false }},
		"two replicas take a relay": {shard: shard(addrs(11, 1), addrs(12), addrs(13)),
			want: []endpoint.Change{{Kind: endpoint.StartRelay}}},
		"which leads to both": {shard: shard(addrs(11, 1), addrs(12), addrs(13)),
			but:  func(s *endpoint.Shard) { s.Relay = running() },
			want: []endpoint.Change{{Kind: endpoint.SetBackends, Addresses: addrs(12, 13)}}},
		"and to the primary when there is nobody else": {shard: shard(addrs(11, 1), addrs(12), addrs(13)),
			but: func(s *endpoint.Shard) {
				s.Relay, s.Nodes[1].InSync, s.Nodes[2].InSync = running(12), false, false
			}, want: []endpoint.Change{{Kind: endpoint.SetBackends, Addresses: addrs(11)}}},
		"a busy replica stays": {shard: shard(addrs(11, 1), addrs(12), nil),
			but: func(s *endpoint.Shard) {
				s.Relay = running(12, 13)
				s.Nodes[2].Answers, s.Nodes[2].Silent, s.Nodes[2].InSync = false, true, false
			}},
		"one that hangs leaves": {shard: shard(addrs(11, 1), addrs(12), nil),
			but: func(s *endpoint.Shard) {
				s.Relay = running(12, 13)
				s.Nodes[2] = endpoint.Node{ID: "3", Address: addr(13), Role: cache.Replica, Silent: true, Hung: true}
			}, want: []endpoint.Change{{Kind: endpoint.SetBackends, Addresses: addrs(12)}}},
		"the relay waits for a node that is removed": {shard: shard(addrs(11, 1), addrs(12), addrs(13)),
			but: func(s *endpoint.Shard) {
				s.Relay = running()
				s.Removed = []endpoint.Node{{ID: "4", Address: addr(14), Serves: addrs(14, 2)}}
			}, waiting: true},
		"a relay that hangs is ended": {shard: shard(addrs(11, 1), addrs(12), addrs(13)),
			but:  func(s *endpoint.Shard) { s.Relay = endpoint.Relay{Running: true, Hung: true} },
			want: []endpoint.Change{{Kind: endpoint.StopRelay}}},
		"fewer replicas need none": {shard: shard(addrs(11, 1), addrs(12)),
			but:  func(s *endpoint.Shard) { s.Relay = running(12) },
			want: []endpoint.Change{{Kind: endpoint.StopRelay}}, waiting: true},
		"clients with TLS and without": {shard: shard(addrs(11, 1), addrs(12, 2)),
			but:  func(s *endpoint.Shard) { s.BothModes = true },
			want: []endpoint.Change{{Kind: endpoint.StartRelay}}},
		"the relay has the port but where a node does": {shard: shard(addrs(11, 1), addrs(12, 2)),
			but: func(s *endpoint.Shard) {
				s.BothModes, s.Relay, s.Nodes[0].OtherPorts = true, endpoint.Relay{Running: true}, true
			},
			want: []endpoint.Change{serve("1", 11, primaryEnd),
				{Kind: endpoint.SetFronts, Addresses: addrs(2, 12)}}},
	} {
		if tt.but != nil {
			tt.but(&tt.shard)
		}
		got, waiting := tt.shard.Next()
		sorted := cmpopts.SortSlices(netip.Addr.Less)
		if diff := cmp.Diff(tt.want, got, sorted, cmp.Comparer(equal), cmpopts.EquateEmpty()); diff != "" ||
			waiting != tt.waiting {
			t.Errorf("%s: waiting %v, want %v\n%s", name, waiting, tt.waiting, diff)
		}
	}
}

func equal(a, b netip.Addr) bool { return a == b }

// TestNextConverges makes the changes one by one, in any order, from whatever a crash may have left. No two processes
// are ever told to listen at one address, and in the end every endpoint has somebody.
func TestNextConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyShard(t)
		for range 20 {
			if change, due := s.CloseFronts(); due {
				apply(t, &s, change)
				continue
			}
			changes, waiting := s.Next()
			if len(changes) == 0 && !waiting {
				checkServed(t, s)
				return
			}
			for _, i := range rapid.Permutation(indices(changes)).Draw(t, "order") {
				apply(t, &s, changes[i])
			}
			s.Removed = nil // their processes end
		}
		t.Fatalf("20 rounds are not enough: %+v", s)
	})
}

func indices(changes []endpoint.Change) (all []int) {
	for i := range changes {
		all = append(all, i)
	}
	return all
}

// anyShard is a shard of nodes that answer, whose addresses are spread over its processes at random.
func anyShard(t *rapid.T) endpoint.Shard {
	s := shard(make([][]netip.Addr, rapid.IntRange(1, 5).Draw(t, "nodes"))...)
	s.BothModes = rapid.Bool().Draw(t, "both modes")
	if rapid.Bool().Draw(t, "one is removed") {
		s.Removed = []endpoint.Node{{ID: "r", Address: addr(30), Answers: true}}
	}
	s.Relay.Running = rapid.Bool().Draw(t, "relay")
	for i := range s.Nodes {
		s.Nodes[i].InSync = i > 0 && rapid.Bool().Draw(t, "in sync")
		s.Nodes[i].OtherPorts = rapid.Bool().Draw(t, "other ports")
		if rapid.Bool().Draw(t, "serves") || i == 0 {
			s.Nodes[i].Serves = addrs(11 + i)
		}
	}
	owners := []*[]netip.Addr{nil}
	for i := range s.Nodes {
		if len(s.Nodes[i].Serves) > 0 { // a node has an endpoint's address beside its own
			owners = append(owners, &s.Nodes[i].Serves)
		}
	}
	for i := range s.Removed {
		owners = append(owners, &s.Removed[i].Serves)
	}
	for _, a := range addrs(primaryEnd, readerEnd) {
		if at := rapid.SampledFrom(owners).Draw(t, "owner"); at != nil {
			*at = append(*at, a)
		} else if a == s.Reader && s.Relay.Running && rapid.Bool().Draw(t, "spreads") {
			s.Relay.Spreads, s.Relay.Backends = true, addrs(11)
		}
	}
	return s
}

// apply makes a change as the processes do. It fails where another process listens at an address.
func apply(t *rapid.T, s *endpoint.Shard, c endpoint.Change) {
	switch c.Kind {
	case endpoint.StartRelay:
		s.Relay = endpoint.Relay{Running: true}
	case endpoint.StopRelay:
		s.Relay = endpoint.Relay{}
	case endpoint.SetBackends:
		taken(t, *s, "relay", []netip.Addr{s.Reader})
		s.Relay.Spreads, s.Relay.Backends = true, c.Addresses
	case endpoint.SetFronts:
		s.Relay.Fronts = c.Addresses
	case endpoint.Serve:
		i := slices.IndexFunc(s.Nodes, func(n endpoint.Node) bool { return n.ID == c.Node })
		taken(t, *s, c.Node, c.Addresses)
		s.Nodes[i].Serves, s.Nodes[i].OtherPorts = c.Addresses, false
	}
}

func taken(t *rapid.T, s endpoint.Shard, by string, at []netip.Addr) {
	for _, a := range at {
		for _, n := range slices.Concat(s.Nodes, s.Removed) {
			if n.ID != by && slices.Contains(n.Serves, a) {
				t.Fatalf("%s is told to listen at %s, where %s listens", by, a, n.ID)
			}
		}
		if by != "relay" && s.Relay.Spreads && a == s.Reader {
			t.Fatalf("%s is told to listen at the reader endpoint, where the relay listens", by)
		}
	}
}

// checkServed sees that clients who come to an endpoint find who should be there.
func checkServed(t *rapid.T, s endpoint.Shard) {
	primary := s.Nodes[0]
	if !slices.Contains(primary.Serves, s.Primary) || !slices.Contains(primary.Serves, primary.Address) {
		t.Errorf("the primary listens at %v", primary.Serves)
	}
	atReader := s.Relay.Spreads && len(s.Relay.Backends) > 0
	for _, n := range s.Nodes {
		atReader = atReader || slices.Contains(n.Serves, s.Reader)
	}
	if !atReader {
		t.Errorf("nobody is at the reader endpoint: %+v", s)
	}
	if s.BothModes && !slices.Contains(s.Relay.Fronts, s.Primary) {
		t.Errorf("the relay does not take connections at the primary endpoint: %+v", s.Relay)
	}
}
