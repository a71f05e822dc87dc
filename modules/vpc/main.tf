data "aws_availability_zones" "available" {
  state = "available"

  # Local zones have no ElastiCache.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  name  = "${var.project_name}-${var.environment}"
  zones = var.availability_zones == null ? slice(sort(data.aws_availability_zones.available.names), 0, 3) : var.availability_zones
  tags  = merge({ Project = var.project_name, Environment = var.environment, ManagedBy = "larder-module" }, var.tags)
}

resource "aws_vpc" "this" {
  cidr_block = var.cidr_block
  tags       = merge(local.tags, { Name = local.name })
}

# Private: the main route table, which they use, routes inside the VPC only.
resource "aws_subnet" "private_data" {
  count = 3

  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(var.cidr_block, 8, 21 + count.index)
  tags              = merge(local.tags, { Name = "${local.name}-data-${local.zones[count.index]}" })
}
