# What the module makes: names, counts, and what is left out.

mock_provider "aws" {
  override_during = plan

  override_data {
    target = data.aws_subnet.redis[0]
    values = { availability_zone = "us-east-1a", vpc_id = "vpc-0000000a" }
  }
  override_data {
    target = data.aws_subnet.redis[1]
    values = { availability_zone = "us-east-1b", vpc_id = "vpc-0000000a" }
  }
}

variables {
  project_name            = "shop"
  environment             = "dev"
  redis_subnet_ids        = ["subnet-0000000a", "subnet-0000000b"]
  redis_security_group_id = "sg-0000000a"
  kms_key_arn             = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.replication_group_id == "shop-dev-redis"
    error_message = "the group is ${aws_elasticache_replication_group.this.replication_group_id}"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.description == "Redis of shop in dev"
    error_message = "it is described as ${aws_elasticache_replication_group.this.description}"
  }
  assert {
    condition     = aws_elasticache_subnet_group.this[0].name == "shop-dev-redis-subnets" && aws_elasticache_subnet_group.this[0].description == "Subnets of shop-dev-redis"
    error_message = "the subnet group is ${aws_elasticache_subnet_group.this[0].name}"
  }
  assert {
    condition     = aws_elasticache_parameter_group.this[0].name == "shop-dev-redis-redis7" && aws_elasticache_parameter_group.this[0].family == "redis7"
    error_message = "the parameter group is ${aws_elasticache_parameter_group.this[0].name}"
  }
  assert {
    condition     = { for p in aws_elasticache_parameter_group.this[0].parameter : p.name => p.value } == { maxmemory-policy = "allkeys-lru", timeout = "0" }
    error_message = "the parameters are ${jsonencode(aws_elasticache_parameter_group.this[0].parameter)}"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.parameter_group_name == "shop-dev-redis-redis7" && aws_elasticache_replication_group.this.subnet_group_name == "shop-dev-redis-subnets"
    error_message = "the group does not use the groups made for it"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 2 && aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.automatic_failover_enabled
    error_message = "the default is a primary and a replica with failover and Multi-AZ"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_retention_limit == 7 && aws_elasticache_replication_group.this.apply_immediately
    error_message = "snapshots are kept ${aws_elasticache_replication_group.this.snapshot_retention_limit} days"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.tags == tomap({ Project = "shop", Environment = "dev", ManagedBy = "larder-module" })
    error_message = "the tags are ${jsonencode(aws_elasticache_replication_group.this.tags)}"
  }
  assert {
    condition     = toset(values(aws_cloudwatch_log_group.this)[*].name) == toset(["/aws/elasticache/shop-dev-redis/slow-log", "/aws/elasticache/shop-dev-redis/engine-log"])
    error_message = "the log groups are ${jsonencode(values(aws_cloudwatch_log_group.this)[*].name)}"
  }
  assert {
    condition     = { for d in aws_elasticache_replication_group.this.log_delivery_configuration : d.log_type => "${d.destination_type} ${d.log_format} ${d.destination}" } == { slow-log = "cloudwatch-logs json /aws/elasticache/shop-dev-redis/slow-log", engine-log = "cloudwatch-logs json /aws/elasticache/shop-dev-redis/engine-log" }
    error_message = "the logs go to ${jsonencode(aws_elasticache_replication_group.this.log_delivery_configuration)}"
  }
  assert {
    condition     = aws_secretsmanager_secret.auth_token[0].name == "shop/dev/redis" && aws_secretsmanager_secret.auth_token[0].description == "Auth token of shop-dev-redis" && aws_secretsmanager_secret.auth_token[0].recovery_window_in_days == 7
    error_message = "the secret is ${aws_secretsmanager_secret.auth_token[0].name}"
  }
  assert {
    condition     = length(aws_cloudwatch_dashboard.this) + length(aws_security_group.this) + length(aws_route53_record.this) == 0
    error_message = "a dashboard, a security group and a DNS record are made on demand only"
  }
}

run "given_token" {
  command = plan
  variables {
    auth_token = "a&b#c$d^e<f>g-h!0123"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == "a&b#c$d^e<f>g-h!0123" && output.auth_token == "a&b#c$d^e<f>g-h!0123"
    error_message = "the given token is not used"
  }
}

run "no_token" {
  command = plan
  variables {
    auth_token_enabled = false
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == null && length(aws_secretsmanager_secret.auth_token) == 0 && length(terraform_data.generated_token) == 0
    error_message = "there is a token, or a secret for it"
  }
}

run "everything_off" {
  command = plan
  variables {
    num_cache_nodes            = 1
    multi_az_enabled           = false
    automatic_failover_enabled = false
    transit_encryption_enabled = false
    at_rest_encryption_enabled = false
    auth_token_enabled         = false
    enable_snapshots           = false
    slow_log_enabled           = false
    engine_log_enabled         = false
    create_alarms              = false
  }
  assert {
    condition     = aws_elasticache_replication_group.this.kms_key_id == null && aws_elasticache_replication_group.this.snapshot_retention_limit == 0 && aws_elasticache_replication_group.this.final_snapshot_identifier == null
    error_message = "a key, snapshots or a final snapshot although they are off"
  }
  assert {
    condition     = length(aws_cloudwatch_log_group.this) + length(aws_cloudwatch_metric_alarm.this) + length(aws_cloudwatch_metric_alarm.math) + length(aws_elasticache_replication_group.this.log_delivery_configuration) == 0
    error_message = "log groups or alarms although they are off"
  }
}

run "cluster_mode" {
  command = plan
  variables {
    environment             = "prod"
    cluster_mode_enabled    = true
    num_node_groups         = 3
    replicas_per_node_group = 2
    redis_engine_version    = "6.2"
    notify_keyspace_events  = "Ex"
    parameters              = [{ name = "hz", value = "20" }]
  }
  assert {
    condition     = aws_elasticache_replication_group.this.num_node_groups == 3 && aws_elasticache_replication_group.this.replicas_per_node_group == 2 && !aws_elasticache_replication_group.this.apply_immediately
    error_message = "3 shards with 2 replicas, changed in the maintenance window of prod"
  }
  assert {
    condition     = aws_elasticache_parameter_group.this[0].name == "shop-prod-redis-redis6x-cluster" && aws_elasticache_parameter_group.this[0].family == "redis6.x"
    error_message = "the parameter group is ${aws_elasticache_parameter_group.this[0].name}"
  }
  assert {
    condition     = { for p in aws_elasticache_parameter_group.this[0].parameter : p.name => p.value } == { maxmemory-policy = "allkeys-lru", timeout = "0", notify-keyspace-events = "Ex", cluster-enabled = "yes", hz = "20" }
    error_message = "the parameters are ${jsonencode(aws_elasticache_parameter_group.this[0].parameter)}"
  }
}

run "old_engine" {
  command = plan
  variables {
    redis_engine_version = "5.0.6"
    slow_log_enabled     = false
    engine_log_enabled   = false
  }
  assert {
    condition     = aws_elasticache_parameter_group.this[0].name == "shop-dev-redis-redis50" && aws_elasticache_parameter_group.this[0].family == "redis5.0"
    error_message = "AWS takes no dots in ${aws_elasticache_parameter_group.this[0].name}"
  }
}

run "valkey" {
  command = plan
  variables {
    engine               = "valkey"
    redis_engine_version = "8.0"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.engine == "valkey" && aws_elasticache_parameter_group.this[0].family == "valkey8"
    error_message = "the family is ${aws_elasticache_parameter_group.this[0].family}"
  }
}

run "data_tiering" {
  command = plan
  variables {
    node_type            = "cache.r6gd.xlarge"
    data_tiering_enabled = true
  }
  assert {
    condition     = aws_elasticache_replication_group.this.data_tiering_enabled
    error_message = "data tiering is off"
  }
}

run "user_group" {
  command = plan
  variables {
    auth_token_enabled         = false
    auth_token_update_strategy = "DELETE"
    user_group_ids             = ["admins"]
  }
  assert {
    condition     = aws_elasticache_replication_group.this.user_group_ids == toset(["admins"]) && aws_elasticache_replication_group.this.auth_token_update_strategy == "DELETE"
    error_message = "the user group does not replace the token"
  }
}

run "existing_groups" {
  command = plan
  variables {
    create_subnet_group    = false
    subnet_group_name      = "team-subnets"
    create_parameter_group = false
    parameter_group_name   = "team-parameters"
    create_log_groups      = false
    slow_log_destination   = "/team/slow"
    engine_log_destination = "/team/engine"
  }
  assert {
    condition     = length(aws_elasticache_subnet_group.this) + length(aws_elasticache_parameter_group.this) + length(aws_cloudwatch_log_group.this) == 0
    error_message = "a group is made although there is one"
  }
  assert {
    condition     = output.subnet_group_name == "team-subnets" && output.parameter_group_name == "team-parameters" && output.slow_log_group_name == null
    error_message = "the existing groups are not used"
  }
  assert {
    condition     = toset(aws_elasticache_replication_group.this.log_delivery_configuration[*].destination) == toset(["/team/slow", "/team/engine"])
    error_message = "the logs go elsewhere"
  }
}

run "firehose" {
  command = plan
  variables {
    log_destination_type = "kinesis-firehose"
    engine_log_enabled   = false
    slow_log_destination = "slow"
    log_format           = "text"
  }
  assert {
    condition     = length(aws_cloudwatch_log_group.this) == 0 && toset(aws_elasticache_replication_group.this.log_delivery_configuration[*].destination_type) == toset(["kinesis-firehose"])
    error_message = "the slow log does not go to the stream alone"
  }
}

run "log_groups" {
  command = plan
  variables {
    log_group_prefix              = "/aws/vendedlogs"
    cloudwatch_log_retention_days = 0
    log_skip_destroy              = true
    cloudwatch_log_kms_key_arn    = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this["slow-log"].name == "/aws/vendedlogs/shop-dev-redis/slow-log" && aws_cloudwatch_log_group.this["slow-log"].retention_in_days == 0 && aws_cloudwatch_log_group.this["slow-log"].skip_destroy
    error_message = "the log group is ${jsonencode(aws_cloudwatch_log_group.this["slow-log"])}"
  }
}

run "security_group" {
  command = plan
  variables {
    create_security_group      = true
    allowed_security_group_ids = ["sg-0000000c"]
    allowed_cidrs              = ["10.0.0.0/16", "10.1.0.0/16"]
    redis_port                 = 6380
  }
  override_resource {
    target          = aws_elasticache_subnet_group.this[0]
    override_during = plan
    values          = { vpc_id = "vpc-0000000b" }
  }
  assert {
    condition     = aws_security_group.this[0].vpc_id == "vpc-0000000b" && length(aws_vpc_security_group_ingress_rule.group) == 1 && length(aws_vpc_security_group_ingress_rule.network) == 2
    error_message = "the group lets in ${length(aws_vpc_security_group_ingress_rule.group)} groups and ${length(aws_vpc_security_group_ingress_rule.network)} networks"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.network[1].cidr_ipv4 == "10.1.0.0/16" && aws_vpc_security_group_ingress_rule.network[1].from_port == 6380 && aws_vpc_security_group_ingress_rule.network[1].to_port == 6380
    error_message = "the rule is ${jsonencode(aws_vpc_security_group_ingress_rule.network[1])}"
  }
}

run "own_names" {
  command = plan
  variables {
    description                   = "mine"
    auth_token_secret_name        = "team/redis"
    final_snapshot_identifier     = "last"
    tags                          = { Environment = "mine", ManagedBy = "me" }
    additional_security_group_ids = ["sg-0000000b"]
    dns                           = { zone_id = "Z1", name = "redis.example.com" }
    transit_encryption_enabled    = false
    auth_token_enabled            = false
    timeouts                      = { create = "90m" }
  }
  assert {
    condition     = aws_elasticache_replication_group.this.description == "mine" && aws_elasticache_replication_group.this.final_snapshot_identifier == "last"
    error_message = "the given names are not used"
  }
  assert {
    condition     = output.tags_all == tomap({ Project = "shop", Environment = "mine", ManagedBy = "me" })
    error_message = "the caller's tags do not win: ${jsonencode(output.tags_all)}"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.security_group_ids == toset(["sg-0000000a", "sg-0000000b"])
    error_message = "the security groups are ${jsonencode(aws_elasticache_replication_group.this.security_group_ids)}"
  }
  assert {
    condition     = aws_route53_record.this[0].name == "redis.example.com" && aws_route53_record.this[0].ttl == 60
    error_message = "the record is ${jsonencode(aws_route53_record.this[0])}"
  }
}

run "null_asks_for_the_default" {
  command = plan
  variables {
    redis_port = null
    timeout    = null
    tags       = null
    auth_token = null
  }
  assert {
    condition     = aws_elasticache_replication_group.this.port == 6379 && length(aws_secretsmanager_secret.auth_token) == 1
    error_message = "the port is ${aws_elasticache_replication_group.this.port}"
  }
}
