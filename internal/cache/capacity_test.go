package cache_test

import (
	"testing"

	"larder/internal/cache"
)

func TestOverfull(t *testing.T) {
	type nodes = []cache.NodeMemory
	for name, c := range map[string]struct {
		nodes nodes
		limit int64
		keep  int64
		fit   bool
	}{
		"nobody answers":                        {nil, 10, 0, true},
		"the data fit":                          {nodes{{Used: 9, Limit: 20}}, 10, 0, true},
		"to the byte":                           {nodes{{Used: 10, Limit: 20}}, 10, 0, true},
		"one byte too many":                     {nodes{{Used: 11, Limit: 20}}, 10, 20, false},
		"it has that limit already":             {nodes{{Used: 11, Limit: 10}}, 10, 0, false},
		"it gets more, and has too little":      {nodes{{Used: 11, Limit: 5}}, 10, 0, false},
		"it has no limit":                       {nodes{{Used: 11}}, 10, 11, false},
		"one of two, whose limit is the larger": {nodes{{Used: 11, Limit: 20}, {Used: 1, Limit: 30}}, 10, 20, false},
		"both, the larger limit is kept":        {nodes{{Used: 11, Limit: 20}, {Used: 12, Limit: 30}}, 10, 30, false},
	} {
		if got := cache.Overfull(c.nodes, c.limit); got != c.keep {
			t.Errorf("%s: %d is kept, want %d", name, got, c.keep)
		}
		if got := cache.Fit(c.nodes, c.limit); got != c.fit {
			t.Errorf("%s: they fit: %v", name, got)
		}
	}
}

func TestKeepMemory(t *testing.T) {
	for _, c := range []struct{ has, least, want string }{{"10", "0", "10"}, {"10", "10", "10"}, {"10", "11", "11"},
		{"10", "9", "10"}} {
		d := cache.Directives{Live: map[string]string{"maxmemory": c.has}}
		least, err := cache.Directives{Live: map[string]string{"maxmemory": c.least}}.MaxMemory()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.KeepMemory(least); err != nil || d.Live["maxmemory"] != c.want {
			t.Errorf("%s with at least %s is %s, %v; want %s", c.has, c.least, d.Live["maxmemory"], err, c.want)
		}
	}
	none := cache.Directives{Live: map[string]string{}}
	if _, err := none.MaxMemory(); err == nil {
		t.Error("directives without maxmemory have one")
	}
	if err := none.KeepMemory(1); err == nil {
		t.Error("directives without maxmemory can keep one")
	}
}

// TestWhichNodeTypeAGroupGoesBackTo: only from one with less memory to the one that it had.
func TestWhichNodeTypeAGroupGoesBackTo(t *testing.T) {
	types := cache.NodeTypes{"small": {MaxMemory: 1}, "large": {MaxMemory: 2}}
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
