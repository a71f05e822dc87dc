package elasticache_test

import (
	"reflect"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/services/elasticache"
	"larder/internal/servicetest"
)

func TestEveryInputFieldIsServedOrRefused(t *testing.T) {
	// What would narrow down a list that is always empty.
	narrowing := []string{
		"DescribeServerlessCacheSnapshotsInput.SnapshotType",
		"DescribeServiceUpdatesInput.ServiceUpdateStatus", "DescribeGlobalReplicationGroupsInput.ShowMemberInfo",
	}
	for _, field := range []string{"CacheNodeType", "Duration", "OfferingType", "ProductDescription"} {
		narrowing = append(narrowing, "DescribeReservedCacheNodesInput."+field,
			"DescribeReservedCacheNodesOfferingsInput."+field)
	}
	narrowing = append(narrowing, "DescribeReservedCacheNodesInput.ReservedCacheNodesOfferingId")
	for _, field := range []string{
		"CacheClusterIds", "Engine", "ReplicationGroupIds", "ServiceUpdateName", "ServiceUpdateStatus",
		"ServiceUpdateTimeRange",
		"ShowNodeLevelUpdateStatus", "UpdateActionStatus",
	} {
		narrowing = append(narrowing, "DescribeUpdateActionsInput."+field)
	}
	servicetest.EveryInputFieldIsServedOrRefused(t, reflect.TypeFor[*sdk.Client](),
		elasticache.New(elasticache.Config{}).Gateway().Actions, narrowing...)
}
