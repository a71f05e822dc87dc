package module

import (
	"slices"

	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/catalog"
)

// Table lists every input of the module once: decoding, defaults, checks and documentation all read it. The order is
// that of the documentation.
func Table() []Input {
	return slices.Concat(
		requiredInputs(), nodeInputs(), networkInputs(), securityInputs(), backupInputs(), engineInputs(), alarmInputs(),
		logInputs(),
		otherInputs(), unsupportedInputs(),
	)
}

func requiredInputs() []Input {
	return []Input{
		required("project_name", "Project name for resource naming",
			func(in *Inputs) *string { return &in.ProjectName }, projectName),
		required("environment", "Environment (dev/staging/prod)",
			func(in *Inputs) *string { return &in.Environment }, oneOf("an environment of the module", "dev", "staging",
				"prod")),
		required("redis_subnet_ids", "List of subnet IDs for Redis subnet group",
			func(in *Inputs) *[]string { return &in.RedisSubnetIDs },
			sized(1, 20, "subnet IDs"), each(subnetID), distinct("subnet")),
		required("redis_security_group_id", "Security group ID for Redis",
			func(in *Inputs) *string { return &in.RedisSecurityGroupID }, groupID),
		required("kms_key_arn", "KMS key ARN for encryption",
			func(in *Inputs) *string { return &in.KMSKeyARN }, keyARN),
	}
}

func nodeInputs() []Input {
	return []Input{
		optional("redis_port", 6379, "Redis port",
			func(in *Inputs) *int { return &in.RedisPort }, between(1, 65535, "a TCP port can be")),
		optional("redis_engine_version", "7.0", "Redis version",
			func(in *Inputs) *string { return &in.RedisEngineVersion }, versionOffered),
		optional("node_type", "cache.t3.medium", "Node type",
			func(in *Inputs) *string { return &in.NodeType }), // checked against the node types known, see nodeTypeRules
		optional("cluster_mode_enabled", false, "Enable cluster mode (sharding)",
			func(in *Inputs) *bool { return &in.ClusterModeEnabled }),
		optional("num_cache_nodes", 2, "Number of nodes (non-cluster)",
			func(in *Inputs) *int { return &in.NumCacheNodes },
			between(1, 6,
				"nodes without cluster mode (1 primary and 5 replicas): for more set cluster_mode_enabled = true")).
			deferred("it is not used in cluster mode, where num_node_groups and replicas_per_node_group count",
				func(in *Inputs) bool { return in.ClusterModeEnabled && in.NumCacheNodes != 2 }),
		optional("num_node_groups", 1, "Number of shards (cluster mode)",
			func(in *Inputs) *int { return &in.NumNodeGroups }, between(1, 500, "shards a replication group has")).
			deferred("it is used in cluster mode only",
				func(in *Inputs) bool { return !in.ClusterModeEnabled && in.NumNodeGroups != 1 }),
		optional("replicas_per_node_group", 1, "Replicas per shard",
			func(in *Inputs) *int { return &in.ReplicasPerNodeGroup }, between(0, 5, "replicas a shard has")).
			deferred("it is used in cluster mode only",
				func(in *Inputs) bool { return !in.ClusterModeEnabled && in.ReplicasPerNodeGroup != 1 }),
		optional("multi_az_enabled", true, "Enable Multi-AZ",
			func(in *Inputs) *bool { return &in.MultiAZEnabled }),
		optional("automatic_failover_enabled", true, "Enable automatic failover",
			func(in *Inputs) *bool { return &in.AutomaticFailoverEnabled }),
		optional("preferred_cache_cluster_azs", []string{},
			"Availability zones of the nodes, the primary's first; one for each node",
			func(in *Inputs) *[]string { return &in.PreferredCacheClusterAZs }, each(zoneName)),
	}
}

func securityInputs() []Input {
	return []Input{
		optional("transit_encryption_enabled", true, "Enable TLS",
			func(in *Inputs) *bool { return &in.TransitEncryptionEnabled }),
		optional("transit_encryption_mode", (*string)(nil), "TLS mode (preferred, required)",
			func(in *Inputs) *(*string) { return &in.TransitEncryptionMode },
			given(oneOf("a TLS mode", string(ectypes.TransitEncryptionModePreferred),
				string(ectypes.TransitEncryptionModeRequired)))),
		optional("at_rest_encryption_enabled", true, "Encrypt data at rest with kms_key_arn",
			func(in *Inputs) *bool { return &in.AtRestEncryptionEnabled }),
		optional("auth_token_enabled", true, "Enable auth token",
			func(in *Inputs) *bool { return &in.AuthTokenEnabled }),
		optional("auth_token", Secret(""), "Auth token/password",
			func(in *Inputs) *Secret { return &in.AuthToken }, token).secret(),
		optional("generate_auth_token", true, "Generate a token when auth_token is empty",
			func(in *Inputs) *bool { return &in.GenerateAuthToken }),
		optional("auth_token_length", 64, "Characters of a generated token",
			func(in *Inputs) *int { return &in.AuthTokenLength },
			between(16, 128, "characters of a token")),
		optional("create_auth_token_secret", true, "Keep the token in Secrets Manager",
			func(in *Inputs) *bool { return &in.CreateAuthTokenSecret }),
		optional("auth_token_secret_name", (*string)(nil),
			"Name of the secret with the token; null for <project>/<environment>/redis",
			func(in *Inputs) *(*string) { return &in.AuthTokenSecretName },
			given(form(`^[A-Za-z0-9/_+=.@-]{1,512}$`,
				"is not a secret name: use 1 to 512 letters, digits and / _ + = . @ -"))),
		optional("auth_token_update_strategy", "ROTATE", "How a new token replaces the old (SET, ROTATE, DELETE)",
			func(in *Inputs) *string { return &in.AuthTokenUpdateStrategy }, oneOf("a strategy", "SET", "ROTATE",
				"DELETE")),
		optional("auth_token_secret_recovery_window_in_days", 7, "Days a deleted secret can be recovered",
			func(in *Inputs) *int { return &in.AuthTokenSecretRecovery }, recoveryWindow),
		optional("auth_token_secret_kms_key_arn", (*string)(nil), "KMS key of the secret",
			func(in *Inputs) *(*string) { return &in.AuthTokenSecretKMSKeyARN }, given(anyKeyARN)),
		optional("additional_security_group_ids", []string{}, "More security groups for Redis",
			func(in *Inputs) *[]string { return &in.AdditionalSecurityGroupIDs }, each(groupID), distinct("security group")),
	}
}

func networkInputs() []Input {
	return []Input{
		optional("create_subnet_group", true, "Create the subnet group; false to use subnet_group_name",
			func(in *Inputs) *bool { return &in.CreateSubnetGroup }),
		optional("subnet_group_name", (*string)(nil), "An existing subnet group",
			func(in *Inputs) *(*string) { return &in.SubnetGroupName }),
		optional("create_security_group", false, "Create a security group",
			func(in *Inputs) *bool { return &in.CreateSecurityGroup }),
		optional("allowed_security_group_ids", []string{}, "Security groups that may connect; a record on larder, which "+
			"keeps nobody out",
			func(in *Inputs) *[]string { return &in.AllowedSecurityGroupIDs }, each(groupID)),
		optional("allowed_cidrs", []string{}, "Networks that may connect; a record on larder, which keeps nobody out",
			func(in *Inputs) *[]string { return &in.AllowedCIDRs }, each(ipv4Network)),
	}
}

func backupInputs() []Input {
	return []Input{
		optional("enable_snapshots", true, "Take automatic snapshots",
			func(in *Inputs) *bool { return &in.EnableSnapshots }),
		optional("snapshot_retention_limit", 7, "Snapshot retention (days)",
			func(in *Inputs) *int { return &in.SnapshotRetentionLimit },
			between(0, 35, "days snapshots are kept")), // doctor.Warn tells that no automatic snapshot is taken
		optional("snapshot_window", "03:00-05:00", "Snapshot window (UTC)",
			func(in *Inputs) *string { return &in.SnapshotWindow }, dailyWindow),
		optional("maintenance_window", "sun:05:00-sun:07:00", "Maintenance window (UTC)",
			func(in *Inputs) *string { return &in.MaintenanceWindow }, weeklyWindow),
		optional("skip_final_snapshot", false, "Take no snapshot when the group is deleted",
			func(in *Inputs) *bool { return &in.SkipFinalSnapshot }),
		optional("final_snapshot_identifier", (*string)(nil), "Name of the final snapshot",
			func(in *Inputs) *(*string) { return &in.FinalSnapshotIdentifier },
			given(snapshotName)),
		optional("snapshot_name", (*string)(nil), "Snapshot to start from",
			func(in *Inputs) *(*string) { return &in.SnapshotName }),
	}
}

func engineInputs() []Input {
	return []Input{
		optional("maxmemory_policy", "allkeys-lru", "Eviction policy",
			func(in *Inputs) *string { return &in.MaxmemoryPolicy },
			oneOf("an eviction policy of Redis", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru",
				"volatile-lfu",
				"volatile-random", "volatile-ttl", "noeviction")),
		optional("timeout", "0", "Seconds after which an idle connection is closed, 0 for never",
			func(in *Inputs) *string { return &in.Timeout }, timeout),
		optional("notify_keyspace_events", "",
			"Keyspace events to publish, as letters of Redis's notify-keyspace-events",
			func(in *Inputs) *string { return &in.NotifyKeyspaceEvents }, keyspaceEvents),
		optional("parameters", []Parameter{}, "More engine parameters",
			func(in *Inputs) *[]Parameter { return &in.Parameters }, parameters),
		optional("parameter_group_family", (*string)(nil),
			"Parameter group family; null to follow redis_engine_version",
			func(in *Inputs) *(*string) { return &in.ParameterGroupFamily },
			given(oneOf("a family of the module", families()...))),
		optional("create_parameter_group", true, "Create the parameter group; false to use parameter_group_name",
			func(in *Inputs) *bool { return &in.CreateParameterGroup }),
		optional("parameter_group_name", (*string)(nil), "An existing parameter group",
			func(in *Inputs) *(*string) { return &in.ParameterGroupName }),
	}
}

func logInputs() []Input {
	return []Input{
		optional("slow_log_enabled", true, "Export the slow log to CloudWatch",
			func(in *Inputs) *bool { return &in.SlowLogEnabled }),
		optional("engine_log_enabled", true, "Export the engine log to CloudWatch",
			func(in *Inputs) *bool { return &in.EngineLogEnabled }),
		optional("log_format", "json", "Format of the exported logs",
			func(in *Inputs) *string { return &in.LogFormat }, oneOf("a log format", "json", "text")),
		optional("create_log_groups", true,
			"Create the log groups; false to use slow_log_destination and engine_log_destination",
			func(in *Inputs) *bool { return &in.CreateLogGroups }),
		optional("slow_log_destination", (*string)(nil), "Name of the slow log's destination",
			func(in *Inputs) *(*string) { return &in.SlowLogDestination }),
		optional("engine_log_destination", (*string)(nil), "Name of the engine log's destination",
			func(in *Inputs) *(*string) { return &in.EngineLogDestination }),
		optional("log_group_prefix", (*string)(nil),
			"Prefix of the log groups' names; the key of modules/kms is for those under /aws/elasticache",
			func(in *Inputs) *(*string) { return &in.LogGroupPrefix }, given(logGroupPrefix)),
		optional("cloudwatch_log_retention_days", 30, "Days that CloudWatch keeps the logs, 0 for ever",
			func(in *Inputs) *int { return &in.CloudwatchLogRetentionDays },
			oneOfNumbers("a number of days CloudWatch Logs takes", append([]int{0}, catalog.LogRetentionDays()...)...)),
		optional("cloudwatch_log_kms_key_arn", (*string)(nil), "KMS key of the log groups",
			func(in *Inputs) *(*string) { return &in.CloudwatchLogKMSKeyARN }, given(anyKeyARN)),
		optional("log_skip_destroy", false, "Keep the log groups on destroy",
			func(in *Inputs) *bool { return &in.LogSkipDestroy }),
	}
}

func otherInputs() []Input {
	return []Input{
		optional("description", (*string)(nil),
			"Description of the replication group; null for one made of project and environment",
			func(in *Inputs) *(*string) { return &in.Description },
			given(form(`\S`, "is empty, which AWS refuses: describe the group, or leave it out"))),
		optional("apply_immediately", (*bool)(nil),
			"Make changes at once and not in the maintenance window; null for true outside of prod",
			func(in *Inputs) *(*bool) { return &in.ApplyImmediately }),
		optional("auto_minor_version_upgrade", true, "Upgrade to new minor versions in the maintenance window",
			func(in *Inputs) *bool { return &in.AutoMinorVersionUpgrade }).
			deferred("larder runs the engine version of this machine and does not upgrade it by itself",
				func(in *Inputs) bool { return in.AutoMinorVersionUpgrade }),
		optional("tags", map[string]string{},
			"Tags of every resource; the module adds Project, Environment and ManagedBy",
			func(in *Inputs) *map[string]string { return &in.Tags }, tags),
	}
}
