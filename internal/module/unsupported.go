package module

import "github.com/zclconf/go-cty/cty"

// unsupportedInputs are the inputs of the Terraform module that larder knows and cannot honour: they may be set to
// their default only.
func unsupportedInputs() []Input {
	const (
		noUsers   = "larder has no users and user groups, only the auth token"
		noLogs    = "larder delivers logs to CloudWatch only"
		noFiles   = "larder reads no files from S3: name one of its own snapshots in snapshot_name"
		noScaling = "larder has no auto scaling"
		noToken2  = "larder takes the token from auth_token or generates it"
	)
	text, flag, number, list, anything := cty.String, cty.Bool, cty.Number, cty.List(cty.String), cty.DynamicPseudoType
	null, none := cty.NullVal, cty.ListValEmpty(cty.String)
	return []Input{
		unsupported("create", flag, cty.True, "Create the module's resources", "remove the module call to have none"),
		unsupported("engine", text, cty.StringVal("redis"), "Engine", "larder runs redis"),
		unsupported("auth_token_wo", text, null(text), "Auth token as a write-only argument", noToken2),
		unsupported("auth_token_wo_version", number, null(number), "Version of auth_token_wo", noToken2),
		unsupported("cluster_mode", text, null(text), "Cluster mode (enabled, disabled, compatible)",
			"use cluster_mode_enabled"),
		unsupported("user_group_ids", list, none, "User groups that may log in", noUsers),
		unsupported("users", cty.Map(anything), cty.MapValEmpty(anything), "Users to create", noUsers),
		unsupported("log_destination_type", text, cty.StringVal("cloudwatch-logs"),
			"Where logs go (cloudwatch-logs, kinesis-firehose)", noLogs),
		unsupported("snapshot_arns", list, none, "RDB files in S3 to start from", noFiles),
		unsupported("data_tiering_enabled", flag, cty.False, "Data tiering (r6gd nodes)",
			"larder keeps all data in memory"),
		unsupported("network_type", text, null(text), "ipv4, ipv6 or dual_stack",
			"larder listens on IPv4 loopback addresses"),
		unsupported("ip_discovery", text, null(text), "ipv4 or ipv6", "larder listens on IPv4 loopback addresses"),
		unsupported("global_replication_group_id", text, null(text), "Global datastore to join",
			"larder copies nothing from one region to another"),
		unsupported("shard_autoscaling", anything, null(anything), "Auto scaling of shards", noScaling),
		unsupported("replica_autoscaling", anything, null(anything), "Auto scaling of replicas", noScaling),
		unsupported("dns", anything, null(anything), "Route 53 record of the endpoint",
			"larder has no DNS: its endpoints are addresses"),
		unsupported("timeouts", anything, null(anything), "How long Terraform waits",
			"these are Terraform's; larder up has a flag of its own"),
	}
}
