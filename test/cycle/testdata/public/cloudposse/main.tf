# The shape of cloudposse/elasticache-redis, example complete: us-east-2, with cloudposse/vpc and cloudposse/dynamic-subnets. zone_id is
# left off (Route 53 is not served), iam_role_enabled of the log group is false (IAM is not served), and assign_generated_ipv6_cidr_block is
# false (IPv6 is not served). The example's engine version is 6.x in one release, which larder does not run, and 7.x in another, which the
# provider does not take: here it is 7.0.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "cluster_size" {
  type = number
}

variable "engine_version" {
  type = string
}

variable "family" {
  type = string
}

variable "sg_name" {
  type = string
}

locals {
  id    = "eg-test-redis-test"
  zones = ["us-east-2a", "us-east-2b"]
  short = { us-east-2a = "use2a", us-east-2b = "use2b" }
  tags  = { Name = local.id, Namespace = "eg", Stage = "test" }
}

resource "aws_vpc" "default" {
  cidr_block                           = "172.16.0.0/16"
  ipv4_ipam_pool_id                    = null
  ipv4_netmask_length                  = null
  ipv6_cidr_block                      = null
  assign_generated_ipv6_cidr_block     = false
  instance_tenancy                     = "default"
  enable_dns_hostnames                 = true
  enable_dns_support                   = true
  enable_network_address_usage_metrics = false
  tags                                 = local.tags
}

resource "aws_default_security_group" "default" {
  vpc_id = aws_vpc.default.id
  tags   = merge(local.tags, { Name = "Default Security Group" })
}

resource "aws_internet_gateway" "default" {
  vpc_id = aws_vpc.default.id
  tags   = local.tags
}

resource "aws_subnet" "private" {
  count                                          = 2
  vpc_id                                         = aws_vpc.default.id
  availability_zone                              = local.zones[count.index]
  cidr_block                                     = cidrsubnet(aws_vpc.default.cidr_block, 3, count.index)
  ipv6_cidr_block                                = null
  ipv6_native                                    = false
  tags                                           = merge(local.tags, { Name = "${local.id}-private-${local.short[local.zones[count.index]]}" })
  assign_ipv6_address_on_creation                = null
  enable_dns64                                   = null
  enable_resource_name_dns_a_record_on_launch    = false
  enable_resource_name_dns_aaaa_record_on_launch = null
  private_dns_hostname_type_on_launch            = "ip-name"
  lifecycle {
    ignore_changes = [tags.kubernetes, tags.SubnetType]
  }
}

resource "aws_subnet" "public" {
  count                                       = 2
  vpc_id                                      = aws_vpc.default.id
  availability_zone                           = local.zones[count.index]
  cidr_block                                  = cidrsubnet(aws_vpc.default.cidr_block, 3, count.index + 2)
  map_public_ip_on_launch                     = true
  enable_resource_name_dns_a_record_on_launch = false
  private_dns_hostname_type_on_launch         = "ip-name"
  tags                                        = merge(local.tags, { Name = "${local.id}-public-${local.short[local.zones[count.index]]}" })
}

resource "aws_route_table" "private" {
  count  = 2
  vpc_id = aws_vpc.default.id
  tags   = merge(local.tags, { Name = "${local.id}-private-${local.short[local.zones[count.index]]}" })
}

resource "aws_route_table_association" "private" {
  count          = 2
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.default.id
  tags   = merge(local.tags, { Name = "${local.id}-public" })
}

resource "aws_route" "public" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.default.id
  timeouts {
    create = "2m"
    delete = "5m"
  }
}

resource "aws_route_table_association" "public" {
  count          = 2
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_network_acl" "open" {
  for_each   = { private = aws_subnet.private[*].id, public = aws_subnet.public[*].id }
  vpc_id     = aws_vpc.default.id
  subnet_ids = each.value
  tags       = merge(local.tags, { Name = "${local.id}-${each.key}" })
}

resource "aws_network_acl_rule" "open" {
  for_each       = { private_in = false, private_out = true, public_in = false, public_out = true }
  network_acl_id = aws_network_acl.open[split("_", each.key)[0]].id
  rule_action    = "allow"
  rule_number    = 100
  egress         = each.value
  cidr_block     = "0.0.0.0/0"
  from_port      = 0
  to_port        = 0
  protocol       = "-1"
}

resource "aws_cloudwatch_log_group" "default" {
  name              = local.id
  retention_in_days = "30"
  kms_key_id        = null
  tags              = local.tags
}


module "redis" {
  source                           = "../modules/cloudposse"
  id                               = local.id
  tags                             = local.tags
  availability_zones               = local.zones
  vpc_id                           = aws_vpc.default.id
  allowed_security_groups          = [aws_vpc.default.default_security_group_id]
  subnets                          = aws_subnet.private[*].id
  cluster_size                     = var.cluster_size
  instance_type                    = "cache.m6g.large"
  engine_version                   = var.engine_version
  family                           = var.family
  at_rest_encryption_enabled       = false
  cloudwatch_metric_alarms_enabled = true
  security_group_name              = length(var.sg_name) > 0 ? [var.sg_name] : []
  parameter                        = [{ name = "notify-keyspace-events", value = "lK" }]
  log_delivery_configuration = [{
    destination      = aws_cloudwatch_log_group.default.name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "engine-log"
  }]
}

output "group" {
  value = {
    id       = module.redis.id
    endpoint = module.redis.endpoint
    token    = null
  }
}
