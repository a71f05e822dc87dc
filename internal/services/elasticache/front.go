package elasticache

import (
	"reflect"

	"larder/internal/constraint"
)

// front is what the service's model allows. Source: botocore's model of ElastiCache. The service words the first breach
// alone, in its own words.
func front() *constraint.Front {
	group, parameters, subnets := []string{"ReplicationGroupId"}, []string{"CacheParameterGroupName"},
		[]string{"CacheSubnetGroupName"}
	return &constraint.Front{
		Say: breach,
		Required: map[string][]string{
			"AddTagsToResourceInput":         {"ResourceName", "Tags"},
			"CreateCacheParameterGroupInput": {"CacheParameterGroupName", "CacheParameterGroupFamily", "Description"},
			"CreateCacheSubnetGroupInput": {"CacheSubnetGroupName", "CacheSubnetGroupDescription",
				"SubnetIds"},
			"CreateReplicationGroupInput":    {"ReplicationGroupId", "ReplicationGroupDescription"},
			"CreateSnapshotInput":            {"SnapshotName"},
			"DecreaseReplicaCountInput":      {"ReplicationGroupId", "ApplyImmediately"},
			"DeleteCacheParameterGroupInput": parameters, "DeleteCacheSubnetGroupInput": subnets,
			"DeleteReplicationGroupInput": group, "DeleteSnapshotInput": {"SnapshotName"},
			"DescribeCacheParametersInput":         parameters,
			"DescribeEngineDefaultParametersInput": {"CacheParameterGroupFamily"},
			"Filter":                               {"Name", "Values"},
			"IncreaseReplicaCountInput":            {"ReplicationGroupId", "ApplyImmediately"},
			"ListTagsForResourceInput":             {"ResourceName"},
			"ModifyCacheParameterGroupInput":       {"CacheParameterGroupName", "ParameterNameValues"},
			"ModifyCacheSubnetGroupInput":          subnets, "ModifyReplicationGroupInput": group,
			"RebootCacheClusterInput":       {"CacheClusterId", "CacheNodeIdsToReboot"},
			"RemoveTagsFromResourceInput":   {"ResourceName", "TagKeys"},
			"ResetCacheParameterGroupInput": parameters, "TestFailoverInput": {"ReplicationGroupId", "NodeGroupId"},
		},
		Rules: constraint.Rules{
			"MaxRecords": {Least: minRecords, Most: maxRecords},
			// The reference, in DescribeSnapshots.
			"DescribeSnapshotsInput.MaxRecords":              {Least: minRecords, Most: maxSnapshotRecords},
			"MaxResults":                                     {Least: 1, Most: maxResults},
			"DescribeUpdateActionsInput.CacheClusterIds":     {Most: 20},
			"DescribeUpdateActionsInput.ReplicationGroupIds": {Most: 20},
			"ServiceUpdateStatus":                            {Most: 3}, "UpdateActionStatus": {Most: 9},
		},
	}
}

// breach words a breach. Sources: cloudposse/terraform-aws-elasticache-redis issue 89 for texts, hashicorp/terraform
// pull request 2534 for lists, awsdocs/aws-cloudformation-user-guide pull request 1072 for the rest. What AWS says of
// enums and bounds is not recorded.
func breach(b constraint.Breach) error {
	switch {
	case b.Missing && b.Kind == reflect.String:
		return missing(b.Member)
	case b.Missing && b.Kind == reflect.Slice:
		return invalidValue("The parameter %s must be provided.", b.Member)
	case b.Missing:
		return invalidValue("The parameter %s must be provided and must not be null.", b.Member)
	case b.Enum != nil:
		return invalidValue("Invalid value %s for %s. Must be one of %v", b.Value, b.Member, b.Enum)
	case b.Kind == reflect.Slice:
		return invalidValue("%s may have %d items at most.", b.Member, b.Most)
	}
	return invalidValue("Invalid value %s for %s. Must be between %d and %d", b.Value, b.Member, b.Least, b.Most)
}
