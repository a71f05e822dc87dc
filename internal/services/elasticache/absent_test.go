package elasticache_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/servicetest"
)

// What tools read first, of which there is nothing here: the lists are empty, what is named is not found, and what
// would make some is refused by name.
func TestReadsOfWhatIsNotServed(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	name := new("x")
	for what, n := range map[string]int{
		"user groups": len(must(s.DescribeUserGroups(ctx, &sdk.DescribeUserGroupsInput{}))(t).UserGroups),
		"serverless": len(must(s.DescribeServerlessCaches(ctx,
			&sdk.DescribeServerlessCachesInput{}))(t).ServerlessCaches),
		"snapshots": len(must(s.DescribeServerlessCacheSnapshots(ctx,
			&sdk.DescribeServerlessCacheSnapshotsInput{}))(t).ServerlessCacheSnapshots),
		"reserved": len(must(s.DescribeReservedCacheNodes(ctx,
			&sdk.DescribeReservedCacheNodesInput{}))(t).ReservedCacheNodes),
		"offerings": len(must(s.DescribeReservedCacheNodesOfferings(ctx,
			&sdk.DescribeReservedCacheNodesOfferingsInput{}))(t).ReservedCacheNodesOfferings),
		"updates": len(must(s.DescribeServiceUpdates(ctx,
			&sdk.DescribeServiceUpdatesInput{}))(t).ServiceUpdates),
		"update actions": len(must(s.DescribeUpdateActions(ctx,
			&sdk.DescribeUpdateActionsInput{ReplicationGroupIds: []string{"x"}}))(t).UpdateActions),
		"global groups": len(must(s.DescribeGlobalReplicationGroups(ctx,
			&sdk.DescribeGlobalReplicationGroupsInput{ShowMemberInfo: new(true)}))(t).GlobalReplicationGroups),
		"classic groups": len(must(s.DescribeCacheSecurityGroups(ctx,
			&sdk.DescribeCacheSecurityGroupsInput{}))(t).CacheSecurityGroups),
	} {
		if n != 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
	for _, test := range []struct {
		err           error
		code, message string
	}{
		{failure(s.DescribeUsers(ctx, &sdk.DescribeUsersInput{UserId: name})), "UserNotFound", "User x not found."},
		{failure(s.DescribeUserGroups(ctx, &sdk.DescribeUserGroupsInput{UserGroupId: name})), "UserGroupNotFound",
			"User group x not found."},
		{failure(s.DescribeServerlessCaches(ctx, &sdk.DescribeServerlessCachesInput{ServerlessCacheName: name})),
			"ServerlessCacheNotFoundFault", "Serverless cache x not found."},
		{failure(s.DescribeServerlessCacheSnapshots(ctx,
			&sdk.DescribeServerlessCacheSnapshotsInput{ServerlessCacheSnapshotName: name})),
			"ServerlessCacheSnapshotNotFoundFault", "Serverless cache snapshot x not found."},
		{failure(s.DescribeServerlessCacheSnapshots(ctx,
			&sdk.DescribeServerlessCacheSnapshotsInput{ServerlessCacheName: name})),
			"ServerlessCacheNotFoundFault", "Serverless cache x not found."},
		{failure(s.DescribeReservedCacheNodes(ctx, &sdk.DescribeReservedCacheNodesInput{ReservedCacheNodeId: name})),
			"ReservedCacheNodeNotFound", "Reserved cache node x not found."},
		{failure(s.DescribeReservedCacheNodesOfferings(ctx,
			&sdk.DescribeReservedCacheNodesOfferingsInput{ReservedCacheNodesOfferingId: name})),
			"ReservedCacheNodesOfferingNotFound", "Reserved cache nodes offering x not found."},
		{failure(s.DescribeServiceUpdates(ctx, &sdk.DescribeServiceUpdatesInput{ServiceUpdateName: name})),
			"ServiceUpdateNotFoundFault", "Service update x not found."},
		{failure(s.DescribeGlobalReplicationGroups(ctx,
			&sdk.DescribeGlobalReplicationGroupsInput{GlobalReplicationGroupId: name})),
			"GlobalReplicationGroupNotFoundFault", "Global replication group x not found."},
		{failure(s.DescribeCacheSecurityGroups(ctx,
			&sdk.DescribeCacheSecurityGroupsInput{CacheSecurityGroupName: name})),
			"CacheSecurityGroupNotFound", "Cache security group x not found."},
		{failure(s.DescribeUsers(ctx, &sdk.DescribeUsersInput{MaxRecords: new(int32(101))})), "InvalidParameterValue",
			"Invalid value 101 for MaxRecords. Must be between 20 and 100"},
		{failure(s.DescribeUserGroups(ctx, &sdk.DescribeUserGroupsInput{Marker: new("%")})), "InvalidParameterValue",
			`The parameter Marker is not valid: "%" is not a marker of an earlier answer.`},
		{failure(s.DescribeServerlessCaches(ctx, &sdk.DescribeServerlessCachesInput{MaxResults: new(int32(101))})),
			"InvalidParameterValue",
			"Invalid value 101 for MaxResults. Must be between 1 and 100"},
		{failure(s.CreateUserGroup(ctx, &sdk.CreateUserGroupInput{UserGroupId: name, Engine: new("redis")})),
			"InvalidAction",
			"larder does not serve elasticache:CreateUserGroup; docs/COMPATIBILITY.md lists what it serves"},
	} {
		servicetest.WantError(t, test.err, test.code, test.message)
	}
}

func failure[T any](_ T, err error) error { return err }
