# The shape of umotif-public/elasticache-redis, example redis-basic: eu-west-1, engine version 7.0, in the default VPC. The example's log
# destination is a name that nobody makes; here the log group is there. terraform_data stands for random_id, whose provider makes nothing
# in AWS: its id is random, unknown before it is made, and another one when its keepers change.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "repl_backlog_size" {
  type = string
}

variable "snapshot_retention_limit" {
  type = number
}

variable "engine_version" {
  type = string
}

variable "num_cache_clusters" {
  type = number
}

locals {
  name_prefix = "redis-basic-example"
  tags        = { Project = "Github", Environment = "test" }
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "all" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

resource "aws_security_group" "other_sg" {
  vpc_id = data.aws_vpc.default.id
}

resource "aws_cloudwatch_log_group" "redis" {
  name = "umotif-engine-log"
}

resource "terraform_data" "redis_pg" {
  triggers_replace = { family = "redis7" }
}

resource "aws_elasticache_parameter_group" "redis" {
  name        = "${local.name_prefix}-redis-${substr(terraform_data.redis_pg.id, 0, 4)}"
  family      = "redis7"
  description = "Test elasticache redis."
  parameter {
    name  = "repl-backlog-size"
    value = var.repl_backlog_size
  }
  lifecycle {
    create_before_destroy = true
  }
  tags = local.tags
}

resource "aws_elasticache_subnet_group" "redis" {
  count       = length(data.aws_subnets.all.ids) > 0 ? 1 : 0
  name        = "${local.name_prefix}-redis-sg"
  subnet_ids  = data.aws_subnets.all.ids
  description = "Test elasticache redis."
  tags        = local.tags
}

resource "aws_security_group" "redis" {
  name_prefix = "${local.name_prefix}-redis-"
  vpc_id      = data.aws_vpc.default.id
  tags        = merge({ Name = "${local.name_prefix}-redis" }, local.tags)
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group_rule" "redis_ingress_self" {
  count             = 1
  type              = "ingress"
  from_port         = 6379
  to_port           = 6379
  protocol          = "tcp"
  self              = true
  security_group_id = aws_security_group.redis.id
}

resource "aws_security_group_rule" "redis_ingress_cidr_blocks" {
  count             = 1
  type              = "ingress"
  from_port         = 6379
  to_port           = 6379
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
  security_group_id = aws_security_group.redis.id
}

resource "aws_security_group_rule" "redis_egress" {
  count             = 1
  type              = "egress"
  from_port         = 0
  to_port           = 0
  protocol          = "-1"
  cidr_blocks       = ["0.0.0.0/0"]
  security_group_id = aws_security_group.redis.id
}

resource "aws_security_group_rule" "other_sg_ingress" {
  count                    = length([aws_security_group.other_sg.id])
  type                     = "ingress"
  from_port                = 6379
  to_port                  = 6379
  protocol                 = "tcp"
  source_security_group_id = element([aws_security_group.other_sg.id], count.index)
  security_group_id        = aws_security_group.redis.id
}

resource "aws_elasticache_replication_group" "redis" {
  engine                      = "redis"
  parameter_group_name        = aws_elasticache_parameter_group.redis.name
  subnet_group_name           = aws_elasticache_subnet_group.redis[0].name
  security_group_ids          = concat([], [aws_security_group.redis.id])
  preferred_cache_cluster_azs = null
  replication_group_id        = "${local.name_prefix}-redis"
  num_cache_clusters          = var.num_cache_clusters
  node_type                   = "cache.t4g.small"
  engine_version              = var.engine_version
  port                        = 6379
  maintenance_window          = "mon:03:00-mon:04:00"
  snapshot_window             = "04:00-06:00"
  snapshot_retention_limit    = var.snapshot_retention_limit
  snapshot_name               = null
  final_snapshot_identifier   = null
  automatic_failover_enabled  = true
  auto_minor_version_upgrade  = true
  multi_az_enabled            = true
  at_rest_encryption_enabled  = true
  transit_encryption_enabled  = true
  auth_token                  = "1234567890asdfghjkl"
  kms_key_id                  = ""
  global_replication_group_id = null
  apply_immediately           = true
  description                 = "Test elasticache redis."
  data_tiering_enabled        = false
  notification_topic_arn      = ""
  replicas_per_node_group     = null
  num_node_groups             = null
  user_group_ids              = null
  log_delivery_configuration {
    destination_type = "cloudwatch-logs"
    destination      = aws_cloudwatch_log_group.redis.name
    log_format       = "json"
    log_type         = "engine-log"
  }
  tags = merge({ Name = "${local.name_prefix}-redis" }, local.tags)
}

output "group" {
  value = {
    id       = aws_elasticache_replication_group.redis.id
    endpoint = aws_elasticache_replication_group.redis.primary_endpoint_address
    token    = aws_elasticache_replication_group.redis.auth_token
  }
}
