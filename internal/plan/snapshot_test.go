package plan_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/plan"
)

// backup makes a group one that has a snapshot to take, of that member or of its primary.
func backup(s cache.Status, member string) change {
	return func(g *cache.Shard) {
		lived(g)
		g.Group.Status, g.Group.Snapshot = s, &cache.Backup{Name: "s", Member: member}
	}
}

func TestPlanTakesSnapshots(t *testing.T) {
	two := []plan.NodeState{primary(11, primaryEndpoint), synced(11, 12, readerEndpoint)}
	checkPlans(t, map[string]planCase{
		"of the primary": {members: 2, change: backup(cache.Snapshotting, ""), nodes: two, verified: true,
			want: []plan.Step{step(plan.TakeSnapshot, "g-001")}},
		"of the member that it was asked of": {members: 2, change: backup(cache.Snapshotting, "g-002"), nodes: two,
			verified: true,
			want:     []plan.Step{step(plan.TakeSnapshot, "g-002")}},
		"of the primary when that member is gone": {members: 2, change: backup(cache.Snapshotting, "g-009"), nodes: two,
			verified: true,
			want:     []plan.Step{step(plan.TakeSnapshot, "g-001")}},
		"one at a time": {members: 2, change: backup(cache.Snapshotting, ""), nodes: two, verified: true,
			snapshotJob: true, settled: true},
		"when the group is whole again": {members: 2, change: backup(cache.Snapshotting, ""), nodes: two[:1],
			verified: true,
			want: []plan.Step{step(plan.StartNode, "g-002"),
				serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
		"and repairs beside it": {members: 2, change: backup(cache.Snapshotting, ""), nodes: two[:1], verified: true,
			snapshotJob: true,
			want: []plan.Step{step(plan.StartNode, "g-002"),
				serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
	})
}

func TestPlanTakesAFinalSnapshot(t *testing.T) {
	final := backup(cache.Deleting, "")
	checkPlans(t, map[string]planCase{
		"of the primary, before anything ends": {members: 2, change: final,
			nodes: []plan.NodeState{primary(11), synced(11, 12)},
			want:  []plan.Step{step(plan.TakeSnapshot, "g-001")}},
		"of the primary, when a replica seems ahead": {members: 2, change: final,
			nodes: []plan.NodeState{primary(11), func() plan.NodeState { s := synced(11, 12); s.Offset += 14; return s }()},
			want:  []plan.Step{step(plan.TakeSnapshot, "g-001")}},
		"and waits for it": {members: 2, change: final, nodes: []plan.NodeState{primary(11), synced(11, 12)},
			snapshotJob: true},
		"of a primary that does not answer, to say so": {members: 2, change: final,
			nodes: []plan.NodeState{hung(), synced(11, 12)},
			want:  []plan.Step{step(plan.TakeSnapshot, "g-001")}},
		"of a replica when the primary hangs": {members: 2, change: final,
			nodes: []plan.NodeState{stuck(), synced(11, 12)},
			want:  []plan.Step{step(plan.Fence, "g-001")}},
		"of a replica in the end": {members: 3, change: final,
			nodes: []plan.NodeState{{}, cut(11, 90, 12), cut(11, 95, 13)},
			want:  []plan.Step{step(plan.Promote, "g-003")}},
		"of a replica that was promoted": {members: 2, change: final, nodes: []plan.NodeState{{}, primary(12)},
			want: []plan.Step{step(plan.TakeSnapshot, "g-002")}},
		"not of a primary that came back empty": {members: 2, change: final,
			nodes: []plan.NodeState{up(), cut(11, 90, 12)},
			want:  []plan.Step{step(plan.Promote, "g-002")}},
		"of one that is suspended, when it goes on": {members: 2, change: final,
			nodes: []plan.NodeState{suspended(), suspended()},
			want:  []plan.Step{step(plan.Resume, "g-001")}},
		"also of a replica": {members: 2, change: final, nodes: []plan.NodeState{{}, suspended()},
			want: []plan.Step{step(plan.Resume, "g-002")}},
		"of the one that may have data": {members: 2, change: final, nodes: []plan.NodeState{{}, hung()},
			want: []plan.Step{step(plan.TakeSnapshot, "g-002")}},
		"unless nobody has": {members: 2, change: final, nodes: []plan.NodeState{{}, up()},
			want: []plan.Step{step(plan.AbandonSnapshot, "")}},
		"and then ends": {members: 1, change: status(cache.Deleting), nodes: []plan.NodeState{primary(11)},
			want: []plan.Step{step(plan.StopNode, "g-001")}},
	})
}

func TestPlanRestores(t *testing.T) {
	from := func(g *cache.Shard) { g.Group.Restore = "s" }
	checkPlans(t, map[string]planCase{
		"an empty primary": {members: 2, change: from, nodes: []plan.NodeState{up(), up()},
			want: []plan.Step{step(plan.LoadSnapshot, "g-001")}},
		"beside what else is to start": {members: 2, change: from, nodes: []plan.NodeState{up()},
			want: []plan.Step{step(plan.LoadSnapshot, "g-001"), step(plan.StartNode, "g-002")}},
		"while it loads": {members: 1, change: from, nodes: []plan.NodeState{follows(99)}, snapshotJob: true,
			loading: true},
		"when it has loaded and its role is being decided": {members: 1, change: from,
			nodes: []plan.NodeState{synced(99)}, snapshotJob: true, loading: true},
		"what was left half loaded, again": {members: 1, change: from, nodes: []plan.NodeState{follows(99)},
			want: []plan.Step{step(plan.LoadSnapshot, "g-001")}},
		"and then serves": {members: 1, change: from,
			nodes: []plan.NodeState{func() plan.NodeState { s := up(); s.Offset = 1; return s }()},
			want:  []plan.Step{serve("g-001", 11, primaryEndpoint, readerEndpoint)}},
		"once the group has been, what nobody has any more": {members: 2, change: lived, restoreSource: "s",
			nodes: []plan.NodeState{up(), up()},
			want:  []plan.Step{{Kind: plan.RestoreSnapshot, Member: "g-001", Snapshot: "s"}}},
		"and then the same": {members: 2, change: func(g *cache.Shard) { lived(g); from(g) }, restoreSource: "s",
			nodes: []plan.NodeState{up(), up()},
			want:  []plan.Step{step(plan.LoadSnapshot, "g-001")}},
		"not while one may have it": {members: 2, change: lived, restoreSource: "s", nodes: []plan.NodeState{up(), hung()}},
		"nothing, once it is not to": {members: 1, change: func(g *cache.Shard) { lived(g); from(g) },
			nodes: []plan.NodeState{up()},
			want: []plan.Step{{Kind: plan.Serve, Member: "g-001",
				Addresses: addrs(11, primaryEndpoint, readerEndpoint), DataLost: true}}},
		"nobody fails over to wait for a snapshot that is being taken": {members: 3, relay: backends(12, 13),
			snapshotJob: true,
			change:      func(g *cache.Shard) { backup(cache.Snapshotting, "g-003")(g); from(g) },
			nodes:       []plan.NodeState{{}, cut(11, 100, 12), cut(11, 100, 13)},
			want:        []plan.Step{failover("g-002", 12, primaryEndpoint)}},
		"when the snapshot that was being taken has ended": {members: 1, snapshotJob: true, restoreSource: "s",
			change: func(g *cache.Shard) { backup(cache.Snapshotting, "")(g); from(g) },
			nodes:  []plan.NodeState{up()}},
		"not over a replica's data": {members: 2,
			change: func(g *cache.Shard) { from(g); g.Group.AutomaticFailover = false },
			nodes:  []plan.NodeState{up(), cut(11, 90, 12)}, want: []plan.Step{step(plan.Promote, "g-002")}},
	})
}

// restoredData is what a group begins with that is made of a snapshot.
var restoredData = []int{0}

// snapshotJob is a snapshot on its way from a server, or into one.
type snapshotJob struct {
	server *server
	load   bool
}

// begin starts a snapshotJob. A server that is hung or gone fails it later.
func (w *model) begin(s plan.Step) {
	n := w.servers[s.Member]
	switch {
	case w.snapshotJob != nil:
		w.Fatalf("%v while another snapshotJob goes on", s)
	case s.Kind == plan.LoadSnapshot && (w.g.Group.Restore == "" || n != nil && (len(n.data) > 0 || len(n.serves) > 0)):
		w.Fatalf("%v: %s", s, w)
	case s.Kind == plan.TakeSnapshot && w.g.Group.Snapshot == nil:
		w.Fatalf("%v, which nobody asked for", s)
	}
	w.snapshotJob = &snapshotJob{n, s.Kind == plan.LoadSnapshot}
	if w.snapshotJob.load && n != nil && !n.hung {
		n.role, n.source, n.follows = cache.Replica, nil, netip.MustParseAddrPort("127.0.0.1:9")
	}
}

// fallBack has the group made of a snapshot, which it may be only when nobody has its data.
func (w *model) fallBack(s plan.Step) {
	for _, n := range w.servers {
		if len(n.data) > 0 && (n.synced || len(n.serves) > 0) {
			w.Fatalf("%v, and %s has data: %s", s, n.id, w)
		}
	}
	w.g.Group.Restore = s.Snapshot
}

// carry brings a snapshotJob to its end, or not yet.
func (w *model) carry() {
	t := w.snapshotJob
	if t == nil || !w.calm && rapid.Bool().Draw(w.T, "still transferring") {
		return
	}
	w.snapshotJob = nil
	if !w.calm && rapid.IntRange(0, 9).Draw(w.T, "snapshotJob fails") == 0 {
		w.ended(errors.New("it failed"), t)
		return
	}
	if t.server == nil || w.servers[t.server.id] != t.server || t.server.hung {
		w.ended(errors.New("the node does not answer"), t)
		return
	}
	if !t.load && t.server.role == cache.Replica && t.server.source == nil {
		w.ended(errors.New("a replica without a link gives no copy"), t)
		return
	}
	if t.load {
		t.server.role, t.server.follows = cache.Primary, netip.AddrPort{}
		t.server.data, t.server.synced = slices.Clone(restoredData), true
		t.server.history = plan.History{ID: w.newStream()}
		return
	}
	w.kept = slices.Clone(t.server.data)
	w.ended(nil, t)
}

// ended ends a snapshot, which is tried again only where somebody wants to keep what is about to be deleted.
func (w *model) ended(err error, t *snapshotJob) {
	if t.load || err != nil && w.g.Group.Status == cache.Deleting {
		return
	}
	w.abandon()
}

func (w *model) abandon() {
	w.g.Group.Snapshot = nil
	w.fire(cache.SnapshotEnded)
}

// backup asks for a snapshot of the primary or of any member.
func (w *model) backup() {
	members := []string{""}
	for _, m := range w.g.Members {
		members = append(members, m.ID)
	}
	w.g.Group.Snapshot = &cache.Backup{Name: "s", Member: rapid.SampledFrom(members).Draw(w.T, "of")}
}

// checkFinalSnapshot deletes a settled group, of which some processes die before the snapshot is taken: as long as one
// is left that has the data, the snapshot has them.
func (w *model) checkFinalSnapshot() {
	want := slices.Clone(w.servers[w.g.Primary().ID].data)
	w.g.Group.Status, w.g.Group.Snapshot, w.kept = cache.Deleting, &cache.Backup{Name: "s"}, nil
	for _, s := range w.sorted() {
		if rapid.Bool().Draw(w.T, "dies") {
			w.kill(s)
		}
	}
	survivors := len(w.servers)
	for range 10 {
		w.carry()
		steps, _ := plan.Shard(plan.Desired{Shard: w.g, Parameters: w.parameters}, w.observe())
		if w.g.Group.Snapshot == nil {
			break
		}
		for _, s := range steps {
			if err := w.run(s); err != nil {
				w.Fatal(err)
			}
		}
		if len(w.servers) != survivors {
			w.Fatal("a process was ended before the snapshot was taken")
		}
	}
	if w.g.Group.Snapshot != nil {
		w.Fatal("the snapshot was not taken")
	}
	if survivors > 0 && !slices.Equal(w.kept, want) {
		w.Fatalf("the snapshot holds %v, want %v", w.kept, want)
	}
}
