package elasticache_test

import (
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/operation"
	"larder/internal/services/elasticache"
	"larder/internal/state"
	"larder/internal/store"
)

// The requests that bring about the rows of testdata/errors.csv, by message, or by code where the row has none.

type (
	createInput = sdk.CreateReplicationGroupInput
	modifyInput = sdk.ModifyReplicationGroupInput
)

func groupErrors() map[string]provocation {
	withFailover := func(in *createInput) { in.AutomaticFailoverEnabled = new(true) }
	return map[string]provocation{
		"Replication group must be in available state to modify.": {
			prepare: func(t *testing.T, s *server) {
				grouped(1)(t, s)
				s.update(t, "test", func(g cache.Topology) { g.Status = cache.Modifying })
			},
			calls: calls{"ModifyReplicationGroup": modifying(func(*modifyInput) {})},
		},
		"When using automatic failover, there must be at least 2 cache clusters in the replication group.": {
			calls: calls{"CreateReplicationGroup": creating(withFailover)},
		},
		"Replication group must have at least one read replica to enable autofailover.": {
			prepare: grouped(1),
			calls:   modifies(func(in *modifyInput) { in.AutomaticFailoverEnabled = new(true) }),
		},
		"Must have at least 1 replica when cluster mode is disabled with auto failover enabled.": {
			prepare: grouped(2, withFailover),
			calls: calls{
				"CreateReplicationGroup": creating(func(in *createInput) {
					in.AutomaticFailoverEnabled, in.ReplicasPerNodeGroup = new(true), new(int32(0))
				}),
				"DecreaseReplicaCount": calling((*sdk.Client).DecreaseReplicaCount, sdk.DecreaseReplicaCountInput{
					ReplicationGroupId: new("test"), NewReplicaCount: new(int32(0)), ApplyImmediately: new(true),
				}),
			},
		},
		"Requested new replica count already matches current number of replicas.": {
			prepare: grouped(2),
			calls: calls{
				"IncreaseReplicaCount": calling((*sdk.Client).IncreaseReplicaCount, sdk.IncreaseReplicaCountInput{
					ReplicationGroupId: new("test"), NewReplicaCount: new(int32(1)), ApplyImmediately: new(true),
				}),
				"DecreaseReplicaCount": calling((*sdk.Client).DecreaseReplicaCount, sdk.DecreaseReplicaCountInput{
					ReplicationGroupId: new("test"), NewReplicaCount: new(int32(1)), ApplyImmediately: new(true),
				}),
			},
		},
		"The number of replicas per node group must be within 0 and 5.": {
			calls: creates(func(in *createInput) { in.NumCacheClusters = new(int32(7)) }),
		},
		"Replication group id should be no more than 16 characters.": {
			instead: []string{"16", "40"},
			calls: creates(func(in *createInput) {
				in.ReplicationGroupId = new(strings.Repeat("a", 41))
			}),
		},
		"Replication group with specified name already exists.": {
			prepare: grouped(1),
			calls:   creates(func(in *createInput) { in.ReplicationGroupId = new("test") }),
		},
		"Customer node quota exceeded. You can have at most 300 nodes in this region": {
			prepare: func(t *testing.T, s *server) {
				s.change(t, func(tx *store.Tx) error {
					return state.PutGroup(tx, groupOf("full", 300), operation.Origin{At: time.Now()})
				})
			},
			calls: calls{"CreateReplicationGroup": creating(func(*createInput) {})},
		},
		"NodeGroupNotFoundFault": {
			prepare: grouped(2, withFailover),
			calls: calls{
				"TestFailover": calling((*sdk.Client).TestFailover, sdk.TestFailoverInput{
					ReplicationGroupId: new("test"), NodeGroupId: new("0002"),
				}),
				"IncreaseReplicaCount": calling((*sdk.Client).IncreaseReplicaCount, sdk.IncreaseReplicaCountInput{
					ReplicationGroupId: new("test"), ApplyImmediately: new(true),
					ReplicaConfiguration: []types.ConfigureShard{{NodeGroupId: new("0002"),
						NewReplicaCount: new(int32(2))}},
				}),
				"DecreaseReplicaCount": calling((*sdk.Client).DecreaseReplicaCount, sdk.DecreaseReplicaCountInput{
					ReplicationGroupId: new("test"), ApplyImmediately: new(true),
					ReplicaConfiguration: []types.ConfigureShard{{NodeGroupId: new("0002"),
						NewReplicaCount: new(int32(1))}},
				}),
			},
		},
		"TestFailoverNotAvailableFault": {
			prepare: grouped(1),
			calls: calls{"TestFailover": calling((*sdk.Client).TestFailover, sdk.TestFailoverInput{
				ReplicationGroupId: new("test"), NodeGroupId: new("0001"),
			})},
		},
	}
}

func creates(change func(*createInput)) calls {
	return calls{"CreateReplicationGroup": creating(change)}
}

func modifies(change func(*modifyInput)) calls {
	return calls{"ModifyReplicationGroup": modifying(change)}
}

// both is one refusal of CreateReplicationGroup and ModifyReplicationGroup.
func both(c func(*createInput), m func(*modifyInput)) calls {
	return calls{"CreateReplicationGroup": creating(c), "ModifyReplicationGroup": modifying(m)}
}

func settingErrors() map[string]provocation {
	const tooOld = "Transit encryption mode is not supported for engine version 6.2.6. " +
		"Please use engine version 7.0.5 or higher."
	tiered := "When using the cache.r6gd.2xlarge node type, you must enable data tiering."
	mode := types.TransitEncryptionModeRequired
	withTLS := func(in *createInput) { in.TransitEncryptionEnabled = new(true) }
	return map[string]provocation{
		"Must specify both SnapshotRetentionLimit and SnapshottingClusterId to turn on snapshots": {
			prepare: grouped(1),
			calls:   modifies(func(in *modifyInput) { in.SnapshotRetentionLimit = new(int32(1)) }),
		},
		"Specified snapshotting cluster does not exist": {
			prepare: grouped(1),
			calls:   modifies(func(in *modifyInput) { in.SnapshottingClusterId = new("other-001") }),
		},
		"To modify transit encryption mode, set encryption-in-transit as enabled.": {
			prepare: grouped(1),
			calls:   modifies(func(in *modifyInput) { in.TransitEncryptionMode = mode }),
		},
		"Direct transition from transit-encryption-disabled to transit-encryption-enabled is not allowed. " +
			"Update the cluster to transit-encryption-mode preferred prior to enabling transit encryption.": {
			prepare: grouped(1),
			calls:   modifies(func(in *modifyInput) { in.TransitEncryptionEnabled = new(true) }),
		},
		"Transit encryption preferred is not supported with redis access control.": {
			calls: creates(func(in *createInput) {
				in.TransitEncryptionEnabled, in.AuthToken = new(true), new(authToken)
				in.TransitEncryptionMode = types.TransitEncryptionModePreferred
			}),
		},
		"The AUTH token modification is only supported when encryption-in-transit is enabled.": {
			prepare: grouped(1, withTLS, func(in *createInput) {
				in.TransitEncryptionMode = types.TransitEncryptionModePreferred
			}),
			calls: modifies(func(in *modifyInput) { in.AuthToken, in.ApplyImmediately = new(authToken), new(true) }),
		},
		tooOld: {
			instead: []string{"6.2.6", "7.0.4"},
			config:  func(c *elasticache.Config) { c.Versions = catalog.EngineVersions{{Version: "7.0.4"}} },
			prepare: grouped(1, withTLS),
			calls: both(func(in *createInput) {
				in.TransitEncryptionEnabled, in.TransitEncryptionMode = new(true),
					mode
			},
				func(in *modifyInput) { in.TransitEncryptionEnabled, in.TransitEncryptionMode = new(true), mode }),
		},
		"Cannot find version 4.0.13 for redis": {
			instead: []string{"4.0.13", "9.9"}, more: true,
			calls: creates(func(in *createInput) { in.EngineVersion = new("9.9") }),
		},
		"Cannot modify redis from 3.2.6 to 3.2.4": {
			instead: []string{"3.2.6", "7.2.4", "3.2.4", "7.0.15"},
			prepare: grouped(2, func(in *createInput) { in.EngineVersion = new("7.2") }),
			calls:   modifies(func(in *modifyInput) { in.EngineVersion = new("7.0") }),
		},
		"Specific version selection is not allowed for '6.2.6', please use '6.2'": {
			instead: []string{"6.2.6", "7.0.15", "'6.2'", "'7.0'"},
			prepare: grouped(1),
			calls: both(func(in *createInput) { in.EngineVersion = new("7.0.15") },
				func(in *modifyInput) { in.EngineVersion = new("7.0.15") }),
		},
		"The parameter CacheNodeType must be provided and must not be null.": {
			calls: creates(func(in *createInput) { in.CacheNodeType = nil }),
		},
		tiered: {
			more:  true,
			calls: creates(func(in *createInput) { in.CacheNodeType = new("cache.r6gd.2xlarge") }),
		},
		"Invalid AuthToken provided.": {
			prepare: grouped(1, withTLS),
			calls: both(func(in *createInput) { in.TransitEncryptionEnabled, in.AuthToken = new(true), new("short") },
				func(in *modifyInput) {
					in.AuthToken, in.AuthTokenUpdateStrategy = new("short"), types.AuthTokenUpdateStrategyTypeRotate
				}),
		},
		"Auth token update strategy delete is not supported currently": {
			prepare: grouped(1, withTLS),
			calls: modifies(func(in *modifyInput) {
				in.AuthTokenUpdateStrategy = types.AuthTokenUpdateStrategyTypeDelete
			}),
		},
		"To modify the log delivery configuration, set the apply-immediately parameter to true.": {
			prepare: grouped(1),
			calls: calls{"ModifyReplicationGroup": modifying(func(in *modifyInput) {
				in.ApplyImmediately = new(false)
				in.LogDeliveryConfigurations = []types.LogDeliveryConfigurationRequest{{
					LogType: types.LogTypeSlowLog, LogFormat: types.LogFormatJson,
					DestinationType: types.DestinationTypeCloudWatchLogs,
					DestinationDetails: &types.DestinationDetails{
						CloudWatchLogsDetails: &types.CloudWatchLogsDestinationDetails{LogGroup: new("/logs")},
					},
				}}
			})},
		},
		"Snapshot window must be at least 60 minutes.": {
			prepare: grouped(1),
			calls: both(func(in *createInput) { in.SnapshotWindow = new("05:00-05:30") },
				func(in *modifyInput) { in.SnapshotWindow = new("05:00-05:30") }),
		},
		"The snapshot window and maintenance window must not overlap.": {
			prepare: grouped(1),
			calls: both(func(in *createInput) {
				in.SnapshotWindow, in.PreferredMaintenanceWindow = new("05:00-06:00"), new("mon:05:30-mon:06:30")
			}, func(in *modifyInput) {
				in.SnapshotWindow, in.PreferredMaintenanceWindow = new("05:00-06:00"), new("mon:05:30-mon:06:30")
			}),
		},
		"Use of cache security groups is not permitted in this API version for your account.": {
			calls: creates(func(in *createInput) { in.CacheSecurityGroupNames = []string{"x"} }),
		},
		"Subnet group [default] belongs to a different VPC [vpc-1] than [vpc-2]": {
			calls: creates(func(in *createInput) { in.SecurityGroupIds = []string{"sg-x"} }),
		},
		"InvalidKMSKeyFault": {
			prepare: grouped(1),
			calls: calls{
				"CreateReplicationGroup": creating(func(in *createInput) {
					in.AtRestEncryptionEnabled, in.KmsKeyId = new(true), new("other")
				}),
				"CreateSnapshot": calling((*sdk.Client).CreateSnapshot, sdk.CreateSnapshotInput{
					SnapshotName: new("s"), ReplicationGroupId: new("test"), KmsKeyId: new("other"),
				}),
			},
		},
	}
}
