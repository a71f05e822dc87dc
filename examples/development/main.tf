# Development: one node, no snapshots and no alarms.
#
# larder up examples/development runs it on this machine. What module.vpc, module.security, module.kms and module.sns offer is
# then stood in for by larder.

variable "redis_auth_token" {
  type        = string
  description = "Auth token of 16 to 128 characters; null to have one generated"
  sensitive   = true
  default     = null
}

module "redis" {
  source = "../../modules/redis"

  project_name = "uex-payments"
  environment  = "dev"

  # Network
  redis_subnet_ids        = module.vpc.private_data_subnet_ids
  redis_security_group_id = module.security.redis_security_group_id

  # Redis Configuration
  node_type            = "cache.t3.medium"
  redis_engine_version = "7.0"

  # Cluster (non-cluster mode, single primary)
  cluster_mode_enabled       = false
  num_cache_nodes            = 1
  automatic_failover_enabled = false
  multi_az_enabled           = false

  # Security
  kms_key_arn                = module.kms.key_arn
  transit_encryption_enabled = true
  auth_token_enabled         = true
  auth_token                 = var.redis_auth_token

  # Backups
  enable_snapshots         = false
  snapshot_retention_limit = 0

  # Monitoring
  create_alarms = false

  tags = {
    Environment = "dev"
    Terraform   = "true"
  }
}
