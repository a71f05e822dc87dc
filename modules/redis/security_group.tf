# One more group, on demand: redis_security_group_id belongs to the caller, and the module opens nothing in it.
resource "aws_security_group" "this" {
  count = var.create_security_group ? 1 : 0

  name        = local.id
  description = "Access to ${local.id}"
  vpc_id      = var.create_subnet_group ? aws_elasticache_subnet_group.this[0].vpc_id : data.aws_subnet.redis[0].vpc_id
  tags        = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  count = var.create_security_group ? length(var.allowed_security_group_ids) : 0

  security_group_id            = aws_security_group.this[0].id
  description                  = "Redis from a security group"
  referenced_security_group_id = var.allowed_security_group_ids[count.index]
  ip_protocol                  = "tcp"
  from_port                    = var.redis_port
  to_port                      = var.redis_port
  tags                         = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "network" {
  count = var.create_security_group ? length(var.allowed_cidrs) : 0

  security_group_id = aws_security_group.this[0].id
  description       = "Redis from a network"
  cidr_ipv4         = var.allowed_cidrs[count.index]
  ip_protocol       = "tcp"
  from_port         = var.redis_port
  to_port           = var.redis_port
  tags              = local.tags
}
