package cache_test

import (
	"testing"

	"larder/internal/cache"
)

// TestServer: records of an earlier larder have one number, which is the server's.
func TestServer(t *testing.T) {
	g := cache.ReplicationGroup{NodeType: "cache.t3.micro", EngineVersion: "7.0.15"}
	shard, spec := cache.Shard{Group: &g}, g.Spec()
	if shard.Apply(cache.Deferred{EngineVersion: "7.1.0", ServerVersion: "7.0.15"}); g.EngineVersion != "7.1.0" ||
		g.Server() != "7.0.15" || g.Spec() != spec {
		t.Errorf("7.1 on the same server: %+v, which takes %s", g, g.Spec())
	}
	if shard.Apply(cache.Deferred{EngineVersion: "7.2.4"}); g.EngineVersion != "7.2.4" || g.Server() != "7.2.4" ||
		g.Spec() == spec {
		t.Errorf("an upgrade that an earlier larder has put off: %+v", g)
	}
}

func TestRestorableBy(t *testing.T) {
	for _, c := range []struct {
		version, server string // of the snapshot
		engine, by      string // of the group
		want            bool
	}{
		{"7.0.15", "", "7.0.15", "7.0.15", true},
		{"7.0.15", "", "7.1.0", "7.0.15", true},
		{"7.1.0", "7.0.15", "7.0.15", "7.0.15", false},
		{"7.0.15", "7.0.15", "7.0.7", "7.2.4", true},
		{"7.0.7", "7.2.4", "7.0.15", "7.0.15", false},
		{"7.0.7", "7.2.4", "7.1.0", "7.0.15", false},
		{"7.0.15", "", "7.0.5", "7.0.5", false},
	} {
		s := cache.Snapshot{EngineVersion: c.version, ServerVersion: c.server}
		if got := s.RestorableBy(c.engine, c.by); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}
