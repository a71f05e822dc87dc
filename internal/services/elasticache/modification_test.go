package elasticache_test

import (
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/servicetest"
	"larder/internal/state"
)

// available makes a group of n nodes that the engine has brought up.
func (s *server) available(t *testing.T, id string, n int32, change func(*sdk.CreateReplicationGroupInput)) {
	t.Helper()
	in := minimal(id)
	in.NumCacheClusters = &n
	if change != nil {
		change(in)
	}
	s.create(t, in)
	s.settled(t, id)
}

// settled records what the engine would after a change.
func (s *server) settled(t *testing.T, id string) {
	t.Helper()
	s.update(t, id, func(g cache.Topology) {
		g.Status, g.MembersModified = cache.Available, false
		for i := range g.Only().Members {
			g.Only().Members[i].Status, g.Only().Members[i].Created = cache.MemberAvailable, s.now
			g.Only().Members[i].Spec, g.Only().Members[i].Access = g.Spec(), cache.AccessFingerprint(g.AuthTokens)
		}
	})
}

type modify = sdk.ModifyReplicationGroupInput

func (s *server) modify(t *testing.T, id string, change func(*modify)) error {
	t.Helper()
	in := &modify{ReplicationGroupId: &id}
	change(in)
	_, err := s.ModifyReplicationGroup(t.Context(), in)
	return err
}

func TestModifications(t *testing.T) {
	s := newServer(t)
	secure := func(in *sdk.CreateReplicationGroupInput) {
		in.TransitEncryptionEnabled, in.AuthToken = new(true), new(authToken)
	}
	s.available(t, "mine", 2, secure)
	for name, c := range map[string]struct {
		change func(*modify)
		is     func(cache.Topology) bool
	}{
		"description": {func(in *modify) { in.ReplicationGroupDescription = new("other") },
			func(g cache.Topology) bool { return g.Description == "other" }},
		"failover": {func(in *modify) {
			in.AutomaticFailoverEnabled, in.MultiAZEnabled, in.ApplyImmediately = new(true), new(true), new(true)
		},
			func(g cache.Topology) bool { return g.AutomaticFailover && g.MultiAZ }},
		"windows": {func(in *modify) {
			in.SnapshotWindow, in.PreferredMaintenanceWindow = new("01:00-02:00"), new("Mon:05:00-Mon:06:00")
		},
			func(g cache.Topology) bool {
				return g.SnapshotWindow == "01:00-02:00" && g.MaintenanceWindow == "mon:05:00-mon:06:00"
			}},
		"retention": {func(in *modify) {
			in.SnapshotRetentionLimit, in.SnapshottingClusterId = new(int32(3)),
				new("mine-001")
		},
			func(g cache.Topology) bool {
				return g.SnapshotRetentionLimit == 3 && g.SnapshottingCluster == "mine-001"
			}},
		"node type": {func(in *modify) { in.CacheNodeType, in.ApplyImmediately = new("cache.r6g.large"), new(true) },
			func(g cache.Topology) bool { return g.NodeType == "cache.r6g.large" && g.Deferred == nil }},
		"node type in the window": {func(in *modify) { in.CacheNodeType = new("cache.r6g.xlarge") },
			func(g cache.Topology) bool {
				return g.Deferred != nil && g.Deferred.NodeType == "cache.r6g.xlarge"
			}},
		"security groups": {func(in *modify) { in.SecurityGroupIds = []string{"sg-2"} },
			func(g cache.Topology) bool { return slices.Equal(g.SecurityGroupIDs, []string{"sg-2"}) }},
		"topic": {func(in *modify) {
			in.NotificationTopicArn, in.NotificationTopicStatus = new("arn:aws:sns:us-east-1:123456789012:t"), new("inactive")
		}, func(g cache.Topology) bool { return g.NotificationTopicARN != "" && g.NotificationsOff }},
		"rotate": {func(in *modify) { in.AuthToken, in.ApplyImmediately = new("another-0123456789"), new(true) },
			func(g cache.Topology) bool { return len(g.AuthTokens) == 2 }},
		"set": {func(in *modify) {
			in.AuthToken, in.ApplyImmediately, in.AuthTokenUpdateStrategy = new("another-0123456789"), new(true),
				types.AuthTokenUpdateStrategyTypeSet
		}, func(g cache.Topology) bool { return len(g.AuthTokens) == 1 }},
		"logs": {func(in *modify) {
			in.ApplyImmediately = new(true)
			in.LogDeliveryConfigurations = []types.LogDeliveryConfigurationRequest{{
				LogType: types.LogTypeSlowLog, LogFormat: types.LogFormatJson,
				DestinationType: types.DestinationTypeCloudWatchLogs,
				DestinationDetails: &types.DestinationDetails{
					CloudWatchLogsDetails: &types.CloudWatchLogsDestinationDetails{LogGroup: new("/x")}},
			}}
		}, func(g cache.Topology) bool {
			return len(g.LogDeliveries) == 1 && g.LogDeliveries[0].Status == "enabling"
		}},
		"parameter group": {func(in *modify) { in.CacheParameterGroupName = new("default.redis7") },
			func(g cache.Topology) bool { return g.ParameterGroup == "default.redis7" }},
	} {
		t.Run(name, func(t *testing.T) {
			if err := s.modify(t, "mine", c.change); err != nil {
				t.Fatal(err)
			}
			if g := s.group(t, "mine"); g.Status != cache.Modifying || !c.is(g) {
				t.Errorf("got %+v", g)
			}
			servicetest.WantError(t, s.modify(t, "mine", c.change), "InvalidReplicationGroupState",
				"Replication group must be in available state to modify.")
			s.settled(t, "mine")
		})
	}
}

// A change of the security groups is an event of every member, of which the group's topic is told; the same ones again
// are none.
func TestSecurityGroupsChangedIsAnEvent(t *testing.T) {
	s := newServer(t)
	s.available(t, "mine", 2, nil)
	var got []string
	for range 2 {
		if err := s.modify(t, "mine", func(in *modify) { in.SecurityGroupIds = []string{"sg-2"} }); err != nil {
			t.Fatal(err)
		}
		s.settled(t, "mine")
	}
	for _, e := range must(s.DescribeEvents(t.Context(),
		&sdk.DescribeEventsInput{SourceType: types.SourceTypeCacheCluster}))(t).Events {
		got = append(got, *e.SourceIdentifier+" "+*e.Message)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"mine-001 Applied change to security group",
		"mine-002 Applied change to security group"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestModificationsThatAreRefused(t *testing.T) {
	s := newServer(t)
	s.available(t, "one", 1, nil)
	s.available(t, "two", 2, func(in *sdk.CreateReplicationGroupInput) { in.AutomaticFailoverEnabled = new(true) })
	for name, c := range map[string]struct {
		group      string
		change     func(*modify)
		code, text string
	}{
		"failover alone": {"one", func(in *modify) { in.AutomaticFailoverEnabled = new(true) }, combination,
			"Replication group must have at least one read replica to enable autofailover."},
		"overlap": {"one", func(in *modify) {
			in.SnapshotWindow, in.PreferredMaintenanceWindow = new("05:00-06:00"), new("sun:05:00-sun:06:00")
		}, value, "The snapshot window and maintenance window must not overlap."},
		"retention": {"one", func(in *modify) { in.SnapshotRetentionLimit = new(int32(1)) }, combination,
			"Must specify both SnapshotRetentionLimit and SnapshottingClusterId to turn on snapshots"},
		"snapshotting": {"one", func(in *modify) { in.SnapshottingClusterId = new("two-001") },
			"CacheClusterNotFound", "Specified snapshotting cluster does not exist"},
		"downgrade": {"one", func(in *modify) { in.EngineVersion = new("7.0") }, combination,
			"Cannot modify redis from 7.2.4 to 7.0.15"},
		"token without TLS": {"one", func(in *modify) {
			in.AuthToken, in.ApplyImmediately = new("0123456789abcdef"),
				new(true)
		}, value, "The AUTH token modification is only supported when encryption-in-transit is enabled."},
		"strategy delete": {"one",
			func(in *modify) { in.AuthTokenUpdateStrategy = types.AuthTokenUpdateStrategyTypeDelete }, value,
			"Auth token update strategy delete is not supported currently"},
		"logs later": {"one", func(in *modify) {
			in.LogDeliveryConfigurations = []types.LogDeliveryConfigurationRequest{{LogType: types.LogTypeSlowLog}}
		}, value, "To modify the log delivery configuration, set the apply-immediately parameter to true."},
		"promotion": {"two", func(in *modify) { in.PrimaryClusterId = new("two-002") }, combination,
			"Cannot promote a replica while automatic failover is enabled: set AutomaticFailoverEnabled to " +
				"false first."},
		"promotion of other": {"two", func(in *modify) { in.PrimaryClusterId = new("one-001") }, "CacheClusterNotFound",
			"CacheCluster not found: one-001"},
		"unknown group": {"three", func(*modify) {}, "ReplicationGroupNotFoundFault",
			"Replication group three not found."},
	} {
		t.Run(name, func(t *testing.T) {
			servicetest.WantError(t, s.modify(t, c.group, c.change), c.code, c.text)
			if c.group != "three" && s.group(t, c.group).Status != cache.Available {
				t.Error("a refused change left the group modifying")
			}
		})
	}
}

func TestReplicaCounts(t *testing.T) {
	s := newServer(t)
	s.available(t, "mine", 2, nil)
	up := func(n int32) error {
		_, err := s.IncreaseReplicaCount(t.Context(),
			&sdk.IncreaseReplicaCountInput{ReplicationGroupId: new("mine"), NewReplicaCount: &n,
				ApplyImmediately: new(true)})
		return err
	}
	down := func(n int32) error {
		_, err := s.DecreaseReplicaCount(t.Context(),
			&sdk.DecreaseReplicaCountInput{ReplicationGroupId: new("mine"), NewReplicaCount: &n,
				ApplyImmediately: new(true)})
		return err
	}
	servicetest.WantError(t, up(1), "NoOperationFault",
		"Requested new replica count already matches current number of replicas.")
	servicetest.WantError(t, up(6), value, "The number of replicas per node group must be within 0 and 5.")
	if err := up(3); err != nil {
		t.Fatal(err)
	}
	g := s.group(t, "mine")
	if len(g.Only().Members) != 4 || g.Only().Members[2].ID != "mine-003" || g.Only().Members[2].Zone != "us-east-1c" ||
		g.Only().Members[3].Role != cache.Replica {
		t.Errorf("got %+v", g.Only().Members)
	}
	s.settled(t, "mine")
	s.update(t, "mine",
		func(g cache.Topology) { g.Only().SetPrimary("mine-004"); g.SnapshottingCluster = "mine-003" })
	if err := down(1); err != nil {
		t.Fatal(err)
	}
	var removing []string
	g = s.group(t, "mine")
	for _, m := range g.Only().Members {
		if m.Removing {
			removing = append(removing, m.ID)
		}
	}
	if !slices.Equal(removing, []string{"mine-002", "mine-003"}) || g.SnapshottingCluster != "mine-004" {
		t.Errorf("%v leave, backups are taken of %s", removing, g.SnapshottingCluster)
	}
	s.update(t, "mine", func(g cache.Topology) {
		g.Only().Remove("mine-002")
		g.Only().Remove("mine-003")
		g.AutomaticFailover = true
	})
	s.settled(t, "mine")
	servicetest.WantError(t, down(0), value,
		"Must have at least 1 replica when cluster mode is disabled with auto failover enabled.")
	_, err := s.DecreaseReplicaCount(t.Context(),
		&sdk.DecreaseReplicaCountInput{ReplicationGroupId: new("mine"), ReplicasToRemove: []string{"mine-001"},
			ApplyImmediately: new(true)})
	servicetest.WantError(t, err, value,
		"Must have at least 1 replica when cluster mode is disabled with auto failover enabled.")
}

// Whoever rotates to the same token again, because the first answer was lost, does not shut out the clients of the
// older one. A group whose first token it is lets nobody in without one any more.
func TestRotatingToTheSameTokenAgain(t *testing.T) {
	s := newServer(t)
	const older, newer = "older-0123456789", "newer-0123456789"
	in := minimal("mine")
	in.TransitEncryptionEnabled = new(true)
	s.create(t, in)
	rotate := func(token string) {
		t.Helper()
		must(s.ModifyReplicationGroup(t.Context(), &sdk.ModifyReplicationGroupInput{
			ReplicationGroupId: new("mine"), AuthToken: &token, ApplyImmediately: new(true),
			AuthTokenUpdateStrategy: types.AuthTokenUpdateStrategyTypeRotate,
		}))(t)
		s.settle(t, "mine")
	}
	taken := func() (all []string) {
		for _, sealed := range s.group(t, "mine").AuthTokens {
			if len(sealed) == 0 {
				all = append(all, "")
				continue
			}
			all = append(all, string(must(s.Sealer.Open(state.AuthTokenAAD("mine"), sealed))(t)))
		}
		return all
	}
	for _, step := range []struct {
		token string
		want  []string
	}{
		{older, []string{"", older}}, {older, []string{older, older}},
		{newer, []string{older, newer}}, {newer, []string{older, newer}},
	} {
		rotate(step.token)
		if got := taken(); !slices.Equal(got, step.want) {
			t.Errorf("after ROTATE to %q the group takes %q, want %q", step.token, got, step.want)
		}
	}
}

// TestMembersAreModifiedWithTheirGroup asks for the members' status at once, before the engine has looked: after a
// modification they read modifying as the group does, and not while a replica is added, or a node lost.
func TestMembersAreModifiedWithTheirGroup(t *testing.T) {
	s := newServer(t)
	s.available(t, "shop", 2, nil)
	want := func(status string) {
		t.Helper()
		for _, m := range must(s.DescribeCacheClusters(t.Context(), nil))(t).CacheClusters {
			if *m.CacheClusterStatus != status && *m.CacheClusterStatus != "creating" {
				t.Errorf("%s is %s, want %s", *m.CacheClusterId, *m.CacheClusterStatus, status)
			}
		}
	}
	want("available")
	if err := s.modify(t, "shop", func(in *modify) { in.ReplicationGroupDescription = new("another") }); err != nil {
		t.Fatal(err)
	}
	want("modifying")
	s.settled(t, "shop")
	want("available")
	must(s.IncreaseReplicaCount(t.Context(), &sdk.IncreaseReplicaCountInput{ReplicationGroupId: new("shop"),
		NewReplicaCount: new(int32(2)), ApplyImmediately: new(true)}))(t)
	want("available")
}
