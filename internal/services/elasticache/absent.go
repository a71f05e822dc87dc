package elasticache

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// The actions here describe what there is none of, because the actions that make it are not served. Their answers are
// empty, and what a request names is not found. What would narrow an empty list down (an engine, a status) changes
// nothing.

// none is one page of a list of which there is nothing.
func none[T any](limit *int32, marker *string) ([]T, *string, error) {
	return page([]T{}, func(T) string { return "" }, limit, marker)
}

// noneOf is none, for the list of a request that may name one: that one is not found.
func noneOf[T any](named *string, notFound func(string) error, limit *int32, marker *string) ([]T, *string, error) {
	rows, next, err := none[T](limit, marker)
	if err == nil && named != nil {
		err = notFound(*named)
	}
	return rows, next, err
}

func (s *Service) describeUserGroups(
	_ context.Context, in *sdk.DescribeUserGroupsInput,
) (*sdk.DescribeUserGroupsOutput, error) {
	groups, marker, err := noneOf[types.UserGroup](in.UserGroupId, userGroupNotFound, in.MaxRecords, in.Marker)
	return &sdk.DescribeUserGroupsOutput{UserGroups: groups, Marker: marker}, err
}

func (s *Service) describeServerlessCaches(
	_ context.Context, in *sdk.DescribeServerlessCachesInput,
) (*sdk.DescribeServerlessCachesOutput, error) {
	caches, token, err := noneOf[types.ServerlessCache](in.ServerlessCacheName, serverlessCacheNotFound, in.MaxResults,
		in.NextToken)
	return &sdk.DescribeServerlessCachesOutput{ServerlessCaches: caches, NextToken: token}, err
}

func (s *Service) describeServerlessSnapshots(
	_ context.Context, in *sdk.DescribeServerlessCacheSnapshotsInput,
) (*sdk.DescribeServerlessCacheSnapshotsOutput, error) {
	if in.ServerlessCacheName != nil {
		return nil, serverlessCacheNotFound(*in.ServerlessCacheName)
	}
	snapshots, token, err := noneOf[types.ServerlessCacheSnapshot](in.ServerlessCacheSnapshotName,
		serverlessSnapshotNotFound, in.MaxResults, in.NextToken)
	return &sdk.DescribeServerlessCacheSnapshotsOutput{ServerlessCacheSnapshots: snapshots, NextToken: token}, err
}

// maxResults is the upper bound of MaxResults, which the serverless actions have in place of MaxRecords.
const maxResults = 100

func (s *Service) describeReservedNodes(
	_ context.Context, in *sdk.DescribeReservedCacheNodesInput,
) (*sdk.DescribeReservedCacheNodesOutput, error) {
	nodes, marker, err := noneOf[types.ReservedCacheNode](in.ReservedCacheNodeId, reservedNodeNotFound, in.MaxRecords,
		in.Marker)
	return &sdk.DescribeReservedCacheNodesOutput{ReservedCacheNodes: nodes, Marker: marker}, err
}

func (s *Service) describeReservedOfferings(
	_ context.Context, in *sdk.DescribeReservedCacheNodesOfferingsInput,
) (*sdk.DescribeReservedCacheNodesOfferingsOutput, error) {
	offerings, marker, err := noneOf[types.ReservedCacheNodesOffering](in.ReservedCacheNodesOfferingId,
		offeringNotFound, in.MaxRecords, in.Marker)
	return &sdk.DescribeReservedCacheNodesOfferingsOutput{ReservedCacheNodesOfferings: offerings, Marker: marker}, err
}

func (s *Service) describeServiceUpdates(
	_ context.Context, in *sdk.DescribeServiceUpdatesInput,
) (*sdk.DescribeServiceUpdatesOutput, error) {
	updates, marker, err := noneOf[types.ServiceUpdate](in.ServiceUpdateName, serviceUpdateNotFound, in.MaxRecords,
		in.Marker)
	return &sdk.DescribeServiceUpdatesOutput{ServiceUpdates: updates, Marker: marker}, err
}

func (s *Service) describeUpdateActions(
	_ context.Context, in *sdk.DescribeUpdateActionsInput,
) (*sdk.DescribeUpdateActionsOutput, error) {
	actions, marker, err := none[types.UpdateAction](in.MaxRecords, in.Marker)
	return &sdk.DescribeUpdateActionsOutput{UpdateActions: actions, Marker: marker}, err
}

func (s *Service) describeGlobalGroups(
	_ context.Context, in *sdk.DescribeGlobalReplicationGroupsInput,
) (*sdk.DescribeGlobalReplicationGroupsOutput, error) {
	groups, marker, err := noneOf[types.GlobalReplicationGroup](in.GlobalReplicationGroupId, globalGroupNotFound,
		in.MaxRecords, in.Marker)
	return &sdk.DescribeGlobalReplicationGroupsOutput{GlobalReplicationGroups: groups, Marker: marker}, err
}

func (s *Service) describeCacheSecurityGroups(
	_ context.Context, in *sdk.DescribeCacheSecurityGroupsInput,
) (*sdk.DescribeCacheSecurityGroupsOutput, error) {
	groups, marker, err := noneOf[types.CacheSecurityGroup](in.CacheSecurityGroupName, cacheSecurityGroupNotFound,
		in.MaxRecords, in.Marker)
	return &sdk.DescribeCacheSecurityGroupsOutput{CacheSecurityGroups: groups, Marker: marker}, err
}

func userNotFound(id string) error {
	return &types.UserNotFoundFault{Message: new("User " + id + " not found.")}
}

func userGroupNotFound(id string) error {
	return &types.UserGroupNotFoundFault{Message: new("User group " + id + " not found.")}
}

func serverlessCacheNotFound(name string) error {
	return &types.ServerlessCacheNotFoundFault{Message: new("Serverless cache " + name + " not found.")}
}

func serverlessSnapshotNotFound(name string) error {
	return &types.ServerlessCacheSnapshotNotFoundFault{Message: new("Serverless cache snapshot " + name +
		" not found.")}
}

func reservedNodeNotFound(id string) error {
	return &types.ReservedCacheNodeNotFoundFault{Message: new("Reserved cache node " + id + " not found.")}
}

func offeringNotFound(id string) error {
	return &types.ReservedCacheNodesOfferingNotFoundFault{Message: new("Reserved cache nodes offering " + id +
		" not found.")}
}

func serviceUpdateNotFound(name string) error {
	return &types.ServiceUpdateNotFoundFault{Message: new("Service update " + name + " not found.")}
}

func globalGroupNotFound(id string) error {
	return &types.GlobalReplicationGroupNotFoundFault{Message: new("Global replication group " + id + " not found.")}
}

func cacheSecurityGroupNotFound(name string) error {
	return &types.CacheSecurityGroupNotFoundFault{Message: new("Cache security group " + name + " not found.")}
}
