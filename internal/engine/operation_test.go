package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"larder/internal/cache"
	"larder/internal/operation"
	"larder/internal/redisnode"
	"larder/internal/state"
	"larder/internal/store"
)

// asker is who asks for what tests ask for.
const asker = "somebody"

func nothingCopied(string) *operation.Copy { return nil }

// checkOperations checks that an operation is open for all that a group's records show to be asked for, and for nothing
// that they show to be over.
func (w *fixture) checkOperations(tx *store.Tx, rg cache.Topology) {
	w.t.Helper()
	all, err := state.Operations(tx, rg.ID, nothingCopied)
	if err != nil {
		w.t.Error(err)
	}
	for _, o := range operation.Pending(rg) {
		covers := func(other state.Progress) bool { return other.Open() && other.Covers(o) }
		if !slices.ContainsFunc(all, covers) {
			w.t.Errorf("%s %s %v is asked for, and no operation of %+v", o.Kind, o.To, o.Members, all)
		}
	}
	for _, o := range all {
		if o.Open() && o.State.Outcome != "" {
			w.t.Errorf("%s %s is open, and is %s", o.ID(), o.Kind, o.State.Outcome)
		}
	}
}

// operations are a group's, open ones first, then the newest.
func (w *fixture) operations(id string) (all []state.Progress) {
	w.t.Helper()
	err := w.config.Store.View(func(tx *store.Tx) (err error) {
		all, err = state.Operations(tx, id, nothingCopied)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *fixture) openOperations(id string) []state.Progress {
	w.t.Helper()
	return slices.DeleteFunc(w.operations(id), func(o state.Progress) bool { return !o.Open() })
}

// ended are the operations of a group, of a kind that have ended, as from what to what, and how.
func (w *fixture) ended(id string, kind operation.Kind) (all []string) {
	w.t.Helper()
	for _, o := range w.operations(id) {
		if o.Kind == kind && !o.Open() {
			all = append(all, fmt.Sprintf("%s>%s %s %s, by %s", o.From, o.To, strings.Join(o.Members, " "),
				o.Operation.Outcome, o.By))
		}
	}
	return all
}

// checkEnded checks that nothing is open in the group g, and that its last request succeeded and is somebody's.
func (w *fixture) checkEnded(when string) {
	w.t.Helper()
	for _, o := range w.openOperations("g") {
		w.t.Errorf("%s: %s %s is open, %s", when, o.ID(), o.Kind, o.Stage)
	}
	for _, o := range w.operations("g") {
		if o.By == operation.Engine {
			continue // a node that another engine had to replace
		}
		if o.Operation.Outcome != operation.Succeeded || o.By != asker {
			w.t.Errorf("%s: %s %s %s of %q: %s", when, o.ID(), o.Kind, o.Operation.Outcome, o.By, o.Operation.Reason)
		}
		return
	}
	w.t.Errorf("%s: there was no operation", when)
}

// TestOperationsOfNodes: each is open until the nodes have done it, and succeeds.
func TestOperationsOfNodes(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, func(rg *cache.Shard) { rg.Group.AutomaticFailover = false })
	w.awaitAvailable("g")
	for _, c := range []struct {
		change func(*cache.Shard)
		kind   operation.Kind
		want   string
	}{
		{func(rg *cache.Shard) { rg.Promote = "g-002" }, operation.Switchover, "g-001>g-002 g-002"},
		{func(rg *cache.Shard) { rg.Apply(cache.Deferred{NodeType: "cache.t3.small"}) }, operation.Scale,
			"cache.t3.micro>cache.t3.small "},
		{func(rg *cache.Shard) { rg.Member("g-002").Replacement = cache.FailedOver }, operation.TestFailover, "> g-002"},
		{func(rg *cache.Shard) {
			rg.Member("g-002").Replacement, rg.Member("g-002").Status = cache.Rebooting, cache.MemberRebooting
		}, operation.Reboot, "> g-002"},
		{func(rg *cache.Shard) { rg.Member("g-002").Removing = true }, operation.RemoveReplicas, "1>0 g-002"},
	} {
		w.modify("g", c.change)
		if open := w.openOperations("g"); len(open) != 1 || open[0].Kind != c.kind || open[0].By != asker {
			t.Errorf("open is %+v, want %s", open, c.kind)
		}
		w.awaitAvailable("g")
		w.checkEnded(string(c.kind))
		if got := w.ended("g", c.kind); !slices.Equal(got, []string{c.want + " succeeded, by " + asker}) {
			t.Errorf("%s: %q", c.kind, got)
		}
	}
	w.delete("g")
	w.awaitGone("g")
	w.checkEnded("the deletion")
}

// TestHowFarASnapshotIs: the bytes that were copied are counted while it is taken.
func TestHowFarASnapshotIs(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, nil)
	fill(t, w.client(w.awaitAvailable("g").PrimaryAddress), 20_000)
	if w.engine.Copying("g") != nil || w.engine.Copying("nobody") != nil {
		t.Error("something is copied before it is asked for")
	}
	w.admin("g-001", func(n *redisnode.Node) error { // so many microseconds for each key
		_, err := n.Configure(t.Context(), map[string]string{"rdb-key-save-delay": "100"})
		return err
	})
	w.backup("g", "s", cache.SnapshotAsked)
	var seen state.Progress
	w.eventually("bytes are copied", func() bool {
		err := w.config.Store.View(func(tx *store.Tx) error {
			all, err := state.Operations(tx, "g", w.engine.Copying)
			seen = all[0]
			return err
		})
		return err == nil && seen.Stage == operation.Copying && seen.Done > 0
	})
	if seen.Kind != operation.Snapshot || seen.Unit != operation.Bytes || seen.Total != 0 {
		t.Errorf("it is seen as %+v", seen)
	}
	w.awaitSnapshot("s", cache.SnapshotAvailable)
	w.awaitAvailable("g")
	w.checkEnded("the snapshot")
	if w.engine.Copying("g") != nil {
		t.Error("something is copied still")
	}
}

// TestARequestOfAnEarlierLarder has no row. It gets one when the engine starts, of which nobody knows who asked, and
// which ends as any other.
func TestARequestOfAnEarlierLarder(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, func(rg *cache.Shard) { rg.Group.AutomaticFailover = false })
	w.awaitAvailable("g")
	w.stop()
	err := w.config.Store.Update(func(tx *store.Tx) error {
		s, err := state.Shard(tx, "g", cache.FirstShard)
		if err != nil {
			return err
		}
		s.Promote, s.Group.Status = "g-002", cache.Modifying
		if err := state.ReplicationGroups.Put(tx, "g", *s.Group); err != nil {
			return err
		}
		return state.Shards.Put(tx, s.RowKey(), s)
	})
	if err != nil {
		t.Fatal(err)
	}
	w.start()
	w.awaitAvailable("g")
	if got := w.ended("g", operation.Switchover); !slices.Equal(got, []string{"g-001>g-002 g-002 succeeded, by "}) {
		t.Errorf("%q", got)
	}
}
