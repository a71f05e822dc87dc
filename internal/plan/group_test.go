package plan_test

import (
	"testing"

	"larder/internal/cache"
	"larder/internal/plan"
)

func TestGroup(t *testing.T) {
	both := map[string]bool{"0001": true, "0002": true}
	cases := map[string]struct {
		status   cache.Status
		settled  map[string]bool
		restore  string
		deferred bool
		window   bool
		want     plan.GroupStep // none where it is empty
	}{
		"created":                  {status: cache.Creating, settled: both, want: plan.Settle},
		"a shard is not there yet": {status: cache.Creating, settled: map[string]bool{"0001": true}},
		"modified":                 {status: cache.Modifying, settled: both, want: plan.Settle},
		"a shard is modified":      {status: cache.Modifying, settled: map[string]bool{"0002": true}},
		"nothing to do":            {status: cache.Available, settled: both},
		"restored again":           {status: cache.Available, settled: both, restore: "s", want: plan.Settle},
		"restored while snapshotting": {status: cache.Snapshotting, settled: both, restore: "s",
			want: plan.Settle},
		"snapshotting":         {status: cache.Snapshotting, settled: both, deferred: true, window: true},
		"waits for the window": {status: cache.Available, settled: both, deferred: true},
		"the window is open": {status: cache.Available, settled: both, deferred: true, window: true,
			want: plan.Maintain},
		"the window is open, a shard is ill": {status: cache.Available, deferred: true, window: true},
		"the window is open, modified": {status: cache.Modifying, settled: both, deferred: true, window: true,
			want: plan.Settle},
		"a shard still ends":   {status: cache.Deleting, settled: map[string]bool{"0001": true}},
		"ended":                {status: cache.Deleting, settled: both, restore: "s", want: plan.Forget},
		"could not be created": {status: cache.CreateFailed, settled: both, restore: "s"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			rg := &cache.ReplicationGroup{ID: "g", Status: c.status, Restore: c.restore}
			if c.deferred {
				rg.Deferred = &cache.Deferred{NodeType: "cache.m6g.large"}
			}
			group := cache.Topology{ReplicationGroup: rg, Shards: []cache.Shard{{ID: "0001"}, {ID: "0002"}}}
			step, due := plan.Group(group, plan.GroupObserved{Settled: c.settled, WindowOpen: c.window})
			if step != c.want || due != (c.want != "") {
				t.Errorf("the next step is %q (%t), want %q", step, due, c.want)
			}
		})
	}
}
