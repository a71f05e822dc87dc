package larder

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/plan"
)

func TestSight(t *testing.T) {
	home := netip.MustParseAddrPort("127.64.0.3:6379")
	rg := &cache.Shard{Members: []cache.Member{
		{ID: "a-001", Role: cache.Primary, Address: home.Addr()},
		{ID: "a-002", Role: cache.Replica, Address: home.Addr().Next()},
	}}
	primary := plan.NodeState{Running: true, Answers: true, Role: cache.Primary, Offset: 1000}
	replica := plan.NodeState{Running: true, Answers: true, Role: cache.Replica, Follows: home, InSync: true,
		Offset: 900}
	seen := func(p, r plan.NodeState) plan.Observed {
		return plan.Observed{Nodes: map[string]plan.NodeState{"a-001": p, "a-002": r}}
	}
	with := func(s plan.NodeState, change func(*plan.NodeState)) plan.NodeState { change(&s); return s }
	for name, c := range map[string]struct {
		member   int
		pid      int32
		observed plan.Observed
		want     Node
	}{
		"primary": {0, 7, seen(primary, replica), Node{PID: 7, Reachable: true, InSync: true, Offset: 1000}},
		"replica": {1, 7, seen(primary, replica),
			Node{PID: 7, Reachable: true, InSync: true, Offset: 900, LagBytes: 100}},
		"asked a bit later": {1, 7, seen(primary, with(replica, func(s *plan.NodeState) { s.Offset = 1100 })),
			Node{PID: 7, Reachable: true, InSync: true, Offset: 1100}},
		"gone since": {1, 0, seen(primary, replica), Node{LagBytes: -1}},
		"silent":     {1, 7, seen(primary, plan.NodeState{Running: true}), Node{PID: 7, LagBytes: -1}},
		"loading": {1, 7, seen(primary,
			with(replica, func(s *plan.NodeState) {
				s.InSync, s.Offset = false,
					-1
			})), Node{PID: 7, Reachable: true, LagBytes: -1}},
		"follows another": {1, 7, seen(primary,
			with(replica,
				func(s *plan.NodeState) { s.Follows = netip.MustParseAddrPort("127.64.0.9:6379") })),
			Node{PID: 7, Reachable: true, Offset: 900, LagBytes: -1}},
		"primary is silent": {1, 7, seen(plan.NodeState{Running: true}, replica),
			Node{PID: 7, Reachable: true, InSync: true, Offset: 900, LagBytes: -1}},
		"not looked at":                   {1, 7, plan.Observed{}, Node{PID: 7, LagBytes: -1}},
		"failed over to, still a replica": {0, 7, seen(replica, replica), Node{PID: 7, Reachable: true, Offset: 900}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Node{PID: c.pid}
			got.sight(rg, rg.Members[c.member], c.observed)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestCrowding(t *testing.T) {
	t.Parallel()
	rg := cache.Topology{ReplicationGroup: &cache.ReplicationGroup{ID: "a"},
		Shards: []cache.Shard{{Members: []cache.Member{{ID: "a-001"}, {ID: "a-002"}}}}}
	for name, c := range map[string]struct {
		first, second plan.NodeState
		want          []string
	}{
		"room": {plan.NodeState{Answers: true}, plan.NodeState{Answers: true}, nil},
		"none": {plan.NodeState{Answers: true, Full: 20}, plan.NodeState{Answers: true},
			[]string{"a-001 has 20 connections"}},
		"none for larder": {plan.NodeState{Running: true}, plan.NodeState{Running: true, Refuses: true},
			[]string{"a-002 works, and turns larder away"}},
		"clients that end connections": {plan.NodeState{Answers: true, KillsWithheld: true},
			plan.NodeState{Answers: true},
			[]string{"Clients of a-001 end connections again and again"}},
		"a node that works": {plan.NodeState{Running: true, TimedOut: true, Lag: 20 * time.Second},
			plan.NodeState{Answers: true},
			[]string{"a-001 has been busy for 20s"}},
		"none on either node": {plan.NodeState{Full: 20}, plan.NodeState{Full: 30},
			[]string{"a-001 has 20", "a-002 has 30"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := crowding(rg, plan.Observed{Nodes: map[string]plan.NodeState{"a-001": c.first, "a-002": c.second}})
			if (got == "") != (len(c.want) == 0) {
				t.Errorf("it says %q", got)
			}
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("it says %q, want %q in it", got, w)
				}
			}
		})
	}
}
