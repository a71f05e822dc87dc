# The alarms and the dashboard.

mock_provider "aws" {
  override_during = plan

  override_data {
    target = data.aws_subnet.redis[0]
    values = { availability_zone = "us-east-1a" }
  }
  override_data {
    target = data.aws_subnet.redis[1]
    values = { availability_zone = "us-east-1b" }
  }
  mock_resource "aws_elasticache_replication_group" {
    override_during = plan
    defaults        = { member_clusters = [] }
  }
}

variables {
  project_name            = "shop"
  environment             = "dev"
  redis_subnet_ids        = ["subnet-0000000a", "subnet-0000000b"]
  redis_security_group_id = "sg-0000000a"
  kms_key_arn             = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
}

run "nine_for_each_member" {
  command = plan
  variables {
    alarm_sns_topic_arn = "arn:aws:sns:us-east-1:000000000000:critical"
  }
  override_resource {
    target          = aws_elasticache_replication_group.this
    override_during = plan
    values          = { member_clusters = ["shop-dev-redis-003", "shop-dev-redis-001"] }
  }
  assert {
    condition = toset(keys(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math))) == toset([
      "001-cpu", "001-engine-cpu", "001-memory", "001-evictions", "001-connections", "001-replication-lag", "001-hit-rate", "001-network-in", "001-network-out",
      "002-cpu", "002-engine-cpu", "002-memory", "002-evictions", "002-connections", "002-replication-lag", "002-hit-rate", "002-network-in", "002-network-out",
    ])
    error_message = "the alarms are ${jsonencode(keys(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)))}"
  }
  assert {
    condition     = output.alarm_names[0] == "shop-dev-redis-001-connections" && length(output.alarm_names) == 18
    error_message = "the names are ${jsonencode(output.alarm_names)}"
  }
  # Which replica goes when there is one less is for AWS to say: the second member is not 002 here.
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["001-cpu"].dimensions == tomap({ CacheClusterId = "shop-dev-redis-001", CacheNodeId = "0001" }) && aws_cloudwatch_metric_alarm.this["002-cpu"].dimensions == tomap({ CacheClusterId = "shop-dev-redis-003", CacheNodeId = "0001" })
    error_message = "the second member's alarm looks at ${jsonencode(aws_cloudwatch_metric_alarm.this["002-cpu"].dimensions)}"
  }
  assert {
    condition = [
      for slug in ["cpu", "engine-cpu", "memory", "evictions", "connections", "replication-lag", "network-in", "network-out"] :
      join(" ", [for a in [aws_cloudwatch_metric_alarm.this["001-${slug}"]] : "${a.namespace} ${a.metric_name} ${a.statistic} ${a.comparison_operator} ${a.threshold} ${a.period} ${a.evaluation_periods} ${a.datapoints_to_alarm}"])
      ] == [
      "AWS/ElastiCache CPUUtilization Average GreaterThanThreshold 80 300 2 2",
      "AWS/ElastiCache EngineCPUUtilization Average GreaterThanThreshold 90 300 2 2",
      "AWS/ElastiCache DatabaseMemoryUsagePercentage Average GreaterThanThreshold 85 300 2 2",
      "AWS/ElastiCache Evictions Sum GreaterThanThreshold 100 300 1 1",
      "AWS/ElastiCache CurrConnections Maximum GreaterThanThreshold 500 300 2 2",
      "AWS/ElastiCache ReplicationLag Maximum GreaterThanThreshold 30 60 5 3",
      "AWS/ElastiCache NetworkBytesIn Sum GreaterThanThreshold 5368709120 300 1 1",
      "AWS/ElastiCache NetworkBytesOut Sum GreaterThanThreshold 5368709120 300 1 1",
    ]
    error_message = "an alarm is not as in the table"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["001-network-in"].alarm_description == "More than 5368709120 bytes came in in a period"
    error_message = aws_cloudwatch_metric_alarm.this["001-network-in"].alarm_description
  }
  assert {
    condition     = alltrue([for a in values(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)) : a.alarm_actions == toset(["arn:aws:sns:us-east-1:000000000000:critical"]) && a.ok_actions == a.alarm_actions && a.treat_missing_data == "notBreaching"])
    error_message = "an alarm does not go to the topic, both ways"
  }
}

# An idle cache has no hit rate, and a cold one a low one: neither is to wake anybody.
run "hit_rate" {
  command = plan
  assert {
    condition     = aws_cloudwatch_metric_alarm.math["001-hit-rate"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.math["001-hit-rate"].threshold == 80 && aws_cloudwatch_metric_alarm.math["001-hit-rate"].metric_name == null
    error_message = "the hit rate is not compared with 80"
  }
  assert {
    condition = { for q in aws_cloudwatch_metric_alarm.math["001-hit-rate"].metric_query : q.id => q.expression if q.return_data } == {
      hit_rate = "IF(hits + misses >= 100, 100 * hits / (hits + misses), 100)"
    }
    error_message = "the expression is ${jsonencode(aws_cloudwatch_metric_alarm.math["001-hit-rate"].metric_query)}"
  }
  assert {
    condition = { for q in aws_cloudwatch_metric_alarm.math["002-hit-rate"].metric_query : q.id => "${q.metric[0].metric_name} ${q.metric[0].stat} ${q.metric[0].period} ${q.metric[0].dimensions.CacheClusterId}" if q.return_data != true } == {
      hits   = "CacheHits Sum 300 shop-dev-redis-002"
      misses = "CacheMisses Sum 300 shop-dev-redis-002"
    }
    error_message = "the queries are ${jsonencode(aws_cloudwatch_metric_alarm.math["002-hit-rate"].metric_query)}"
  }
}

run "no_lag_without_replicas" {
  command = plan
  variables {
    num_cache_nodes            = 1
    automatic_failover_enabled = false
    multi_az_enabled           = false
  }
  assert {
    condition     = length(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)) == 8 && !contains(keys(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)), "001-replication-lag")
    error_message = "the alarms are ${jsonencode(keys(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)))}"
  }
  assert {
    condition     = alltrue([for a in values(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)) : length(a.alarm_actions) == 0])
    error_message = "there is an action without a topic"
  }
}

run "members_in_cluster_mode" {
  command = plan
  variables {
    cluster_mode_enabled    = true
    num_node_groups         = 2
    replicas_per_node_group = 1
  }
  assert {
    condition     = toset([for a in values(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)) : try(a.dimensions.CacheClusterId, "math")]) == toset(["shop-dev-redis-0001-001", "shop-dev-redis-0001-002", "shop-dev-redis-0002-001", "shop-dev-redis-0002-002", "math"])
    error_message = "the members are ${jsonencode([for a in values(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)) : a.dimensions])}"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["0002-001-memory"].alarm_name == "shop-dev-redis-0002-001-memory"
    error_message = "the alarm is ${aws_cloudwatch_metric_alarm.this["0002-001-memory"].alarm_name}"
  }
}

run "tuned" {
  command = plan
  variables {
    enabled_alarms                  = ["cpu", "replication-lag"]
    alarm_thresholds                = { cpu = 45 }
    alarm_period                    = 120
    alarm_evaluation_periods        = 4
    alarm_dimension_mode            = "member"
    treat_missing_data              = "breaching"
    alarm_sns_topic_arn             = "arn:aws:sns:us-east-1:000000000000:critical"
    alarm_ok_actions                = []
    alarm_insufficient_data_actions = ["arn:aws:sns:us-east-1:000000000000:info"]
  }
  assert {
    condition     = toset(keys(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math))) == toset(["001-cpu", "001-replication-lag", "002-cpu", "002-replication-lag"])
    error_message = "the alarms are ${jsonencode(keys(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)))}"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["001-cpu"].threshold == 45 && aws_cloudwatch_metric_alarm.this["001-replication-lag"].threshold == 30
    error_message = "the thresholds are ${aws_cloudwatch_metric_alarm.this["001-cpu"].threshold} and ${aws_cloudwatch_metric_alarm.this["001-replication-lag"].threshold}"
  }
  assert {
    condition     = alltrue([for a in values(aws_cloudwatch_metric_alarm.this) : a.period == 120 && a.evaluation_periods == 4 && a.datapoints_to_alarm == 4 && a.treat_missing_data == "breaching" && join(",", keys(a.dimensions)) == "CacheClusterId"])
    error_message = "an alarm is not tuned"
  }
  assert {
    condition     = alltrue([for a in values(merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_metric_alarm.math)) : length(a.ok_actions) == 0 && a.insufficient_data_actions == toset(["arn:aws:sns:us-east-1:000000000000:info"])])
    error_message = "the actions are not those given"
  }
}

run "dashboard" {
  command = plan
  variables {
    create_dashboard = true
    alarm_thresholds = { memory = 70 }
  }
  override_data {
    target          = data.aws_region.current[0]
    override_during = plan
    values          = { id = "us-east-1" }
  }
  assert {
    condition     = aws_cloudwatch_dashboard.this[0].dashboard_name == "shop-dev-redis" && length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets) == 9
    error_message = "the dashboard has ${length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets)} graphs"
  }
  assert {
    condition = jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[2] == {
      type = "metric", x = 16, y = 0, width = 8, height = 6
      properties = {
        title       = "DatabaseMemoryUsagePercentage", view = "timeSeries", region = "us-east-1", stat = "Average", period = 300
        metrics     = [for n in ["001", "002"] : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", "shop-dev-redis-${n}", "CacheNodeId", "0001"]]
        annotations = { horizontal = [{ label = "memory alarm", value = 70 }] }
      }
    }
    error_message = "the third graph is ${jsonencode(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[2])}"
  }
}
