package cache_test

import (
	"testing"

	"larder/internal/cache"
	"larder/internal/catalog"
)

// TestWhichNodeTypeAGroupGoesBackTo: only from one with less memory to the one that it had.
func TestWhichNodeTypeAGroupGoesBackTo(t *testing.T) {
	types := catalog.NodeTypes{"small": {MaxMemory: 1}, "large": {MaxMemory: 2}}
	for _, c := range []struct {
		from, to string
		down     bool
	}{{"large", "small", true}, {"small", "large", false}} {
		g := cache.ReplicationGroup{NodeType: c.from, KeptMemory: 1}
		shard := cache.Shard{Group: &g}
		shard.Apply(cache.Deferred{EngineVersion: "7.0.15"})
		if g.ScalesDown(types) || g.KeptMemory != 1 {
			t.Errorf("another engine version is taken for another node type: %+v", g)
		}
		shard.Apply(cache.Deferred{NodeType: c.to})
		if g.ScalesDown(types) != c.down || g.KeptMemory != 0 {
			t.Errorf("from %s to %s is down: %v, and %d bytes are kept", c.from, c.to, g.ScalesDown(types),
				g.KeptMemory)
		}
		if g.GiveUpScaling(); g.NodeType != c.from || g.Scaling != "" || g.ScalesDown(types) {
			t.Errorf("given up, the group is %+v", g)
		}
	}
}
