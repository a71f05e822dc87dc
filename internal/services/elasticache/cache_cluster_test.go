package elasticache_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/servicetest"
)

// cluster describes one cluster.
func (s *server) cluster(t tb, id string) types.CacheCluster {
	t.Helper()
	out := must(s.DescribeCacheClusters(t.Context(),
		&sdk.DescribeCacheClustersInput{CacheClusterId: &id, ShowCacheNodeInfo: new(true)}))(t)
	if len(out.CacheClusters) != 1 {
		t.Fatalf("got %d clusters", len(out.CacheClusters))
	}
	return out.CacheClusters[0]
}

func TestCacheClusterLife(t *testing.T) {
	s := newServer(t)
	s.prepare(t)
	must(s.CreateReplicationGroup(t.Context(), full("my-redis")))(t)
	want := types.CacheCluster{
		CacheClusterId:     new("my-redis-002"),
		ARN:                new("arn:aws:elasticache:us-east-1:123456789012:cluster:my-redis-002"),
		CacheClusterStatus: new("creating"), ReplicationGroupId: new("my-redis"),
		ReplicationGroupLogDeliveryEnabled: new(false),
		PendingModifiedValues:              &types.PendingModifiedValues{}, Engine: new("redis"), EngineVersion: new(
			"7.0.15"),
		CacheNodeType: new("cache.t3.micro"), NumCacheNodes: new(int32(1)), NetworkType: types.NetworkTypeIpv4,
		IpDiscovery: types.IpDiscoveryIpv4, AutoMinorVersionUpgrade: new(false), CacheSubnetGroupName: new("data"),
		CacheParameterGroup: &types.CacheParameterGroupStatus{CacheParameterGroupName: new("tuned"),
			ParameterApplyStatus: new("in-sync")},
		AtRestEncryptionEnabled: new(true), TransitEncryptionEnabled: new(true),
		TransitEncryptionMode: types.TransitEncryptionModeRequired,
		AuthTokenEnabled:      new(true), AuthTokenLastModifiedDate: &s.now,
		PreferredMaintenanceWindow: new("sun:05:00-sun:06:00"), SnapshotWindow: new("02:00-03:00"),
		SnapshotRetentionLimit: new(int32(7)),
		SecurityGroups:         []types.SecurityGroupMembership{{SecurityGroupId: new("sg-1"), Status: new("active")}},
		NotificationConfiguration: &types.NotificationConfiguration{
			TopicArn: new("arn:aws:sns:us-east-1:123456789012:alerts"), TopicStatus: new("active"),
		},
	}
	check := func(when string) {
		t.Helper()
		if diff := cmp.Diff(want, s.cluster(t, "My-Redis-002"), ignoreUnexported, equateEmpty); diff != "" {
			t.Errorf("%s: -want +got\n%s", when, diff)
		}
	}
	check("creating")

	s.settle(t, "my-redis")
	node := types.CacheNode{
		CacheNodeId: new("0001"), CacheNodeStatus: new("available"), CacheNodeCreateTime: &s.now,
		CustomerAvailabilityZone: new("us-east-1a"),
		Endpoint:                 at("127.77.0.4"), ParameterGroupStatus: new("in-sync"),
	}
	want.CacheClusterStatus, want.CacheClusterCreateTime, want.PreferredAvailabilityZone = new("available"), &s.now,
		new("us-east-1a")
	want.CacheNodes = []types.CacheNode{node}
	check("available")

	s.update(t, "my-redis", func(g cache.Topology) { g.Only().Members[1].Status = cache.MemberModifying })
	want.CacheClusterStatus, want.CacheNodes[0].CacheNodeStatus = new("modifying"), new("rebooting")
	check("recovering")

	s.update(t, "my-redis", func(g cache.Topology) { g.Only().SetMemberStatus(cache.MemberDeleting) })
	want.CacheClusterStatus, want.CacheNodes = new("deleting"), nil
	check("deleting")
}

func TestDescribeCacheClusters(t *testing.T) {
	s := newServer(t)
	two := minimal("two")
	two.NumCacheClusters = new(int32(2))
	s.create(t, two)
	s.create(t, minimal("one"))
	ids := func(in sdk.DescribeCacheClustersInput) (ids []string) {
		t.Helper()
		for _, c := range must(s.DescribeCacheClusters(t.Context(), &in))(t).CacheClusters {
			if c.CacheNodes != nil {
				t.Errorf("%s shows its nodes without being asked", *c.CacheClusterId)
			}
			ids = append(ids, *c.CacheClusterId)
		}
		return ids
	}
	if diff := cmp.Diff([]string{"one-001", "two-001", "two-002"}, ids(sdk.DescribeCacheClustersInput{})); diff != "" {
		t.Error(diff)
	}
	if got := ids(sdk.DescribeCacheClustersInput{ShowCacheClustersNotInReplicationGroups: new(true)}); got != nil {
		t.Errorf("outside of groups: %v", got)
	}
	_, err := s.DescribeCacheClusters(t.Context(), &sdk.DescribeCacheClustersInput{CacheClusterId: new("two")})
	servicetest.WantError(t, err, "CacheClusterNotFound", "CacheCluster not found: two")
}
