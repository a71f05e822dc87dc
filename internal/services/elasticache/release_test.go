package elasticache_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

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
	family := "redis7"
	if strings.HasPrefix(version, "6.") {
		family = "redis6.x"
	}
	if got := *c.CacheParameterGroup.CacheParameterGroupName; got != "default."+family {
		t.Errorf("%s has the parameter group %s, want default.%s", id, got, family)
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
		{[]string{"7.0.15"}, "6.0", "6.0.5", "7.0.15"},
		{[]string{"7.0.15", "7.2.4"}, "6.2", "6.2.6", "7.0.15"},
		{[]string{"7.0.15"}, "6.x", "6.2.6", "7.0.15"},
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

// TestUpgradeToAnotherFamily: a group with AWS's own parameters follows to those of the new family, and keeps its nodes
// where one server runs both versions. There is no way back.
func TestUpgradeToAnotherFamily(t *testing.T) {
	s := newServer(t, installed("7.0.15"))
	s.available(t, "mine", 1, of("6.0"))
	upgrade := func(version string) error {
		return s.modify(t, "mine", func(in *modify) { in.EngineVersion, in.ApplyImmediately = &version, new(true) })
	}
	for _, to := range []struct{ asked, version string }{{"6.x", "6.2.6"}, {"7.0", "7.0.15"}, {"7.1", "7.1.0"}} {
		before := s.group(t, "mine")
		if err := upgrade(to.asked); err != nil {
			t.Fatal(err)
		}
		s.wantRelease(t, "mine", to.version, "7.0.15")
		if g := s.group(t, "mine"); g.Spec() != before.Spec() {
			t.Errorf("the nodes are to be %s, and were %s", g.Spec(), before.Spec())
		}
		s.settled(t, "mine")
	}
	servicetest.WantError(t, upgrade("6.x"), combination, "Cannot modify redis from 7.1.0 to 6.2.6")
	servicetest.WantError(t, upgrade("6.0"), combination, "Cannot modify redis from 7.1.0 to 6.0.5")
}

// TestUpgradeWithOwnParameters needs a parameter group of the new family in the same request.
func TestUpgradeWithOwnParameters(t *testing.T) {
	s := newServer(t, installed("7.0.15"))
	for name, family := range map[string]string{"six": "redis6.x", "seven": "redis7"} {
		in := parameterGroup(name)
		in.CacheParameterGroupFamily = &family
		must(s.CreateCacheParameterGroup(t.Context(), in))(t)
	}
	const (
		wants6 = "Expected a parameter group of family redis6.x but found one of family redis7"
		wants7 = "Expected a parameter group of family redis7 but found one of family redis6.x"
	)
	in := minimal("mine")
	in.EngineVersion, in.CacheParameterGroupName = new("6.2"), new("seven")
	_, err := s.CreateReplicationGroup(t.Context(), in)
	servicetest.WantError(t, err, combination, wants6)
	s.available(t, "mine", 1, func(in *sdk.CreateReplicationGroupInput) {
		in.EngineVersion, in.CacheParameterGroupName = new("6.2"), new("six")
	})
	servicetest.WantError(t, s.modify(t, "mine", func(in *modify) { in.CacheParameterGroupName = new("seven") }),
		combination, wants6)
	servicetest.WantError(t, s.modify(t, "mine", func(in *modify) { in.EngineVersion = new("7.1") }), combination, wants7)
	if err := s.modify(t, "mine", func(in *modify) { in.ReplicationGroupDescription = new("another") }); err != nil {
		t.Fatal(err)
	}
	s.settled(t, "mine")
	if err := s.modify(t, "mine", func(in *modify) {
		in.EngineVersion, in.CacheParameterGroupName = new("7.1"), new("seven")
	}); err != nil {
		t.Fatal(err)
	}
	s.settled(t, "mine")
	servicetest.WantError(t, s.modify(t, "mine", func(in *modify) { in.EngineVersion = new("6.2") }), combination, wants6)
	if err := s.modify(t, "mine", func(in *modify) { // takes it back
		in.EngineVersion, in.CacheParameterGroupName = new("6.2"), new("six")
	}); err != nil {
		t.Fatal(err)
	}
	if d := s.group(t, "mine").Deferred; d != nil {
		t.Errorf("waiting: %+v", d)
	}
}

// TestVersionsOffered names each version's family, and offers none of which only a newer server is there where that is
// not wanted.
func TestVersionsOffered(t *testing.T) {
	offered := func(s *server, family *string) (all []string) {
		for _, v := range must(s.DescribeCacheEngineVersions(t.Context(),
			&sdk.DescribeCacheEngineVersionsInput{CacheParameterGroupFamily: family}))(t).CacheEngineVersions {
			all = append(all, *v.EngineVersion+" "+*v.CacheParameterGroupFamily)
		}
		return all
	}
	s := newServer(t, installed("7.0.15"))
	for family, want := range map[string]string{
		"":         "6.0 redis6.x, 6.2 redis6.x, 7.0 redis7, 7.1 redis7",
		"redis6.x": "6.0 redis6.x, 6.2 redis6.x", "redis7": "7.0 redis7, 7.1 redis7", "redis5.0": "",
	} {
		if got := strings.Join(offered(s, &family), ", "); got != want {
			t.Errorf("of the family %q: %s, want %s", family, got, want)
		}
	}
	strict := newServer(t, installed("7.0.15"), func(c *elasticache.Config) { c.StrictVersions = true })
	if got := strings.Join(offered(strict, nil), ", "); got != "7.0 redis7, 7.1 redis7" {
		t.Errorf("strictly: %s", got)
	}
	in := minimal("mine")
	in.EngineVersion = new("6.x")
	_, err := strict.CreateReplicationGroup(t.Context(), in)
	servicetest.WantError(t, err, combination, "Cannot find version 6.x for redis. Installed on this machine: 7.0")
}

// TestEngineLogByVersion: 6.0 has a slow log alone.
func TestEngineLogByVersion(t *testing.T) {
	s := newServer(t, installed("7.0.15"))
	for version, refused := range map[string]string{
		"6.0": "The engine log is delivered from engine version 6.2 on, and the replication group g60 has 6.0.5.",
		"6.2": "",
	} {
		in := minimal("g" + strings.ReplaceAll(version, ".", ""))
		in.EngineVersion = &version
		in.LogDeliveryConfigurations = []types.LogDeliveryConfigurationRequest{{
			LogType: types.LogTypeEngineLog, LogFormat: types.LogFormatJson,
			DestinationType: types.DestinationTypeCloudWatchLogs,
			DestinationDetails: &types.DestinationDetails{
				CloudWatchLogsDetails: &types.CloudWatchLogsDestinationDetails{LogGroup: new("logs")}},
		}}
		_, err := s.CreateReplicationGroup(t.Context(), in)
		if refused != "" {
			servicetest.WantError(t, err, combination, refused)
		} else if err != nil {
			t.Error(err)
		}
	}
}
