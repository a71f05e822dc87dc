locals {
  # The name everything else is named after. AWS keeps identifiers in lower case and CloudWatch dimensions are
  # case-sensitive, so it is lower case from the start.
  id = lower("${var.project_name}-${var.environment}-redis")

  description       = coalesce(var.description, "Redis of ${var.project_name} in ${var.environment}")
  apply_immediately = var.apply_immediately == null ? var.environment != "prod" : var.apply_immediately
  tags = tomap(merge({
    Project     = var.project_name
    Environment = var.environment
    ManagedBy   = "larder-module"
  }, var.tags))

  shards   = var.cluster_mode_enabled ? var.num_node_groups : 1
  replicas = var.cluster_mode_enabled ? var.replicas_per_node_group : var.num_cache_nodes - 1
  nodes    = local.shards * (local.replicas + 1)

  retention      = var.enable_snapshots ? var.snapshot_retention_limit : 0
  final_snapshot = var.enable_snapshots && !var.skip_final_snapshot

  # AWS takes no key where there is nothing to encrypt.
  kms_key_arn = var.at_rest_encryption_enabled ? var.kms_key_arn : null

  security_group_ids = tolist(concat([var.redis_security_group_id], var.additional_security_group_ids, aws_security_group.this[*].id))
  subnet_group_name  = var.create_subnet_group ? one(aws_elasticache_subnet_group.this[*].name) : var.subnet_group_name

  node_types = { for row in csvdecode(file("${path.module}/node_types.csv")) : row.node_type => row }
  node_type  = lookup(local.node_types, var.node_type, null)

  versions = [for row in csvdecode(file("${path.module}/engine_versions.csv")) : row if row.engine == var.engine]
  family = coalesce(
    var.parameter_group_family,
    one([for row in local.versions : row.family if row.version == var.redis_engine_version]),
    "unknown", # a version that checks.tf refuses
  )
}

# What the members will be called counts as known from the start; what they are called is read back, for after a replica
# is removed AWS decides which one goes.
locals {
  member_suffixes = var.cluster_mode_enabled ? flatten([
    for shard in range(1, local.shards + 1) : [for node in range(1, local.replicas + 2) : format("%04d-%03d", shard, node)]
  ]) : [for node in range(1, local.nodes + 1) : format("%03d", node)]

  member_clusters = sort(tolist(aws_elasticache_replication_group.this.member_clusters))
  members         = [for i, suffix in local.member_suffixes : try(local.member_clusters[i], "${local.id}-${suffix}")]
}
