# Connection

output "replication_group_primary_endpoint_address" {
  description = "Primary endpoint hostname; null in cluster mode, which has a configuration endpoint in its place"
  value       = var.cluster_mode_enabled ? null : aws_elasticache_replication_group.this.primary_endpoint_address
}

output "replication_group_reader_endpoint_address" {
  description = "Reader endpoint (for replicas); null in cluster mode, which has a configuration endpoint in its place"
  value       = var.cluster_mode_enabled ? null : aws_elasticache_replication_group.this.reader_endpoint_address
}

output "redis_port" {
  description = "Redis port"
  value       = local.port
}

output "redis_connection_string" {
  description = "Full connection string, with the token; in cluster mode to the configuration endpoint"
  value       = local.connection_string
  sensitive   = true
}

output "redis_connection_info" {
  description = "Complete connection info object; the token is in the secret it names"
  value = {
    primary_endpoint       = var.cluster_mode_enabled ? null : aws_elasticache_replication_group.this.primary_endpoint_address
    reader_endpoint        = var.cluster_mode_enabled ? null : aws_elasticache_replication_group.this.reader_endpoint_address
    configuration_endpoint = var.cluster_mode_enabled ? aws_elasticache_replication_group.this.configuration_endpoint_address : null
    port                   = local.port
    cluster_mode_enabled   = var.cluster_mode_enabled
    tls_enabled            = var.transit_encryption_enabled
    auth_token_enabled     = var.auth_token_enabled
    auth_token_secret_arn  = one(aws_secretsmanager_secret.auth_token[*].arn)
  }
}

# Resources

output "replication_group_id" {
  description = "Replication group identifier"
  value       = aws_elasticache_replication_group.this.replication_group_id
}

output "replication_group_arn" {
  description = "Replication group ARN"
  value       = aws_elasticache_replication_group.this.arn
}

output "member_clusters" {
  description = "List of cluster identifiers"
  value       = local.member_clusters
}

output "configuration_summary" {
  description = "Complete configuration summary"
  value = {
    project_name               = var.project_name
    environment                = var.environment
    replication_group_id       = local.id
    engine_version             = var.redis_engine_version
    node_type                  = var.node_type
    node_memory_gib            = try(tonumber(local.node_type.memory_gib), null)
    node_count                 = local.nodes
    cluster_mode_enabled       = var.cluster_mode_enabled
    num_node_groups            = local.shards
    replicas_per_node_group    = local.replicas
    multi_az_enabled           = var.multi_az_enabled
    automatic_failover_enabled = var.automatic_failover_enabled
    transit_encryption_enabled = var.transit_encryption_enabled
    at_rest_encryption_enabled = var.at_rest_encryption_enabled
    auth_token_enabled         = var.auth_token_enabled
    snapshot_retention_days    = local.retention
    snapshot_window            = var.snapshot_window
    maintenance_window         = var.maintenance_window
    maxmemory_policy           = var.maxmemory_policy
    alarms_enabled             = var.create_alarms
  }
}

# Commands

output "redis_cli_command" {
  description = "Command to connect via redis-cli"
  value       = local.redis_cli
}

output "connection_test_command" {
  description = "Command to test connectivity; answers PONG"
  value       = local.redis_cli == null ? null : "${local.redis_cli} PING"
}

output "nodejs_connection_example" {
  description = "Node.js connection code, as a shell command"
  value       = local.nodejs
}

output "python_connection_example" {
  description = "Python connection code, as a shell command"
  value       = local.python
}

output "go_connection_example" {
  description = "Go connection code, as a shell command"
  value       = local.go
}

output "snapshot_create_command" {
  description = "Command to take a snapshot now"
  value       = "aws elasticache create-snapshot --replication-group-id ${local.id} --snapshot-name \"${trimsuffix(substr(local.id, 0, 25), "-")}-$(date -u +%Y%m%d%H%M%S)\""
}

output "snapshot_restore_command" {
  description = "Command to start another group, GROUP, from the snapshot SNAPSHOT; a given token that is kept in no secret is read from REDIS_AUTH_TOKEN"
  value       = local.restore
}

# More

output "replication_group_configuration_endpoint_address" {
  description = "Configuration endpoint hostname in cluster mode; null without cluster mode"
  value       = var.cluster_mode_enabled ? aws_elasticache_replication_group.this.configuration_endpoint_address : null
}

output "redis_endpoint_address" {
  description = "Where to connect: the configuration endpoint in cluster mode, the primary endpoint without"
  value       = local.host
}

output "cluster_enabled" {
  description = "Whether cluster mode is on"
  value       = var.cluster_mode_enabled
}

output "engine_version_actual" {
  description = "Engine version that runs, with its patch number"
  value       = aws_elasticache_replication_group.this.engine_version_actual
}

output "node_count" {
  description = "Number of nodes, primaries and replicas"
  value       = local.nodes
}

output "parameter_group_name" {
  description = "Parameter group"
  value       = local.parameter_group_name
}

output "parameter_group_family" {
  description = "Family of the parameter group"
  value       = local.family
}

output "subnet_group_name" {
  description = "Subnet group"
  value       = local.subnet_group_name
}

output "security_group_ids" {
  description = "Security groups of the nodes"
  value       = local.security_group_ids
}

output "kms_key_arn" {
  description = "KMS key the data is encrypted with; null without encryption at rest"
  value       = local.kms_key_arn
}

output "auth_token_secret_arn" {
  description = "Secret with the auth token; null without one"
  value       = one(aws_secretsmanager_secret.auth_token[*].arn)
}

output "auth_token_secret_name" {
  description = "Name of the secret with the auth token; null without one"
  value       = one(aws_secretsmanager_secret.auth_token[*].name)
}

output "auth_token" {
  description = "Auth token; null without one"
  value       = local.auth_token
  sensitive   = true
}

output "tags_all" {
  description = "Tags of every resource"
  value       = local.tags
}

# Monitoring

output "slow_log_group_name" {
  description = "Log group of the slow log; null when the module makes none"
  value       = try(aws_cloudwatch_log_group.this["slow-log"].name, null)
}

output "slow_log_group_arn" {
  description = "ARN of the slow log's log group; null when the module makes none"
  value       = try(aws_cloudwatch_log_group.this["slow-log"].arn, null)
}

output "engine_log_group_name" {
  description = "Log group of the engine log; null when the module makes none"
  value       = try(aws_cloudwatch_log_group.this["engine-log"].name, null)
}

output "engine_log_group_arn" {
  description = "ARN of the engine log's log group; null when the module makes none"
  value       = try(aws_cloudwatch_log_group.this["engine-log"].arn, null)
}

output "alarm_names" {
  description = "Names of the alarms"
  value       = [for alarm in values(local.alarm_resources) : alarm.alarm_name]
}

output "alarm_arns" {
  description = "ARNs of the alarms, by <member>-<alarm>"
  value       = { for key, alarm in local.alarm_resources : key => alarm.arn }
}

output "dashboard_arn" {
  description = "ARN of the dashboard; null without one"
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_arn)
}

output "final_snapshot_identifier" {
  description = "Name of the snapshot that a destroy takes; null when it takes none"
  value       = local.final_snapshot_identifier
}
