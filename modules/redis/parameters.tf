# An existing group changes neither its family nor cluster mode, so its name changes with them, and the new one is there
# before the old one goes.
resource "aws_elasticache_parameter_group" "this" {
  count = var.create_parameter_group ? 1 : 0

  name        = join("-", compact([local.id, replace(local.family, ".", ""), var.cluster_mode_enabled ? "cluster" : ""]))
  family      = local.family
  description = "Parameters of ${local.id}"
  tags        = local.tags

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name  = parameter.value.name
      value = parameter.value.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  parameters = concat(
    [{ name = "maxmemory-policy", value = var.maxmemory_policy }, { name = "timeout", value = var.timeout }],
    # Empty is the engine's default.
    [for events in compact([var.notify_keyspace_events]) : { name = "notify-keyspace-events", value = events }],
    [for mode in range(var.cluster_mode_enabled ? 1 : 0) : { name = "cluster-enabled", value = "yes" }],
    var.parameters,
  )
  parameter_group_name = var.create_parameter_group ? one(aws_elasticache_parameter_group.this[*].name) : var.parameter_group_name
}
