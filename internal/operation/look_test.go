package operation_test

import (
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/operation"
)

// group is an available group of three members, of which the first is the primary.
func group(changes ...func(*cache.Shard)) cache.Topology {
	g := &cache.ReplicationGroup{ID: "g", Status: cache.Available, NodeType: "small", EngineVersion: "7.0.15",
		ParameterGroup: "default", AuthTokens: [][]byte{[]byte("sealed")}}
	s := cache.Shard{GroupID: "g", ID: cache.FirstShard, Group: g}
	for n := range 3 {
		s.Members = append(s.Members, cache.Member{ID: cache.MemberID("g", n+1), Status: cache.MemberAvailable,
			Created: time.Unix(1, 0), Spec: g.Spec(), Access: cache.AccessFingerprint(g.AuthTokens)})
	}
	s.SetPrimary("g-001")
	rg := cache.Topology{ReplicationGroup: g, Shards: []cache.Shard{s}}
	for _, change := range changes {
		change(&rg.Shards[0])
	}
	return rg
}

// is makes a change of a group's own record.
func is(change func(*cache.ReplicationGroup)) func(*cache.Shard) {
	return func(s *cache.Shard) { change(s.Group) }
}

func status(s cache.Status) func(*cache.Shard) {
	return is(func(g *cache.ReplicationGroup) { g.Status = s })
}

// TestLook follows operations by what the records show of them.
func TestLook(t *testing.T) {
	t.Parallel()
	const shard = cache.FirstShard
	type change = func(*cache.Shard)
	modifying, deleting := status(cache.Modifying), status(cache.Deleting)
	member := func(id string, f func(*cache.Member)) change { return func(s *cache.Shard) { f(s.Member(id)) } }
	scale := operation.Operation{Kind: operation.Scale, From: "small", To: "large"}
	large := is(func(g *cache.ReplicationGroup) { g.NodeType, g.Scaling, g.ScaledFrom = "large", "large", "small" })
	later := func(d cache.Deferred) change { return is(func(g *cache.ReplicationGroup) { g.Deferred = &d }) }
	switchover := operation.Operation{Kind: operation.Switchover, Shard: shard, Members: []string{"g-002"}, To: "g-002"}
	add := operation.Operation{Kind: operation.AddReplicas, Shard: shard, Members: []string{"g-002", "g-003"}}
	remove := operation.Operation{Kind: operation.RemoveReplicas, Shard: shard, Members: []string{"g-002", "g-003"}}
	reboot := operation.Operation{Kind: operation.Reboot, Shard: shard, Members: []string{"g-001"}}
	renewed := func(why cache.Replacement) change {
		return member("g-001", func(m *cache.Member) { m.Replacement = why })
	}
	leaves := func(id string) change { return member(id, func(m *cache.Member) { m.Removing = true }) }
	restore := operation.Operation{Kind: operation.Restore, To: "s"}
	token := operation.Operation{Kind: operation.ChangeToken}
	for name, c := range map[string]struct {
		o       operation.Operation
		changes []change
		stage   operation.Stage
		done    int64
		total   int64
		outcome operation.Outcome
	}{
		"created": {operation.Operation{Kind: operation.Create}, nil, "", 0, 0, operation.Succeeded},
		"being created": {operation.Operation{Kind: operation.Create}, []change{status(cache.Creating),
			member("g-003", func(m *cache.Member) { m.Spec = "" })}, operation.Starting, 2, 3, ""},
		"not created": {operation.Operation{Kind: operation.Create}, []change{status(cache.CreateFailed)}, "", 0, 0,
			operation.Failed},
		"deleted while it is created": {operation.Operation{Kind: operation.Create}, []change{deleting}, "", 0, 0,
			operation.Cancelled},
		"being deleted": {operation.Operation{Kind: operation.Delete},
			[]change{deleting}, operation.Ending, 0, 0, ""},

		"a node type waits": {scale,
			[]change{later(cache.Deferred{NodeType: "large"})}, operation.InWindow, 0, 0, ""},
		"a node type begins": {scale, []change{modifying, large}, operation.Updating, 0, 3, ""},
		"a node type is on its way": {scale, []change{modifying, large,
			func(s *cache.Shard) { s.Members[1].Spec = s.Group.Spec() }}, operation.Updating, 1, 3, ""},
		"a node type is there": {scale,
			[]change{is(func(g *cache.ReplicationGroup) { g.NodeType = "large" })}, "", 0, 0,
			operation.Succeeded},
		"another node type": {scale,
			[]change{later(cache.Deferred{NodeType: "huge"})}, "", 0, 0, operation.Superseded},
		"a node type of a group that is deleted": {scale, []change{large, deleting}, "", 0, 0, operation.Cancelled},

		"a token":          {token, []change{modifying}, operation.Confirming, 0, 0, ""},
		"a token is there": {token, nil, "", 0, 0, operation.Succeeded},
		"a token on its way": {token, []change{modifying, member("g-002", func(m *cache.Member) { m.Access = "" })},
			operation.Updating, 2, 3, ""},

		"a switchover waits": {switchover,
			[]change{later(cache.Deferred{Primary: "g-002"})}, operation.InWindow, 0, 0, ""},
		"a switchover": {switchover,
			[]change{func(s *cache.Shard) { s.Promote = "g-002" }}, operation.Moving, 0, 0, ""},
		"a switchover is made": {switchover, []change{func(s *cache.Shard) { s.SetPrimary("g-002") }}, "", 0, 0,
			operation.Succeeded},
		"a switchover to another": {switchover,
			[]change{func(s *cache.Shard) { s.Promote = "g-003" }}, "", 0, 0, operation.Superseded},
		"a switchover to nobody": {switchover,
			[]change{func(s *cache.Shard) { s.Remove("g-002") }}, "", 0, 0, operation.Cancelled},
		"a switchover that larder makes": {switchover,
			[]change{is(func(g *cache.ReplicationGroup) { g.AutomaticFailover = true })},
			"", 0, 0, operation.Cancelled},

		"more replicas start": {add,
			[]change{modifying, member("g-003", func(m *cache.Member) { *m = cache.Member{ID: m.ID} })},
			operation.Starting, 1, 2, ""},
		"more replicas": {add,
			[]change{modifying, member("g-003", func(m *cache.Member) { m.Status = cache.MemberCreating })},
			operation.Syncing, 1, 2, ""},
		"more replicas are there": {add, nil, "", 0, 0, operation.Succeeded},
		"more replicas are not wanted": {add,
			[]change{leaves("g-002"), leaves("g-003")}, "", 0, 0, operation.Cancelled},
		"fewer replicas": {remove,
			[]change{leaves("g-002"), leaves("g-003")}, operation.Removing, 0, 2, ""},
		"fewer replicas, one is gone": {remove,
			[]change{leaves("g-002"), func(s *cache.Shard) { s.Remove("g-003") }}, operation.Removing, 1, 2, ""},
		"fewer replicas, and all are": {remove,
			[]change{func(s *cache.Shard) { s.Remove("g-002"); s.Remove("g-003") }}, "", 0, 0, operation.Succeeded},
		"a reboot of a primary": {reboot, []change{renewed(cache.Rebooting)}, operation.Moving, 0, 0, ""},
		"a reboot of what was one": {reboot,
			[]change{renewed(cache.Rebooting), func(s *cache.Shard) { s.SetPrimary("g-002") }},
			operation.Replacing, 0, 0, ""},
		"a reboot that is nearly there": {reboot,
			[]change{member("g-001", func(m *cache.Member) { m.Status = cache.MemberRebooting })},
			operation.Rejoining, 0, 0, ""},
		"a reboot that is": {reboot, nil, "", 0, 0, operation.Succeeded},
		"a reboot that became a failover": {reboot,
			[]change{renewed(cache.FailedOver)}, "", 0, 0, operation.Superseded},
		"a reboot of nothing": {reboot,
			[]change{func(s *cache.Shard) { s.Remove("g-001") }}, "", 0, 0, operation.Cancelled},

		"a restore": {restore,
			[]change{modifying, is(func(g *cache.ReplicationGroup) { g.Restore = "s" })},
			operation.Confirming, 0, 0, ""},
		"a restore is made": {restore, nil, "", 0, 0, operation.Succeeded},
		"a restore fails":   {restore, []change{status(cache.CreateFailed)}, "", 0, 0, operation.Failed},
	} {
		o := c.o
		o.Group = "g"
		s := o.Look(operation.Facts{Topology: group(c.changes...)})
		if s.Stage != c.stage || s.Outcome != c.outcome || s.Done != c.done || s.Total != c.total {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestLookAtASnapshot: how it ended is told by its own record.
func TestLookAtASnapshot(t *testing.T) {
	t.Parallel()
	o := operation.Operation{Group: "g", Kind: operation.Snapshot, To: "s"}
	taking := group(is(func(g *cache.ReplicationGroup) {
		g.Status, g.Snapshot = cache.Snapshotting, &cache.Backup{Name: "s"}
	}))
	of := func(s cache.Snapshot) map[string]cache.Snapshot { return map[string]cache.Snapshot{"s": s} }
	for name, c := range map[string]struct {
		f    operation.Facts
		want operation.State
	}{
		"waits": {operation.Facts{Topology: taking}, operation.State{Stage: operation.InQueue}},
		"is taken": {operation.Facts{Topology: taking, Copy: &operation.Copy{Done: 5}},
			operation.State{Stage: operation.Copying, Done: 5, Unit: operation.Bytes}},
		"another is loaded": {operation.Facts{Topology: taking, Copy: &operation.Copy{Load: true, Done: 5}},
			operation.State{Stage: operation.InQueue}},
		"is there": {operation.Facts{Topology: group(), Snapshots: of(cache.Snapshot{Status: cache.SnapshotAvailable})},
			operation.State{Outcome: operation.Succeeded}},
		"failed": {operation.Facts{Topology: group(),
			Snapshots: of(cache.Snapshot{Status: cache.SnapshotFailed, Reason: "why"})},
			operation.State{Outcome: operation.Failed, Reason: "why"}},
		"of a group that is gone": {operation.Facts{Snapshots: of(cache.Snapshot{Status: cache.SnapshotAvailable})},
			operation.State{Outcome: operation.Succeeded}},
		"is lost": {operation.Facts{Topology: group()}, operation.State{Outcome: operation.Failed,
			Reason: "the record of the snapshot is gone, or cannot be read"}},
	} {
		if got := o.Look(c.f); got != c.want {
			t.Errorf("it %s: %+v", name, got)
		}
	}
}

func TestAsked(t *testing.T) {
	t.Parallel()
	before, after := group(), group()
	asked := operation.Asked(before, after, "")
	if len(asked) != 1 || asked[0].Kind != operation.Modify || asked[0].To != "nothing" {
		t.Errorf("of a group that is as it was: %+v", asked)
	}
	after.Only().Promote = "g-002"
	if asked := operation.Asked(before, after, ""); len(asked) > 0 {
		t.Errorf("of a switchover alone: %+v", asked)
	}
	after.EngineVersion, after.AutomaticFailover, after.AuthTokens = "7.2.4", true, [][]byte{[]byte("other")}
	asked = operation.Asked(before, after, "a window")
	want := []operation.Kind{operation.Upgrade, operation.SetFailover, operation.ChangeToken, operation.Modify}
	if len(asked) != len(want) {
		t.Fatalf("%+v", asked)
	}
	for i, o := range asked {
		if o.Kind != want[i] || o.Group != "g" {
			t.Errorf("%+v, want a %s", o, want[i])
		}
	}
	if o := asked[0]; o.From != "7.0.15" || o.To != "7.2.4" {
		t.Errorf("%+v", o)
	}
	if o := asked[2]; o.From+o.To != "" {
		t.Errorf("it tells of the token: %+v", o)
	}
}
