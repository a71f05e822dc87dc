# The shape of ministryofjustice/cloud-platform-terraform-elasticache-cluster: eu-west-2, engine version 7.0, in a VPC that is there and
# found by its tags. Its IAM policy is of a service that larder does not serve; the document is there. terraform_data stands for random_id,
# whose provider makes nothing in AWS.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "auth_token_rotated_date" {
  type = string
}

variable "number_cache_clusters" {
  type = string
}

locals {
  auth_token_rotation_seed = var.auth_token_rotated_date == "" ? {} : { "auth-token-rotated-date" = var.auth_token_rotated_date }
  default_tags = {
    business-unit          = "mojdigital"
    application            = "exampleapp"
    is-production          = "false"
    owner                  = "example-team"
    namespace              = "example-namespace"
    environment-name       = "development"
    infrastructure-support = "example-team@example.com"
  }
  id = substr(replace(terraform_data.id.id, "-", ""), 0, 16)
}

resource "terraform_data" "id" {}

resource "terraform_data" "auth_token" {
  triggers_replace = local.auth_token_rotation_seed
}

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

data "aws_vpc" "selected" {
  filter {
    name   = "tag:Name"
    values = ["live-1"]
  }
}

data "aws_subnets" "private" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.selected.id]
  }
  tags = { SubnetType = "Private" }
}

data "aws_subnet" "private" {
  for_each = toset(data.aws_subnets.private.ids)
  id       = each.value
}

data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_security_group" "ec" {
  name        = "cp-${local.id}"
  description = "Allow inbound traffic from kubernetes private subnets"
  vpc_id      = data.aws_vpc.selected.id
  ingress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = [for s in data.aws_subnet.private : s.cidr_block]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = [for s in data.aws_subnet.private : s.cidr_block]
  }
  tags = local.default_tags
}

resource "aws_elasticache_replication_group" "ec_redis" {
  automatic_failover_enabled  = true
  preferred_cache_cluster_azs = slice(data.aws_availability_zones.available.names, 0, var.number_cache_clusters)
  replication_group_id        = "cp-${local.id}"
  description                 = "team=example-team / app=exampleapp / env=development"
  engine                      = "redis"
  engine_version              = "7.0"
  node_type                   = "cache.t4g.micro"
  num_cache_clusters          = var.number_cache_clusters
  parameter_group_name        = "default.redis7"
  port                        = 6379
  subnet_group_name           = aws_elasticache_subnet_group.ec_subnet.name
  security_group_ids          = [aws_security_group.ec.id]
  at_rest_encryption_enabled  = true
  transit_encryption_enabled  = true
  auth_token                  = replace(terraform_data.auth_token.id, "-", "")
  apply_immediately           = true
  snapshot_window             = ""
  maintenance_window          = ""
  tags                        = local.default_tags
}

resource "aws_elasticache_subnet_group" "ec_subnet" {
  name       = "ec-sg-${local.id}"
  subnet_ids = data.aws_subnets.private.ids
  tags       = local.default_tags
}

data "aws_iam_policy_document" "irsa" {
  version = "2012-10-17"
  statement {
    sid     = "AllowRotateRedisAUTHToken"
    effect  = "Allow"
    actions = ["elasticache:ModifyReplicationGroup", "elasticache:DescribeReplicationGroups", "elasticache:DescribeCacheClusters"]
    resources = [
      aws_elasticache_replication_group.ec_redis.arn,
      "arn:aws:elasticache:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:cluster:${aws_elasticache_replication_group.ec_redis.id}-*",
    ]
  }
}

output "group" {
  value = {
    id       = aws_elasticache_replication_group.ec_redis.id
    endpoint = aws_elasticache_replication_group.ec_redis.primary_endpoint_address
    token    = aws_elasticache_replication_group.ec_redis.auth_token
  }
}
