locals {
  alarm_table = jsondecode(file("${path.module}/alarms.json"))

  # An empty set asks for none, null for all.
  alarms = {
    for row in local.alarm_table : row.slug => merge(row, {
      threshold           = try(coalesce(var.alarm_thresholds[replace(row.slug, "-", "_")]), row.threshold)
      period              = coalesce(var.alarm_period, row.period)
      evaluation_periods  = coalesce(var.alarm_evaluation_periods, row.evaluation_periods)
      datapoints_to_alarm = coalesce(var.alarm_evaluation_periods, row.datapoints_to_alarm)
    })
    if var.create_alarms && (local.replicas > 0 || !row.needs_replicas) && (var.enabled_alarms == null ? true : contains(var.enabled_alarms, row.slug))
  }

  # The keys are made of inputs alone: which members there are is not known in a first plan.
  member_alarms = merge([
    for i, suffix in local.member_suffixes : { for slug, alarm in local.alarms : "${suffix}-${slug}" => merge(alarm, { member = i }) }
  ]...)

  # AWS publishes these metrics for each node, under these two sets of dimensions, and none for the replication group.
  dimensions = [
    for id in local.members : merge({ CacheClusterId = id }, var.alarm_dimension_mode == "member" ? {} : { CacheNodeId = "0001" })
  ]
  alarm_actions = compact([var.alarm_sns_topic_arn])
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for key, alarm in local.member_alarms : key => alarm if !can(alarm.expression) }

  alarm_name                = "${local.id}-${each.key}"
  alarm_description         = replace(each.value.description, "{threshold}", each.value.threshold)
  namespace                 = "AWS/ElastiCache"
  metric_name               = each.value.metric
  statistic                 = each.value.statistic
  period                    = each.value.period
  dimensions                = local.dimensions[each.value.member]
  comparison_operator       = each.value.comparison
  threshold                 = each.value.threshold
  evaluation_periods        = each.value.evaluation_periods
  datapoints_to_alarm       = each.value.datapoints_to_alarm
  treat_missing_data        = coalesce(var.treat_missing_data, "notBreaching")
  alarm_actions             = local.alarm_actions
  ok_actions                = var.alarm_ok_actions == null ? local.alarm_actions : var.alarm_ok_actions
  insufficient_data_actions = var.alarm_insufficient_data_actions
  tags                      = local.tags
}

# It is not known what the members are called while nodes are added or removed, here or by others, or while the group is
# made again. The provider cannot plan a change of metric_query to something unknown ("Provider produced inconsistent
# final plan"), so these alarms are made again too.
resource "terraform_data" "members" {
  input = local.members
}

resource "aws_cloudwatch_metric_alarm" "math" {
  for_each = { for key, alarm in local.member_alarms : key => alarm if can(alarm.expression) }

  alarm_name                = "${local.id}-${each.key}"
  alarm_description         = replace(each.value.description, "{threshold}", each.value.threshold)
  comparison_operator       = each.value.comparison
  threshold                 = each.value.threshold
  evaluation_periods        = each.value.evaluation_periods
  datapoints_to_alarm       = each.value.datapoints_to_alarm
  treat_missing_data        = coalesce(var.treat_missing_data, "notBreaching")
  alarm_actions             = local.alarm_actions
  ok_actions                = var.alarm_ok_actions == null ? local.alarm_actions : var.alarm_ok_actions
  insufficient_data_actions = var.alarm_insufficient_data_actions
  tags                      = local.tags

  metric_query {
    id          = replace(each.value.slug, "-", "_")
    label       = each.value.metric
    expression  = each.value.expression
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.inputs

    content {
      id          = metric_query.value.id
      return_data = false

      metric {
        namespace   = "AWS/ElastiCache"
        metric_name = metric_query.value.metric
        stat        = metric_query.value.statistic
        period      = each.value.period
        dimensions  = local.dimensions[each.value.member]
      }
    }
  }

  lifecycle {
    replace_triggered_by = [terraform_data.members]
  }
}

locals {
  alarm_resources = merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)
}
