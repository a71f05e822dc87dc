module "redis" {
  source = "./modules/redis"

  project_name = "uex-payments"
  environment  = "staging"

  # Network
  redis_subnet_ids         = module.vpc.private_data_subnet_ids
  redis_security_group_id  = module.security.redis_security_group_id

  # Redis Configuration
  node_type           = "cache.t3.large"
  redis_engine_version = "7.0"

  # Cluster (with replicas)
  cluster_mode_enabled       = false
  num_cache_nodes           = 2
  automatic_failover_enabled = true
  multi_az_enabled          = true

  # Security
  kms_key_arn                 = module.kms.key_arn
  transit_encryption_enabled  = true
  auth_token_enabled         = true
  auth_token                 = var.redis_auth_token

  # Backups
  snapshot_retention_limit  = 3

  # Monitoring
  create_alarms       = true
  alarm_sns_topic_arn = module.sns.warning_topic_arn

  tags = {
    Environment = "staging"
    Terraform   = "true"
  }
}
