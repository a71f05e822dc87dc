# One run for each thing the module refuses. The comment above a run is the message, word for word: test/terraform
# compares it with what Terraform prints.

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
  create_alarms           = false # to plan less
}

# project_name: "a--b" is not a name AWS takes: start with a lower-case letter, go on with lower-case letters, digits and single hyphens, and end without a hyphen.
run "project_name" {
  command = plan
  variables {
    project_name = "a--b"
  }
  expect_failures = [var.project_name]
}

# environment: "test" is not an environment of the module: use one of dev, staging, prod.
run "environment" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

# redis_subnet_ids: the list has 0 elements: give 1 to 20 subnet IDs.
run "no_subnets" {
  command = plan
  variables {
    redis_subnet_ids = []
  }
  expect_failures = [var.redis_subnet_ids]
}

# redis_subnet_ids: "subnet-1" (element 2) is not a subnet ID: write subnet- and 8 or 17 hexadecimal digits.
run "subnet_id" {
  command = plan
  variables {
    redis_subnet_ids = ["subnet-0000000a", "subnet-1"]
  }
  expect_failures = [var.redis_subnet_ids]
}

# redis_subnet_ids: "subnet-0000000a" is repeated: name each subnet once.
run "subnet_twice" {
  command = plan
  variables {
    redis_subnet_ids = ["subnet-0000000a", "subnet-0000000b", "subnet-0000000a"]
  }
  expect_failures = [var.redis_subnet_ids]
}

# redis_security_group_id: "default" is not a security group ID: write sg- and 8 or 17 hexadecimal digits.
run "security_group_id" {
  command = plan
  variables {
    redis_security_group_id = "default"
  }
  expect_failures = [var.redis_security_group_id]
}

# kms_key_arn: "arn:aws:kms:us-east-1:000000000000:alias/redis" is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias, which would make Terraform replace the cache.
run "kms_key_alias" {
  command = plan
  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:000000000000:alias/redis"
  }
  expect_failures = [var.kms_key_arn]
}

# redis_port: 65536 is not a TCP port: use a whole number from 1 to 65535.
run "port" {
  command = plan
  variables {
    redis_port = 65536
  }
  expect_failures = [var.redis_port]
}

# engine: "memcached" is not an engine of the module: use one of redis, valkey.
run "engine" {
  command = plan
  variables {
    engine = "memcached"
  }
  expect_failures = [var.engine]
}

# node_type: "large" is not a node type: write one such as cache.t3.medium or cache.r6g.large.
run "node_type_form" {
  command = plan
  variables {
    node_type = "large"
  }
  expect_failures = [var.node_type]
}

# num_cache_nodes: 7 is not a number of nodes without cluster mode: use 1 to 6 (1 primary and up to 5 replicas); for more set cluster_mode_enabled = true.
run "num_cache_nodes" {
  command = plan
  variables {
    num_cache_nodes = 7
  }
  expect_failures = [var.num_cache_nodes]
}

# num_node_groups: 501 is not a number of shards: use 1 to 500.
run "num_node_groups" {
  command = plan
  variables {
    num_node_groups = 501
  }
  expect_failures = [var.num_node_groups]
}

# replicas_per_node_group: 6 is not a number of replicas a shard has: use 0 to 5.
run "replicas_per_node_group" {
  command = plan
  variables {
    replicas_per_node_group = 6
  }
  expect_failures = [var.replicas_per_node_group]
}

# preferred_cache_cluster_azs: "east" (element 2) is not an availability zone: write a name such as us-east-1a.
run "zone_name" {
  command = plan
  variables {
    preferred_cache_cluster_azs = ["us-east-1a", "east"]
  }
  expect_failures = [var.preferred_cache_cluster_azs]
}

# cluster_mode: "on" is not a cluster mode: use one of enabled, disabled, compatible, or leave it out.
run "cluster_mode" {
  command = plan
  variables {
    cluster_mode = "on"
  }
  expect_failures = [var.cluster_mode]
}

# network_type: "ipx" is not a network type: use one of ipv4, ipv6, dual_stack, or leave it out.
run "network_type" {
  command = plan
  variables {
    network_type = "ipx"
  }
  expect_failures = [var.network_type]
}

# ip_discovery: "ipx" is not an IP version: use one of ipv4, ipv6, or leave it out.
run "ip_discovery" {
  command = plan
  variables {
    ip_discovery = "ipx"
  }
  expect_failures = [var.ip_discovery]
}

# additional_security_group_ids: "sg-1" (element 1) is not a security group ID: write sg- and 8 or 17 hexadecimal digits.
run "additional_security_group" {
  command = plan
  variables {
    additional_security_group_ids = ["sg-1"]
  }
  expect_failures = [var.additional_security_group_ids]
}

# additional_security_group_ids: "sg-0000000b" is repeated: name each security group once.
run "additional_security_group_twice" {
  command = plan
  variables {
    additional_security_group_ids = ["sg-0000000b", "sg-0000000b"]
  }
  expect_failures = [var.additional_security_group_ids]
}

# allowed_security_group_ids: "sg-1" (element 1) is not a security group ID: write sg- and 8 or 17 hexadecimal digits.
run "allowed_security_group" {
  command = plan
  variables {
    allowed_security_group_ids = ["sg-1"]
  }
  expect_failures = [var.allowed_security_group_ids]
}

# allowed_cidrs: "10.0.0.0" (element 1) is not an IPv4 network: write one such as 10.0.0.0/16.
run "allowed_cidr" {
  command = plan
  variables {
    allowed_cidrs = ["10.0.0.0"]
  }
  expect_failures = [var.allowed_cidrs]
}

# transit_encryption_mode: "maybe" is not a TLS mode: use one of preferred, required, or leave it out.
run "transit_encryption_mode" {
  command = plan
  variables {
    transit_encryption_mode = "maybe"
  }
  expect_failures = [var.transit_encryption_mode]
}

# auth_token: the token (not shown) is not one AWS takes: use 16 to 128 letters, digits and ! & # $ ^ < > -, or leave it out to have one generated.
run "token_length" {
  command = plan
  variables {
    auth_token = "short"
  }
  expect_failures = [var.auth_token]
}

# auth_token: the token (not shown) is not one AWS takes: use 16 to 128 letters, digits and ! & # $ ^ < > -, or leave it out to have one generated.
run "token_character" {
  command = plan
  variables {
    auth_token = "0123456789abcde@"
  }
  expect_failures = [var.auth_token]
}

# auth_token_length: 15 is not a length of a token: use 16 to 128 characters.
run "auth_token_length" {
  command = plan
  variables {
    auth_token_length = 15
  }
  expect_failures = [var.auth_token_length]
}

# auth_token_update_strategy: "KEEP" is not a strategy: use one of SET, ROTATE, DELETE.
run "update_strategy" {
  command = plan
  variables {
    auth_token_update_strategy = "KEEP"
  }
  expect_failures = [var.auth_token_update_strategy]
}

# auth_token_secret_name: "my secret" is not a secret name: use 1 to 512 letters, digits and / _ + = . @ -.
run "secret_name" {
  command = plan
  variables {
    auth_token_secret_name = "my secret"
  }
  expect_failures = [var.auth_token_secret_name]
}

# auth_token_secret_recovery_window_in_days: 6 is not a recovery window: use 7 to 30 days, or 0 to delete at once.
run "recovery_window" {
  command = plan
  variables {
    auth_token_secret_recovery_window_in_days = 6
  }
  expect_failures = [var.auth_token_secret_recovery_window_in_days]
}

# auth_token_secret_kms_key_arn: "alias/x" is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID.
run "secret_key" {
  command = plan
  variables {
    auth_token_secret_kms_key_arn = "alias/x"
  }
  expect_failures = [var.auth_token_secret_kms_key_arn]
}

# user_group_ids: the list has 2 elements: a replication group takes 1 user group.
run "two_user_groups" {
  command = plan
  variables {
    auth_token_enabled = false
    user_group_ids     = ["a", "b"]
  }
  expect_failures = [var.user_group_ids]
}

# snapshot_retention_limit: 36 is not a number of days snapshots are kept: use 0 to 35.
run "retention" {
  command = plan
  variables {
    snapshot_retention_limit = 36
  }
  expect_failures = [var.snapshot_retention_limit]
}

# snapshot_window: "3:00-5:00" is not of the form hh:mm-hh:mm, such as 03:00-05:00 (UTC).
run "snapshot_window_form" {
  command = plan
  variables {
    snapshot_window = "3:00-5:00"
  }
  expect_failures = [var.snapshot_window]
}

# maintenance_window: "Sun:05:00-Sun:07:00" is not of the form ddd:hh:mm-ddd:hh:mm in lower case, such as sun:05:00-sun:07:00 (UTC).
run "maintenance_window_form" {
  command = plan
  variables {
    maintenance_window = "Sun:05:00-Sun:07:00"
  }
  expect_failures = [var.maintenance_window]
}

# final_snapshot_identifier: "last one" is not the name of a snapshot: use 1 to 40 lower-case letters, digits and single hyphens, a letter first and no hyphen last.
run "final_snapshot_name" {
  command = plan
  variables {
    final_snapshot_identifier = "last one"
  }
  expect_failures = [var.final_snapshot_identifier]
}

# snapshot_arns: "arn:aws:s3:::backups" (element 1) is not the ARN of a file in S3: write arn:aws:s3:::BUCKET/FILE.rdb, without commas.
run "snapshot_arn" {
  command = plan
  variables {
    snapshot_arns = ["arn:aws:s3:::backups"]
  }
  expect_failures = [var.snapshot_arns]
}

# maxmemory_policy: "lru" is not an eviction policy of Redis: use one of allkeys-lru, allkeys-lfu, allkeys-random, volatile-lru, volatile-lfu, volatile-random, volatile-ttl, noeviction.
run "maxmemory_policy" {
  command = plan
  variables {
    maxmemory_policy = "lru"
  }
  expect_failures = [var.maxmemory_policy]
}

# timeout: "10" is not a whole number of seconds that ElastiCache takes: use "0" to never close idle connections, or "20" and more.
run "timeout" {
  command = plan
  variables {
    timeout = "10"
  }
  expect_failures = [var.timeout]
}

# notify_keyspace_events: "KQ" has a letter that Redis does not know: use K E g $ l s h z x e t d m n A.
run "keyspace_letter" {
  command = plan
  variables {
    notify_keyspace_events = "KQ"
  }
  expect_failures = [var.notify_keyspace_events]
}

# notify_keyspace_events: "gx" has neither K nor E, so nothing would be notified: add K for keyspace events or E for keyevent events.
run "keyspace_kind" {
  command = plan
  variables {
    notify_keyspace_events = "gx"
  }
  expect_failures = [var.notify_keyspace_events]
}

# parameters: "timeout" has an input of its own: set maxmemory_policy, timeout, notify_keyspace_events or cluster_mode_enabled.
run "parameter_with_an_input" {
  command = plan
  variables {
    parameters = [{ name = "timeout", value = "1" }]
  }
  expect_failures = [var.parameters]
}

# parameters: "hz" is repeated: name each parameter once.
run "parameter_twice" {
  command = plan
  variables {
    parameters = [{ name = "hz", value = "1" }, { name = "hz", value = "2" }]
  }
  expect_failures = [var.parameters]
}

# parameters: element 2 has no name: name the parameter.
run "parameter_without_name" {
  command = plan
  variables {
    parameters = [{ name = "hz", value = "1" }, { name = "", value = "2" }]
  }
  expect_failures = [var.parameters]
}

# alarm_sns_topic_arn: "critical" is not the ARN of an SNS topic: write arn:aws:sns:REGION:ACCOUNT:NAME, or null for none.
run "alarm_topic" {
  command = plan
  variables {
    alarm_sns_topic_arn = "critical"
  }
  expect_failures = [var.alarm_sns_topic_arn]
}

# alarm_ok_actions: the list has 6 elements: an alarm takes up to 5 actions of a kind.
run "ok_actions" {
  command = plan
  variables {
    alarm_ok_actions = ["a", "b", "c", "d", "e", "f"]
  }
  expect_failures = [var.alarm_ok_actions]
}

# alarm_insufficient_data_actions: the list has 6 elements: an alarm takes up to 5 actions of a kind.
run "insufficient_data_actions" {
  command = plan
  variables {
    alarm_insufficient_data_actions = ["a", "b", "c", "d", "e", "f"]
  }
  expect_failures = [var.alarm_insufficient_data_actions]
}

# alarm_thresholds: connections = -1 is less than 0, which no metric is: use 0 or more.
run "threshold_negative" {
  command = plan
  variables {
    alarm_thresholds = { connections = -1 }
  }
  expect_failures = [var.alarm_thresholds]
}

# alarm_thresholds: cpu = 101 is more than 100 percent: use 0 to 100.
run "threshold_percent" {
  command = plan
  variables {
    alarm_thresholds = { cpu = 101 }
  }
  expect_failures = [var.alarm_thresholds]
}

# alarm_period: 90 is not a period of ElastiCache's metrics: use 60 seconds or a multiple of it.
run "alarm_period" {
  command = plan
  variables {
    alarm_period = 90
  }
  expect_failures = [var.alarm_period]
}

# alarm_evaluation_periods: 0 is not a number of periods: use 1 or more.
run "evaluation_periods" {
  command = plan
  variables {
    alarm_evaluation_periods = 0
  }
  expect_failures = [var.alarm_evaluation_periods]
}

# alarm_dimension_mode: "group" is not a set of dimensions ElastiCache publishes: use node (CacheClusterId and CacheNodeId), member (CacheClusterId alone), or null for node.
run "dimension_mode" {
  command = plan
  variables {
    alarm_dimension_mode = "group"
  }
  expect_failures = [var.alarm_dimension_mode]
}

# treat_missing_data: "ok" is not a treatment: use one of breaching, notBreaching, ignore, missing, or null for notBreaching.
run "treat_missing_data" {
  command = plan
  variables {
    treat_missing_data = "ok"
  }
  expect_failures = [var.treat_missing_data]
}

# notification_topic_arn: "info" is not the ARN of an SNS topic: write arn:aws:sns:REGION:ACCOUNT:NAME, or null for none.
run "notification_topic" {
  command = plan
  variables {
    notification_topic_arn = "info"
  }
  expect_failures = [var.notification_topic_arn]
}

# log_format: "xml" is not a log format: use one of json, text.
run "log_format" {
  command = plan
  variables {
    log_format = "xml"
  }
  expect_failures = [var.log_format]
}

# cloudwatch_log_retention_days: 31 is not a number of days CloudWatch Logs takes: use one of 0 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653.
run "log_retention" {
  command = plan
  variables {
    cloudwatch_log_retention_days = 31
  }
  expect_failures = [var.cloudwatch_log_retention_days]
}

# log_destination_type: "s3" is not a destination of logs: use one of cloudwatch-logs, kinesis-firehose.
run "log_destination_type" {
  command = plan
  variables {
    log_destination_type = "s3"
  }
  expect_failures = [var.log_destination_type]
}

# log_group_prefix: "/logs/" is not the start of a log group's name: use letters, digits and _ - / . #, without a slash at the end, or null for /aws/elasticache.
run "log_group_prefix" {
  command = plan
  variables {
    log_group_prefix = "/logs/"
  }
  expect_failures = [var.log_group_prefix]
}

# cloudwatch_log_kms_key_arn: "alias/x" is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID.
run "log_key" {
  command = plan
  variables {
    cloudwatch_log_kms_key_arn = "alias/x"
  }
  expect_failures = [var.cloudwatch_log_kms_key_arn]
}

# description: the text is empty, which AWS refuses: describe the group, or leave it out.
run "description" {
  command = plan
  variables {
    description = " "
  }
  expect_failures = [var.description]
}

# dns: a ttl of -1 is not a number of seconds: use 0 or more.
run "dns_ttl" {
  command = plan
  variables {
    dns = { zone_id = "Z1", name = "redis.example.com", ttl = -1 }
  }
  expect_failures = [var.dns]
}

# timeouts: create = "an hour" is not a duration: write one such as 60m or 1h30m.
run "timeouts" {
  command = plan
  variables {
    timeouts = { create = "an hour" }
  }
  expect_failures = [var.timeouts]
}

# tags: the key "a*" is not one AWS takes: use 1 to 128 letters, digits, spaces and + - = . _ : / @.
run "tag_key" {
  command = plan
  variables {
    tags = { "a*" = "1" }
  }
  expect_failures = [var.tags]
}

# tags: the key "AWS:x" starts with aws:, which AWS keeps for itself: use another prefix.
run "tag_prefix" {
  command = plan
  variables {
    tags = { "AWS:x" = "1" }
  }
  expect_failures = [var.tags]
}

# tags: the value of "a" is not one AWS takes: use at most 256 letters, digits, spaces and + - = . _ : / @.
run "tag_value" {
  command = plan
  variables {
    tags = { a = "*" }
  }
  expect_failures = [var.tags]
}

# project_name: "a-very-long-name-of-a-project-that-has-40" makes the identifier a-very-long-name-of-a-project-that-has-40-dev-redis of 51 characters, the limit is 40: shorten the project name by 11.
run "identifier_length" {
  command = plan
  variables {
    project_name = "a-very-long-name-of-a-project-that-has-40"
  }
  expect_failures = [terraform_data.checks]
}

# tags: these and the module's own make 51 tags, the most on a resource is 50: drop 1.
run "too_many_tags" {
  command = plan
  variables {
    tags = { for i in range(48) : "k${i}" => "v" }
  }
  expect_failures = [terraform_data.checks]
}

# redis_engine_version: "7.0.7" is not a version of redis to ask ElastiCache for: use one of "5.0.6", "6.0", "6.2", "6.x", "7.0", "7.1", in quotes and without a patch number from 6 on.
run "engine_version" {
  command = plan
  variables {
    redis_engine_version = "7.0.7"
  }
  expect_failures = [terraform_data.checks]
}

# redis_engine_version: "7.0" is not a version of valkey to ask ElastiCache for: use one of "7.2", "8.0", "8.1", "8.2", in quotes and without a patch number from 6 on.
run "engine_version_of_valkey" {
  command = plan
  variables {
    engine = "valkey"
  }
  expect_failures = [terraform_data.checks]
}

# parameter_group_family: "redis6.x" is not the family of redis 7.0, which is redis7: leave it out to follow the version.
run "family" {
  command = plan
  variables {
    parameter_group_family = "redis6.x"
  }
  expect_failures = [terraform_data.checks]
}

# parameter_group_name: it is not set and create_parameter_group is false: name an existing parameter group, or set create_parameter_group = true.
run "parameter_group_missing" {
  command = plan
  variables {
    create_parameter_group = false
  }
  expect_failures = [terraform_data.checks]
}

# parameter_group_name: "mine" is not used while create_parameter_group is true: set create_parameter_group = false, or leave the name out.
run "parameter_group_unused" {
  command = plan
  variables {
    parameter_group_name = "mine"
  }
  expect_failures = [terraform_data.checks]
}

# node_type: "cache.r7g.large" runs redis 6.2 and later, and redis_engine_version is "6.0": use a later version or an older node type.
run "node_type_too_new" {
  command = plan
  variables {
    node_type            = "cache.r7g.large"
    redis_engine_version = "6.0"
    engine_log_enabled   = false
  }
  expect_failures = [terraform_data.checks]
}

# data_tiering_enabled: true needs a node type with a local disk and node_type is "cache.t3.medium": use a cache.r6gd, or set data_tiering_enabled = false.
run "data_tiering_type" {
  command = plan
  variables {
    data_tiering_enabled = true
  }
  expect_failures = [terraform_data.checks]
}

# node_type: "cache.r6gd.xlarge" works with data tiering only: set data_tiering_enabled = true, or use the cache.r6g of the same size.
run "data_tiering_only" {
  command = plan
  variables {
    node_type = "cache.r6gd.xlarge"
  }
  expect_failures = [terraform_data.checks]
}

# maxmemory_policy: "allkeys-lfu" does not work with data tiering: use one of allkeys-lru, volatile-lru, noeviction, or set data_tiering_enabled = false.
run "data_tiering_policy" {
  command = plan
  variables {
    node_type            = "cache.r6gd.xlarge"
    data_tiering_enabled = true
    maxmemory_policy     = "allkeys-lfu"
  }
  expect_failures = [terraform_data.checks]
}

# cluster_mode_enabled: true needs automatic failover: set automatic_failover_enabled = true.
run "cluster_mode_without_failover" {
  command = plan
  variables {
    cluster_mode_enabled       = true
    automatic_failover_enabled = false
    multi_az_enabled           = false
  }
  expect_failures = [terraform_data.checks]
}

# cluster_mode: "enabled" contradicts cluster_mode_enabled, which is false: leave cluster_mode out to follow it.
run "cluster_mode_contradicted" {
  command = plan
  variables {
    cluster_mode = "enabled"
  }
  expect_failures = [terraform_data.checks]
}

# num_node_groups: 251 shards with 1 replicas each are 502 nodes, the most is 500: use fewer shards or replicas.
run "too_many_nodes" {
  command = plan
  variables {
    cluster_mode_enabled = true
    num_node_groups      = 251
  }
  expect_failures = [terraform_data.checks]
}

# automatic_failover_enabled: true needs at least 2 nodes and num_cache_nodes is 1: raise it, or set automatic_failover_enabled = false.
run "failover_without_replica" {
  command = plan
  variables {
    num_cache_nodes  = 1
    multi_az_enabled = false
  }
  expect_failures = [terraform_data.checks]
}

# multi_az_enabled: true needs automatic failover: set automatic_failover_enabled = true, or multi_az_enabled = false.
run "multi_az_without_failover" {
  command = plan
  variables {
    automatic_failover_enabled = false
  }
  expect_failures = [terraform_data.checks]
}

# multi_az_enabled: true needs a replica in another zone: raise replicas_per_node_group by one, or set multi_az_enabled = false.
run "multi_az_without_replica" {
  command = plan
  variables {
    cluster_mode_enabled    = true
    replicas_per_node_group = 0
  }
  expect_failures = [terraform_data.checks]
}

# multi_az_enabled: true needs subnets in 2 zones and redis_subnet_ids has 1 subnet: add one in another zone, or set multi_az_enabled = false.
run "multi_az_with_one_subnet" {
  command = plan
  variables {
    redis_subnet_ids = ["subnet-0000000a"]
  }
  expect_failures = [terraform_data.checks]
}

# multi_az_enabled: true needs subnets in 2 zones and those of redis_subnet_ids are all in us-east-1a: add one in another zone, or set multi_az_enabled = false.
run "multi_az_in_one_zone" {
  command = plan
  variables {
    redis_subnet_ids = ["subnet-0000001a", "subnet-0000002a"]
  }
  override_data {
    target = data.aws_subnet.redis[1]
    values = { availability_zone = "us-east-1a" }
  }
  expect_failures = [terraform_data.checks]
}

# preferred_cache_cluster_azs: ["us-east-1a","us-east-1b"] cannot be chosen in cluster mode, where AWS spreads the shards: leave it out.
run "zones_in_cluster_mode" {
  command = plan
  variables {
    cluster_mode_enabled        = true
    preferred_cache_cluster_azs = ["us-east-1a", "us-east-1b"]
  }
  expect_failures = [terraform_data.checks]
}

# preferred_cache_cluster_azs: ["us-east-1a","us-east-1b","us-east-1a"] names 3 zones for 2 nodes: name one for each of num_cache_nodes, with slice() to take the first few of a longer list.
run "zones_for_other_count" {
  command = plan
  variables {
    preferred_cache_cluster_azs = ["us-east-1a", "us-east-1b", "us-east-1a"]
  }
  expect_failures = [terraform_data.checks]
}

# preferred_cache_cluster_azs: ["us-east-1a","us-east-1a"] names one zone only, and Multi-AZ needs 2: name another, or set multi_az_enabled = false.
run "zones_are_one" {
  command = plan
  variables {
    preferred_cache_cluster_azs = ["us-east-1a", "us-east-1a"]
  }
  expect_failures = [terraform_data.checks]
}

# preferred_cache_cluster_azs: us-east-1c has none of the subnets in redis_subnet_ids, which are in us-east-1a, us-east-1b: add a subnet there, or name another zone.
run "zone_without_subnet" {
  command = plan
  variables {
    preferred_cache_cluster_azs = ["us-east-1a", "us-east-1c"]
  }
  expect_failures = [terraform_data.checks]
}

# subnet_group_name: it is not set and create_subnet_group is false: name an existing subnet group, or set create_subnet_group = true.
run "subnet_group_missing" {
  command = plan
  variables {
    create_subnet_group = false
  }
  expect_failures = [terraform_data.checks]
}

# subnet_group_name: "mine" is not used while create_subnet_group is true: set create_subnet_group = false, or leave the name out.
run "subnet_group_unused" {
  command = plan
  variables {
    subnet_group_name = "mine"
  }
  expect_failures = [terraform_data.checks]
}

# allowed_cidrs: nothing is let in without a security group of the module, which opens nothing in redis_security_group_id: set create_security_group = true.
run "allowed_without_group" {
  command = plan
  variables {
    allowed_cidrs = ["10.0.0.0/16"]
  }
  expect_failures = [terraform_data.checks]
}

# auth_token_enabled: true needs TLS, or the token would cross the network in the clear: set transit_encryption_enabled = true, or auth_token_enabled = false.
run "token_without_tls" {
  command = plan
  variables {
    transit_encryption_enabled = false
  }
  expect_failures = [terraform_data.checks]
}

# auth_token: the token (not shown) is empty and generate_auth_token is false: give a token of 16 to 128 characters, or set generate_auth_token = true.
run "token_missing" {
  command = plan
  variables {
    generate_auth_token = false
  }
  expect_failures = [terraform_data.checks]
}

# user_group_ids: ["admins"] cannot be used together with a token: set auth_token_enabled = false.
run "users_with_token" {
  command = plan
  variables {
    user_group_ids = ["admins"]
  }
  expect_failures = [terraform_data.checks]
}

# user_group_ids: ["admins"] need TLS: set transit_encryption_enabled = true.
run "users_without_tls" {
  command = plan
  variables {
    user_group_ids             = ["admins"]
    auth_token_enabled         = false
    transit_encryption_enabled = false
  }
  expect_failures = [terraform_data.checks]
}

# auth_token_update_strategy: "DELETE" takes the token away in favour of user groups and user_group_ids is empty: name a user group, or use ROTATE or SET.
run "strategy_delete" {
  command = plan
  variables {
    auth_token_update_strategy = "DELETE"
  }
  expect_failures = [terraform_data.checks]
}

# transit_encryption_mode: "preferred" needs TLS: set transit_encryption_enabled = true, or leave it out.
run "mode_without_tls" {
  command = plan
  variables {
    transit_encryption_mode    = "preferred"
    transit_encryption_enabled = false
    auth_token_enabled         = false
  }
  expect_failures = [terraform_data.checks]
}

# transit_encryption_mode: "preferred" lets clients in without TLS, and AWS takes no token then: set auth_token_enabled = false until the mode is required.
run "preferred_with_a_token" {
  command = plan
  variables {
    transit_encryption_mode = "preferred"
  }
  expect_failures = [terraform_data.checks]
}

# snapshot_retention_limit: 0 keeps no snapshot and enable_snapshots is true: keep them 1 to 35 days, or set enable_snapshots = false.
run "no_retention" {
  command = plan
  variables {
    snapshot_retention_limit = 0
  }
  expect_failures = [terraform_data.checks]
}

# snapshot_window: "03:00-03:30" is 30 minutes long: the least AWS takes is 60 minutes.
run "snapshot_window_short" {
  command = plan
  variables {
    snapshot_window = "03:00-03:30"
  }
  expect_failures = [terraform_data.checks]
}

# maintenance_window: "sun:05:00-sun:05:30" is 30 minutes long: the least AWS takes is 60 minutes.
run "maintenance_window_short" {
  command = plan
  variables {
    maintenance_window = "sun:05:00-sun:05:30"
  }
  expect_failures = [terraform_data.checks]
}

# maintenance_window: "sun:06:00-mon:07:00" is 1500 minutes long: the most AWS takes is 24 hours (1440 minutes).
run "maintenance_window_long" {
  command = plan
  variables {
    maintenance_window = "sun:06:00-mon:07:00"
  }
  expect_failures = [terraform_data.checks]
}

# snapshot_window: "04:30-05:30" overlaps maintenance_window "sun:05:00-sun:07:00", which AWS refuses even without snapshots: move one of them.
run "windows_overlap" {
  command = plan
  variables {
    snapshot_window = "04:30-05:30"
  }
  expect_failures = [terraform_data.checks]
}

# snapshot_window: "23:30-00:30" overlaps maintenance_window "wed:00:00-wed:01:00", which AWS refuses even without snapshots: move one of them.
run "windows_overlap_at_midnight" {
  command = plan
  variables {
    snapshot_window    = "23:30-00:30"
    maintenance_window = "wed:00:00-wed:01:00"
  }
  expect_failures = [terraform_data.checks]
}

# snapshot_name: "nightly" and snapshot_arns are two sources of data: leave one of them out.
run "two_sources" {
  command = plan
  variables {
    snapshot_name = "nightly"
    snapshot_arns = ["arn:aws:s3:::backups/dump.rdb"]
  }
  expect_failures = [terraform_data.checks]
}

# final_snapshot_identifier: "last" is not used, because no final snapshot is taken: set enable_snapshots = true and skip_final_snapshot = false, or leave it out.
run "final_snapshot_unused" {
  command = plan
  variables {
    final_snapshot_identifier = "last"
    skip_final_snapshot       = true
  }
  expect_failures = [terraform_data.checks]
}

# slow_log_enabled: true needs redis_engine_version 6.0 or later and it is "5.0.6": set slow_log_enabled = false.
run "slow_log_version" {
  command = plan
  variables {
    redis_engine_version = "5.0.6"
    engine_log_enabled   = false
  }
  expect_failures = [terraform_data.checks]
}

# engine_log_enabled: true needs redis_engine_version 6.2 or later and it is "6.0": set engine_log_enabled = false.
run "engine_log_version" {
  command = plan
  variables {
    redis_engine_version = "6.0"
  }
  expect_failures = [terraform_data.checks]
}

# log_destination_type: the module makes no destination for the engine-log: name it in engine_log_destination.
run "log_destination_missing" {
  command = plan
  variables {
    log_destination_type = "kinesis-firehose"
    slow_log_destination = "slow"
  }
  expect_failures = [terraform_data.checks]
}

# slow_log_destination: it is not used while the module makes the log groups: set create_log_groups = false, or leave it out.
run "log_destination_unused" {
  command = plan
  variables {
    slow_log_destination = "slow"
  }
  expect_failures = [terraform_data.checks]
}

# enabled_alarms: "disk" is not an alarm of the module: use some of cpu, engine-cpu, memory, evictions, connections, replication-lag, hit-rate, network-in, network-out, or null for all.
run "unknown_alarm" {
  command = plan
  variables {
    enabled_alarms = ["cpu", "disk"]
  }
  expect_failures = [terraform_data.checks]
}

# alarm_evaluation_periods: an alarm looks back 90000 seconds, the most is one day (86400): use fewer or shorter periods.
run "alarm_too_long" {
  command = plan
  variables {
    create_alarms            = true
    alarm_period             = 3600
    alarm_evaluation_periods = 25
  }
  expect_failures = [terraform_data.checks]
}

# node_type: "cache.t3.large" does not exist on AWS, where an apply fails: use cache.t3.medium or cache.m6g.large.
run "node_type_not_on_aws" {
  command = plan
  variables {
    node_type = "cache.t3.large"
  }
  expect_failures = [check.node_type]
}

# node_type: "cache.z9.large" is not a node type this module knows, and an apply on AWS fails if there is none.
run "node_type_unknown" {
  command = plan
  variables {
    node_type = "cache.z9.large"
  }
  expect_failures = [check.node_type]
}

# node_type: "cache.t2.medium" is no longer offered for new clusters: use a newer generation.
run "node_type_old" {
  command = plan
  variables {
    node_type = "cache.t2.medium"
  }
  expect_failures = [check.node_type]
}

# redis_port: 80 is below 1024: only root may listen there on one machine; use 1024 to 65535.
run "port_privileged" {
  command = plan
  variables {
    redis_port = 80
  }
  expect_failures = [check.port]
}

# num_node_groups: 46 shards with 1 replicas each are 92 nodes, an AWS account gets 90: ask for a higher quota first.
run "quota" {
  command = plan
  variables {
    cluster_mode_enabled = true
    num_node_groups      = 46
  }
  expect_failures = [check.quota]
}

# auth_token: the token (not shown) is not used, because auth_token_enabled is false.
run "token_unused" {
  command = plan
  variables {
    auth_token_enabled = false
    auth_token         = "0123456789abcdef"
  }
  expect_failures = [check.token]
}

# enable_snapshots: false cannot become true later in cluster mode without a new replication group: set it to true and keep snapshots at least 1 day.
run "snapshots_off_in_cluster_mode" {
  command = plan
  variables {
    cluster_mode_enabled = true
    enable_snapshots     = false
  }
  expect_failures = [check.snapshots]
}

# dns: the nodes' certificates do not hold the name "redis.example.com": clients that connect to it with TLS have to verify another name, the endpoint's.
run "dns_with_tls" {
  command = plan
  variables {
    dns = { zone_id = "Z1", name = "redis.example.com" }
  }
  expect_failures = [check.dns]
}
