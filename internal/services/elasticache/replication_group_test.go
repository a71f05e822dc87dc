package elasticache_test

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/servicetest"
	"larder/internal/state"
)

// full asks for everything that can be asked for.
func full(id string) *sdk.CreateReplicationGroupInput {
	return &sdk.CreateReplicationGroupInput{
		ReplicationGroupId: &id, ReplicationGroupDescription: new("sessions"), CacheNodeType: new("cache.t3.micro"),
		Engine: new("redis"), EngineVersion: new("7.0"), Port: new(int32(6380)), NumCacheClusters: new(int32(3)),
		AutomaticFailoverEnabled: new(true), MultiAZEnabled: new(true), AutoMinorVersionUpgrade: new(false),
		PreferredCacheClusterAZs: []string{"us-east-1c", "us-east-1a", "us-east-1c"}, CacheSubnetGroupName: new("data"),
		SecurityGroupIds: []string{"sg-1"}, CacheParameterGroupName: new("Tuned"),
		TransitEncryptionEnabled: new(true), TransitEncryptionMode: types.TransitEncryptionModeRequired,
		AuthToken:               new(authToken),
		AtRestEncryptionEnabled: new(true), KmsKeyId: new("arn:aws:kms:us-east-1:123456789012:key/1"),
		SnapshotRetentionLimit: new(int32(7)), SnapshotWindow: new("02:00-03:00"),
		PreferredMaintenanceWindow: new("Sun:05:00-Sun:06:00"),
		NotificationTopicArn:       new("arn:aws:sns:us-east-1:123456789012:alerts"),
		Tags:                       []types.Tag{{Key: new("team"), Value: new("payments")}},
		ClusterMode:                types.ClusterModeDisabled, DataTieringEnabled: new(false),
		NetworkType: types.NetworkTypeIpv4,
		IpDiscovery: types.IpDiscoveryIpv4, NumNodeGroups: new(int32(1)),
	}
}

// prepare makes the groups that full refers to.
func (s *server) prepare(t *testing.T) {
	t.Helper()
	must(s.CreateCacheSubnetGroup(t.Context(), &sdk.CreateCacheSubnetGroupInput{
		CacheSubnetGroupName: new("data"), CacheSubnetGroupDescription: new("data"),
		SubnetIds: []string{"subnet-a", "subnet-c"},
	}))(t)
	must(s.CreateCacheParameterGroup(t.Context(), &sdk.CreateCacheParameterGroupInput{
		CacheParameterGroupName: new("tuned"), CacheParameterGroupFamily: new("redis7"), Description: new("tuned"),
	}))(t)
}

func TestReplicationGroupLife(t *testing.T) {
	s := newServer(t)
	s.prepare(t)
	want := types.ReplicationGroup{
		ReplicationGroupId: new("my-redis"),
		ARN:                new("arn:aws:elasticache:us-east-1:123456789012:replicationgroup:my-redis"),
		Description:        new("sessions"), Status: new("creating"), ReplicationGroupCreateTime: &s.now,
		PendingModifiedValues: &types.ReplicationGroupPendingModifiedValues{}, Engine: new("redis"),
		CacheNodeType:  new("cache.t3.micro"),
		ClusterEnabled: new(false), ClusterMode: types.ClusterModeDisabled, NetworkType: types.NetworkTypeIpv4,
		IpDiscovery: types.IpDiscoveryIpv4, DataTiering: types.DataTieringStatusDisabled,
		AutoMinorVersionUpgrade: new(false),
		AutomaticFailover:       types.AutomaticFailoverStatusEnabled, MultiAZ: types.MultiAZStatusEnabled,
		AtRestEncryptionEnabled: new(true), StorageEncryptionType: types.StorageEncryptionTypeSseKms,
		KmsKeyId:                 new("arn:aws:kms:us-east-1:123456789012:key/1"),
		TransitEncryptionEnabled: new(true), TransitEncryptionMode: types.TransitEncryptionModeRequired,
		AuthTokenEnabled: new(true), AuthTokenLastModifiedDate: &s.now,
		SnapshotRetentionLimit: new(int32(7)), SnapshotWindow: new("02:00-03:00"),
		SnapshottingClusterId: new("my-redis-002"),
		MemberClusters:        []string{"my-redis-001", "my-redis-002", "my-redis-003"},
	}
	created := must(s.CreateReplicationGroup(t.Context(), full("My-Redis")))(t)
	compare(t, "created", *created.ReplicationGroup, want)
	compare(t, "creating", s.describe(t, "MY-REDIS"), want)

	s.settle(t, "my-redis")
	want.Status = new("available")
	want.NodeGroups = []types.NodeGroup{{
		NodeGroupId: new("0001"), Status: new("available"),
		PrimaryEndpoint: at("127.77.0.1"), ReaderEndpoint: at("127.77.0.2"),
		NodeGroupMembers: []types.NodeGroupMember{
			member("my-redis-001", "primary", "us-east-1c", "127.77.0.3"),
			member("my-redis-002", "replica", "us-east-1a", "127.77.0.4"),
			member("my-redis-003", "replica", "us-east-1c", "127.77.0.5"),
		},
	}}
	compare(t, "available", s.describe(t, "my-redis"), want)

	deleted := must(s.DeleteReplicationGroup(t.Context(), &sdk.DeleteReplicationGroupInput{
		ReplicationGroupId: new("my-redis"), RetainPrimaryCluster: new(false),
	}))(t)
	want.Status, want.NodeGroups, want.MemberClusters = new("deleting"), nil, nil
	compare(t, "deleted", *deleted.ReplicationGroup, want)
	compare(t, "deleting", s.describe(t, "my-redis"), want)
	for _, m := range s.group(t, "my-redis").Only().Members {
		if m.Status != cache.MemberDeleting {
			t.Errorf("%s is %s", m.ID, m.Status)
		}
	}
}

func compare(t *testing.T, when string, got, want types.ReplicationGroup) {
	t.Helper()
	if diff := cmp.Diff(want, got, ignoreUnexported, equateEmpty); diff != "" {
		t.Errorf("%s: -want +got\n%s", when, diff)
	}
}

var ignoreUnexported = cmpopts.IgnoreUnexported(types.ReplicationGroup{}, types.ReplicationGroupPendingModifiedValues{},
	types.NodeGroup{},
	types.NodeGroupMember{}, types.Endpoint{}, types.CacheCluster{}, types.CacheNode{}, types.PendingModifiedValues{},
	types.CacheParameterGroupStatus{}, types.SecurityGroupMembership{}, types.NotificationConfiguration{}, types.Tag{},
	types.CacheSubnetGroup{}, types.Subnet{}, types.AvailabilityZone{}, types.CacheParameterGroup{}, types.Parameter{},
	types.Event{},
	types.CacheEngineVersion{})

// equateEmpty takes an empty list for one that is not there.
var equateEmpty = cmpopts.EquateEmpty()

func at(address string) *types.Endpoint {
	return &types.Endpoint{Address: &address, Port: new(int32(6380))}
}

func member(id, role, zone, address string) types.NodeGroupMember {
	return types.NodeGroupMember{
		CacheClusterId: &id, CacheNodeId: new("0001"), CurrentRole: &role, PreferredAvailabilityZone: &zone,
		ReadEndpoint: at(address),
	}
}

func (s *server) describe(t *testing.T, id string) types.ReplicationGroup {
	t.Helper()
	out := must(s.DescribeReplicationGroups(t.Context(),
		&sdk.DescribeReplicationGroupsInput{ReplicationGroupId: &id}))(t)
	if len(out.ReplicationGroups) != 1 {
		t.Fatalf("got %d groups", len(out.ReplicationGroups))
	}
	return out.ReplicationGroups[0]
}

func TestCreateReplicationGroupKeepsWhatTheEngineNeeds(t *testing.T) {
	s := newServer(t)
	s.prepare(t)
	must(s.CreateReplicationGroup(t.Context(), full("my-redis")))(t)
	g := s.group(t, "my-redis")
	opened := must(s.Sealer.Open(state.AuthTokenAAD(g.ID), g.AuthTokens[0]))(t)
	if string(opened) != authToken {
		t.Errorf("the token is %q", opened)
	}
	if g.EngineVersion != "7.0.15" || g.ParameterGroup != "tuned" || g.Only().Primary().ID != "my-redis-001" {
		t.Errorf("got version %s, parameter group %s, primary %v", g.EngineVersion, g.ParameterGroup, g.Only().Primary())
	}
	if g.Only().Members[0].SubnetID != "subnet-c" || g.Only().Members[1].SubnetID != "subnet-a" {
		t.Errorf("got subnets %s and %s", g.Only().Members[0].SubnetID, g.Only().Members[1].SubnetID)
	}
}

func TestCreateReplicationGroupDefaults(t *testing.T) {
	s := newServer(t)
	must(s.CreateReplicationGroup(t.Context(), minimal("plain")))(t)
	g := s.group(t, "plain")
	if g.Port != 6379 || g.EngineVersion != "7.2.4" || g.ParameterGroup != "default.redis7" ||
		g.SubnetGroup != "default" ||
		len(g.Only().Members) != 1 || !g.AutoMinorVersionUpgrade || g.TransitEncryption || g.AuthTokens != nil ||
		g.SnapshottingCluster != "" {
		t.Errorf("got %+v", g)
	}
}

// AWS does not sell cache.t3.large, which larder runs all the same.
func TestNodeTypeOfLarderAlone(t *testing.T) {
	s := newServer(t)
	in := minimal("local")
	in.CacheNodeType = new("cache.t3.large")
	must(s.CreateReplicationGroup(t.Context(), in))(t)
	if got := s.group(t, "local").NodeType; got != "cache.t3.large" {
		t.Errorf("got %s", got)
	}
}

func TestReplicasPerNodeGroup(t *testing.T) {
	s := newServer(t)
	in := minimal("shard")
	in.NumNodeGroups, in.ReplicasPerNodeGroup = new(int32(1)), new(int32(5))
	must(s.CreateReplicationGroup(t.Context(), in))(t)
	g := s.group(t, "shard")
	zones := ""
	for _, m := range g.Only().Members {
		zones += m.Zone[len(m.Zone)-1:]
	}
	if zones != "abcabc" {
		t.Errorf("the members are in zones %s", zones)
	}
}

// Windows that the service chooses are valid, don't overlap with a given one, and depend on nothing but the group's id.
func TestChosenWindows(t *testing.T) {
	s := newServer(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		in := minimal("windows-" + strconv.Itoa(n))
		switch rapid.IntRange(0, 2).Draw(t, "given") {
		case 1:
			hour := rapid.IntRange(0, 22).Draw(t, "hour")
			in.SnapshotWindow = new(pad(hour) + ":30-" + pad(hour+1) + ":30")
		case 2:
			hour := rapid.IntRange(0, 22).Draw(t, "hour")
			in.PreferredMaintenanceWindow = new("mon:" + pad(hour) + ":30-mon:" + pad(hour+1) + ":30")
		}
		var chosen [2]string
		for i := range chosen {
			must(s.CreateReplicationGroup(t.Context(), in))(t)
			c := s.cluster(t, *in.ReplicationGroupId+"-001")
			m, errM := cache.ParseMaintenanceWindow(*c.PreferredMaintenanceWindow)
			b, errB := cache.ParseSnapshotWindow(*c.SnapshotWindow)
			if err := errors.Join(errM, errB); err != nil || m.Overlaps(b) {
				t.Fatalf("windows %s and %s: %v", *c.PreferredMaintenanceWindow, *c.SnapshotWindow, err)
			}
			chosen[i] = *c.PreferredMaintenanceWindow + " " + *c.SnapshotWindow
			s.forget(t, *in.ReplicationGroupId)
		}
		if chosen[0] != chosen[1] {
			t.Fatalf("first %s, then %s", chosen[0], chosen[1])
		}
	})
}

func pad(n int) string { return strings.Repeat("0", 2-len(strconv.Itoa(n))) + strconv.Itoa(n) }

func TestAddressesAreNotShared(t *testing.T) {
	s := newServer(t)
	seen := map[netip.Addr]string{}
	for _, id := range []string{"one", "two", "three"} {
		in := minimal(id)
		in.NumCacheClusters = new(int32(2))
		must(s.CreateReplicationGroup(t.Context(), in))(t)
		g := s.group(t, id)
		for _, a := range g.Only().Addresses() {
			if seen[a] != "" || !s.Block.Contains(a) {
				t.Errorf("%s has %s, which is %s's or outside of %s", id, a, seen[a], s.Block)
			}
			seen[a] = id
		}
	}
}

func TestPortInUse(t *testing.T) {
	s := newServer(t)
	s.portFree = func(a netip.AddrPort) error { return errors.New("port is in use on this machine: " + a.String()) }
	_, err := s.CreateReplicationGroup(t.Context(), minimal("busy"))
	servicetest.WantError(t, err, "InvalidParameterValue",
		"Cannot use Port 6379: port is in use on this machine: 127.77.0.1:6379. Choose another Port.")
	s.portFree = func(netip.AddrPort) error { return nil }
	must(s.CreateReplicationGroup(t.Context(), minimal("busy")))(t)
}

func TestDeleteReplicationGroupRefusals(t *testing.T) {
	s := newServer(t)
	s.create(t, minimal("mine"))
	remove := func(id string) error {
		_, err := s.DeleteReplicationGroup(t.Context(), &sdk.DeleteReplicationGroupInput{ReplicationGroupId: &id})
		return err
	}
	servicetest.WantError(t, remove("other"), "ReplicationGroupNotFoundFault", "Replication group other not found.")
	servicetest.WantError(t, remove(""), "InvalidParameterValue",
		"The parameter ReplicationGroupId must be provided and must not be blank.")
	for _, status := range cache.Statuses {
		s.update(t, "mine", func(g cache.Topology) { g.Status = status })
		_, refusal := cache.Transition(status, cache.DeleteAsked)
		err := remove("mine")
		if refusal == nil && err != nil {
			t.Errorf("while %s: %v", status, err)
		}
		if refusal != nil {
			want := refusal.Error()
			if status == cache.Deleting {
				want = "Replication group mine has status deleting which is not valid for deletion."
			}
			servicetest.WantError(t, err, "InvalidReplicationGroupState", want)
		}
	}
	s.update(t, "mine", func(g cache.Topology) { g.Status = cache.Available })
	_, err := s.DeleteReplicationGroup(t.Context(),
		&sdk.DeleteReplicationGroupInput{ReplicationGroupId: new("mine"), RetainPrimaryCluster: new(true)})
	servicetest.WantError(t, err, "InvalidParameterValue",
		"larder serves DeleteReplicationGroup's RetainPrimaryCluster only as false: "+
			"a cache cluster outside of a replication group is not served")
}
