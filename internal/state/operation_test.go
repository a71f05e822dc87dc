package state_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
)

// operationsOf are a group's, as id, kind, outcome or stage, and who asked.
func operationsOf(t *testing.T, s *store.Store, group string) (all []string) {
	t.Helper()
	err := s.View(func(tx *store.Tx) error {
		found, err := state.Operations(tx, group, func(string) *operation.Copy { return nil })
		for _, p := range found {
			so := string(p.Operation.Outcome)
			if p.Open() {
				so = string(p.Stage)
			}
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s: %s, by %s. %s", p.ID(), p.Kind, so, p.By,
				p.Operation.Reason)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// history is a store with the group g, and how it changes.
type history struct {
	*testing.T
	*store.Store
	now time.Time
}

func newHistory(t *testing.T) *history {
	return &history{t, inGroup(t, 2), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
}

// change changes the group as somebody asks for.
func (h *history) change(by string, change func(tx *store.Tx, t cache.Topology) error) {
	h.Helper()
	h.now = h.now.Add(time.Second)
	err := h.Update(func(tx *store.Tx) error {
		rg, err := state.Group(tx, "g")
		if err != nil {
			return err
		}
		if err := change(tx, rg); err != nil {
			return err
		}
		return state.PutGroup(tx, rg, operation.Origin{By: by, At: h.now})
	})
	if err != nil {
		h.Fatal(err)
	}
}

func (h *history) want(want ...string) {
	h.Helper()
	if got := operationsOf(h.T, h.Store, "g"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		h.Errorf("the operations are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestOperationsFollowTheRecords: whoever writes a group's records begins and ends its operations with them.
func TestOperationsFollowTheRecords(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.want()
	const second = "g-0002-002"
	h.change("me", func(_ *store.Tx, rg cache.Topology) error {
		rg.Status, rg.Shards[1].Promote = cache.Modifying, second
		return nil
	})
	h.want("g/1 switchover: moving the primary role, by me.")
	h.change("you", func(*store.Tx, cache.Topology) error { return nil }) // nothing that concerns it
	h.want("g/1 switchover: moving the primary role, by me.")
	h.change("larder", func(_ *store.Tx, rg cache.Topology) error {
		rg.Shards[1].Promote = ""
		rg.Shards[1].SetPrimary(second)
		rg.Shards[0].Members[2].Replacement = cache.Detached
		return nil
	})
	h.want("g/2 replace-node: replacing the process, by larder.", "g/1 switchover: succeeded, by me.")
	h.change("you", func(tx *store.Tx, rg cache.Topology) error {
		rg.Snapshot = &cache.Backup{Name: "s"}
		return state.Snapshots.Put(tx, "s", cache.Snapshot{Name: "s", Status: cache.SnapshotCreating})
	})
	h.change("larder", func(tx *store.Tx, rg cache.Topology) error {
		rg.Snapshot = nil
		return state.Snapshots.Put(tx, "s", cache.Snapshot{Name: "s", Status: cache.SnapshotFailed, Reason: "No room."})
	})
	h.change("me", func(_ *store.Tx, rg cache.Topology) error { rg.Status = cache.Deleting; return nil })
	h.want("g/4 delete-group: ending nodes, by me.",
		"g/2 replace-node: cancelled, by larder. the group is being deleted",
		"g/3 snapshot: failed, by you. No room.", "g/1 switchover: succeeded, by me.")
	err := h.Update(func(tx *store.Tx) error { return state.DeleteGroup(tx, "g", h.now.Add(time.Second)) })
	if err != nil {
		t.Fatal(err)
	}
	h.want("g/4 delete-group: succeeded, by me.",
		"g/2 replace-node: cancelled, by larder. the group is being deleted",
		"g/3 snapshot: failed, by you. No room.", "g/1 switchover: succeeded, by me.")
}

// TestOneShardsRecordsEndItsOwnOperations, and say nothing of another's.
func TestOneShardsRecordsEndItsOwnOperations(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.change("me", func(_ *store.Tx, rg cache.Topology) error {
		rg.Shards[0].Promote, rg.Shards[1].Promote = "g-0001-002", "g-0002-002"
		return nil
	})
	err := h.Update(func(tx *store.Tx) error {
		s, err := state.Shard(tx, "g", "0002")
		if err != nil {
			return err
		}
		s.SetPrimary(s.Promote)
		return state.PutShard(tx, s, operation.Origin{By: "larder", At: h.now})
	})
	if err != nil {
		t.Fatal(err)
	}
	h.want("g/1 switchover: moving the primary role, by me.", "g/2 switchover: succeeded, by me.")
}

// TestWhatCannotBeDone fails with the reason, and what the records alone do not show is begun once.
func TestWhatCannotBeDone(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	asked := operation.Operation{Group: "g", Kind: operation.Modify, To: "description"}
	for range 2 {
		h.change("me", func(tx *store.Tx, rg cache.Topology) error {
			rg.Status = cache.Modifying
			return state.BeginOperation(tx, asked, operation.Origin{By: "me", At: h.now})
		})
	}
	h.want("g/1 modify: updating nodes, by me.")
	h.change("larder", func(tx *store.Tx, _ cache.Topology) error {
		return state.FailOperation(tx, asked, "The data do not fit.", h.now)
	})
	h.want("g/1 modify: failed, by me. The data do not fit.")
}

// TestRequestsWithoutRows are those of an earlier larder: they get one, of which nobody knows who asked. Operations of
// groups that are gone end.
func TestRequestsWithoutRows(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	err := h.Update(func(tx *store.Tx) error {
		s, err := state.Shards.Get(tx, "g/0001")
		if err != nil {
			return err
		}
		s.Promote = "g-0001-003"
		if err := state.Shards.Put(tx, "g/0001", s); err != nil {
			return err
		}
		lost := operation.Operation{Group: "lost", Kind: operation.Create}
		return state.BeginOperation(tx, lost, operation.Origin{By: "me", At: h.now})
	})
	if err != nil {
		t.Fatal(err)
	}
	h.want()
	for range 2 {
		if err := h.Update(func(tx *store.Tx) error { return state.CheckOperations(tx, h.now) }); err != nil {
			t.Fatal(err)
		}
		h.want("g/1 switchover: moving the primary role, by .")
	}
	if got := operationsOf(t, h.Store, "lost"); strings.Join(got, "\n") !=
		"lost/1 create-group: cancelled, by me. the group was deleted" {
		t.Errorf("%q", got)
	}
}

// TestOperationsAreNotKeptForever: so many of a group, and of all groups that are gone.
func TestOperationsAreNotKeptForever(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	for range operation.MaxEnded + 5 {
		h.change("me", func(tx *store.Tx, _ cache.Topology) error {
			return state.BeginOperation(tx, operation.Operation{Group: "g", Kind: operation.Failover},
				operation.Origin{By: "larder", At: h.now})
		})
	}
	got := operationsOf(t, h.Store, "g")
	if newest := fmt.Sprintf("g/%d ", operation.MaxEnded+5); len(got) != operation.MaxEnded ||
		!strings.HasPrefix(got[0], newest) || !strings.HasPrefix(got[len(got)-1], "g/6 ") {
		t.Errorf("%d are kept, from %s to %s", len(got), got[0], got[len(got)-1])
	}
	for n := range operation.MaxGone + 5 {
		id := fmt.Sprintf("gone-%d", n)
		err := h.Update(func(tx *store.Tx) error {
			o := operation.Operation{Group: id, Kind: operation.Delete}
			if err := state.BeginOperation(tx, o, operation.Origin{By: "me", At: h.now}); err != nil {
				return err
			}
			return state.DeleteGroup(tx, id, h.now.Add(time.Duration(n)*time.Second))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all := operationsOf(t, h.Store, "")
	if len(all) != operation.MaxEnded+operation.MaxGone {
		t.Errorf("%d are kept of all groups", len(all))
	}
	for n, kept := range map[int]bool{0: false, 4: false, 5: true, operation.MaxGone + 4: true} {
		if got := operationsOf(t, h.Store, fmt.Sprintf("gone-%d", n)); (len(got) == 1) != kept {
			t.Errorf("of the group gone-%d: %q", n, got)
		}
	}
}

// TestAnOperationThatCannotBeRead holds nothing up, and its number is not given away.
func TestAnOperationThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	for _, key := range []string{operation.OpenKeys("g") + "000000001", operation.EndedKeys("g") + "000000002"} {
		err := h.Update(func(tx *store.Tx) error {
			return store.Table[string]("operations").Put(tx, key, "no operation")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	h.change("me", func(_ *store.Tx, rg cache.Topology) error { rg.Status = cache.Deleting; return nil })
	h.want("g/3 delete-group: ending nodes, by me.")
	if err := h.Update(func(tx *store.Tx) error { return state.DeleteGroup(tx, "g", h.now) }); err != nil {
		t.Fatal(err)
	}
	h.want("g/3 delete-group: succeeded, by me.")
	damaged, err := h.Unreadable()
	if err != nil || len(damaged) != 2 {
		t.Errorf("unreadable are %v, %v", damaged, err)
	}
}
