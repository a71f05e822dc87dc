package plan_test

import (
	"testing"

	"larder/internal/cache"
	"larder/internal/plan"
)

func TestPlanCreates(t *testing.T) {
	checkPlans(t, map[string]planCase{
		"starts everything": {members: 3, want: []plan.Step{
			step(plan.StartNode, "g-001"), step(plan.StartNode, "g-002"), step(plan.StartNode, "g-003"),
		}},
		"one node serves both endpoints": {members: 1, nodes: []plan.NodeState{up()},
			want: []plan.Step{serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
		"one node is reached before it is available": {members: 1,
			nodes: []plan.NodeState{primary(11, primaryEndpoint, readerEndpoint)},
			want:  []plan.Step{step(plan.Verify, "")}},
		"one node, done": {members: 1, verified: true, settled: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint, readerEndpoint)}},
		"a primary waits for nobody to serve": {members: 2, nodes: []plan.NodeState{up()}, want: []plan.Step{
			serve("g-001", 11, primaryEndpoint), step(plan.StartNode, "g-002"),
		}},
		"a process that does not answer yet": {members: 1, nodes: []plan.NodeState{hung()}},
		"replicas follow only one that serves": {members: 2, nodes: []plan.NodeState{up(), up()},
			want: []plan.Step{serve("g-001", 11, primaryEndpoint)}},
		"replicas follow": {members: 2, nodes: []plan.NodeState{primary(11, primaryEndpoint), up()},
			want: []plan.Step{follow("g-002", 11)}},
		"a replica is not readable before it has the data": {members: 2,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), follows(11)}},
		"a lone replica serves the reader endpoint": {members: 2,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11)},
			want:  []plan.Step{serve("g-002", 12, readerEndpoint)}},
		"two nodes, done": {members: 2, verified: true, settled: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12, readerEndpoint)}},
		"more replicas share it through a relay": {members: 3,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11), follows(11)},
			want:  []plan.Step{serve("g-002", 12), step(plan.StartRelay, "")}},
		"a relay without backends waits": {members: 3, relay: backends(),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), follows(11), follows(11)}},
		"the first replica opens the reader endpoint": {members: 3, relay: backends(),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), follows(11)},
			want:  []plan.Step{{Kind: plan.SetBackends, Addresses: addrs(12)}}},
		"three nodes, done": {members: 3, relay: backends(13, 12), verified: true, settled: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), synced(11, 13)}},
	})
}

func TestPlanConfigures(t *testing.T) {
	old := func(g *cache.Shard) {
		lived(g)
		g.Members[0].Parameters, g.Members[1].Parameters = "old", "old"
	}
	checkPlans(t, map[string]planCase{
		"those that have other parameters": {members: 3, change: old, relay: backends(12, 13), verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), synced(11, 13)},
			want:  []plan.Step{step(plan.Configure, "g-001"), step(plan.Configure, "g-002")}},
		"those that answer": {members: 2, change: old, verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), hung()},
			want:  []plan.Step{step(plan.Configure, "g-001")}},
	})
}

func TestPlanEnds(t *testing.T) {
	running := []plan.NodeState{primary(11, primaryEndpoint), hung(), synced(11, 13)}
	stops := []plan.Step{
		step(plan.StopRelay, ""), step(plan.StopNode, "g-001"), step(plan.StopNode, "g-002"), step(plan.StopNode,
			"g-003"),
	}
	checkPlans(t, map[string]planCase{
		"deleting stops everything": {members: 3, change: status(cache.Deleting), nodes: running, relay: backends(13),
			want: stops},
		"deleting stops what is left": {members: 3, change: status(cache.Deleting),
			nodes: []plan.NodeState{{}, hung()},
			want:  []plan.Step{step(plan.StopNode, "g-002")}},
		"deleting has nothing left to do": {members: 3, change: status(cache.Deleting),
			settled: true},
		"create-failed stops everything": {members: 3, change: status(cache.CreateFailed), nodes: running,
			relay: backends(13), want: stops},
		"create-failed keeps the record": {members: 3, change: status(cache.CreateFailed), settled: true},
	})
}
