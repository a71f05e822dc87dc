# A network in the shape in which public modules make one: public, private, database and cache subnets in three zones, a NAT gateway in
# each zone, the VPC's default resources taken over, and a network ACL of its own for the database subnets.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "region" {
  type = string
}

variable "owner" {
  type    = string
  default = "platform"
}

variable "office_by_nat" {
  type    = bool
  default = false
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { Terraform = "true" }
  }
}

data "aws_availability_zones" "available" {
  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_region" "current" {}
data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  name  = "ex-${data.aws_region.current.name}"
  zones = slice(data.aws_availability_zones.available.names, 0, 3)
}

resource "aws_vpc" "this" {
  cidr_block           = "10.20.0.0/16"
  instance_tenancy     = "default"
  enable_dns_hostnames = true
  enable_dns_support   = true
  tags                 = { Name = local.name, Owner = var.owner }
}

resource "aws_subnet" "public" {
  count             = 3
  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 8, count.index + 48)
  tags              = { Name = "${local.name}-public-${local.zones[count.index]}" }
}

resource "aws_subnet" "private" {
  count             = 3
  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 4, count.index)
  tags              = { Name = "${local.name}-private-${local.zones[count.index]}" }
}

resource "aws_subnet" "database" {
  count             = 3
  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 8, count.index + 56)
}

resource "aws_subnet" "elasticache" {
  count             = 3
  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 8, count.index + 60)
  tags              = { Tier = "cache" }
}

resource "aws_elasticache_subnet_group" "elasticache" {
  name        = local.name
  description = "ElastiCache subnet group for ${local.name}"
  subnet_ids  = aws_subnet.elasticache[*].id
}

# Public: one table, which leads to the internet gateway.

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = local.name }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${local.name}-public", Owner = var.owner }
}

resource "aws_route_table_association" "public" {
  count          = 3
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route" "public_internet_gateway" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
  timeouts {
    create = "5m"
  }
}

# Private: a table and a NAT gateway in each zone.

resource "aws_eip" "nat" {
  count      = 3
  domain     = "vpc"
  tags       = { Name = "${local.name}-${local.zones[count.index]}", Owner = var.owner }
  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  count         = 3
  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
  tags          = { Name = "${local.name}-${local.zones[count.index]}", Owner = var.owner }
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "inner" {
  connectivity_type = "private"
  private_ip        = cidrhost(aws_subnet.private[0].cidr_block, 77)
  subnet_id         = aws_subnet.private[0].id
}

resource "aws_route_table" "private" {
  count  = 3
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${local.name}-private-${local.zones[count.index]}" }
}

resource "aws_route_table_association" "private" {
  count          = 3
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

resource "aws_route_table_association" "elasticache" {
  count          = 3
  subnet_id      = aws_subnet.elasticache[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

resource "aws_route" "private_nat_gateway" {
  count                  = 3
  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[count.index].id
}

resource "aws_route" "office" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "198.51.100.0/24"
  gateway_id             = var.office_by_nat ? null : aws_internet_gateway.this.id
  nat_gateway_id         = var.office_by_nat ? aws_nat_gateway.this[0].id : null
}

# Another VPC has a table with its routes inside as its main one.

resource "aws_vpc" "other" {
  cidr_block = "10.21.0.0/24"
}

resource "aws_internet_gateway" "other" {
  vpc_id = aws_vpc.other.id
}

resource "aws_route_table" "main" {
  vpc_id = aws_vpc.other.id
  route {
    cidr_block = var.office_by_nat ? "203.0.113.0/25" : "203.0.113.0/24"
    gateway_id = aws_internet_gateway.other.id
  }
}

resource "aws_main_route_table_association" "this" {
  vpc_id         = aws_vpc.other.id
  route_table_id = aws_route_table.main.id
}

# Database: a network ACL of its own.

resource "aws_network_acl" "database" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = aws_subnet.database[*].id
  tags       = { Name = "${local.name}-db" }
}

resource "aws_network_acl_rule" "database_inbound" {
  network_acl_id = aws_network_acl.database.id
  egress         = false
  rule_number    = 100
  rule_action    = "allow"
  from_port      = 5432
  to_port        = 5432
  protocol       = "tcp"
  cidr_block     = aws_vpc.this.cidr_block
}

resource "aws_network_acl_rule" "database_ping" {
  network_acl_id = aws_network_acl.database.id
  egress         = false
  rule_number    = 110
  rule_action    = "deny"
  icmp_type      = -1
  icmp_code      = -1
  protocol       = "icmp"
  cidr_block     = "0.0.0.0/0"
}

resource "aws_network_acl_rule" "database_outbound" {
  network_acl_id = aws_network_acl.database.id
  egress         = true
  rule_number    = 100
  rule_action    = "allow"
  protocol       = "-1"
  cidr_block     = "0.0.0.0/0"
}

# What comes with a VPC.

resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id
  subnet_ids             = null
  ingress {
    action     = "allow"
    rule_no    = 100
    from_port  = 0
    to_port    = 0
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
  }
  ingress {
    action          = "allow"
    rule_no         = 101
    from_port       = 0
    to_port         = 0
    protocol        = "-1"
    ipv6_cidr_block = "::/0"
  }
  egress {
    action     = "allow"
    rule_no    = 100
    from_port  = 0
    to_port    = 0
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
  }
  egress {
    action          = "allow"
    rule_no         = 101
    from_port       = 0
    to_port         = 0
    protocol        = "-1"
    ipv6_cidr_block = "::/0"
  }
  tags = { Name = "${local.name}-default" }
  lifecycle {
    ignore_changes = [subnet_ids]
  }
}

resource "aws_default_route_table" "default" {
  default_route_table_id = aws_vpc.this.default_route_table_id
  tags                   = { Name = "${local.name}-default" }
  timeouts {
    create = "5m"
    update = "5m"
  }
}

resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${local.name}-default" }
}

# Security groups in both ways in which modules write them.

resource "aws_security_group" "inline" {
  name_prefix = "${local.name}-"
  description = "Managed by Terraform"
  vpc_id      = aws_vpc.this.id
  ingress {
    description = "Redis"
    from_port   = 6379
    to_port     = 6379
    protocol    = "tcp"
    cidr_blocks = aws_subnet.private[*].cidr_block
    self        = true
  }
  egress {
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "bare" {
  name   = "${local.name}-bare"
  vpc_id = aws_vpc.this.id
}

resource "aws_security_group_rule" "bare" {
  type                     = "ingress"
  from_port                = 6379
  to_port                  = 6379
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.inline.id
  security_group_id        = aws_security_group.bare.id
}

resource "aws_vpc_security_group_ingress_rule" "vpc" {
  security_group_id = aws_security_group.bare.id
  description       = "VPC traffic"
  cidr_ipv4         = aws_vpc.this.cidr_block
  ip_protocol       = "tcp"
  from_port         = 6379
  to_port           = 6379
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.bare.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

# What others look up.

data "aws_vpc" "this" {
  filter {
    name   = "tag:Name"
    values = [aws_vpc.this.tags.Name]
  }
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "cache" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.this.id]
  }
  tags       = { Tier = "cache" }
  depends_on = [aws_subnet.elasticache]
}

data "aws_subnet" "cache" {
  id = aws_subnet.elasticache[1].id
}

data "aws_security_group" "default" {
  name   = "default"
  vpc_id = aws_vpc.this.id
}

data "aws_route_table" "cache" {
  subnet_id  = aws_subnet.elasticache[0].id
  depends_on = [aws_route_table_association.elasticache]
}

data "aws_internet_gateway" "this" {
  filter {
    name   = "attachment.vpc-id"
    values = [aws_internet_gateway.this.vpc_id]
  }
}

data "aws_nat_gateway" "first" {
  id = aws_nat_gateway.this[0].id
}

data "aws_eip" "first" {
  id = aws_eip.nat[0].id
}

output "zones" {
  value = local.zones
}

output "vpc_arn" {
  value = aws_vpc.this.arn
}

output "expected_vpc_arn" {
  value = "arn:${data.aws_partition.current.partition}:ec2:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:vpc/${data.aws_vpc.this.id}"
}

output "cache_subnets" {
  value = length(data.aws_subnets.cache.ids)
}

output "cache_table" {
  value = data.aws_route_table.cache.route_table_id == aws_route_table.private[0].id
}

output "nat_public_ip" {
  value = data.aws_nat_gateway.first.public_ip == data.aws_eip.first.public_ip
}
