# What a CI job of a Node program brings up: a primary and a replica, with TLS and a token.
module "redis" {
  source                     = "../../../../modules/redis"
  project_name               = "shop"
  environment                = "dev"
  redis_subnet_ids           = module.vpc.private_data_subnet_ids
  redis_security_group_id    = module.security.redis_security_group_id
  kms_key_arn                = module.kms.key_arn
  node_type                  = "cache.t3.micro"
  num_cache_nodes            = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  transit_encryption_enabled = true
  auth_token_enabled         = true
  create_alarms              = false
  skip_final_snapshot        = true
}
