package engine_test

import (
	"slices"
	"syscall"
	"testing"

	"larder/internal/cache"
)

// TestALeavingReplicaThatAloneHasTheDataGivesThemOn: the other nodes die while no engine runs that could have ended it.
func TestALeavingReplicaThatAloneHasTheDataGivesThemOn(t *testing.T) {
	for name, c := range map[string]struct {
		members  int
		failover bool
	}{"it becomes primary": {3, true}, "it is copied": {2, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.create("g", c.members, func(rg *cache.Shard) { rg.Group.AutomaticFailover = c.failover })
			rg := w.awaitAvailable("g")
			client := w.client(rg.PrimaryAddress)
			if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
				t.Fatal(err)
			}
			if n, err := client.Wait(t.Context(), c.members-1, 0).Result(); int(n) != c.members-1 || err != nil {
				t.Fatalf("%d replicas have it: %v", n, err)
			}
			pids := must(w.runtime.PIDs(t.Context()))(t)
			w.stop()
			removed := cache.MemberID("g", c.members)
			w.modify("g", func(rg *cache.Shard) { rg.Member(removed).Removing = true })
			for _, m := range rg.Members {
				if m.ID == removed {
					continue
				}
				if err := syscall.Kill(pids[m.ID], syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
			w.start()
			rg = w.awaitAvailable("g")
			if got, err := client.Get(t.Context(), "k").Result(); got != "v" {
				t.Errorf("the key is %q: %v", got, err)
			}
			if slices.ContainsFunc(rg.Members, func(m cache.Member) bool { return m.ID == removed }) {
				t.Error("it has not left")
			}
			if now := must(w.runtime.PIDs(t.Context()))(t); now[removed] != 0 {
				t.Error("its process is left")
			}
		})
	}
}
