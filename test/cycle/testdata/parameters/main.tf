terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  type = string
}

variable "timeout" {
  type    = number
  default = 60
}

locals {
  families = ["redis2.6", "redis2.8", "redis3.2", "redis4.0", "redis5.0", "redis6.x", "redis7", "valkey7", "valkey8", "valkey9"]
}

resource "aws_elasticache_parameter_group" "family" {
  for_each = toset(local.families)

  name   = "own-${replace(each.key, ".", "")}"
  family = each.key

  parameter {
    name  = "timeout"
    value = var.timeout
  }
  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_parameter_group" "cluster" {
  name   = "cluster"
  family = "valkey8"

  parameter {
    name  = "cluster-enabled"
    value = "yes"
  }
  parameter {
    name  = "commandlog-large-reply-max-len"
    value = "256"
  }
}
