package engine_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/endpoint"
	"larder/internal/state"
	"larder/internal/store"
)

// processes are those that run, by member.
func (w *fixture) processes() map[string]int {
	w.t.Helper()
	return must(w.runtime.PIDs(w.t.Context()))(w.t)
}

// copied returns what puts back what the store holds of a group now.
func (w *fixture) copied(id string) (putBack func()) {
	w.t.Helper()
	rg := must(w.get(id))(w.t)
	var c state.Credential
	err := w.config.Store.View(func(tx *store.Tx) (err error) {
		c, err = state.Credentials.Get(tx, id)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return func() {
		w.t.Helper()
		w.put(rg)
		if err := w.config.Store.Update(func(tx *store.Tx) error {
			return state.Credentials.Put(tx, id,
				c)
		}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestAnOlderRecordOfAMove: a record from before a failover is put back while the nodes run. Clients go on with the
// data that they wrote since, and the primary that they wrote to stays.
func TestAnOlderRecordOfAMove(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 3, nil)
	w.awaitAvailable("g")
	putBack := w.copied("g")
	w.signal("g-001", 9)
	w.awaitPrimary("g", "g-001")
	rg := w.awaitAvailable("g")
	client := w.client(rg.PrimaryAddress)
	if err := client.Set(t.Context(), "since", "kept", 0).Err(); err != nil {
		t.Fatal(err)
	}
	before := w.processes()
	w.stop()
	putBack()
	w.start()
	after := w.await("g", "available with the primary there is", func(now cache.Shard, err error) bool {
		return err == nil && now.Group.Status == cache.Available && now.Primary().ID == rg.Primary().ID
	})
	if got, err := client.Get(t.Context(), "since").Result(); got != "kept" ||
		after.PrimaryAddress != rg.PrimaryAddress {
		t.Errorf("what was written since is %q: %v", got, err)
	}
	if now := w.processes(); !maps.Equal(now, before) {
		t.Errorf("processes are %v, were %v", now, before)
	}
}

// TestARecordOfAnotherGroupOfThatName: a group was deleted and made again since the record that is put back. Its nodes
// take another password: they are left alone, and the group does not read available.
func TestARecordOfAnotherGroupOfThatName(t *testing.T) {
	t.Parallel()
	for _, status := range []cache.Status{cache.Available, cache.Creating} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.create("g", 2, nil)
			w.awaitAvailable("g")
			putBack := w.copied("g")
			w.delete("g")
			w.awaitGone("g")
			w.create("g", 2, nil)
			rg := w.awaitAvailable("g")
			before := w.processes()
			restore := w.copied("g")
			w.stop()
			putBack()
			w.change("g", func(rg *cache.Shard) { rg.Group.Status = status })
			w.start()
			w.eventually("it is said, for good", func() bool {
				text, stuck := w.engine.LastError("g")
				return stuck && strings.Contains(text, "does not take the password")
			})
			if now := must(w.get("g"))(t); now.Group.Status == cache.Available || now.Group.Status == cache.CreateFailed {
				t.Errorf("the group reads %s", now.Group.Status)
			}
			if now := w.processes(); !maps.Equal(now, before) {
				t.Errorf("processes are %v, were %v", now, before)
			}
			w.stop()
			restore()
			w.start()
			w.awaitAvailable("g")
			if got := w.says(rg.PrimaryAddress, token); got != "PONG" {
				t.Errorf("afterwards it answers %s", got)
			}
		})
	}
}

// TestProcessesThatAreNotRecordedAreLeftAlone: a whole group with its relay, and a replica, that are newer than the
// record that is put back.
func TestProcessesThatAreNotRecordedAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 3, nil)
	rg := w.awaitAvailable("g")
	before := w.processes()
	w.stop()
	err := w.config.Store.Update(func(tx *store.Tx) error { return state.DeleteGroup(tx, "g", time.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	w.start()
	w.create("h", 1, func(h *cache.Shard) { // which is begun after what was adopted is looked at
		free := must(endpoint.Allocate(w.block.Prefix, nil, 20))(t)[10:]
		h.PrimaryAddress, h.ReaderAddress, h.Members[0].Address = free[0], free[1], free[2]
	})
	w.awaitAvailable("h")
	now := w.processes()
	delete(now, "h-001")
	if !maps.Equal(now, before) || w.says(rg.PrimaryAddress, token) != "PONG" ||
		w.says(rg.ReaderAddress, token) != "PONG" {
		t.Errorf("without a record of the group, processes are %v, were %v", now, before)
	}
	w.stop()
	third := rg.Members[2].Address
	rg.Remove("g-003")
	rg.Group.Status = cache.Modifying
	w.put(rg)
	w.start()
	w.awaitAvailable("g")
	if got := w.processes()["g-003"]; got != before["g-003"] || w.says(third, token) != "PONG" {
		t.Errorf("without a record of it, g-003 is process %d, was %d", got, before["g-003"])
	}
	for _, n := range w.engine.RunningNodes() {
		if n.ID == "g-003" {
			t.Error("g-003 is taken for a member")
		}
	}
}
