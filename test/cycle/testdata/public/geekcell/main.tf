# The shape of geekcell/elasticache-redis-cluster, the basic example: eu-central-1, engine version 7.0, with terraform-aws-modules/vpc.
# terraform_data stands for random_password, whose provider makes nothing in AWS.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "parameters" {
  type = list(object({ name = string, value = string }))
}

variable "log_retention" {
  type = number
}

variable "num_cache_clusters" {
  type = number
}

locals {
  name = "geekcell"
  tags = {}
}

module "vpc" {
  source              = "../modules/vpc"
  name                = "${local.name}-main"
  cidr                = "10.100.0.0/16"
  azs                 = ["eu-central-1a", "eu-central-1b"]
  private_subnets     = ["10.100.1.0/24", "10.100.2.0/24"]
  elasticache_subnets = ["10.100.10.0/24", "10.100.11.0/24"]
}

resource "aws_security_group" "main" {
  name                   = null
  name_prefix            = "${local.name}-redis-"
  description            = "Security Group for ${local.name}-redis"
  vpc_id                 = module.vpc.vpc_id
  revoke_rules_on_delete = true
  tags                   = merge({ Name = "${local.name}-redis" }, local.tags)
}

resource "terraform_data" "main_password" {}

resource "aws_elasticache_parameter_group" "main" {
  count  = length(var.parameters) > 0 ? 1 : 0
  name   = local.name
  family = "redis7"
  dynamic "parameter" {
    for_each = var.parameters
    content {
      name  = parameter.value.name
      value = parameter.value.value
    }
  }
  tags = local.tags
}

resource "aws_cloudwatch_log_group" "main" {
  for_each          = toset(["slow-log", "engine-log"])
  name              = "/elasticache-redis/cluster/${local.name}/log/${each.key}"
  kms_key_id        = null
  retention_in_days = var.log_retention
  skip_destroy      = false
  tags              = local.tags
}

resource "aws_sns_topic" "main" {
  name              = "${local.name}-elasticache"
  kms_master_key_id = "alias/aws/sns"
  tags              = local.tags
}

resource "aws_sns_topic_subscription" "main" {
  for_each  = toset(["ops@example.com"])
  topic_arn = aws_sns_topic.main.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_elasticache_replication_group" "redis" {
  replication_group_id       = local.name
  description                = "Managed by Terraform"
  engine                     = "redis"
  engine_version             = "7.0"
  data_tiering_enabled       = false
  node_type                  = "cache.t4g.micro"
  num_cache_clusters         = var.num_cache_clusters
  parameter_group_name       = length(var.parameters) > 0 ? aws_elasticache_parameter_group.main[0].name : null
  automatic_failover_enabled = true
  multi_az_enabled           = true
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  kms_key_id                 = null
  port                       = 6379
  security_group_ids         = [aws_security_group.main.id]
  subnet_group_name          = module.vpc.elasticache_subnet_group_name
  final_snapshot_identifier  = "${local.name}-final"
  snapshot_retention_limit   = 7
  snapshot_window            = "03:30-05:30"
  apply_immediately          = true
  auto_minor_version_upgrade = false
  maintenance_window         = "Mon:00:00-Mon:03:00"
  auth_token                 = substr(replace(terraform_data.main_password.id, "-", ""), 0, 24)
  notification_topic_arn     = aws_sns_topic.main.arn
  dynamic "log_delivery_configuration" {
    for_each = ["slow-log", "engine-log"]
    content {
      destination      = aws_cloudwatch_log_group.main[log_delivery_configuration.value].name
      destination_type = "cloudwatch-logs"
      log_format       = "text"
      log_type         = log_delivery_configuration.value
    }
  }
  tags = local.tags
}

output "group" {
  value = {
    id       = aws_elasticache_replication_group.redis.id
    endpoint = aws_elasticache_replication_group.redis.primary_endpoint_address
    token    = aws_elasticache_replication_group.redis.auth_token
  }
}
