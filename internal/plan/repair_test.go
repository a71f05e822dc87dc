package plan_test

import (
	"testing"

	"larder/internal/endpoint"
	"larder/internal/plan"
)

func TestPlanFailsOver(t *testing.T) {
	checkPlans(t, map[string]planCase{
		"to the highest offset": {members: 4, change: lived, relay: backends(12, 13, 14),
			nodes: []plan.NodeState{{}, cut(11, 100, 12), cut(11, 300, 13), cut(11, 200, 14)},
			want:  []plan.Step{failover("g-003", 13, primaryEndpoint)}},
		"when what the old one sent has been read": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{{}, synced(11, 12), cut(11, 300, 13)},
			want:  []plan.Step{reading(failover("g-003", 13, primaryEndpoint), "g-002")}},
		"on a tie out of the zone": {members: 4, change: recorded("g-002"), relay: backends(12, 13, 14),
			nodes: []plan.NodeState{cut(12, 100, 11), {}, cut(12, 100, 13), cut(12, 100, 14)},
			want:  []plan.Step{failover("g-001", 11, primaryEndpoint)}},
		"on a tie out of the zone, not by id": {members: 4, change: recorded("g-001"), relay: backends(12, 13, 14),
			nodes: []plan.NodeState{{}, {}, cut(11, 100, 13), cut(11, 100, 14)},
			want:  []plan.Step{failover("g-004", 14, primaryEndpoint)}},
		"also from one that is back, and empty": {members: 2, change: lived,
			nodes: []plan.NodeState{up(), cut(11, 100, 12, readerEndpoint)},
			want:  []plan.Step{failover("g-002", 12, primaryEndpoint, readerEndpoint)}},
		"to one that had just caught up": {members: 2, change: lived, nodes: []plan.NodeState{up(), cut(11, 0)},
			want: []plan.Step{failover("g-002", 12, primaryEndpoint, readerEndpoint)}},
		"not to one that had yet to": {members: 2, change: lived, nodes: []plan.NodeState{up(), cut(11, -1)},
			want: []plan.Step{{Kind: plan.Serve, Member: "g-001",
				Addresses: addrs(11, primaryEndpoint, readerEndpoint), DataLost: true}}},
		"not from one that hangs": {members: 2, change: lived, nodes: []plan.NodeState{hung(), cut(11, 100, 12)}},
		"the new one is promoted": {members: 2, change: recorded("g-002"),
			nodes: []plan.NodeState{up(), cut(11, 100, 12, readerEndpoint)},
			want:  []plan.Step{step(plan.Promote, "g-002")}},
		"the new one is promoted, however late the old one's other replicas are": {members: 3,
			change: recorded("g-002"), relay: backends(12, 13),
			nodes: []plan.NodeState{up(), cut(11, 100), cut(11, 90, 13)},
			want:  []plan.Step{step(plan.Promote, "g-002")}},
		"an equal of the new one does not take its place": {members: 4, change: recorded("g-002"),
			relay: backends(12, 13),
			nodes: []plan.NodeState{up(), cut(11, 100), cut(11, 100, 13)},
			want:  []plan.Step{step(plan.Promote, "g-002"), step(plan.StartNode, "g-004")}},
		"the new one serves before the others follow": {members: 3, change: recorded("g-002"), relay: backends(13),
			nodes: []plan.NodeState{up(), promoted(), cut(11, 90, 13)},
			want:  []plan.Step{serve("g-002", 12, primaryEndpoint)}},
		"the endpoint follows the role": {members: 3, change: recorded("g-002"), relay: backends(12, 13),
			nodes: []plan.NodeState{up(), primary(12), cut(11, 100, 13)},
			want: []plan.Step{follow("g-001", 12), follow("g-003", 12), serve("g-002", 12, primaryEndpoint),
				{Kind: plan.SetBackends, Addresses: addrs(12)}}},
		"the old one, left in the middle of a planned move, gives the endpoint up before it follows": {members: 2,
			change: recorded("g-002"),
			nodes:  []plan.NodeState{primary(11, primaryEndpoint), primary(12)},
			want:   []plan.Step{serve("g-001", 11), serve("g-002", 12, readerEndpoint)}},
		"and follows then": {members: 2, change: recorded("g-002"),
			nodes: []plan.NodeState{primary(11), primary(12, readerEndpoint)},
			want:  []plan.Step{follow("g-001", 12), serve("g-002", 12, primaryEndpoint, readerEndpoint)}},
		"both replicas gone, the primary back": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{up()},
			want: []plan.Step{{Kind: plan.Serve, Member: "g-001", Addresses: addrs(11, primaryEndpoint),
				DataLost: true},
				step(plan.StartNode, "g-002"), step(plan.StartNode, "g-003")}},
		"never beside one that may have the data": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{up(), hung(), up()}},
	})
}

// reading is a step that waits for those replicas.
func reading(s plan.Step, ids ...string) plan.Step {
	s.Reading = ids
	return s
}

// promoted is a replica that has become primary and serves nobody yet.
func promoted() plan.NodeState {
	s := up()
	s.Offset = 100
	return s
}

func TestPlanResyncsThePrimaryWithoutFailover(t *testing.T) {
	checkPlans(t, map[string]planCase{
		"waits for the primary": {members: 2, change: noFailover, nodes: []plan.NodeState{{}, cut(11, 100, 12)},
			want: []plan.Step{step(plan.StartNode, "g-001")}},
		"makes the replica a source": {members: 2, change: noFailover, nodes: []plan.NodeState{up(), cut(11, 100, 12)},
			want: []plan.Step{step(plan.Promote, "g-002")}},
		"which listens": {members: 2, change: noFailover, nodes: []plan.NodeState{up(), promoted()},
			want: []plan.Step{serve("g-002", 12)}},
		"which the primary follows": {members: 2, change: noFailover, nodes: []plan.NodeState{up(), primary(12)},
			want: []plan.Step{follow("g-001", 12)}},
		"and no other": {members: 3, change: noFailover, relay: backends(13),
			nodes: []plan.NodeState{follows(13), primary(12), up()},
			want:  []plan.Step{follow("g-001", 12)}},
		"until it has the data": {members: 2, change: noFailover, nodes: []plan.NodeState{follows(12), primary(12)}},
		"serves when it has them": {members: 2, change: noFailover, nodes: []plan.NodeState{synced(12), primary(12)},
			want: []plan.Step{serve("g-001", 11)}},
		"and is primary again": {members: 2, change: noFailover, nodes: []plan.NodeState{synced(12, 11), primary(12)},
			want: []plan.Step{step(plan.Promote, "g-001")}},
		"and the source its replica": {members: 2, change: noFailover,
			nodes: []plan.NodeState{primary(11), primary(12)},
			want:  []plan.Step{follow("g-002", 11), serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
		"the source dies, another has data": {members: 3, change: noFailover, relay: backends(),
			nodes: []plan.NodeState{follows(12), up(), cut(11, 90, 13)},
			want:  []plan.Step{step(plan.Promote, "g-003")}},
		"a source is not read through the relay": {members: 3, change: noFailover, relay: backends(12, 13),
			nodes: []plan.NodeState{up(), cut(11, 80, 12), cut(11, 90, 13)},
			want:  []plan.Step{{Kind: plan.SetBackends, Addresses: addrs(12)}}},
		"nor through the reader endpoint": {members: 2, change: noFailover,
			nodes: []plan.NodeState{up(), cut(11, 90, 12, readerEndpoint)},
			want:  []plan.Step{serve("g-002", 12)}},
		"the source dies when the primary has the data": {members: 2, change: noFailover,
			nodes: []plan.NodeState{cut(12, 100), up()},
			want:  []plan.Step{step(plan.Promote, "g-001")}},
		"which then serves": {members: 2, change: noFailover, nodes: []plan.NodeState{promoted(), up()},
			want: []plan.Step{serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
		"the source dies, nobody has data": {members: 2, change: noFailover,
			nodes: []plan.NodeState{follows(12), up()},
			want:  []plan.Step{step(plan.Promote, "g-001")}},
		"one node begins empty": {members: 1, change: noFailover, nodes: []plan.NodeState{up()},
			want: []plan.Step{{Kind: plan.Serve, Member: "g-001",
				Addresses: addrs(11, primaryEndpoint, readerEndpoint), DataLost: true}}},
	})
}

func TestPlanHandsAddressesOver(t *testing.T) {
	checkPlans(t, map[string]planCase{
		"a lost replica's reads go to the primary": {members: 2, change: lived,
			nodes: []plan.NodeState{primary(11, primaryEndpoint)},
			want:  []plan.Step{step(plan.StartNode, "g-002"), serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
		"but not while the replica may listen": {members: 2, change: lived,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), hung()}},
		"a stale replica gives the reader endpoint up": {members: 2, change: lived,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), cut(11, 50, 12, readerEndpoint)},
			want:  []plan.Step{serve("g-002", 12)}},
		"then the primary takes it": {members: 2, change: lived,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), cut(11, 50, 12)},
			want:  []plan.Step{serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
		"a replica in sync waits for it": {members: 2, change: lived,
			nodes: []plan.NodeState{primary(11, primaryEndpoint, readerEndpoint), synced(11)},
			want:  []plan.Step{serve("g-001", 11, primaryEndpoint), serve("g-002", 12)}},
		"then takes it": {members: 2, change: lived,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12)},
			want:  []plan.Step{serve("g-002", 12, readerEndpoint)}},
		"during creation reads wait for the replica": {members: 2,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), follows(11)}},
		"a replica that follows another node keeps its own address": {members: 2, change: lived,
			nodes: []plan.NodeState{primary(11, primaryEndpoint, readerEndpoint), synced(13, 12)},
			want:  []plan.Step{follow("g-002", 11)}},
		"a relay that is not needed ends before a replica listens": {members: 2, change: lived, relay: backends(12),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12)},
			want:  []plan.Step{step(plan.StopRelay, "")}},
	})
}

func TestPlanKeepsTheRelayFed(t *testing.T) {
	checkPlans(t, map[string]planCase{
		"a relay that died": {members: 3, change: lived,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), synced(11, 13)},
			want:  []plan.Step{step(plan.StartRelay, "")}},
		"a replica that died": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12)},
			want:  []plan.Step{step(plan.StartNode, "g-003"), {Kind: plan.SetBackends, Addresses: addrs(12)}}},
		"a replica that hangs": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), stuck()},
			want:  []plan.Step{step(plan.Fence, "g-003"), {Kind: plan.SetBackends, Addresses: addrs(12)}}},
		"a replica that is busy stays": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), hung()}},
		"not for long": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), lagging(hung(), 6)},
			want:  []plan.Step{{Kind: plan.SetBackends, Addresses: addrs(12)}}},
		"one that is busy is not added": {members: 3, change: lived, relay: backends(12),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), hung()}},
		"one that lags a little stays": {members: 3, change: lived, relay: backends(12, 13), verified: true,
			settled: true,
			nodes:   []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), lagging(synced(11, 13), 4)}},
		"and is not added": {members: 3, change: lived, relay: backends(12), verified: true, settled: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), lagging(synced(11, 13), 4)}},
		"one that lags is taken out": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), lagging(synced(11, 13), 6)},
			want:  []plan.Step{{Kind: plan.SetBackends, Addresses: addrs(12)}}},
		"a relay that hangs": {members: 3, change: lived,
			relay: endpoint.Relay{Running: true, Hung: true, Backends: addrs(12, 13)},
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), synced(11, 13)},
			want:  []plan.Step{step(plan.StopRelay, "")}},
		"no replica left": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), follows(11), follows(11)},
			want:  []plan.Step{{Kind: plan.SetBackends, Addresses: addrs(11)}}},
	})
}

// TestPlanAdopts: processes that another engine left are looked at as they stand; nothing of them is touched.
func TestPlanAdopts(t *testing.T) {
	nodes := []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), synced(11, 13)}
	checkPlans(t, map[string]planCase{
		"all is well": {members: 3, change: lived, nodes: nodes, relay: backends(12, 13),
			want: []plan.Step{step(plan.Verify, "")}},
		"a failover was recorded": {members: 3, change: recorded("g-002"),
			nodes: []plan.NodeState{{}, cut(11, 100, 12), cut(11, 100, 13)}, relay: backends(12, 13),
			want: []plan.Step{step(plan.Promote, "g-002"), step(plan.StartNode, "g-001")}},
		"an older record, of before a move: whom clients write to stays": {members: 3, change: lived,
			nodes: []plan.NodeState{synced(12, 11), primary(12, primaryEndpoint), synced(12, 13)},
			relay: backends(11, 13),
			want:  []plan.Step{failover("g-002", 12, primaryEndpoint)}},
		"also of streams that nobody knows": {members: 2, change: since("older"),
			nodes: []plan.NodeState{of(synced(12, 11, readerEndpoint), "new", "unknown", 50),
				of(primary(12, primaryEndpoint), "new", "unknown", 50)},
			want: []plan.Step{failover("g-002", 12, primaryEndpoint)}},
		"so without failover": {members: 2, change: noFailover,
			nodes: []plan.NodeState{synced(12, 11, readerEndpoint), primary(12, primaryEndpoint)},
			want:  []plan.Step{failover("g-002", 12, primaryEndpoint)}},
		"one that was the source of a copy does not": {members: 2, change: noFailover,
			nodes: []plan.NodeState{synced(12, 11), primary(12)}, want: []plan.Step{step(plan.Promote, "g-001")}},
		"a failover was not": {members: 3, change: lived, nodes: []plan.NodeState{up(), primary(12), cut(11, 100, 13)},
			relay: backends(12, 13), want: []plan.Step{failover("g-002", 12, primaryEndpoint)}},
	})
}
