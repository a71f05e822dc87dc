package plan_test

import (
	"net/netip"
	"slices"
	"testing"

	"larder/internal/cache"
	"larder/internal/endpoint"
	"larder/internal/plan"
)

// in gives a living group a mode of encryption in transit.
func in(m cache.TransitMode) change {
	return func(g *cache.Shard) { lived(g); g.Group.SetTransit(m) }
}

// old listens on the ports of another mode.
func old(s plan.NodeState) plan.NodeState {
	s.OtherPorts = true
	return s
}

// inner is a replica that follows at the port of the mode preferred.
func inner(s plan.NodeState) plan.NodeState {
	g := cache.ReplicationGroup{Port: 6379}
	g.SetTransit(cache.TransitPreferred)
	s.Follows = netip.AddrPortFrom(s.Follows.Addr(), uint16(g.ReplicationPort()))
	return s
}

func fronts(spreads endpoint.Relay, ns ...int) endpoint.Relay {
	spreads.Running, spreads.Fronts = true, addrs(ns...)
	return spreads
}

func setFronts(on ...int) plan.Step {
	return plan.Step{Kind: plan.SetFronts, Addresses: addrs(on...)}
}

func TestPlanSwitchesEncryptionInTransit(t *testing.T) {
	const primaryEnd, readerEnd, first, second, third = 1, 2, 11, 12, 13
	none := endpoint.Relay{}
	checkPlans(t, map[string]planCase{
		"nodes leave the port before the relay takes it": {members: 2, change: in(cache.TransitPreferred),
			nodes: []plan.NodeState{old(primary(first, primaryEnd)), old(synced(first, second, readerEnd))},
			want: []plan.Step{serve("g-001", first, primaryEnd), serve("g-002", second, readerEnd),
				{Kind: plan.StartRelay}}},
		"the relay takes the port where a node has left it": {members: 2, change: in(cache.TransitPreferred),
			relay: fronts(none),
			nodes: []plan.NodeState{primary(first, primaryEnd), old(synced(first, second, readerEnd))},
			want: []plan.Step{follow("g-002", first), serve("g-002", second, readerEnd),
				setFronts(primaryEnd, first)}},
		"a replica stays where it is until its primary has the port": {members: 2, change: in(cache.TransitPreferred),
			relay: fronts(none),
			nodes: []plan.NodeState{old(primary(first, primaryEnd)), synced(first, second, readerEnd)},
			want:  []plan.Step{serve("g-001", first, primaryEnd), setFronts(readerEnd, second)}},
		"all is as it should be": {members: 2, change: in(cache.TransitPreferred), verified: true, settled: true,
			relay: fronts(none, primaryEnd, readerEnd, first, second),
			nodes: []plan.NodeState{primary(first, primaryEnd), inner(synced(first, second, readerEnd))}},
		"one relay does both": {members: 3, change: in(cache.TransitPreferred), verified: true, settled: true,
			relay: fronts(backends(second, third), primaryEnd, first, second, third),
			nodes: []plan.NodeState{primary(first, primaryEnd), inner(synced(first, second)),
				inner(synced(first, third))}},
		"the relay gives the port up before a node takes it": {members: 3, change: in(cache.TransitRequired),
			relay: fronts(backends(second, third), primaryEnd, first, second, third),
			nodes: []plan.NodeState{old(primary(first, primaryEnd)), old(inner(synced(first, second))),
				old(inner(synced(first, third)))},
			want: []plan.Step{setFronts()}},
		"a relay that is only for that ends": {members: 2, change: in(cache.TransitOff),
			relay: fronts(none, primaryEnd, readerEnd, first, second),
			nodes: []plan.NodeState{old(primary(first, primaryEnd)), old(inner(synced(first, second, readerEnd)))},
			want:  []plan.Step{{Kind: plan.StopRelay}}},
		"a group that has shrunk reads from its replica": {members: 2, change: in(cache.TransitPreferred),
			relay: func() endpoint.Relay {
				r := fronts(backends(second), primaryEnd, first, second)
				r.Spreads = true
				return r
			}(),
			nodes: []plan.NodeState{primary(first, primaryEnd), inner(synced(first, second))},
			want:  []plan.Step{{Kind: plan.StopRelay}}},
		"a failover needs nothing of the relay": {members: 2, change: func(g *cache.Shard) {
			in(cache.TransitPreferred)(g)
			g.Group.AutomaticFailover = true
		}, relay: fronts(none, primaryEnd, readerEnd, first, second),
			nodes: []plan.NodeState{{}, inner(cut(first, 100, second, readerEnd))},
			want:  []plan.Step{failover("g-002", second, primaryEnd, readerEnd)}},
	})
}

// TestPorts: the ports of the modes are not the group's own where a relay has that, and differ from each other.
func TestPorts(t *testing.T) {
	for _, port := range []int{6379, 1, 65535, 27378, 27379, 27380, 27381} {
		g := cache.ReplicationGroup{Port: port}
		if got, want := g.Ports(), (cache.Ports{Group: port, Plain: port}); got != want {
			t.Errorf("off: %+v", got)
		}
		g.SetTransit(cache.TransitRequired)
		if got, want := g.Ports(), (cache.Ports{Group: port, TLS: port}); got != want {
			t.Errorf("required: %+v", got)
		}
		g.SetTransit(cache.TransitPreferred)
		each := g.Ports().Each()
		if slices.Sort(each); len(slices.Compact(each)) != 3 || g.ReplicationPort() != g.Ports().TLS {
			t.Errorf("preferred: %+v, and replicas at %d", g.Ports(), g.ReplicationPort())
		}
	}
}
