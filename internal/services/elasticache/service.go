// Package elasticache serves the ElastiCache API: it checks what is asked for, records it, and describes what is. The
// engine makes it so.
package elasticache

import (
	"context"
	"net/netip"
	"time"

	"larder/internal/audit"
	"larder/internal/awswire"
	"larder/internal/cache"
	"larder/internal/caller"
	"larder/internal/catalog"
	"larder/internal/gateway"
	"larder/internal/plan"
	"larder/internal/seal"
	"larder/internal/store"
)

// Config is what a service works with. Every field is needed.
type Config struct {
	Store    *store.Store
	Sealer   *seal.Sealer
	Versions catalog.EngineVersions
	// StrictVersions refuses a version that only a newer server than AWS's would run.
	StrictVersions bool
	NodeTypes      catalog.NodeTypes
	Families       catalog.Families // of parameter groups
	// Block holds the loopback addresses that groups are given.
	Block           netip.Prefix
	Account, Region string
	// DefaultVPC is the network whose subnets the default subnet group is made of.
	DefaultVPC string
	Keys       Keys
	// PortFree asks the machine whether a process may listen on the address; the error says what is in the way.
	PortFree func(netip.AddrPort) error
	// ParametersChanged is called after a parameter group got other values: the nodes that use it have to be told.
	ParametersChanged func()
	// Observed is what the nodes of a group were last seen to do.
	Observed func(group string) plan.Observed
	// DataSize measures how many bytes the data of a group take on a node.
	DataSize func(ctx context.Context, group string) (int64, error)
	// CheckSnapshot says why no group can be made of a snapshot: its file is gone or damaged. Nil checks none.
	CheckSnapshot func(cache.Snapshot) error
	// UnlockSnapshot says why a snapshot's KMS key cannot be used now. Nil tries none.
	UnlockSnapshot func(cache.Snapshot) error
	Now            func() time.Time
}

// Keys knows the account's KMS keys.
type Keys interface {
	// HasKey tells whether there is an enabled key of that id, ARN or alias that the service may use for a caller.
	HasKey(by caller.Caller, id string) bool
}

// Service answers the ElastiCache API.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }

// Why parts of the API are not served.
const (
	oneMachine    = "a global datastore spans regions, and larder runs on one machine"
	noClusterMode = "cluster mode is not served"
	noImport      = "there is no S3 to read an RDB file from. Use SnapshotName"
	noServerless  = "serverless caches are not served"
	noFirehose    = "logs are delivered to CloudWatch Logs only"
	noUserGroups  = "user groups are not served. Use AuthToken"
)

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	trail := audit.Log{Store: s.Store}
	return gateway.Service{Shapes: awswire.ElastiCache(), Front: front(), Audit: trail, Actions: []gateway.Action{
		gateway.Handle("CreateReplicationGroup", gateway.Write, s.createReplicationGroup, notServed...),
		gateway.Handle("DescribeReplicationGroups", gateway.List, s.describeReplicationGroups),
		gateway.Handle("ModifyReplicationGroup", gateway.Write, s.modifyReplicationGroup, notModified...),
		gateway.Handle("IncreaseReplicaCount", gateway.Write, s.increaseReplicaCount),
		gateway.Handle("DecreaseReplicaCount", gateway.Write, s.decreaseReplicaCount),
		gateway.Handle("DeleteReplicationGroup", gateway.Write, s.deleteReplicationGroup,
			gateway.Only("RetainPrimaryCluster", "a cache cluster outside of a replication group is not served",
				"false")),
		gateway.Handle("ListAllowedNodeTypeModifications", gateway.List, s.listAllowedNodeTypes),
		gateway.Handle("TestFailover", gateway.Write, s.testFailover),
		gateway.Handle("RebootCacheCluster", gateway.Write, s.rebootCacheCluster),
		gateway.Handle("DescribeCacheClusters", gateway.List, s.describeCacheClusters),

		gateway.Handle("CreateSnapshot", gateway.Write, s.createSnapshot),
		gateway.Handle("DescribeSnapshots", gateway.List, s.describeSnapshots),
		gateway.Handle("DeleteSnapshot", gateway.Write, s.deleteSnapshot),

		gateway.Handle("CreateCacheSubnetGroup", gateway.Write, s.createSubnetGroup),
		gateway.Handle("DescribeCacheSubnetGroups", gateway.List, s.describeSubnetGroups),
		gateway.Handle("ModifyCacheSubnetGroup", gateway.Write, s.modifySubnetGroup),
		gateway.Handle("DeleteCacheSubnetGroup", gateway.Write, s.deleteSubnetGroup),

		gateway.Handle("CreateCacheParameterGroup", gateway.Write, s.createParameterGroup),
		gateway.Handle("DescribeCacheParameterGroups", gateway.List, s.describeParameterGroups),
		gateway.Handle("DeleteCacheParameterGroup", gateway.Write, s.deleteParameterGroup),
		gateway.Handle("DescribeCacheParameters", gateway.List, s.describeParameters),
		gateway.Handle("ModifyCacheParameterGroup", gateway.Write, s.modifyParameterGroup),
		gateway.Handle("ResetCacheParameterGroup", gateway.Write, s.resetParameterGroup),
		gateway.Handle("DescribeEngineDefaultParameters", gateway.List, s.describeEngineDefaults),
		gateway.Handle("DescribeCacheEngineVersions", gateway.List, s.describeEngineVersions),

		gateway.Handle("AddTagsToResource", gateway.Tagging, s.addTags),
		gateway.Handle("RemoveTagsFromResource", gateway.Tagging, s.removeTags),
		gateway.Handle("ListTagsForResource", gateway.Read, s.listTags),

		gateway.Handle("DescribeEvents", gateway.List, s.describeEvents),

		gateway.Handle("DescribeUsers", gateway.List, s.describeUsers,
			gateway.Refuse("Filters", "there is one user, the default one: ask for it by UserId")),
		gateway.Handle("DescribeUserGroups", gateway.List, s.describeUserGroups),
		gateway.Handle("DescribeServerlessCaches", gateway.List, s.describeServerlessCaches),
		gateway.Handle("DescribeServerlessCacheSnapshots", gateway.List, s.describeServerlessSnapshots),
		gateway.Handle("DescribeReservedCacheNodes", gateway.List, s.describeReservedNodes),
		gateway.Handle("DescribeReservedCacheNodesOfferings", gateway.List, s.describeReservedOfferings),
		gateway.Handle("DescribeServiceUpdates", gateway.List, s.describeServiceUpdates),
		gateway.Handle("DescribeUpdateActions", gateway.List, s.describeUpdateActions),
		gateway.Handle("DescribeGlobalReplicationGroups", gateway.List, s.describeGlobalGroups),
		gateway.Handle("DescribeCacheSecurityGroups", gateway.List, s.describeCacheSecurityGroups),
	}}
}

// notServed is what CreateReplicationGroup can be asked for on AWS only.
var notServed = []gateway.Refusal{
	gateway.Only("ClusterMode", noClusterMode, "disabled"),
	gateway.Only("DataTieringEnabled", "data tiering needs node types with local disks", "false"),
	gateway.Refuse("Durability", "it is a setting of engines that larder does not run"),
	gateway.Only("Engine", "larder runs redis-server", "redis"),
	gateway.Refuse("GlobalReplicationGroupId", oneMachine),
	gateway.Only("IpDiscovery", "nodes have IPv4 addresses", "ipv4"),
	gateway.Refuse("LogDeliveryConfigurations.DestinationDetails.KinesisFirehoseDetails", noFirehose),
	gateway.Only("NetworkType", "nodes have IPv4 addresses", "ipv4"),
	gateway.Refuse("NodeGroupConfiguration", noClusterMode),
	gateway.Only("NumNodeGroups", noClusterMode, "1"),
	gateway.Refuse("PrimaryClusterId", "a cache cluster outside of a replication group is not served"),
	gateway.Refuse("ServerlessCacheSnapshotName", noServerless),
	gateway.Refuse("SnapshotArns", noImport),
	gateway.Refuse("UserGroupIds", noUserGroups),
}

// notModified is what ModifyReplicationGroup can change on AWS only.
var notModified = []gateway.Refusal{
	gateway.Only("ClusterMode", noClusterMode, "disabled"),
	gateway.Refuse("Durability", "it is a setting of engines that larder does not run"),
	gateway.Only("Engine", "larder runs redis-server", "redis"),
	gateway.Only("IpDiscovery", "nodes have IPv4 addresses", "ipv4"),
	gateway.Refuse("LogDeliveryConfigurations.DestinationDetails.KinesisFirehoseDetails", noFirehose),
	gateway.Refuse("NodeGroupId", "it is deprecated, and AWS takes no notice of it"),
	gateway.Only("RemoveUserGroups", noUserGroups, "false"),
	gateway.Refuse("UserGroupIdsToAdd", noUserGroups),
	gateway.Refuse("UserGroupIdsToRemove", noUserGroups),
}
