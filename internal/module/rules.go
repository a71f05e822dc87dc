package module

import (
	"fmt"
	"slices"
	"strings"

	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/catalog"
)

// rule looks at several inputs of the redis module together.
type rule = ruleOf[Inputs]

type ruleOf[I any] struct {
	input    string   // the one to blame
	with     []string // the others it looks at
	severity Severity
	broken   func(*I) string // what is wrong with the input's value; "" when nothing is
}

// rules are the module's rules across inputs; the order is that of the inputs in the table.
func rules(types catalog.NodeTypes) []rule {
	return slices.Concat(nameRules(), nodeTypeRules(types), topologyRules(), zoneRules(), networkRules(), tokenRules(),
		backupRules(), versionRules(), alarmRules(), logRules())
}

// The most characters ElastiCache takes in a replication group's identifier, and the most tags on a resource.
const (
	maxID   = 40
	maxTags = 50
)

func nameRules() []rule {
	return []rule{
		{input: "project_name", with: []string{"environment"}, broken: func(in *Inputs) string {
			id := in.replicationGroupID()
			return when(len(id) > maxID,
				"makes the identifier %s of %d characters, the limit is %d: shorten the project name by %d", id,
				len(id), maxID, len(id)-maxID)
		}},
		{input: "redis_port", severity: Warning, broken: func(in *Inputs) string {
			return when(in.RedisPort < 1024,
				"is below 1024: only root may listen there on one machine; use 1024 to 65535")
		}},
		{input: "tags", broken: func(in *Inputs) string {
			n := len(allTags(in))
			return when(n > maxTags, "and the module's own make %d tags, the most on a resource is %d: drop %d", n,
				maxTags, n-maxTags)
		}},
	}
}

// Limits on the nodes of one group: the most there can be, and the most an AWS account gets without asking.
const (
	maxNodes   = 500
	quotaNodes = 90
)

func topologyRules() []rule {
	shape := []string{"cluster_mode_enabled", "num_cache_nodes", "replicas_per_node_group"}
	return []rule{
		{input: "cluster_mode_enabled", with: []string{"automatic_failover_enabled"}, broken: func(in *Inputs) string {
			return when(in.ClusterModeEnabled && !in.AutomaticFailoverEnabled,
				"needs automatic failover: set automatic_failover_enabled = true")
		}},
		{input: "num_node_groups", with: shape, broken: func(in *Inputs) string {
			return when(in.ClusterModeEnabled && in.nodes() > maxNodes,
				"shards with %d replicas each are %d nodes, the most is %d: use fewer shards or replicas",
				in.ReplicasPerNodeGroup, in.nodes(), maxNodes)
		}},
		{input: "num_node_groups", with: shape, severity: Warning, broken: func(in *Inputs) string {
			return when(in.ClusterModeEnabled && in.nodes() > quotaNodes && in.nodes() <= maxNodes,
				"shards with %d replicas each are %d nodes, an AWS account gets %d: ask for a higher quota before you apply "+
					"there", in.ReplicasPerNodeGroup, in.nodes(), quotaNodes)
		}},
		{input: "automatic_failover_enabled", with: shape, broken: func(in *Inputs) string {
			return when(in.AutomaticFailoverEnabled && !in.ClusterModeEnabled && in.NumCacheNodes < 2,
				"needs at least 2 nodes and num_cache_nodes is %d: raise it, or set automatic_failover_enabled = false",
				in.NumCacheNodes)
		}},
		{input: "multi_az_enabled", with: []string{"automatic_failover_enabled"}, broken: func(in *Inputs) string {
			return when(in.MultiAZEnabled && !in.AutomaticFailoverEnabled,
				"needs automatic failover: set automatic_failover_enabled = true, or multi_az_enabled = false")
		}},
		{input: "multi_az_enabled", with: shape, broken: func(in *Inputs) string {
			count := "num_cache_nodes"
			if in.ClusterModeEnabled {
				count = "replicas_per_node_group"
			}
			return when(in.MultiAZEnabled && in.replicas() < 1,
				"needs a replica in another zone: raise %s by one, or set multi_az_enabled = false", count)
		}},
		{input: "multi_az_enabled", with: []string{"redis_subnet_ids"}, broken: func(in *Inputs) string {
			return when(in.MultiAZEnabled && len(in.RedisSubnetIDs) == 1,
				"needs subnets in 2 zones and redis_subnet_ids has 1 subnet: add one in another zone, or set multi_az_enabled = "+
					"false")
		}},
	}
}

func zoneRules() []rule {
	const zones = "preferred_cache_cluster_azs"
	return []rule{
		{input: zones, with: []string{"cluster_mode_enabled"}, broken: func(in *Inputs) string {
			return when(in.ClusterModeEnabled && len(in.PreferredCacheClusterAZs) > 0,
				"cannot be chosen in cluster mode, where AWS spreads the shards: leave it out")
		}},
		{input: zones, with: []string{"cluster_mode_enabled", "num_cache_nodes"}, broken: func(in *Inputs) string {
			n := len(in.PreferredCacheClusterAZs)
			return when(!in.ClusterModeEnabled && n > 0 && n != in.NumCacheNodes,
				"names %d zones for %d nodes: name one for each of num_cache_nodes, with slice() to take the first few of a "+
					"longer list", n, in.NumCacheNodes)
		}},
		{input: zones, with: []string{"multi_az_enabled", "cluster_mode_enabled"}, broken: func(in *Inputs) string {
			one := len(slices.Compact(slices.Sorted(slices.Values(in.PreferredCacheClusterAZs)))) == 1
			return when(!in.ClusterModeEnabled && in.MultiAZEnabled && one,
				"names one zone only, and Multi-AZ needs 2: name another, or set multi_az_enabled = false")
		}},
	}
}

func tokenRules() []rule {
	return []rule{
		{input: "auth_token_enabled", with: []string{"transit_encryption_enabled"}, broken: func(in *Inputs) string {
			return when(in.AuthTokenEnabled && !in.TransitEncryptionEnabled,
				"needs TLS, or the token would cross the network in the clear: set transit_encryption_enabled = true, or "+
					"auth_token_enabled = false")
		}},
		{input: "transit_encryption_mode", with: []string{"transit_encryption_enabled"},
			broken: func(in *Inputs) string {
				return when(in.TransitEncryptionMode != nil && !in.TransitEncryptionEnabled,
					"needs TLS: set transit_encryption_enabled = true, or leave it out")
			}},
		{input: "transit_encryption_mode", with: []string{"auth_token_enabled"}, broken: func(in *Inputs) string {
			return when(in.AuthTokenEnabled && in.transitMode() == ectypes.TransitEncryptionModePreferred,
				"lets clients in without TLS, and AWS takes no token then: set auth_token_enabled = false "+
					"until the mode is required")
		}},
		{input: "auth_token", with: []string{"auth_token_enabled", "generate_auth_token"},
			broken: func(in *Inputs) string {
				return when(in.AuthTokenEnabled && in.AuthToken == "" && !in.GenerateAuthToken,
					"is empty and generate_auth_token is false: give a token of 16 to 128 characters, or set "+
						"generate_auth_token = true")
			}},
		{input: "auth_token_update_strategy", broken: func(in *Inputs) string {
			return when(in.AuthTokenUpdateStrategy == "DELETE",
				"takes the token away in favour of user groups, which larder has not: use ROTATE or SET")
		}},
		{input: "auth_token", with: []string{"auth_token_enabled"}, severity: Warning, broken: func(in *Inputs) string {
			return when(!in.AuthTokenEnabled && in.AuthToken != "", "is not used, because auth_token_enabled is false")
		}},
	}
}

func backupRules() []rule {
	return []rule{
		{input: "snapshot_retention_limit", with: []string{"enable_snapshots"}, broken: func(in *Inputs) string {
			return when(in.EnableSnapshots && in.SnapshotRetentionLimit == 0,
				"keeps no snapshot and enable_snapshots is true: keep them 1 to 35 days, or set enable_snapshots = false")
		}},
		{input: "snapshot_retention_limit", with: []string{"enable_snapshots", "cluster_mode_enabled"},
			severity: Warning, broken: func(in *Inputs) string {
				return when(in.ClusterModeEnabled && in.retention() == 0 && !in.EnableSnapshots,
					"is not in effect, and Terraform cannot switch snapshots on later in cluster mode: set "+
						"enable_snapshots = true and keep them at least 1 day")
			}},
		{input: "final_snapshot_identifier", with: []string{"enable_snapshots", "skip_final_snapshot"},
			broken: func(in *Inputs) string {
				return when(in.FinalSnapshotIdentifier != nil && !in.finalSnapshot(),
					"is not used, because no final snapshot is taken: set enable_snapshots = true and "+
						"skip_final_snapshot = false, or leave it out")
			}},
		{input: "snapshot_window", with: []string{"maintenance_window"}, broken: func(in *Inputs) string {
			daily, noDaily := cache.ParseSnapshotWindow(in.SnapshotWindow)
			weekly, noWeekly := cache.ParseMaintenanceWindow(in.MaintenanceWindow) // what is wrong with either has been said
			return when(noDaily == nil && noWeekly == nil && daily.Overlaps(weekly),
				"overlaps maintenance_window %q, which AWS refuses even without snapshots: move one of them",
				in.MaintenanceWindow)
		}},
	}
}

func versionRules() []rule {
	version := []string{"redis_engine_version"}
	return []rule{
		{input: "parameter_group_family", with: version, broken: func(in *Inputs) string {
			want := familyOf(in.RedisEngineVersion) // "" for a version that has been refused
			return when(in.ParameterGroupFamily != nil && want != "" && *in.ParameterGroupFamily != want,
				"is not the family of redis_engine_version %q, which is %s: leave it out to follow the version",
				in.RedisEngineVersion, want)
		}},
		{input: "slow_log_enabled", with: version, broken: func(in *Inputs) string {
			return when(in.SlowLogEnabled && strings.HasPrefix(in.RedisEngineVersion, "5."),
				"needs redis_engine_version 6.0 or later and it is %q: set slow_log_enabled = false",
				in.RedisEngineVersion)
		}},
		{input: "engine_log_enabled", with: version, broken: func(in *Inputs) string {
			old := strings.HasPrefix(in.RedisEngineVersion, "5.") || in.RedisEngineVersion == "6.0"
			return when(in.EngineLogEnabled && old,
				"needs redis_engine_version 6.2 or later and it is %q: set engine_log_enabled = false",
				in.RedisEngineVersion)
		}},
	}
}

// when formats the text if the condition holds.
func when(broken bool, format string, args ...any) string {
	if !broken {
		return ""
	}
	return fmt.Sprintf(format, args...)
}
