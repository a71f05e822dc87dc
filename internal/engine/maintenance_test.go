package engine_test

import (
	"strings"
	"testing"
	"time"

	"larder/internal/cache"
)

// TestTheMaintenanceWindowMakesWhatWaited: a promotion, other parameters, and failover that is turned on afterwards.
func TestTheMaintenanceWindowMakesWhatWaited(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	now := time.Now().UTC()
	closed, open := now.Add(2*time.Hour), now.Add(-time.Hour)
	window := func(begin time.Time) string {
		return strings.ToLower(begin.Format("Mon:15:04") + begin.Add(2*time.Hour).Format("-Mon:15:04"))
	}
	w.create("g", 2, func(rg *cache.Shard) {
		rg.Group.AutomaticFailover, rg.Group.MaintenanceWindow = false, window(closed)
	})
	w.awaitAvailable("g")
	w.parameters(map[string]string{"maxmemory-policy": "noeviction"}) // of the group custom
	on := true
	for _, step := range []cache.Deferred{
		{Primary: "g-002", ParameterGroup: "custom"}, {AutomaticFailover: &on, MultiAZ: &on},
	} {
		w.modify("g", func(rg *cache.Shard) {
			rg.Group.MaintenanceWindow, rg.Group.Deferred = window(closed), &step
		})
		if rg := w.awaitAvailable("g"); rg.Group.Deferred == nil {
			t.Fatal("it did not wait for the window")
		}
		w.modify("g", func(rg *cache.Shard) { rg.Group.MaintenanceWindow = window(open) })
		w.await("g", "as it was to be in the window", func(rg cache.Shard, err error) bool {
			return err == nil && rg.Group.Status == cache.Available && rg.Group.Deferred == nil && rg.Promote == "" &&
				rg.Primary().ID == "g-002" && rg.Group.ParameterGroup == "custom"
		})
	}
	rg := w.awaitAvailable("g")
	if !rg.Group.AutomaticFailover || !rg.Group.MultiAZ ||
		w.noticed("Automatic failover has been turned on for replication group g") != 1 {
		t.Errorf("failover is %v, Multi-AZ %v, or no event says so", rg.Group.AutomaticFailover, rg.Group.MultiAZ)
	}
	policy, err := w.client(rg.PrimaryAddress).Info(t.Context(), "memory").Result()
	if err != nil || !strings.Contains(policy, "maxmemory_policy:noeviction\r\n") {
		t.Errorf("the new primary has not the parameters of the window: %v\n%s", err, policy)
	}
}
