# Production: a primary and two replicas in three zones.
#
# On AWS, and on larder after eval "$(larder env)": terraform init && terraform apply. The region comes from AWS_REGION.
# Without Terraform: larder up examples/production

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
  redis_subnet_ids            = module.vpc.private_data_subnet_ids
  redis_security_group_id     = module.security.redis_security_group_id
  preferred_cache_cluster_azs = module.vpc.availability_zones

  # Redis Configuration
  node_type            = "cache.r6g.large"
  redis_engine_version = "7.0"

  # Cluster (non-cluster mode with replicas)
  cluster_mode_enabled       = false
  num_cache_nodes            = 3 # 1 primary + 2 replicas
  automatic_failover_enabled = true
  multi_az_enabled           = true

  # Security
  kms_key_arn                = module.kms.key_arn
  transit_encryption_enabled = true
  auth_token_enabled         = true
  auth_token                 = var.redis_auth_token

  # Backups
  enable_snapshots         = true
  snapshot_retention_limit = 7
  snapshot_window          = "03:00-05:00"
  maintenance_window       = "sun:05:00-sun:07:00"
  skip_final_snapshot      = false

  # Parameter tuning
  maxmemory_policy = "allkeys-lru"
  timeout          = "300"

  # Monitoring
  create_alarms                 = true
  alarm_sns_topic_arn           = module.sns.critical_topic_arn
  notification_topic_arn        = module.sns.info_topic_arn
  cloudwatch_log_retention_days = 90

  tags = {
    Environment = "prod"
    Terraform   = "true"
    Backup      = "daily"
  }
}
