# A network in the shape of terraform-aws-modules/vpc: the VPC's default resources taken over, public, private and cache subnets, and
# NAT gateways where they are asked for.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "name" {
  type = string
}

variable "cidr" {
  type = string
}

variable "azs" {
  type = list(string)
}

variable "public_subnets" {
  type    = list(string)
  default = []
}

variable "private_subnets" {
  type    = list(string)
  default = []
}

variable "elasticache_subnets" {
  type    = list(string)
  default = []
}

variable "create_elasticache_subnet_route_table" {
  type    = bool
  default = false
}

variable "enable_nat_gateway" {
  type    = bool
  default = false
}

variable "single_nat_gateway" {
  type    = bool
  default = false
}

variable "enable_dns_hostnames" {
  type    = bool
  default = true
}

variable "tags" {
  type    = map(string)
  default = {}
}

locals {
  most_subnets  = max(length(var.private_subnets), length(var.elasticache_subnets))
  nat_gateways  = var.single_nat_gateway ? 1 : local.most_subnets
  cache_has_own = var.create_elasticache_subnet_route_table && length(var.elasticache_subnets) > 0
}

resource "aws_vpc" "this" {
  cidr_block                           = var.cidr
  ipv4_ipam_pool_id                    = null
  ipv4_netmask_length                  = null
  assign_generated_ipv6_cidr_block     = null
  ipv6_cidr_block                      = null
  ipv6_ipam_pool_id                    = null
  ipv6_netmask_length                  = null
  ipv6_cidr_block_network_border_group = null
  instance_tenancy                     = "default"
  enable_dns_hostnames                 = var.enable_dns_hostnames
  enable_dns_support                   = true
  enable_network_address_usage_metrics = null
  tags                                 = merge({ Name = var.name }, var.tags)
}

resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge({ Name = "${var.name}-default" }, var.tags)
}

resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id
  subnet_ids             = null
  dynamic "ingress" {
    for_each = [{ rule_no = 100, cidr_block = "0.0.0.0/0" }, { rule_no = 101, ipv6_cidr_block = "::/0" }]
    content {
      action          = "allow"
      cidr_block      = lookup(ingress.value, "cidr_block", null)
      from_port       = 0
      icmp_code       = null
      icmp_type       = null
      ipv6_cidr_block = lookup(ingress.value, "ipv6_cidr_block", null)
      protocol        = "-1"
      rule_no         = ingress.value.rule_no
      to_port         = 0
    }
  }
  dynamic "egress" {
    for_each = [{ rule_no = 100, cidr_block = "0.0.0.0/0" }, { rule_no = 101, ipv6_cidr_block = "::/0" }]
    content {
      action          = "allow"
      cidr_block      = lookup(egress.value, "cidr_block", null)
      from_port       = 0
      icmp_code       = null
      icmp_type       = null
      ipv6_cidr_block = lookup(egress.value, "ipv6_cidr_block", null)
      protocol        = "-1"
      rule_no         = egress.value.rule_no
      to_port         = 0
    }
  }
  tags = merge({ Name = "${var.name}-default" }, var.tags)
  lifecycle {
    ignore_changes = [subnet_ids]
  }
}

resource "aws_default_route_table" "default" {
  default_route_table_id = aws_vpc.this.default_route_table_id
  propagating_vgws       = []
  tags                   = merge({ Name = "${var.name}-default" }, var.tags)
  timeouts {
    create = "5m"
    update = "5m"
  }
}

resource "aws_internet_gateway" "this" {
  count  = length(var.public_subnets) > 0 ? 1 : 0
  vpc_id = aws_vpc.this.id
  tags   = merge({ Name = var.name }, var.tags)
}

resource "aws_subnet" "public" {
  count                                          = length(var.public_subnets)
  assign_ipv6_address_on_creation                = null
  availability_zone                              = var.azs[count.index]
  availability_zone_id                           = null
  cidr_block                                     = var.public_subnets[count.index]
  enable_dns64                                   = null
  enable_resource_name_dns_aaaa_record_on_launch = null
  enable_resource_name_dns_a_record_on_launch    = false
  ipv6_cidr_block                                = null
  ipv6_native                                    = null
  map_public_ip_on_launch                        = false
  private_dns_hostname_type_on_launch            = null
  vpc_id                                         = aws_vpc.this.id
  tags                                           = merge({ Name = "${var.name}-public-${var.azs[count.index]}" }, var.tags)
}

resource "aws_route_table" "public" {
  count  = length(var.public_subnets) > 0 ? 1 : 0
  vpc_id = aws_vpc.this.id
  tags   = merge({ Name = "${var.name}-public" }, var.tags)
}

resource "aws_route" "public_internet_gateway" {
  count                  = length(var.public_subnets) > 0 ? 1 : 0
  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
  timeouts {
    create = "5m"
  }
}

resource "aws_route_table_association" "public" {
  count          = length(var.public_subnets)
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_subnet" "private" {
  count                                       = length(var.private_subnets)
  availability_zone                           = var.azs[count.index]
  cidr_block                                  = var.private_subnets[count.index]
  enable_resource_name_dns_a_record_on_launch = false
  vpc_id                                      = aws_vpc.this.id
  tags                                        = merge({ Name = "${var.name}-private-${var.azs[count.index]}" }, var.tags)
}

resource "aws_route_table" "private" {
  count  = local.nat_gateways
  vpc_id = aws_vpc.this.id
  tags   = merge({ Name = "${var.name}-private-${var.azs[count.index]}" }, var.tags)
}

resource "aws_route_table_association" "private" {
  count          = length(var.private_subnets)
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = element(aws_route_table.private[*].id, count.index)
}

resource "aws_subnet" "elasticache" {
  count             = length(var.elasticache_subnets)
  availability_zone = var.azs[count.index]
  cidr_block        = var.elasticache_subnets[count.index]
  vpc_id            = aws_vpc.this.id
  tags              = merge({ Name = "${var.name}-elasticache-${var.azs[count.index]}" }, var.tags)
}

resource "aws_elasticache_subnet_group" "elasticache" {
  count       = length(var.elasticache_subnets) > 0 ? 1 : 0
  name        = var.name
  description = "ElastiCache subnet group for ${var.name}"
  subnet_ids  = aws_subnet.elasticache[*].id
  tags        = merge({ Name = var.name }, var.tags)
}

resource "aws_route_table" "elasticache" {
  count  = local.cache_has_own ? 1 : 0
  vpc_id = aws_vpc.this.id
  tags   = merge({ Name = "${var.name}-elasticache" }, var.tags)
}

resource "aws_route_table_association" "elasticache" {
  count          = length(var.elasticache_subnets)
  subnet_id      = aws_subnet.elasticache[count.index].id
  route_table_id = element(local.cache_has_own ? aws_route_table.elasticache[*].id : aws_route_table.private[*].id, count.index)
}

resource "aws_eip" "nat" {
  count      = var.enable_nat_gateway ? local.nat_gateways : 0
  domain     = "vpc"
  tags       = merge({ Name = "${var.name}-${var.azs[count.index]}" }, var.tags)
  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  count         = var.enable_nat_gateway ? local.nat_gateways : 0
  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
  tags          = merge({ Name = "${var.name}-${var.azs[count.index]}" }, var.tags)
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route" "private_nat_gateway" {
  count                  = var.enable_nat_gateway ? local.nat_gateways : 0
  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[count.index].id
  timeouts {
    create = "5m"
  }
}

output "vpc_id" {
  value = aws_vpc.this.id
}

output "vpc_cidr_block" {
  value = aws_vpc.this.cidr_block
}

output "private_subnets" {
  value = aws_subnet.private[*].id
}

output "private_subnets_cidr_blocks" {
  value = aws_subnet.private[*].cidr_block
}

output "elasticache_subnets" {
  value = aws_subnet.elasticache[*].id
}

output "elasticache_subnet_group_name" {
  value = one(aws_elasticache_subnet_group.elasticache[*].name)
}
