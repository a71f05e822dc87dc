# The shape of cloudposse/elasticache-redis with its security group module. terraform_data stands for the resources of the providers
# random and null, which make no AWS resource: its id is random, unknown before it is made, and another one when its keepers change.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "id" {
  type = string
}

variable "description" {
  type    = string
  default = null
}

variable "tags" {
  type    = map(string)
  default = {}
}

variable "vpc_id" {
  type = string
}

variable "subnets" {
  type = list(string)
}

variable "elasticache_subnet_group_name" {
  type    = string
  default = null
}

variable "availability_zones" {
  type = list(string)
}

variable "allowed_security_groups" {
  type    = list(string)
  default = []
}

variable "additional_security_group_rules" {
  type    = any
  default = []
}

variable "security_group_name" {
  type    = list(string)
  default = []
}

variable "cluster_size" {
  type = number
}

variable "instance_type" {
  type = string
}

variable "automatic_failover_enabled" {
  type    = bool
  default = false
}

variable "engine_version" {
  type = string
}

variable "family" {
  type = string
}

variable "at_rest_encryption_enabled" {
  type = bool
}

variable "cloudwatch_metric_alarms_enabled" {
  type    = bool
  default = false
}

variable "parameter" {
  type    = list(object({ name = string, value = string }))
  default = []
}

variable "log_delivery_configuration" {
  type    = list(map(string))
  default = []
}

locals {
  none = {
    cidr_blocks = [], ipv6_cidr_blocks = [], prefix_list_ids = [], source_security_group_id = null, self = null
  }
  from_groups = { for i, group in var.allowed_security_groups : "in#[0]#sg#${i}" => {
    type        = "ingress"
    from_port   = 6379
    to_port     = 6379
    protocol    = "tcp"
    description = "Selectively allow inbound traffic"

    source_security_group_id = group
  } }
  extra = { for i, rule in var.additional_security_group_rules : "extra[${i}]" => merge({ description = "Managed by Terraform" }, rule) }
  egress = { "_allow_all_egress_" = {
    type             = "egress"
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    description      = "Allow all egress"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  } }
  rules = { for key, rule in merge(local.from_groups, local.extra, local.egress) : key => merge(local.none, rule) }

  members         = tolist(aws_elasticache_replication_group.default.member_clusters)
  parameter_group = "${var.id}-${replace(var.family, ".", "-")}"
}

resource "terraform_data" "rule_change_forces_new_security_group" {
  triggers_replace = { rules = jsonencode(local.rules) }
}

resource "aws_security_group" "cbd" {
  name_prefix            = "${concat(var.security_group_name, ["${var.id}-"])[0]}-${substr(terraform_data.rule_change_forces_new_security_group.id, 0, 4)}-"
  description            = "Security group for Elasticache Redis"
  vpc_id                 = var.vpc_id
  tags                   = merge(var.tags, try(length(var.security_group_name[0]), 0) > 0 ? { Name = var.security_group_name[0] } : {})
  revoke_rules_on_delete = false
  timeouts {
    create = "10m"
    delete = "5m"
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group_rule" "keyed" {
  for_each                 = local.rules
  security_group_id        = aws_security_group.cbd.id
  type                     = each.value.type
  from_port                = each.value.from_port
  to_port                  = each.value.to_port
  protocol                 = each.value.protocol
  description              = each.value.description
  cidr_blocks              = length(each.value.cidr_blocks) == 0 ? null : each.value.cidr_blocks
  ipv6_cidr_blocks         = length(each.value.ipv6_cidr_blocks) == 0 ? null : each.value.ipv6_cidr_blocks
  prefix_list_ids          = length(each.value.prefix_list_ids) == 0 ? [] : each.value.prefix_list_ids
  self                     = each.value.self
  source_security_group_id = each.value.source_security_group_id
  lifecycle {
    create_before_destroy = true
  }
}

resource "terraform_data" "sync_rules_and_sg_lifecycles" {
  triggers_replace = { sg_ids = aws_security_group.cbd.id }
  depends_on       = [aws_security_group_rule.keyed]
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_subnet_group" "default" {
  count       = var.elasticache_subnet_group_name == null ? 1 : 0
  name        = var.id
  description = "Elasticache subnet group for ${var.id}"
  subnet_ids  = var.subnets
  tags        = var.tags
}

resource "aws_elasticache_parameter_group" "default" {
  name        = local.parameter_group
  description = "Elasticache parameter group ${local.parameter_group}"
  family      = var.family
  dynamic "parameter" {
    for_each = var.parameter
    content {
      name  = parameter.value.name
      value = tostring(parameter.value.value)
    }
  }
  tags = var.tags
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [description]
  }
}

resource "aws_elasticache_replication_group" "default" {
  auth_token                  = null
  auth_token_update_strategy  = null
  replication_group_id        = var.id
  description                 = coalesce(var.description, var.id)
  node_type                   = var.instance_type
  num_cache_clusters          = var.cluster_size
  port                        = 6379
  parameter_group_name        = local.parameter_group
  preferred_cache_cluster_azs = [for n in range(0, var.cluster_size) : element(var.availability_zones, n)]
  automatic_failover_enabled  = var.automatic_failover_enabled
  multi_az_enabled            = false
  subnet_group_name           = coalesce(var.elasticache_subnet_group_name, try(aws_elasticache_subnet_group.default[0].name, null))
  network_type                = "ipv4"
  security_group_ids          = [aws_security_group.cbd.id]
  maintenance_window          = "wed:03:00-wed:04:00"
  notification_topic_arn      = ""
  engine                      = "redis"
  engine_version              = var.engine_version
  at_rest_encryption_enabled  = var.at_rest_encryption_enabled
  transit_encryption_enabled  = true
  transit_encryption_mode     = null
  kms_key_id                  = null
  snapshot_name               = null
  snapshot_arns               = []
  snapshot_window             = "06:30-07:30"
  snapshot_retention_limit    = 0
  final_snapshot_identifier   = null
  apply_immediately           = true
  data_tiering_enabled        = false
  auto_minor_version_upgrade  = null
  global_replication_group_id = null
  dynamic "log_delivery_configuration" {
    for_each = var.log_delivery_configuration
    content {
      destination      = lookup(log_delivery_configuration.value, "destination", null)
      destination_type = lookup(log_delivery_configuration.value, "destination_type", null)
      log_format       = lookup(log_delivery_configuration.value, "log_format", null)
      log_type         = lookup(log_delivery_configuration.value, "log_type", null)
    }
  }
  tags                    = var.tags
  num_node_groups         = null
  replicas_per_node_group = null
  user_group_ids          = null
  lifecycle {
    ignore_changes = [security_group_names]
  }
  depends_on = [aws_elasticache_parameter_group.default]
}

resource "aws_cloudwatch_metric_alarm" "cache_cpu" {
  count               = var.cloudwatch_metric_alarms_enabled ? var.cluster_size : 0
  alarm_name          = "${element(local.members, count.index)}-cpu-utilization"
  alarm_description   = "Redis cluster CPU utilization"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = "1"
  metric_name         = "CPUUtilization"
  namespace           = "AWS/ElastiCache"
  period              = "300"
  statistic           = "Average"
  threshold           = 75
  dimensions          = { CacheClusterId = element(local.members, count.index) }
  alarm_actions       = []
  ok_actions          = []
  tags                = var.tags
  depends_on          = [aws_elasticache_replication_group.default]
}

resource "aws_cloudwatch_metric_alarm" "cache_memory" {
  count               = var.cloudwatch_metric_alarms_enabled ? var.cluster_size : 0
  alarm_name          = "${element(local.members, count.index)}-freeable-memory"
  alarm_description   = "Redis cluster freeable memory"
  comparison_operator = "LessThanThreshold"
  evaluation_periods  = "1"
  metric_name         = "FreeableMemory"
  namespace           = "AWS/ElastiCache"
  period              = "60"
  statistic           = "Average"
  threshold           = 10000000
  dimensions          = { CacheClusterId = element(local.members, count.index) }
  alarm_actions       = []
  ok_actions          = []
  tags                = var.tags
  depends_on          = [aws_elasticache_replication_group.default]
}

output "id" {
  value = aws_elasticache_replication_group.default.id
}

output "endpoint" {
  value = coalesce(aws_elasticache_replication_group.default.configuration_endpoint_address, aws_elasticache_replication_group.default.primary_endpoint_address)
}
