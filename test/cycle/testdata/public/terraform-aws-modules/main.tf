# The shape of terraform-aws-modules/elasticache, example redis-replication-group: eu-west-1, engine version 7.1.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "node_type" {
  type = string
}

variable "latency_tracking" {
  type = string
}

data "aws_availability_zones" "available" {}

locals {
  name     = "ex-redis-replication-group"
  vpc_cidr = "10.0.0.0/16"
  azs      = slice(data.aws_availability_zones.available.names, 0, 3)
  tags     = { Name = local.name, Example = local.name, terraform-aws-modules = "elasticache" }
}

module "vpc" {
  source          = "../modules/vpc"
  name            = local.name
  cidr            = local.vpc_cidr
  azs             = local.azs
  public_subnets  = [for k, v in local.azs : cidrsubnet(local.vpc_cidr, 8, k)]
  private_subnets = [for k, v in local.azs : cidrsubnet(local.vpc_cidr, 8, k + 10)]
  tags            = local.tags
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = toset(["slow-log"])
  name              = "/aws/elasticache/${local.name}"
  retention_in_days = 14
  kms_key_id        = null
  skip_destroy      = null
  log_group_class   = null
  tags              = local.tags
}

resource "aws_elasticache_parameter_group" "this" {
  name        = local.name
  family      = "redis7"
  description = "${title(local.name)} parameter group"
  parameter {
    name  = "latency-tracking"
    value = var.latency_tracking
  }
  tags = local.tags
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_subnet_group" "this" {
  name        = local.name
  description = "${title(local.name)} subnet group"
  subnet_ids  = module.vpc.private_subnets
  tags        = local.tags
}

resource "aws_security_group" "this" {
  name        = null
  name_prefix = "${local.name}-"
  description = null
  vpc_id      = module.vpc.vpc_id
  tags        = local.tags
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each                     = { ingress_vpc = { description = "VPC traffic", cidr_ipv4 = module.vpc.vpc_cidr_block } }
  security_group_id            = aws_security_group.this.id
  ip_protocol                  = "tcp"
  cidr_ipv4                    = each.value.cidr_ipv4
  cidr_ipv6                    = null
  description                  = each.value.description
  from_port                    = 6379
  to_port                      = 6379
  prefix_list_id               = null
  referenced_security_group_id = null
  tags                         = local.tags
}

resource "aws_elasticache_replication_group" "this" {
  apply_immediately           = true
  at_rest_encryption_enabled  = true
  auth_token                  = "PickSomethingMoreSecure123!"
  auth_token_update_strategy  = null
  auto_minor_version_upgrade  = null
  automatic_failover_enabled  = null
  cluster_mode                = null
  data_tiering_enabled        = null
  description                 = "Replication group"
  engine                      = "redis"
  engine_version              = "7.1"
  final_snapshot_identifier   = null
  global_replication_group_id = null
  ip_discovery                = null
  kms_key_id                  = null
  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.this["slow-log"].name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }
  maintenance_window          = "sun:05:00-sun:09:00"
  multi_az_enabled            = false
  network_type                = null
  node_type                   = var.node_type
  notification_topic_arn      = null
  num_cache_clusters          = null
  num_node_groups             = null
  parameter_group_name        = aws_elasticache_parameter_group.this.id
  port                        = 6379
  preferred_cache_cluster_azs = []
  replicas_per_node_group     = null
  replication_group_id        = local.name
  security_group_names        = []
  security_group_ids          = [aws_security_group.this.id]
  snapshot_arns               = []
  snapshot_name               = null
  snapshot_retention_limit    = null
  snapshot_window             = null
  subnet_group_name           = aws_elasticache_subnet_group.this.name
  transit_encryption_enabled  = true
  transit_encryption_mode     = null
  user_group_ids              = null
  tags                        = local.tags
}

output "group" {
  value = {
    id       = aws_elasticache_replication_group.this.id
    endpoint = aws_elasticache_replication_group.this.primary_endpoint_address
    token    = aws_elasticache_replication_group.this.auth_token
  }
}
