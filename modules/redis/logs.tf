locals {
  enabled_logs = toset(concat(var.slow_log_enabled ? ["slow-log"] : [], var.engine_log_enabled ? ["engine-log"] : []))
  log_groups   = var.create_log_groups && var.log_destination_type == "cloudwatch-logs" ? local.enabled_logs : toset([])

  given_destinations = { slow-log = var.slow_log_destination, engine-log = var.engine_log_destination }
  log_destinations = {
    for log in local.enabled_logs : log => contains(local.log_groups, log) ? aws_cloudwatch_log_group.this[log].name : local.given_destinations[log]
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.log_groups

  name              = "${coalesce(var.log_group_prefix, "/aws/elasticache")}/${local.id}/${each.key}"
  retention_in_days = var.cloudwatch_log_retention_days
  kms_key_id        = var.cloudwatch_log_kms_key_arn
  skip_destroy      = var.log_skip_destroy
  tags              = local.tags
}
