# Cluster: three shards with two replicas each.
#
# On AWS: terraform init && terraform apply. The region comes from AWS_REGION. larder does not run cluster mode: its API
# and larder up refuse this call.

terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
    }
  }
}

variable "redis_auth_token" {
  type        = string
  description = "Auth token of 16 to 128 characters; null to have one generated"
  sensitive   = true
  default     = null
}

module "vpc" {
  source = "../../modules/vpc"

  project_name = "uex-payments"
  environment  = "prod"
}

module "security" {
  source = "../../modules/security"

  project_name = "uex-payments"
  environment  = "prod"
  vpc_id       = module.vpc.vpc_id
}

module "kms" {
  source = "../../modules/kms"

  project_name = "uex-payments"
  environment  = "prod"
}

module "sns" {
  source = "../../modules/sns"

  project_name = "uex-payments"
  environment  = "prod"
  kms_key_arn  = module.kms.key_arn
}

module "redis" {
  source = "../../modules/redis"

  project_name = "uex-payments"
  environment  = "prod"

  # Network
  redis_subnet_ids        = module.vpc.private_data_subnet_ids
  redis_security_group_id = module.security.redis_security_group_id

  # Redis Configuration
  node_type            = "cache.r6g.xlarge"
  redis_engine_version = "7.0"

  # Cluster mode (sharding enabled)
  cluster_mode_enabled       = true
  num_node_groups            = 3 # 3 shards
  replicas_per_node_group    = 2 # 2 replicas per shard
  automatic_failover_enabled = true
  multi_az_enabled           = true

  # Security
  kms_key_arn                = module.kms.key_arn
  transit_encryption_enabled = true
  auth_token_enabled         = true
  auth_token                 = var.redis_auth_token

  # Backups
  enable_snapshots         = true
  snapshot_retention_limit = 14

  # Monitoring
  create_alarms       = true
  alarm_sns_topic_arn = module.sns.critical_topic_arn

  tags = {
    Environment = "prod"
    Terraform   = "true"
  }
}
