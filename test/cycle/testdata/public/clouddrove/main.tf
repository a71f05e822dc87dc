# The shape of clouddrove/elasticache, example redis: eu-west-1, engine version 7.0, with clouddrove/vpc and clouddrove/subnet.
# route53_record_enabled and enable_aws_ssm_parameter are false (Route 53 and SSM are not served), and IPv6 is off in both of the network's
# modules. terraform_data stands for random_password, whose provider makes nothing in AWS.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "num_cache_clusters" {
  type = number
}

variable "retention_in_days" {
  type = number
}

variable "snapshot_retention_limit" {
  type = string
}

locals {
  id    = "test-redis"
  zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  logs  = ["slow-log", "engine-log"]
  tags  = { Name = local.id, Environment = "test", Application = "CloudDrove" }
}

resource "aws_vpc" "default" {
  cidr_block                       = "10.0.0.0/16"
  instance_tenancy                 = "default"
  enable_dns_hostnames             = true
  enable_dns_support               = true
  assign_generated_ipv6_cidr_block = false
  tags                             = local.tags
  lifecycle {
    ignore_changes = [tags, tags["kubernetes.io"], tags["SubnetType"]]
  }
}

resource "aws_internet_gateway" "default" {
  count  = 1
  vpc_id = element(aws_vpc.default[*].id, count.index)
  tags   = merge(local.tags, { Name = "${local.id}-igw" })
}

resource "aws_default_security_group" "default" {
  vpc_id = aws_vpc.default.id
  ingress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    self        = true
    cidr_blocks = [aws_vpc.default.cidr_block]
  }
  egress {
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
  tags = local.tags
}

resource "aws_subnet" "public" {
  count                           = length(local.zones)
  vpc_id                          = aws_vpc.default.id
  availability_zone               = element(local.zones, count.index)
  cidr_block                      = cidrsubnet(aws_vpc.default.cidr_block, ceil(log(length(local.zones) * 2, 2)), length(local.zones) + count.index)
  map_public_ip_on_launch         = true
  assign_ipv6_address_on_creation = false
  tags                            = merge(local.tags, { Name = "${local.id}-public-${element(local.zones, count.index)}", AZ = element(local.zones, count.index) })
  lifecycle {
    ignore_changes = [tags, tags["kubernetes.io"], tags["SubnetType"]]
  }
}

resource "aws_network_acl" "public" {
  count      = 1
  vpc_id     = aws_vpc.default.id
  subnet_ids = aws_subnet.public[*].id
  egress {
    rule_no    = 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
    protocol   = "-1"
  }
  egress {
    rule_no         = 101
    action          = "allow"
    ipv6_cidr_block = "::/0"
    from_port       = 0
    to_port         = 0
    protocol        = "-1"
  }
  ingress {
    rule_no    = 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
    protocol   = "-1"
  }
  ingress {
    rule_no         = 101
    action          = "allow"
    ipv6_cidr_block = "::/0"
    from_port       = 0
    to_port         = 0
    protocol        = "-1"
  }
  tags       = local.tags
  depends_on = [aws_subnet.public]
}

resource "aws_route_table" "public" {
  count  = length(local.zones)
  vpc_id = aws_vpc.default.id
  tags   = merge(local.tags, { Name = "${local.id}-public-${element(local.zones, count.index)}-rt" })
}

resource "aws_route" "public" {
  count                  = length(local.zones)
  route_table_id         = element(aws_route_table.public[*].id, count.index)
  gateway_id             = aws_internet_gateway.default[0].id
  destination_cidr_block = "0.0.0.0/0"
  depends_on             = [aws_route_table.public]
}

resource "aws_route_table_association" "public" {
  count          = length(local.zones)
  subnet_id      = element(aws_subnet.public[*].id, count.index)
  route_table_id = element(aws_route_table.public[*].id, count.index)
  depends_on     = [aws_subnet.public, aws_route_table.public]
}

resource "aws_security_group" "default" {
  count       = 1
  name        = "${local.id}-sg"
  vpc_id      = aws_vpc.default.id
  description = "Instance default security group (only egress access is allowed)."
  tags        = local.tags
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group_rule" "egress" {
  count             = 1
  description       = "Description of the rule."
  type              = "egress"
  from_port         = 0
  to_port           = 65535
  protocol          = "-1"
  cidr_blocks       = ["0.0.0.0/0"]
  security_group_id = join("", aws_security_group.default[*].id)
}

resource "aws_security_group_rule" "egress_ipv6" {
  count             = 1
  description       = "Description of the rule."
  type              = "egress"
  from_port         = 0
  to_port           = 65535
  protocol          = "-1"
  ipv6_cidr_blocks  = ["::/0"]
  security_group_id = join("", aws_security_group.default[*].id)
}

resource "aws_security_group_rule" "ingress" {
  count             = 1
  description       = "Description of the ingress rule use elasticache."
  type              = "ingress"
  from_port         = element([6379], count.index)
  to_port           = element([6379], count.index)
  protocol          = "tcp"
  cidr_blocks       = [aws_vpc.default.cidr_block]
  security_group_id = join("", aws_security_group.default[*].id)
}

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "default" {
  version = "2012-10-17"
  statement {
    sid    = "Enable IAM User Permissions"
    effect = "Allow"
    principals {
      type        = "AWS"
      identifiers = [format("arn:%s:iam::%s:root", data.aws_partition.current.partition, data.aws_caller_identity.current.account_id)]
    }
    actions   = ["kms:*"]
    resources = ["*"]
  }
}

resource "aws_kms_key" "default" {
  count                    = 1
  description              = "Parameter Store KMS master key"
  key_usage                = "ENCRYPT_DECRYPT"
  deletion_window_in_days  = 7
  is_enabled               = true
  enable_key_rotation      = true
  customer_master_key_spec = "SYMMETRIC_DEFAULT"
  policy                   = data.aws_iam_policy_document.default.json
  multi_region             = false
  tags                     = local.tags
}

resource "aws_kms_alias" "default" {
  count         = 1
  name          = "alias/redis"
  target_key_id = join("", aws_kms_key.default[*].id)
}

resource "aws_cloudwatch_log_group" "default" {
  count             = length(local.logs)
  name              = "redis-${local.logs[count.index]}"
  retention_in_days = var.retention_in_days
  tags              = local.tags
}

resource "aws_elasticache_subnet_group" "default" {
  count       = 1
  name        = "${local.id}-subnet-group"
  subnet_ids  = aws_subnet.public[*].id
  description = "The Description of the ElastiCache Subnet Group."
  tags        = local.tags
}

resource "terraform_data" "auth_token" {
  count = 1
}

resource "aws_elasticache_replication_group" "cluster" {
  count                      = 1
  engine                     = "redis"
  replication_group_id       = local.id
  description                = "User-created description for the replication group."
  engine_version             = "7.0"
  port                       = 6379
  parameter_group_name       = "default.redis7"
  node_type                  = "cache.t2.micro"
  automatic_failover_enabled = false
  subnet_group_name          = join("", aws_elasticache_subnet_group.default[*].name)
  security_group_ids         = aws_security_group.default[*].id
  security_group_names       = null
  snapshot_arns              = null
  snapshot_name              = ""
  notification_topic_arn     = ""
  snapshot_window            = null
  final_snapshot_identifier  = null
  snapshot_retention_limit   = var.snapshot_retention_limit
  apply_immediately          = false
  auto_minor_version_upgrade = true
  maintenance_window         = "sun:05:00-sun:06:00"
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  multi_az_enabled           = false
  network_type               = "ipv4"
  auth_token                 = substr(replace(terraform_data.auth_token[0].id, "-", ""), 0, 25)
  auth_token_update_strategy = null
  kms_key_id                 = join("", aws_kms_key.default[*].arn)
  tags                       = local.tags
  num_cache_clusters         = var.num_cache_clusters
  user_group_ids             = null
  dynamic "log_delivery_configuration" {
    for_each = local.logs
    content {
      destination      = aws_cloudwatch_log_group.default[index(local.logs, log_delivery_configuration.value)].name
      destination_type = "cloudwatch-logs"
      log_format       = "json"
      log_type         = log_delivery_configuration.value
    }
  }
}

output "group" {
  value = {
    id       = aws_elasticache_replication_group.cluster[0].id
    endpoint = aws_elasticache_replication_group.cluster[0].primary_endpoint_address
    token    = aws_elasticache_replication_group.cluster[0].auth_token
  }
}
