# Development: one node, no snapshots and no alarms.
#
# On AWS, and on larder after eval "$(larder env)": terraform init && terraform apply. The region comes from AWS_REGION.
# Without Terraform: larder up examples/development

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
  environment  = "dev"
}

module "security" {
  source = "../../modules/security"

  project_name = "uex-payments"
  environment  = "dev"
  vpc_id       = module.vpc.vpc_id
}

module "kms" {
  source = "../../modules/kms"

  project_name = "uex-payments"
  environment  = "dev"
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
