data "aws_region" "current" {
  count = var.create_dashboard ? 1 : 0
}

# One graph for each row of the alarm table, with a line for each member and one at the threshold.
resource "aws_cloudwatch_dashboard" "this" {
  count = var.create_dashboard ? 1 : 0

  dashboard_name = local.id
  dashboard_body = jsonencode({
    widgets = [
      for i, row in [for row in local.alarm_table : row if local.replicas > 0 || !row.needs_replicas] : {
        type   = "metric"
        x      = i % 3 * 8
        y      = floor(i / 3) * 6
        width  = 8
        height = 6
        properties = {
          title   = row.metric
          view    = "timeSeries"
          region  = data.aws_region.current[0].id
          stat    = row.statistic
          period  = row.period
          metrics = [for id in local.members : ["AWS/ElastiCache", row.metric, "CacheClusterId", id, "CacheNodeId", "0001"]]
          annotations = {
            horizontal = [for alarm in [try(local.alarms[row.slug], row)] : { label = "${row.slug} alarm", value = alarm.threshold }]
          }
        }
      }
    ]
  })
}
