package elasticache_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
)

func notIdentifier(parameter string) string {
	return "The parameter " + parameter + " is not a valid identifier. Identifiers must begin with a letter; must " +
		"contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain " +
		"two consecutive hyphens."
}

func parameterErrors() map[string]provocation {
	set := func(group, name string) func(c calls) calls {
		pairs := []types.ParameterNameValue{{ParameterName: &name, ParameterValue: new("1")}}
		return func(c calls) calls {
			c["ModifyCacheParameterGroup"] = calling((*sdk.Client).ModifyCacheParameterGroup,
				sdk.ModifyCacheParameterGroupInput{
					CacheParameterGroupName: &group, ParameterNameValues: pairs,
				})
			c["ResetCacheParameterGroup"] = calling((*sdk.Client).ResetCacheParameterGroup,
				sdk.ResetCacheParameterGroupInput{
					CacheParameterGroupName: &group, ParameterNameValues: pairs,
				})
			return c
		}
	}
	drop := func(group string) calls {
		return calls{"DeleteCacheParameterGroup": calling((*sdk.Client).DeleteCacheParameterGroup,
			sdk.DeleteCacheParameterGroupInput{
				CacheParameterGroupName: &group,
			})}
	}
	makes := func(name, family string) calls {
		return calls{"CreateCacheParameterGroup": calling((*sdk.Client).CreateCacheParameterGroup,
			sdk.CreateCacheParameterGroupInput{
				CacheParameterGroupName: &name, CacheParameterGroupFamily: &family, Description: new("x"),
			}), "DescribeEngineDefaultParameters": calling((*sdk.Client).DescribeEngineDefaultParameters,
			sdk.DescribeEngineDefaultParametersInput{CacheParameterGroupFamily: &family})}
	}
	using := func(group string) calls {
		return both(func(in *createInput) { in.CacheParameterGroupName = &group },
			func(in *modifyInput) { in.CacheParameterGroupName = &group })
	}
	used := func(t *testing.T, s *server) {
		parameterGrouped(t, s)
		grouped(1, func(in *createInput) { in.CacheParameterGroupName = new("test") })(t, s)
	}
	return map[string]provocation{
		"The parameter cluster-enabled cannot be modified.": {prepare: used,
			calls: set("test", "cluster-enabled")(calls{})},
		"Parameter reserved-memory doesn't exist": {
			instead: []string{"reserved-memory", "no-such"}, prepare: parameterGrouped,
			calls: set("test", "no-such")(calls{}),
		},
		"The parameter group default.redis7 is a default group and cannot be modified.": {
			calls: set("default.redis7", "maxmemory-policy")(drop("default.redis7")),
		},
		"CacheParameterGroup test not found.": {calls: calls{
			"DescribeCacheParameterGroups": calling((*sdk.Client).DescribeCacheParameterGroups,
				sdk.DescribeCacheParameterGroupsInput{CacheParameterGroupName: new("test")}),
			"DescribeCacheParameters": calling((*sdk.Client).DescribeCacheParameters,
				sdk.DescribeCacheParametersInput{CacheParameterGroupName: new("test")}),
		}},
		"CacheParameterGroupnot found: test": {calls: drop("test")},
		"One or more cache clusters are still members of this parameter group test, so the group cannot be deleted.": {
			prepare: used,
			calls:   drop("test"),
		},
		"Parameter group test already exists": {prepare: parameterGrouped, calls: makes("test", "redis7")},
		notIdentifier("CacheParameterGroupName"): {
			calls: makes("my_group", "redis7"),
		},
		"CacheParameterGroupFamily redis7.2 is not a valid parameter group family.": {more: true,
			calls: makes("test", "redis7.2")},
		"Expected a parameter group of family redis3.2 but found one of family redis2.8": {
			instead: []string{"redis3.2", "redis7", "redis2.8", "redis6.x"}, prepare: grouped(1),
			calls: using("default.redis6.x"),
		},
		"CacheParameterGroup not found: default.memcached1.4": {
			instead: []string{"default.memcached1.4", "other"}, prepare: grouped(1),
			calls: set("other", "timeout")(using("other")),
		},
	}
}

func subnetErrors() map[string]provocation {
	with := func(name string, subnets ...string) calls {
		return calls{
			"CreateCacheSubnetGroup": calling((*sdk.Client).CreateCacheSubnetGroup, sdk.CreateCacheSubnetGroupInput{
				CacheSubnetGroupName: &name, CacheSubnetGroupDescription: new("x"),
				SubnetIds: append([]string{}, subnets...),
			}),
			"ModifyCacheSubnetGroup": calling((*sdk.Client).ModifyCacheSubnetGroup, sdk.ModifyCacheSubnetGroupInput{
				CacheSubnetGroupName: new("test"), SubnetIds: subnets,
			}),
			"DescribeCacheSubnetGroups": calling((*sdk.Client).DescribeCacheSubnetGroups,
				sdk.DescribeCacheSubnetGroupsInput{CacheSubnetGroupName: &name}),
			"DeleteCacheSubnetGroup": calling((*sdk.Client).DeleteCacheSubnetGroup,
				sdk.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: &name}),
		}
	}
	return map[string]provocation{
		"Cache subnet group test already exists.":   {prepare: subnetGrouped, calls: with("test", "subnet-a")},
		"Cache subnet group test not found.":        {calls: with("test", "subnet-a")},
		"Cache Subnet Group test does not exist.":   {calls: with("test")},
		"The parameter SubnetIds must be provided.": {calls: with("test")},
		"Cache subnet group test is currently in use by a cache cluster.": {
			prepare: func(t *testing.T, s *server) {
				subnetGrouped(t, s)
				grouped(1, func(in *createInput) { in.CacheSubnetGroupName = new("test") })(t, s)
			},
			calls: with("test"),
		},
		"Subnets subnet-a and subnet-b are not in the same VPC.": {
			instead: []string{"subnet-b", "subnet-x"}, calls: with("test", "subnet-a", "subnet-x"),
		},
		"Some input subnets in :[subnet-a, subnet-b] are invalid.": {
			instead: []string{"subnet-b", "subnet-z"}, prepare: subnetGrouped,
			calls: with("other", "subnet-a", "subnet-z"),
		},
		notIdentifier("CacheSubnetGroupName"): {
			calls: with("my_group", "subnet-a"),
		},
	}
}

func tagErrors() map[string]provocation {
	const home = "arn:aws:elasticache:us-east-1:123456789012:"
	return map[string]provocation{
		"Cluster not in available state to perform tagging operations.": {
			prepare: func(t *testing.T, s *server) {
				grouped(1)(t, s)
				s.update(t, "test", func(g cache.Topology) { g.Status = cache.Modifying })
			},
			calls: tagging(home + "replicationgroup:test"),
		},
		"Unauthorized call. Please check the region or customer id": {
			calls: tagging("arn:aws:elasticache:eu-west-1:123456789012:replicationgroup:test"),
		},
		"partition field is wrong. Expected value is aws": {calls: tagging(strings.Replace(home, "aws", "gcp", 1) +
			"cluster:test")},
		"service field is wrong. Expected value is elasticache": {
			calls: tagging("arn:aws:redis:us-east-1:123456789012:cluster:test"),
		},
		"Input ARN string does not have 7 components.": {calls: tagging("arn:aws:elasticache")},
		"test-0003-002 is either not present or not available.": {
			calls: tagging(home + "cluster:test-0003-002"),
		},
		"TagNotFound": {prepare: grouped(1), calls: tagging(home + "replicationgroup:test")},
		"TagQuotaPerResourceExceeded": {prepare: grouped(1), calls: calls{
			"CreateReplicationGroup": creating(func(in *createInput) { in.Tags = tagsOf(51) }),
			"AddTagsToResource": calling((*sdk.Client).AddTagsToResource, sdk.AddTagsToResourceInput{
				ResourceName: new(home + "replicationgroup:test"), Tags: tagsOf(51),
			}),
		}},
	}
}

func snapshotErrors() map[string]provocation {
	taking := calling((*sdk.Client).CreateSnapshot, sdk.CreateSnapshotInput{
		SnapshotName: new("test"), ReplicationGroupId: new("test"),
	})
	deleting := calling((*sdk.Client).DeleteSnapshot, sdk.DeleteSnapshotInput{SnapshotName: new("test")})
	taken := func(t *testing.T, s *server) {
		grouped(1)(t, s)
		s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: new("test"), ReplicationGroupId: new("test")})
		s.settle(t, "test")
	}
	return map[string]provocation{
		"Snapshot test not found.": {calls: calls{
			"DescribeSnapshots": calling((*sdk.Client).DescribeSnapshots,
				sdk.DescribeSnapshotsInput{SnapshotName: new("test")}),
			"DeleteSnapshot":         deleting,
			"CreateReplicationGroup": creating(func(in *createInput) { in.SnapshotName = new("test") }),
		}},
		"Snapshot test already exists.": {prepare: taken, calls: calls{
			"CreateSnapshot": taking,
			"DeleteReplicationGroup": calling((*sdk.Client).DeleteReplicationGroup, sdk.DeleteReplicationGroupInput{
				ReplicationGroupId: new("test"), FinalSnapshotIdentifier: new("test"),
			}),
		}},
		"InvalidSnapshotState": {prepare: taken, calls: calls{"DeleteSnapshot": deleting}},
		"The maximum number of manual snapshots for this node taken within 24 hours has been reached its quota of 20": {
			prepare: func(t *testing.T, s *server) {
				grouped(1)(t, s)
				for i := range 20 {
					name := fmt.Sprint("kept-", i)
					s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: &name, ReplicationGroupId: new("test")})
					s.taken(t, "test", name)
				}
			},
			calls: calls{"CreateSnapshot": taking},
		},
	}
}

func absenceErrors() map[string]provocation {
	return map[string]provocation{
		"User test not found.": {
			calls: calls{"DescribeUsers": calling((*sdk.Client).DescribeUsers,
				sdk.DescribeUsersInput{UserId: new("test")})},
		},
		"UserGroupNotFound": {
			calls: calls{"DescribeUserGroups": calling((*sdk.Client).DescribeUserGroups,
				sdk.DescribeUserGroupsInput{UserGroupId: new("test")})},
		},
		"CacheCluster not found: test": {
			calls: calls{"DescribeCacheClusters": calling((*sdk.Client).DescribeCacheClusters,
				sdk.DescribeCacheClustersInput{CacheClusterId: new("test")})},
		},
		"Replication group test not found.": {
			calls: calls{
				"DescribeReplicationGroups": calling((*sdk.Client).DescribeReplicationGroups,
					sdk.DescribeReplicationGroupsInput{ReplicationGroupId: new("test")}),
				"ModifyReplicationGroup": modifying(func(*modifyInput) {}),
				"DeleteReplicationGroup": calling((*sdk.Client).DeleteReplicationGroup,
					sdk.DeleteReplicationGroupInput{ReplicationGroupId: new("test")}),
			},
		},
	}
}
