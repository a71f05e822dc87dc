package elasticache_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/services/elasticache"
	"larder/internal/servicetest"
)

// installed has a service find these servers, oldest first.
func installed(versions ...string) func(*elasticache.Config) {
	return func(c *elasticache.Config) {
		c.Versions = nil
		for _, v := range versions {
			c.Versions = append(c.Versions, catalog.EngineVersion{Version: v})
		}
	}
}

func of(version string) func(*sdk.CreateReplicationGroupInput) {
	return func(in *sdk.CreateReplicationGroupInput) { in.EngineVersion = &version }
}

// wantRelease checks what the API calls a group's version, and what runs it.
func (s *server) wantRelease(t *testing.T, id, version, runs string) {
	t.Helper()
	c := must(s.DescribeCacheClusters(t.Context(),
		&sdk.DescribeCacheClustersInput{CacheClusterId: new(id + "-001")}))(t).CacheClusters[0]
	if g := s.group(t, id); *c.EngineVersion != version || g.Server() != runs {
		t.Errorf("%s is at %s by %s, want %s by %s", id, *c.EngineVersion, g.Server(), version, runs)
	}
	if got := *c.CacheParameterGroup.CacheParameterGroupName; got != "default.redis7" {
		t.Errorf("%s has the parameter group %s", id, got)
	}
}

func TestReleaseOfANewGroup(t *testing.T) {
	for _, c := range []struct {
		servers             []string
		asked, version, has string
	}{
		{[]string{"7.0.15"}, "7.0", "7.0.15", "7.0.15"},
		{[]string{"7.0.15"}, "7.1", "7.1.0", "7.0.15"},
		{[]string{"7.2.4", "8.0.3"}, "7.0", "7.0.7", "7.2.4"},
		{[]string{"8.0.3"}, "7.1", "7.1.0", "8.0.3"},
	} {
		s := newServer(t, installed(c.servers...))
		s.available(t, "mine", 2, of(c.asked))
		s.wantRelease(t, "mine", c.version, c.has)
	}
}

func TestStrictVersions(t *testing.T) {
	s := newServer(t, installed("7.2.4"), func(c *elasticache.Config) { c.StrictVersions = true })
	in := minimal("mine")
	in.EngineVersion = new("7.1")
	_, err := s.CreateReplicationGroup(t.Context(), in)
	servicetest.WantError(t, err, combination, "Cannot find version 7.1 for redis. Installed on this machine: 7.2")
	offered := must(s.DescribeCacheEngineVersions(t.Context(),
		&sdk.DescribeCacheEngineVersionsInput{}))(t).CacheEngineVersions
	if len(offered) != 1 || *offered[0].EngineVersion != "7.2" {
		t.Errorf("offered: %v", offered)
	}
}

// TestUpgradeOnTheSameServer: 7.1 is another number for the nodes that run. They keep their processes, so that one node
// has its data afterwards.
func TestUpgradeOnTheSameServer(t *testing.T) {
	s := newServer(t, installed("7.0.15"))
	s.available(t, "mine", 1, of("7.0"))
	before := s.group(t, "mine")
	upgrade := func(version string) error {
		return s.modify(t, "mine", func(in *modify) { in.EngineVersion, in.ApplyImmediately = &version, new(true) })
	}
	if err := upgrade("7.1"); err != nil {
		t.Fatal(err)
	}
	s.wantRelease(t, "mine", "7.1.0", "7.0.15")
	if g := s.group(t, "mine"); g.Spec() != before.Spec() {
		t.Errorf("the nodes are to be %s, and were %s", g.Spec(), before.Spec())
	}
	s.settled(t, "mine")
	servicetest.WantError(t, upgrade("7.0"), combination, "Cannot modify redis from 7.1.0 to 7.0.15")
}

func TestUpgradeInTheWindow(t *testing.T) {
	s := newServer(t, installed("7.0.15"))
	s.available(t, "mine", 1, of("7.0"))
	if err := s.modify(t, "mine", func(in *modify) { in.EngineVersion = new("7.1") }); err != nil {
		t.Fatal(err)
	}
	s.wantRelease(t, "mine", "7.0.15", "7.0.15")
	s.settled(t, "mine")
	c := must(s.DescribeCacheClusters(t.Context(), &sdk.DescribeCacheClustersInput{}))(t).CacheClusters[0]
	if p := c.PendingModifiedValues; p == nil || p.EngineVersion == nil || *p.EngineVersion != "7.1.0" {
		t.Errorf("pending: %+v", p)
	}
	if err := s.modify(t, "mine", func(in *modify) { in.EngineVersion = new("7.0") }); err != nil { // takes it back
		t.Fatal(err)
	}
	if d := s.group(t, "mine").Deferred; d != nil {
		t.Errorf("waiting: %+v", d)
	}
}

// TestOtherServersThanTheGroupBeganWith: the machine has got other servers, of which none that is older can read what a
// newer has written.
func TestOtherServersThanTheGroupBeganWith(t *testing.T) {
	for name, c := range map[string]struct {
		record        cache.ReplicationGroup // as a larder of then has left it
		now           []string
		asked         string
		version, runs string
		refused       string
	}{
		"record of an earlier larder": {cache.ReplicationGroup{EngineVersion: "7.0.15"}, []string{"7.0.15"}, "7.1",
			"7.1.0", "7.0.15", ""},
		"its version, by a newer patch": {cache.ReplicationGroup{EngineVersion: "7.0.15"}, []string{"7.0.16"}, "7.0",
			"7.0.16", "7.0.16", ""},
		"its version, by a newer server": {
			cache.ReplicationGroup{EngineVersion: "7.0.15"}, []string{"7.2.4"}, "7.0", "7.0.15", "7.2.4", ""},
		"the exact server came later": {
			cache.ReplicationGroup{EngineVersion: "7.0.7", ServerVersion: "7.2.4"}, []string{"7.0.15",
				"7.2.4"}, "7.1", "7.1.0", "7.2.4", ""},
		"the group's own went": {
			cache.ReplicationGroup{EngineVersion: "7.0.7",
				ServerVersion: "7.2.4"}, []string{"7.0.15"}, "7.1", "7.0.7", "7.2.4",
			"No redis-server on this machine can run redis 7.1 with data of redis-server 7.2.4, which is newer. " +
				"Installed on this machine: 7.0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, installed(c.now...))
			s.available(t, "mine", 2, nil)
			s.update(t, "mine", func(g cache.Topology) {
				g.EngineVersion, g.ServerVersion = c.record.EngineVersion, c.record.ServerVersion
			})
			err := s.modify(t, "mine", func(in *modify) { in.EngineVersion, in.ApplyImmediately = &c.asked, new(true) })
			if c.refused != "" {
				servicetest.WantError(t, err, combination, c.refused)
			} else if err != nil {
				t.Fatal(err)
			}
			s.wantRelease(t, "mine", c.version, c.runs)
		})
	}
}

func TestSnapshotsBetweenReleases(t *testing.T) {
	for name, c := range map[string]struct {
		from, server  string // of the snapshot
		to            string
		version, runs string
		refused       string
	}{
		"7.0 as 7.1": {"7.0.15", "", "7.1", "7.1.0", "7.0.15", ""},
		"7.1 as 7.1": {"7.1.0", "7.0.15", "7.1", "7.1.0", "7.0.15", ""},
		"7.1 as 7.0": {"7.1.0", "7.0.15", "7.0", "", "",
			"Cannot restore the snapshot s of redis 7.1.0 with redis 7.0.15: choose an EngineVersion that " +
				"is not older."},
		"written by a newer server":         {"7.0.7", "7.2.4", "7.0", "7.0.7", "7.2.4", ""},
		"written by one that is older here": {"7.0.4", "", "7.0", "7.0.15", "7.0.15", ""},
		"written by one that is newer than all": {"7.0.7", "8.0.3", "7.0", "", "",
			"No redis-server on this machine can run redis 7.0 with data of redis-server 8.0.3, which is newer. " +
				"Installed on this machine: 7.0, 7.2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, installed("7.0.15", "7.2.4"))
			s.available(t, "g", 1, nil)
			s.update(t, "g", func(g cache.Topology) { g.EngineVersion, g.ServerVersion = c.from, c.server })
			s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: new("s"), ReplicationGroupId: new("g")})
			s.taken(t, "g", "s")
			in := minimal("new")
			in.SnapshotName, in.EngineVersion = new("s"), &c.to
			_, err := s.CreateReplicationGroup(t.Context(), in)
			if c.refused != "" {
				servicetest.WantError(t, err, combination, c.refused)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s.wantRelease(t, "new", c.version, c.runs)
			if got := s.snapshots(t,
				&sdk.DescribeSnapshotsInput{SnapshotName: new("s")})[0]; *got.EngineVersion != c.from {
				t.Errorf("the snapshot is of %s, want %s", *got.EngineVersion, c.from)
			}
		})
	}
}
