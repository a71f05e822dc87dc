# The shape of the cache of Fleet's Terraform (fleetdm/fleet-terraform): us-east-2, engine version 7.1, with terraform-aws-modules/vpc and
# cloudposse/elasticache-redis. Its Aurora, ECS, load balancer and S3 are of services that larder does not serve; the secret is there.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "automatic_failover_enabled" {
  type = bool
}

variable "instance_type" {
  type = string
}

variable "cluster_size" {
  type = number
}

locals {
  azs = ["us-east-2a", "us-east-2b", "us-east-2c"]
}

module "vpc" {
  source                                = "../modules/vpc"
  name                                  = "fleet"
  cidr                                  = "10.10.0.0/16"
  azs                                   = local.azs
  private_subnets                       = ["10.10.1.0/24", "10.10.2.0/24", "10.10.3.0/24"]
  public_subnets                        = ["10.10.11.0/24", "10.10.12.0/24", "10.10.13.0/24"]
  elasticache_subnets                   = ["10.10.31.0/24", "10.10.32.0/24", "10.10.33.0/24"]
  create_elasticache_subnet_route_table = true
  enable_nat_gateway                    = true
  single_nat_gateway                    = true
  enable_dns_hostnames                  = false
}

module "redis" {
  source                        = "../modules/cloudposse"
  id                            = "fleet"
  description                   = "Fleet cache"
  elasticache_subnet_group_name = module.vpc.elasticache_subnet_group_name
  availability_zones            = local.azs
  vpc_id                        = module.vpc.vpc_id
  subnets                       = module.vpc.elasticache_subnets
  cluster_size                  = var.cluster_size
  instance_type                 = var.instance_type
  automatic_failover_enabled    = var.automatic_failover_enabled
  engine_version                = "7.1"
  family                        = "redis7"
  at_rest_encryption_enabled    = true
  additional_security_group_rules = [{
    type        = "ingress"
    from_port   = 0
    to_port     = 65535
    protocol    = "tcp"
    cidr_blocks = module.vpc.private_subnets_cidr_blocks
  }]
}

resource "terraform_data" "rds" {}

resource "aws_secretsmanager_secret" "sm" {
  for_each                       = { "fleet-database-password" = "fleet-database-password" }
  name                           = each.key
  name_prefix                    = null
  description                    = each.value
  kms_key_id                     = null
  policy                         = null
  force_overwrite_replica_secret = false
  recovery_window_in_days        = 0
  tags                           = {}
}

resource "aws_secretsmanager_secret_version" "sm-sv" {
  for_each      = aws_secretsmanager_secret.sm
  secret_id     = each.value.arn
  secret_string = terraform_data.rds.id
  secret_binary = null
  depends_on    = [aws_secretsmanager_secret.sm]
  lifecycle {
    ignore_changes = [secret_id]
  }
}

output "group" {
  value = {
    id       = module.redis.id
    endpoint = module.redis.endpoint
    token    = null
  }
}
