# Staging: a primary and one replica. AWS has no cache.t3.large: larder up and Terraform warn, and larder runs it;
# before an apply on AWS use cache.t3.medium or cache.m6g.large.
#
# On AWS, and on larder after eval "$(larder env)": terraform init && terraform apply. The region comes from AWS_REGION.
# Without Terraform: larder up examples/staging

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
  environment  = "staging"
}

module "security" {
  source = "../../modules/security"

  project_name = "uex-payments"
  environment  = "staging"
  vpc_id       = module.vpc.vpc_id
}

module "kms" {
  source = "../../modules/kms"

  project_name = "uex-payments"
  environment  = "staging"
}

module "sns" {
  source = "../../modules/sns"

  project_name = "uex-payments"
  environment  = "staging"
  kms_key_arn  = module.kms.key_arn
}

module "redis" {
  source = "../../modules/redis"

  project_name = "uex-payments"
  environment  = "staging"

  # Network
  redis_subnet_ids        = module.vpc.private_data_subnet_ids
  redis_security_group_id = module.security.redis_security_group_id

  # Redis Configuration
  node_type            = "cache.t3.large"
  redis_engine_version = "7.0"

  # Cluster (with replicas)
  cluster_mode_enabled       = false
  num_cache_nodes            = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true

  # Security
  kms_key_arn                = module.kms.key_arn
  transit_encryption_enabled = true
  auth_token_enabled         = true
  auth_token                 = var.redis_auth_token

  # Backups
  snapshot_retention_limit = 3

  # Monitoring
  create_alarms       = true
  alarm_sns_topic_arn = module.sns.warning_topic_arn

  tags = {
    Environment = "staging"
    Terraform   = "true"
  }
}
