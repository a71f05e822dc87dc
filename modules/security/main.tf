locals {
  name = "${var.project_name}-${var.environment}-redis"
  tags = merge({ Project = var.project_name, Environment = var.environment, ManagedBy = "larder-module" }, var.tags)
}

# What connects to Redis, such as the tasks of an ECS service, is put into this group.
resource "aws_security_group" "clients" {
  name        = "${local.name}-clients"
  description = "Clients of ${local.name}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.name}-clients" })
}

resource "aws_vpc_security_group_egress_rule" "clients" {
  security_group_id            = aws_security_group.clients.id
  description                  = "To Redis"
  referenced_security_group_id = aws_security_group.redis.id
  ip_protocol                  = "tcp"
  from_port                    = var.redis_port
  to_port                      = var.redis_port
  tags                         = local.tags
}

# Only clients come in, and nothing goes out: Redis answers, it does not call.
resource "aws_security_group" "redis" {
  name        = "${local.name}-nodes"
  description = "Nodes of ${local.name}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.name}-nodes" })
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  security_group_id            = aws_security_group.redis.id
  description                  = "From the clients"
  referenced_security_group_id = aws_security_group.clients.id
  ip_protocol                  = "tcp"
  from_port                    = var.redis_port
  to_port                      = var.redis_port
  tags                         = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "more_clients" {
  count = length(var.client_security_group_ids)

  security_group_id            = aws_security_group.redis.id
  description                  = "From a client"
  referenced_security_group_id = var.client_security_group_ids[count.index]
  ip_protocol                  = "tcp"
  from_port                    = var.redis_port
  to_port                      = var.redis_port
  tags                         = local.tags
}
