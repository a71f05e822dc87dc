resource "aws_elasticache_subnet_group" "this" {
  count = var.create_subnet_group ? 1 : 0

  name        = "${local.id}-subnets"
  description = "Subnets of ${local.id}"
  subnet_ids  = var.redis_subnet_ids
  tags        = local.tags
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = local.id
  description          = local.description
  engine               = var.engine
  engine_version       = var.redis_engine_version
  node_type            = var.node_type
  port                 = var.redis_port
  parameter_group_name = local.parameter_group_name
  data_tiering_enabled = var.data_tiering_enabled ? true : null

  # The counts of the other mode may not be sent together.
  cluster_mode                = var.cluster_mode
  num_cache_clusters          = var.cluster_mode_enabled ? null : var.num_cache_nodes
  num_node_groups             = var.cluster_mode_enabled ? var.num_node_groups : null
  replicas_per_node_group     = var.cluster_mode_enabled ? var.replicas_per_node_group : null
  automatic_failover_enabled  = var.automatic_failover_enabled
  multi_az_enabled            = var.multi_az_enabled
  preferred_cache_cluster_azs = length(var.preferred_cache_cluster_azs) > 0 ? var.preferred_cache_cluster_azs : null

  subnet_group_name  = local.subnet_group_name
  security_group_ids = local.security_group_ids
  network_type       = var.network_type
  ip_discovery       = var.ip_discovery

  at_rest_encryption_enabled = var.at_rest_encryption_enabled
  kms_key_id                 = local.kms_key_arn
  transit_encryption_enabled = var.transit_encryption_enabled
  transit_encryption_mode    = var.transit_encryption_mode
  auth_token                 = local.auth_token
  auth_token_update_strategy = local.auth_token_update_strategy
  user_group_ids             = length(var.user_group_ids) > 0 ? var.user_group_ids : null

  snapshot_name             = var.snapshot_name
  snapshot_arns             = length(var.snapshot_arns) > 0 ? var.snapshot_arns : null
  snapshot_retention_limit  = local.retention
  snapshot_window           = var.snapshot_window
  final_snapshot_identifier = local.final_snapshot_identifier

  maintenance_window         = var.maintenance_window
  auto_minor_version_upgrade = var.auto_minor_version_upgrade
  apply_immediately          = local.apply_immediately
  notification_topic_arn     = var.notification_topic_arn

  dynamic "log_delivery_configuration" {
    for_each = local.log_destinations

    content {
      log_type         = log_delivery_configuration.key
      log_format       = var.log_format
      destination_type = var.log_destination_type
      destination      = log_delivery_configuration.value
    }
  }

  timeouts {
    create = try(var.timeouts.create, null)
    update = try(var.timeouts.update, null)
    delete = try(var.timeouts.delete, null)
  }

  tags       = local.tags
  depends_on = [terraform_data.checks]
}

# A name that each group uses once: the snapshot outlives the group, and AWS refuses the name of one that exists. uuid()
# answers anew in each plan; the first answer is kept until something changes that may replace the group. The name cannot
# follow the group itself, which it is an argument of.
resource "terraform_data" "final_snapshot" {
  count = local.final_snapshot ? 1 : 0

  input = substr(uuid(), 0, 8)
  triggers_replace = [
    local.id, var.redis_port, local.kms_key_arn, var.at_rest_encryption_enabled, var.transit_encryption_enabled,
    local.subnet_group_name, var.network_type, var.data_tiering_enabled, var.snapshot_name, var.snapshot_arns,
    var.engine, var.redis_engine_version, var.cluster_mode_enabled,
  ]

  lifecycle {
    ignore_changes = [input]
  }
}

locals {
  # AWS takes 40 characters, and no two hyphens together.
  final_snapshot_identifier = !local.final_snapshot ? null : coalesce(
    var.final_snapshot_identifier,
    "${trimsuffix(substr(local.id, 0, 25), "-")}-final-${one(terraform_data.final_snapshot[*].output)}",
  )
}
