package elasticache_test

import (
	"net/http"
	"strings"
	"testing"

	"larder/internal/servicetest"
)

// TestFront sends what the model does not allow, as a client without a model of its own does. Where a source is named,
// the text is AWS's; the others are larder's, with AWS's code.
func TestFront(t *testing.T) {
	const (
		blank = "The parameter %s must be provided and must not be blank." // cloudposse/terraform-aws-elasticache-redis 89
		null  = "The parameter %s must be provided and must not be null."  // awsdocs/aws-cloudformation-user-guide 1072
		none  = "The parameter %s must be provided."                       // hashicorp/terraform 2534
	)
	s := newServer(t)
	for _, c := range []struct{ query, text, member string }{
		{"AddTagsToResource", blank, "ResourceName"},
		{"AddTagsToResource&ResourceName=x", none, "Tags"},
		{"CreateCacheParameterGroup", blank, "CacheParameterGroupFamily"},
		{"CreateCacheParameterGroup&CacheParameterGroupFamily=redis7&CacheParameterGroupName=", blank,
			"CacheParameterGroupName"},
		{"CreateCacheParameterGroup&CacheParameterGroupName=x", blank, "CacheParameterGroupFamily"},
		{"CreateCacheParameterGroup&CacheParameterGroupName=x&CacheParameterGroupFamily=redis7", blank, "Description"},
		{"CreateCacheParameterGroup&CacheParameterGroupName=x&CacheParameterGroupFamily=redis7&Description=", blank,
			"Description"},
		{"CreateCacheSubnetGroup", blank, "CacheSubnetGroupDescription"},
		{"CreateCacheSubnetGroup&CacheSubnetGroupDescription=x", blank, "CacheSubnetGroupName"},
		{"CreateCacheSubnetGroup&CacheSubnetGroupDescription=x&CacheSubnetGroupName=x", none, "SubnetIds"},
		{"CreateReplicationGroup", blank, "ReplicationGroupDescription"},
		{"CreateReplicationGroup&ReplicationGroupDescription=x&ReplicationGroupId=", blank, "ReplicationGroupId"},
		{"CreateReplicationGroup&ReplicationGroupDescription=x&ReplicationGroupId=x&TransitEncryptionMode=x",
			"Invalid value x for %s. Must be one of [preferred required]", "TransitEncryptionMode"},
		{"CreateReplicationGroup&ReplicationGroupDescription=x&ReplicationGroupId=x&ClusterMode=x",
			"Invalid value x for %s. Must be one of [compatible disabled enabled]", "ClusterMode"},
		{"CreateReplicationGroup&ReplicationGroupDescription=x&ReplicationGroupId=x" +
			"&LogDeliveryConfigurations.LogDeliveryConfigurationRequest.1.LogType=x",
			"Invalid value x for %s. Must be one of [engine-log slow-log]", "LogDeliveryConfigurations.1.LogType"},
		{"CreateSnapshot", blank, "SnapshotName"},
		{"DecreaseReplicaCount&ReplicationGroupId=x", null, "ApplyImmediately"},
		{"DeleteCacheParameterGroup", blank, "CacheParameterGroupName"},
		{"DeleteCacheSubnetGroup", blank, "CacheSubnetGroupName"},
		{"DeleteReplicationGroup", blank, "ReplicationGroupId"},
		{"DeleteSnapshot", blank, "SnapshotName"},
		{"DescribeCacheParameters", blank, "CacheParameterGroupName"},
		{"DescribeEngineDefaultParameters", blank, "CacheParameterGroupFamily"},
		{"DescribeEvents&SourceType=x", "Invalid value x for %s. Must be one of [cache-cluster cache-parameter-group " +
			"cache-security-group cache-subnet-group replication-group serverless-cache serverless-cache-snapshot user " +
			"user-group]", "SourceType"},
		{"DescribeEvents&MaxRecords=19", "Invalid value 19 for %s. Must be between 20 and 100", "MaxRecords"},
		{"DescribeEvents&MaxRecords=101", "Invalid value 101 for %s. Must be between 20 and 100", "MaxRecords"},
		{"DescribeSnapshots&MaxRecords=51", "Invalid value 51 for %s. Must be between 20 and 50", "MaxRecords"},
		{"DescribeServerlessCaches&MaxResults=0", "Invalid value 0 for %s. Must be between 1 and 100", "MaxResults"},
		{"DescribeServiceUpdates&ServiceUpdateStatus.member.1=available&ServiceUpdateStatus.member.2=available" +
			"&ServiceUpdateStatus.member.3=available&ServiceUpdateStatus.member.4=available",
			"%s may have 3 items at most.", "ServiceUpdateStatus"},
		{"IncreaseReplicaCount&ReplicationGroupId=x", null, "ApplyImmediately"},
		{"ListTagsForResource", blank, "ResourceName"},
		{"ModifyCacheParameterGroup&CacheParameterGroupName=x", none, "ParameterNameValues"},
		{"ModifyCacheSubnetGroup", blank, "CacheSubnetGroupName"},
		{"ModifyReplicationGroup", blank, "ReplicationGroupId"},
		{"ModifyReplicationGroup&ReplicationGroupId=x&AuthTokenUpdateStrategy=x",
			"Invalid value x for %s. Must be one of [DELETE ROTATE SET]", "AuthTokenUpdateStrategy"},
		{"RebootCacheCluster", blank, "CacheClusterId"},
		{"RebootCacheCluster&CacheClusterId=x", none, "CacheNodeIdsToReboot"},
		{"RemoveTagsFromResource&ResourceName=x", none, "TagKeys"},
		{"ResetCacheParameterGroup", blank, "CacheParameterGroupName"},
		{"TestFailover", blank, "NodeGroupId"},
		{"TestFailover&NodeGroupId=0001", blank, "ReplicationGroupId"},
	} {
		status, body := servicetest.Raw(t, s.config, "elasticache", form(),
			strings.NewReader("Version=2015-02-02&Action="+c.query))
		want := "<Code>InvalidParameterValue</Code><Message>" + strings.ReplaceAll(c.text, "%s", c.member) + "</Message>"
		if status != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %s, want %s", c.query, status, body, want)
		}
	}
}

// form are the headers of a query.
func form() http.Header {
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
}
