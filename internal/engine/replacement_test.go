package engine_test

import (
	"slices"
	"testing"

	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

// messages lists the event list's, oldest first.
func (w *fixture) messages() (out []string) {
	w.t.Helper()
	err := w.config.Store.View(func(tx *store.Tx) error {
		notices, err := state.Notices(tx, zeroTime)
		for _, n := range notices {
			out = append(out, n.SourceType+" "+n.Source+": "+n.Message)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestAPrimaryHandsOverBeforeItsProcessIsReplaced: as TestFailover and RebootCacheCluster ask for; no acknowledged
// write is lost.
func TestAPrimaryHandsOverBeforeItsProcessIsReplaced(t *testing.T) {
	t.Parallel()
	failover := []string{
		"cache-cluster g-002: Failover from primary node g-001 to replica node g-002 completed",
		"replication-group g: Failover from primary node g-001 to replica node g-002 completed",
	}
	for why, want := range map[cache.Replacement][]string{
		cache.FailedOver: {"cache-cluster g-001: Recovering cache nodes 0001",
			"cache-cluster g-001: Finished recovery for cache nodes 0001"},
		cache.Rebooting: {"cache-cluster g-001: Cache node 0001 shutdown",
			"cache-cluster g-001: Cache node 0001 restarted"},
	} {
		t.Run(string(why), func(t *testing.T) {
			w := newFixture(t)
			w.create("g", 2, nil)
			rg := w.awaitAvailable("g")
			before := must(w.runtime.PIDs(t.Context()))(t)["g-001"]
			said := len(w.messages())
			ws := w.write(rg, 4)
			w.modify("g", func(rg *cache.Shard) {
				m := rg.Member("g-001")
				if m.Replacement = why; why == cache.Rebooting {
					m.Status = cache.MemberRebooting
				}
			})
			rg = w.awaitAvailable("g")
			if lost := ws.missing(t, w.client(rg.PrimaryAddress)); lost > 0 {
				t.Errorf("%d acknowledged writes are missing", lost)
			}
			if m := rg.Member("g-001"); rg.Primary().ID != "g-002" || m.Replacement != "" ||
				m.Status != cache.MemberAvailable {
				t.Errorf("the primary is %s, the old one %+v", rg.Primary().ID, m)
			}
			if now := must(w.runtime.PIDs(t.Context()))(t)["g-001"]; now == before {
				t.Error("its process is the same")
			}
			if got := w.messages()[said:]; !slices.Equal(got, append(slices.Clone(failover), want...)) {
				t.Errorf("the events are %q", got)
			}
		})
	}
}

// TestTheOneNodeOfAGroupComesBackEmpty from a reboot, and that is said.
func TestTheOneNodeOfAGroupComesBackEmpty(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, nil)
	rg := w.awaitAvailable("g")
	if err := w.client(rg.PrimaryAddress).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	w.modify("g", func(rg *cache.Shard) {
		rg.Members[0].Replacement, rg.Members[0].Status = cache.Rebooting, cache.MemberRebooting
	})
	w.awaitAvailable("g")
	if n, err := w.client(rg.PrimaryAddress).DBSize(t.Context()).Result(); n != 0 || err != nil {
		t.Errorf("it has %d keys, %v", n, err)
	}
	if w.noticed("Cache node 0001 restarted without data: no other node of the replication group was left") != 1 ||
		w.noticed("Cache node 0001 restarted") != 1 {
		t.Errorf("the events are %q", w.messages())
	}
}
