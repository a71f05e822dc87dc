package module

import "github.com/zclconf/go-cty/cty"

// unsupportedInputs are the inputs of the Terraform module that larder knows and cannot honour: they may be set to their
// default only.
func unsupportedInputs() []Input {
	const (
		ownGroups = "larder makes the subnet and parameter groups itself"
		noRules   = "larder opens and closes no network: it listens on this machine only"
		noUsers   = "larder has no users and user groups, only the auth token"
		noLogs    = "larder does not export logs"
		noRestore = "larder cannot restore from a snapshot"
		noScaling = "larder has no auto scaling"
		noAlarms  = "larder does not evaluate alarms"
		noToken2  = "larder takes the token from auth_token or generates it"
	)
	text, flag, number, list, anything := cty.String, cty.Bool, cty.Number, cty.List(cty.String), cty.DynamicPseudoType
	null, none := cty.NullVal, cty.ListValEmpty(cty.String)
	return []Input{
		unsupported("create", flag, cty.True, "Create the module's resources", "remove the module call to have none"),
		unsupported("engine", text, cty.StringVal("redis"), "Engine", "larder runs redis"),
		unsupported("parameter_group_name", text, null(text), "An existing parameter group", ownGroups),
		unsupported("subnet_group_name", text, null(text), "An existing subnet group", ownGroups),
		unsupported("create_security_group", flag, cty.False, "Create a security group", noRules),
		unsupported("allowed_security_group_ids", list, none, "Security groups that may connect", noRules),
		unsupported("allowed_cidrs", list, none, "Networks that may connect", noRules),
		unsupported("auth_token_update_strategy", text, cty.StringVal("ROTATE"), "How a new token replaces the old (SET, ROTATE, DELETE)", "larder does not change a token yet"),
		unsupported("auth_token_wo", text, null(text), "Auth token as a write-only argument", noToken2),
		unsupported("auth_token_wo_version", number, null(number), "Version of auth_token_wo", noToken2),
		unsupported("auth_token_secret_recovery_window_in_days", number, cty.NumberIntVal(7), "Days a deleted secret can be recovered", "larder does not pass the window on yet"),
		unsupported("auth_token_secret_kms_key_arn", text, null(text), "KMS key of the secret", "larder does not pass the key on yet"),
		unsupported("transit_encryption_mode", text, null(text), "TLS mode (preferred, required)", "larder has TLS on or off: use transit_encryption_enabled"),
		unsupported("cluster_mode", text, null(text), "Cluster mode (enabled, disabled, compatible)", "use cluster_mode_enabled"),
		unsupported("user_group_ids", list, none, "User groups that may log in", noUsers),
		unsupported("users", cty.Map(anything), cty.MapValEmpty(anything), "Users to create", noUsers),
		unsupported("log_destination_type", text, cty.StringVal("cloudwatch-logs"), "Where logs go (cloudwatch-logs, kinesis-firehose)", noLogs),
		unsupported("slow_log_destination", text, null(text), "Name of the slow log's destination", noLogs),
		unsupported("engine_log_destination", text, null(text), "Name of the engine log's destination", noLogs),
		unsupported("log_group_prefix", text, null(text), "Prefix of the log groups' names", noLogs),
		unsupported("cloudwatch_log_kms_key_arn", text, null(text), "KMS key of the log groups", noLogs),
		unsupported("log_skip_destroy", flag, cty.False, "Keep the log groups on destroy", noLogs),
		unsupported("snapshot_name", text, null(text), "Snapshot to start from", noRestore),
		unsupported("snapshot_arns", list, none, "RDB files in S3 to start from", noRestore),
		unsupported("final_snapshot_identifier", text, null(text), "Name of the final snapshot", "larder does not take a final snapshot"),
		unsupported("data_tiering_enabled", flag, cty.False, "Data tiering (r6gd nodes)", "larder keeps all data in memory"),
		unsupported("network_type", text, null(text), "ipv4, ipv6 or dual_stack", "larder listens on IPv4 loopback addresses"),
		unsupported("ip_discovery", text, null(text), "ipv4 or ipv6", "larder listens on IPv4 loopback addresses"),
		unsupported("global_replication_group_id", text, null(text), "Global datastore to join", "larder has one region"),
		unsupported("shard_autoscaling", anything, null(anything), "Auto scaling of shards", noScaling),
		unsupported("replica_autoscaling", anything, null(anything), "Auto scaling of replicas", noScaling),
		unsupported("create_dashboard", flag, cty.False, "Create a CloudWatch dashboard", "larder has no CloudWatch dashboards"),
		unsupported("dns", anything, null(anything), "Route 53 record of the endpoint", "larder has no DNS: its endpoints are addresses"),
		unsupported("alarm_thresholds", anything, null(anything), "Thresholds of the alarms", noAlarms),
		unsupported("alarm_evaluation_periods", number, null(number), "Evaluation periods of the alarms", noAlarms),
		unsupported("alarm_period", number, null(number), "Period of the alarms in seconds", noAlarms),
		unsupported("alarm_ok_actions", anything, null(anything), "What to do when an alarm is over", noAlarms),
		unsupported("alarm_insufficient_data_actions", anything, null(anything), "What to do when an alarm lacks data", noAlarms),
		unsupported("alarm_dimension_mode", text, null(text), "Dimensions of the alarms", noAlarms),
		unsupported("enabled_alarms", anything, null(anything), "Which alarms to create", noAlarms),
		unsupported("treat_missing_data", text, null(text), "What an alarm makes of missing data", noAlarms),
		unsupported("timeouts", anything, null(anything), "How long Terraform waits", "these are Terraform's; larder up has a flag of its own"),
	}
}
