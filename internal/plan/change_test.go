package plan_test

import (
	"testing"

	"larder/internal/cache"
	"larder/internal/plan"
)

// outdated makes the processes of those members ones of another spec.
func outdated(ids ...string) change {
	return func(g *cache.Shard) {
		lived(g)
		g.Group.NodeType = "new"
		for i := range g.Members {
			g.Members[i].Spec = g.Group.Spec()
		}
		for _, id := range ids {
			g.Member(id).Spec = "old"
		}
	}
}

func renewed(id string) change {
	return func(g *cache.Shard) {
		lived(g)
		g.Member(id).Replacement = cache.Rebooting
	}
}

func TestPlanRenewsProcesses(t *testing.T) {
	three := []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), synced(11, 13)}
	ahead := synced(11, 13)
	ahead.Offset = 200
	checkPlans(t, map[string]planCase{
		"replicas first, one at a time": {members: 3, change: outdated("g-001", "g-002", "g-003"), nodes: three,
			relay: backends(12, 13), verified: true,
			want: []plan.Step{step(plan.StopNode, "g-002")}},
		"not before the endpoints answer": {members: 3, change: outdated("g-001", "g-002", "g-003"), nodes: three,
			relay: backends(12, 13),
			want:  []plan.Step{step(plan.Verify, "")}},
		"not while one is away": {members: 3, change: outdated("g-001", "g-003"), relay: backends(12, 13),
			verified: true,
			nodes:    []plan.NodeState{primary(11, primaryEndpoint), follows(11), synced(11, 13)},
			want:     []plan.Step{{Kind: plan.SetBackends, Addresses: addrs(13)}}},
		"then the primary's role moves to the replica that is ahead": {members: 3, change: outdated("g-001"),
			relay: backends(12, 13), verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), ahead},
			want:  []plan.Step{step(plan.Switchover, "g-003")}},
		"one node alone is resized as it runs": {members: 1, change: outdated("g-001"), verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint, readerEndpoint)},
			want:  []plan.Step{step(plan.Resize, "g-001")}},
		"a replica that is to be rebooted": {members: 3, change: renewed("g-002"), nodes: three,
			relay: backends(12, 13), verified: true,
			want: []plan.Step{step(plan.StopNode, "g-002")}},
		"a primary hands over first": {members: 3, change: renewed("g-001"), nodes: three, relay: backends(12, 13),
			verified: true,
			want:     []plan.Step{step(plan.Switchover, "g-002")}},
		"where there is nobody, it ends": {members: 1, change: renewed("g-001"), verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint, readerEndpoint)},
			want:  []plan.Step{step(plan.StopNode, "g-001")}},
		"nothing is outdated": {members: 3, change: outdated(), nodes: three, relay: backends(12, 13), verified: true,
			settled: true},
	})
}

func TestPlanPromotesOnRequest(t *testing.T) {
	promote := func(id string) change {
		return func(g *cache.Shard) {
			noFailover(g)
			g.Promote = id
		}
	}
	two := []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12, readerEndpoint)}
	checkPlans(t, map[string]planCase{
		"the replica": {members: 2, change: promote("g-002"), nodes: two, verified: true,
			want: []plan.Step{step(plan.Switchover, "g-002")}},
		"when all is well": {members: 2, change: promote("g-002"), nodes: two,
			want: []plan.Step{step(plan.Verify, "")}},
		"not the primary":           {members: 2, change: promote("g-001"), nodes: two, verified: true, settled: true},
		"not one that is not there": {members: 2, change: promote("g-009"), nodes: two, verified: true, settled: true},
	})
}

func TestPlanRotatesTokens(t *testing.T) {
	checkPlans(t, map[string]planCase{
		"on those that have others": {members: 2, verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12, readerEndpoint)},
			change: func(g *cache.Shard) {
				lived(g)
				g.Group.AuthTokens = [][]byte{[]byte("sealed")}
				g.Members[0].Access, g.Members[1].Access = cache.AccessFingerprint(nil), cache.AccessFingerprint(g.Group.AuthTokens)
			},
			want: []plan.Step{step(plan.Authorize, "g-001")}},
	})
}

func TestPlanRemovesMembers(t *testing.T) {
	removing := func(ids ...string) change {
		return func(g *cache.Shard) {
			lived(g)
			for _, id := range ids {
				g.Member(id).Removing = true
			}
		}
	}
	removingWithoutFailover := func(g *cache.Shard) {
		removing("g-002")(g)
		g.Group.AutomaticFailover = false
	}
	removingPrimary := func(n int) change {
		return func(g *cache.Shard) {
			removing(g.Members[n-1].ID)(g)
			g.SetPrimary(g.Members[n-1].ID)
		}
	}
	checkPlans(t, map[string]planCase{
		"one that leaves is ended; the relay with it when one replica is left": {members: 3, change: removing("g-003"),
			relay: backends(12, 13), verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), synced(11, 13)},
			want:  []plan.Step{step(plan.StopNode, "g-003"), step(plan.StopRelay, "")}},
		"also one that hangs": {members: 3, change: removing("g-003"), relay: backends(12, 13), verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12), hung()},
			want:  []plan.Step{step(plan.StopNode, "g-003"), step(plan.StopRelay, "")}},
		"then forgotten": {members: 3, change: removing("g-003"), verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12, readerEndpoint)},
			want:  []plan.Step{step(plan.Drop, "g-003")}},
		"it is the candidate where it has most": {members: 3, change: removing("g-003"), relay: backends(12, 13),
			nodes: []plan.NodeState{{}, cut(11, 100, 12), cut(11, 200, 13)},
			want:  []plan.Step{failover("g-003", 13, primaryEndpoint)}},
		"not where another has as much": {members: 4, change: removing("g-002"), relay: backends(12, 13, 14),
			nodes: []plan.NodeState{{}, cut(11, 100, 12), cut(11, 100, 13), cut(11, 100, 14)},
			want:  []plan.Step{failover("g-004", 14, primaryEndpoint)}},
		"what it has yet to read is waited for": {members: 3, change: removing("g-003"), relay: backends(12, 13),
			nodes: []plan.NodeState{{}, cut(11, 100, 12), synced(11, 13)},
			want:  []plan.Step{reading(failover("g-002", 12, primaryEndpoint), "g-003")}},
		"one that was failed over stays until another has everything": {members: 3, change: removingPrimary(3),
			relay: backends(12),
			nodes: []plan.NodeState{follows(13), synced(13, 12), primary(13, primaryEndpoint)}},
		"then hands over": {members: 3, change: removingPrimary(3), relay: backends(11, 12), verified: true,
			nodes: []plan.NodeState{synced(13, 11), synced(13, 12), primary(13, primaryEndpoint)},
			want:  []plan.Step{step(plan.Switchover, "g-002")}},
		"where it alone has the data, it stays until the primary has them": {members: 2, change: removingWithoutFailover,
			nodes: []plan.NodeState{{}, cut(11, 100, 12)}, want: []plan.Step{step(plan.StartNode, "g-001")}},
		"which gets them from it": {members: 2, change: removingWithoutFailover,
			nodes: []plan.NodeState{up(), cut(11, 100, 12)}, want: []plan.Step{step(plan.Promote, "g-002")}},
		"and serves": {members: 2, change: removingWithoutFailover,
			nodes: []plan.NodeState{primary(11), primary(12)},
			want:  []plan.Step{step(plan.StopNode, "g-002"), serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
		"it may have the data also when it cannot be asked": {members: 2, change: removing("g-002"),
			nodes: []plan.NodeState{up(), hung()}},
		"not for ever": {members: 2, change: removing("g-002"), nodes: []plan.NodeState{up(), timedOut()},
			want: []plan.Step{step(plan.Fence, "g-002")}},
		"a primary that hangs has it for a candidate": {members: 2, change: removing("g-002"),
			nodes: []plan.NodeState{stuck(), synced(11, 12)},
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"one that is gone is not started": {members: 3, change: removing("g-003"), relay: backends(12, 13),
			nodes: []plan.NodeState{{}, hung(), {}},
			want:  []plan.Step{step(plan.StartNode, "g-001")}},
		"but as the primary, which nobody can stand in for": {members: 2, change: removingPrimary(2),
			nodes: []plan.NodeState{{}, {}},
			want:  []plan.Step{step(plan.StartNode, "g-001"), step(plan.StartNode, "g-002")}},
		"its address is free when it is gone": {members: 2, change: removing("g-002"), verified: true,
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12, readerEndpoint)},
			want:  []plan.Step{step(plan.StopNode, "g-002")}},
		"a relay waits for the replica that listened while it was alone": {members: 3, change: lived, relay: backends(),
			nodes: []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12, readerEndpoint), synced(11, 13)},
			want:  []plan.Step{serve("g-002", 12)}},
	})
}
