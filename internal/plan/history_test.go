package plan_test

import (
	"testing"

	"larder/internal/cache"
	"larder/internal/plan"
)

// since makes a group one whose primaries have had those streams, the last first.
func since(streams ...string) change {
	return func(g *cache.Shard) {
		lived(g)
		g.Histories = streams
	}
}

func TestPlanElectsWithinTheNewestStream(t *testing.T) {
	lost := failover("g-002", 12, primaryEndpoint)
	lost.DataLost = true
	checkPlans(t, map[string]planCase{
		"an offset in an older stream counts for nothing": {members: 3, change: since("new", "old"),
			relay: backends(12, 13),
			nodes: []plan.NodeState{{}, of(cut(11, 900, 12), "old", "", 0), of(cut(11, 100, 13), "new", "old", 50)},
			want:  []plan.Step{failover("g-003", 13, primaryEndpoint)}},
		"one that was promoted, and not recorded, counts as what it was": {members: 3, change: since("new"),
			relay: backends(12, 13),
			nodes: []plan.NodeState{{}, of(cut(11, 120, 12), "new", "", 0), of(primary(13), "unrecorded", "new", 90)},
			want:  []plan.Step{failover("g-002", 12, primaryEndpoint)}},
		"and wins by that": {members: 3, change: since("new"), relay: backends(12, 13),
			nodes: []plan.NodeState{{}, of(cut(11, 80, 12), "new", "", 0), of(primary(13), "unrecorded", "new", 90)},
			want:  []plan.Step{failover("g-003", 13, primaryEndpoint)}},
		"nobody has the newest: the next, and that is said": {members: 3, change: since("new", "old"),
			relay: backends(12),
			nodes: []plan.NodeState{up(), of(cut(11, 900, 12), "old", "", 0), up()}, want: []plan.Step{lost}},
		"not while one that cannot be asked may have it": {members: 3, change: since("new", "old"), relay: backends(12),
			nodes: []plan.NodeState{up(), of(cut(11, 900, 12), "old", "", 0), hung()}},
		"data sets that cannot be compared": {members: 3, change: since("new"), relay: backends(12, 13),
			nodes: []plan.NodeState{{}, of(cut(11, 900, 12), "foreign", "", 0),
				of(cut(11, 100, 13), "strange", "", 0)},
			want: []plan.Step{{Kind: plan.Refuse,
				Reason: "the nodes of g hold data sets that do not descend from each other, and none of them is the " +
					"last primary's: " +
					"which is the newest cannot be known. End the nodes whose data you can do without"},
				step(plan.StartNode, "g-001")}},
		"a record from before streams were recorded": {members: 3, change: lived, relay: backends(12, 13),
			nodes: []plan.NodeState{{}, of(cut(11, 900, 12), "a", "", 0), of(cut(11, 100, 13), "a", "", 0)},
			want:  []plan.Step{failover("g-002", 12, primaryEndpoint)}},
		"the primary's stream is recorded when it is another": {members: 1, change: since("old"),
			nodes: []plan.NodeState{of(primary(11, primaryEndpoint, readerEndpoint), "new", "", 0)},
			want:  []plan.Step{step(plan.RecordHistory, "g-001")}},
		"a primary that had no replicas has data at no offset": {members: 1, change: since("new"),
			nodes: []plan.NodeState{of(up(), "new", "", 0)},
			want:  []plan.Step{serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
	})
}

func TestPlanFencesWhatHangs(t *testing.T) {
	three := func(first plan.NodeState) []plan.NodeState {
		return []plan.NodeState{first, of(synced(11, 12), "new", "", 0), of(synced(11, 13), "new", "", 0)}
	}
	checkPlans(t, map[string]planCase{
		"a primary that has replicas": {members: 3, change: since("new"), relay: backends(12, 13),
			nodes: three(stuck()),
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"one that is busy is waited for": {members: 3, change: since("new"), relay: backends(12, 13),
			nodes: three(hung())},
		"not for ever": {members: 3, change: since("new"), relay: backends(12, 13),
			nodes: three(timedOut()), want: []plan.Step{step(plan.Fence, "g-001")}},
		"also without failover": {members: 2, change: noFailover,
			nodes: []plan.NodeState{stuck(), cut(11, 100, 12, readerEndpoint)},
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"one that has worked for too long and has replicas": {members: 3, change: since("new"), relay: backends(12, 13),
			nodes: three(working()),
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"not one that works and alone has the data": {members: 1, change: since("new"),
			nodes: []plan.NodeState{working()}},
		"also beside a replica that lacks data": {members: 2, change: since("new"),
			nodes: []plan.NodeState{working(), lagging(of(cut(11, 90, 12, readerEndpoint), "new", "", 0), 1)}},
		"nor a replica that works and whose primary is gone": {members: 2, change: since("new"),
			nodes: []plan.NodeState{{}, working()},
			want:  []plan.Step{step(plan.StartNode, "g-001")}},
		"one that alone has the data is given time": {members: 1, change: since("new"),
			nodes: []plan.NodeState{stuck()}},
		"also a replica, whose primary is gone": {members: 2, change: since("new"),
			nodes: []plan.NodeState{{}, stuck()},
			want:  []plan.Step{step(plan.StartNode, "g-001")}},
		"which ends": {members: 1, change: since("new"), nodes: []plan.NodeState{timedOut()},
			want: []plan.Step{step(plan.Fence, "g-001")}},
		"the primary before a replica, which may only wait for it": {members: 2, change: since("new"),
			nodes: []plan.NodeState{timedOut(), timedOut()},
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"not a replica while its primary has time": {members: 2, change: since("new"),
			nodes: []plan.NodeState{hung(), timedOut()}},
		"and then the replica": {members: 2, change: since("new"), nodes: []plan.NodeState{{}, timedOut()},
			want: []plan.Step{step(plan.Fence, "g-002"), step(plan.StartNode, "g-001")}},
		"also beside a replica that is being copied again": {members: 2, change: since("new"),
			nodes: []plan.NodeState{stuck(), lagging(of(cut(11, 90, 12, readerEndpoint), "new", "", 0), 1)}},
		"but not beside one that lacks nothing, as far as was seen": {members: 2, change: since("new"),
			nodes: []plan.NodeState{stuck(), of(cut(11, 100, 12, readerEndpoint), "new", "", 0)},
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"nor beside one that receives what there is": {members: 2, change: since("new"),
			nodes: []plan.NodeState{stuck(), lagging(of(synced(11, 12, readerEndpoint), "new", "", 0), 1)},
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"one that is suspended and alone has the data goes on": {members: 1, change: since("new"),
			nodes: []plan.NodeState{suspended()},
			want:  []plan.Step{step(plan.Resume, "g-001")}},
		"and is not ended where it does not": {members: 1, change: since("new"), nodes: []plan.NodeState{held()},
			want: []plan.Step{step(plan.Resume, "g-001")}},
		"all that are suspended go on": {members: 2, change: since("new"),
			nodes: []plan.NodeState{suspended(), suspended()},
			want:  []plan.Step{step(plan.Resume, "g-001"), step(plan.Resume, "g-002")}},
		"a suspended one beside a replica that lacks data goes on": {members: 2, change: since("new"),
			nodes: []plan.NodeState{suspended(), lagging(of(cut(11, 90, 12, readerEndpoint), "new", "", 0), 1)},
			want:  []plan.Step{step(plan.Resume, "g-001")}},
		"one that does not is given up for older data": {members: 2, change: since("new"),
			nodes: []plan.NodeState{held(), lagging(of(cut(11, 90, 12, readerEndpoint), "new", "", 0), 1)},
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"not for none": {members: 2, change: since("new"), nodes: []plan.NodeState{held(), up()},
			want: []plan.Step{step(plan.Resume, "g-001")}},
		"one that others stand in for is ended": {members: 3, change: since("new"), relay: backends(12, 13),
			nodes: three(suspended()),
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"also beside an older stream": {members: 2, change: since("new", "old"),
			nodes: []plan.NodeState{stuck(), of(cut(11, 100, 12), "old", "", 0)}},
	})
}

func TestPlanRelaxesTheNeedForReplicas(t *testing.T) {
	needs := func(s plan.NodeState, replicas int) plan.NodeState {
		s.MinReplicas = replicas
		return s
	}
	setMinReplicas := func(n int) plan.Step {
		return plan.Step{Kind: plan.SetMinReplicas, Member: "g-001", MinReplicas: n}
	}
	for name, c := range map[string]struct {
		nodes []plan.NodeState
		want  []plan.Step
	}{
		"nobody could acknowledge": {[]plan.NodeState{needs(primary(11, primaryEndpoint, readerEndpoint), 1),
			follows(11)}, []plan.Step{setMinReplicas(0)}},
		"one is on its way back with the data": {[]plan.NodeState{needs(primary(11, primaryEndpoint), 1),
			cut(13, 100, 12)},
			[]plan.Step{follow("g-002", 11), serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
		"one is in sync": {[]plan.NodeState{primary(11, primaryEndpoint), synced(11, 12, readerEndpoint)},
			[]plan.Step{setMinReplicas(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newShard(2)
			lived(g)
			o := plan.Observed{Nodes: map[string]plan.NodeState{"g-001": c.nodes[0], "g-002": c.nodes[1]}}
			got, _ := plan.Shard(plan.Desired{Shard: g, MinReplicas: 1}, o)
			checkSteps(t, c.want, got)
		})
	}
}
