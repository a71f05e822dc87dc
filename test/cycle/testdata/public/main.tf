# The examples of seven public modules, each with HCL of our own in its module's shape, in the regions that they name.
# Round 0 is the example; each further round changes in place what a user of the module would.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "round" {
  type    = number
  default = 0
}

provider "aws" {
  alias  = "eu_central_1"
  region = "eu-central-1"
}

provider "aws" {
  alias  = "eu_west_1"
  region = "eu-west-1"
}

provider "aws" {
  alias  = "eu_west_2"
  region = "eu-west-2"
}

provider "aws" {
  alias  = "us_east_2"
  region = "us-east-2"
}

module "terraform-aws-modules" {
  source           = "./terraform-aws-modules"
  providers        = { aws = aws.eu_west_1 }
  node_type        = var.round < 1 ? "cache.t4g.small" : "cache.t4g.medium"
  latency_tracking = var.round < 1 ? "yes" : "no"
}

module "cloudposse" {
  source         = "./cloudposse"
  providers      = { aws = aws.us_east_2 }
  engine_version = var.round < 1 ? "6.x" : "7.0"
  family         = var.round < 1 ? "redis6.x" : "redis7"
  sg_name        = var.round < 1 ? "" : "renamed"
  cluster_size   = var.round < 2 ? 1 : 2
}

module "umotif" {
  source                   = "./umotif"
  providers                = { aws = aws.eu_west_1 }
  repl_backlog_size        = var.round < 1 ? "16384" : "32768"
  snapshot_retention_limit = var.round < 1 ? 7 : 3
  engine_version           = var.round < 1 ? "7.0" : "7.1"
  num_cache_clusters       = var.round < 2 ? 2 : 3
}

module "geekcell" {
  source             = "./geekcell"
  providers          = { aws = aws.eu_central_1 }
  parameters         = var.round < 1 ? [] : [{ name = "maxmemory-policy", value = "allkeys-lru" }]
  log_retention      = var.round < 1 ? 30 : 14
  num_cache_clusters = var.round < 2 ? 2 : 3
}

module "clouddrove" {
  source                   = "./clouddrove"
  providers                = { aws = aws.eu_west_1 }
  retention_in_days        = var.round < 1 ? 0 : 14
  snapshot_retention_limit = var.round < 1 ? "0" : "2"
  num_cache_clusters       = var.round < 2 ? 1 : 2
}

module "fleet" {
  source                     = "./fleet"
  providers                  = { aws = aws.us_east_2 }
  automatic_failover_enabled = var.round >= 1
  instance_type              = var.round < 1 ? "cache.m5.large" : "cache.m5.xlarge"
  cluster_size               = var.round < 2 ? 3 : 2
}

module "ministryofjustice" {
  source                  = "./ministryofjustice"
  providers               = { aws = aws.eu_west_2 }
  auth_token_rotated_date = var.round < 1 ? "2023-07-04" : "2024-07-04"
  number_cache_clusters   = var.round < 2 ? "2" : "3"
}

output "groups" {
  sensitive = true
  value = {
    terraform-aws-modules = module.terraform-aws-modules.group
    cloudposse            = module.cloudposse.group
    umotif                = module.umotif.group
    geekcell              = module.geekcell.group
    clouddrove            = module.clouddrove.group
    fleet                 = module.fleet.group
    ministryofjustice     = module.ministryofjustice.group
  }
}
