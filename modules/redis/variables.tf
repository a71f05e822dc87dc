# Required

variable "project_name" {
  description = "Project name for resource naming"
  type        = string

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", var.project_name))
    error_message = "project_name: \"${var.project_name}\" is not a name AWS takes: start with a lower-case letter, go on with lower-case letters, digits and single hyphens, and end without a hyphen."
  }
}

variable "environment" {
  description = "Environment (dev/staging/prod)"
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment: \"${var.environment}\" is not an environment of the module: use one of dev, staging, prod."
  }
}

variable "redis_subnet_ids" {
  description = "List of subnet IDs for Redis subnet group"
  type        = list(string)

  validation {
    condition     = length(var.redis_subnet_ids) >= 1 && length(var.redis_subnet_ids) <= 20
    error_message = "redis_subnet_ids: the list has ${length(var.redis_subnet_ids)} elements: give 1 to 20 subnet IDs."
  }
  validation {
    condition     = alltrue([for id in var.redis_subnet_ids : can(regex("^subnet-([0-9a-f]{8}|[0-9a-f]{17})$", id))])
    error_message = "redis_subnet_ids: ${join(", ", [for i, id in var.redis_subnet_ids : "\"${id}\" (element ${i + 1})" if !can(regex("^subnet-([0-9a-f]{8}|[0-9a-f]{17})$", id))])} is not a subnet ID: write subnet- and 8 or 17 hexadecimal digits."
  }
  validation {
    condition     = length(distinct(var.redis_subnet_ids)) == length(var.redis_subnet_ids)
    error_message = "redis_subnet_ids: ${join(", ", distinct([for i, id in var.redis_subnet_ids : "\"${id}\"" if index(var.redis_subnet_ids, id) < i]))} is repeated: name each subnet once."
  }
}

variable "redis_security_group_id" {
  description = "Security group ID for Redis"
  type        = string

  validation {
    condition     = can(regex("^sg-([0-9a-f]{8}|[0-9a-f]{17})$", var.redis_security_group_id))
    error_message = "redis_security_group_id: \"${var.redis_security_group_id}\" is not a security group ID: write sg- and 8 or 17 hexadecimal digits."
  }
}

variable "kms_key_arn" {
  description = "KMS key ARN for encryption"
  type        = string

  # An alias is refused although AWS takes one: it answers with the key's ARN, and kms_key_id cannot change, so Terraform
  # would replace the cache on the next apply.
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$", var.kms_key_arn))
    error_message = "kms_key_arn: \"${var.kms_key_arn}\" is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias, which would make Terraform replace the cache."
  }
}

# Nodes

variable "redis_port" {
  description = "Redis port"
  type        = number
  default     = 6379
  nullable    = false

  validation {
    condition     = var.redis_port >= 1 && var.redis_port <= 65535 && floor(var.redis_port) == var.redis_port
    error_message = "redis_port: ${var.redis_port} is not a TCP port: use a whole number from 1 to 65535."
  }
}

variable "engine" {
  description = "Engine"
  type        = string
  default     = "redis"
  nullable    = false

  validation {
    condition     = contains(["redis", "valkey"], var.engine)
    error_message = "engine: \"${var.engine}\" is not an engine of the module: use one of redis, valkey."
  }
}

variable "redis_engine_version" {
  description = "Redis version"
  type        = string
  default     = "7.0"
  nullable    = false
}

variable "node_type" {
  description = "Node type"
  type        = string
  default     = "cache.t3.medium"
  nullable    = false

  validation {
    condition     = can(regex("^cache\\.[a-z0-9-]+\\.[a-z0-9]+$", var.node_type))
    error_message = "node_type: \"${var.node_type}\" is not a node type: write one such as cache.t3.medium or cache.r6g.large."
  }
}

variable "cluster_mode_enabled" {
  description = "Enable cluster mode (sharding)"
  type        = bool
  default     = false
  nullable    = false
}

variable "num_cache_nodes" {
  description = "Number of nodes (non-cluster)"
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.num_cache_nodes >= 1 && var.num_cache_nodes <= 6 && floor(var.num_cache_nodes) == var.num_cache_nodes
    error_message = "num_cache_nodes: ${var.num_cache_nodes} is not a number of nodes without cluster mode: use 1 to 6 (1 primary and up to 5 replicas); for more set cluster_mode_enabled = true."
  }
}

variable "num_node_groups" {
  description = "Number of shards (cluster mode)"
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.num_node_groups >= 1 && var.num_node_groups <= 500 && floor(var.num_node_groups) == var.num_node_groups
    error_message = "num_node_groups: ${var.num_node_groups} is not a number of shards: use 1 to 500."
  }
}

variable "replicas_per_node_group" {
  description = "Replicas per shard"
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.replicas_per_node_group >= 0 && var.replicas_per_node_group <= 5 && floor(var.replicas_per_node_group) == var.replicas_per_node_group
    error_message = "replicas_per_node_group: ${var.replicas_per_node_group} is not a number of replicas a shard has: use 0 to 5."
  }
}

variable "multi_az_enabled" {
  description = "Enable Multi-AZ"
  type        = bool
  default     = true
  nullable    = false
}

variable "automatic_failover_enabled" {
  description = "Enable automatic failover"
  type        = bool
  default     = true
  nullable    = false
}

variable "preferred_cache_cluster_azs" {
  description = "Availability zones of the nodes, the primary's first; one for each node"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for zone in var.preferred_cache_cluster_azs : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", zone))])
    error_message = "preferred_cache_cluster_azs: ${join(", ", [for i, zone in var.preferred_cache_cluster_azs : "\"${zone}\" (element ${i + 1})" if !can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", zone))])} is not an availability zone: write a name such as us-east-1a."
  }
}

variable "cluster_mode" {
  description = "Cluster mode (enabled, disabled, compatible)"
  type        = string
  default     = null

  validation {
    condition     = var.cluster_mode == null ? true : contains(["enabled", "disabled", "compatible"], var.cluster_mode)
    error_message = "cluster_mode: \"${coalesce(var.cluster_mode, "null")}\" is not a cluster mode: use one of enabled, disabled, compatible, or leave it out."
  }
}

variable "data_tiering_enabled" {
  description = "Data tiering (r6gd nodes)"
  type        = bool
  default     = false
  nullable    = false
}

variable "network_type" {
  description = "ipv4, ipv6 or dual_stack"
  type        = string
  default     = null

  validation {
    condition     = var.network_type == null ? true : contains(["ipv4", "ipv6", "dual_stack"], var.network_type)
    error_message = "network_type: \"${coalesce(var.network_type, "null")}\" is not a network type: use one of ipv4, ipv6, dual_stack, or leave it out."
  }
}

variable "ip_discovery" {
  description = "ipv4 or ipv6"
  type        = string
  default     = null

  validation {
    condition     = var.ip_discovery == null ? true : contains(["ipv4", "ipv6"], var.ip_discovery)
    error_message = "ip_discovery: \"${coalesce(var.ip_discovery, "null")}\" is not an IP version: use one of ipv4, ipv6, or leave it out."
  }
}

# Network

variable "create_subnet_group" {
  description = "Create the subnet group; false to use subnet_group_name"
  type        = bool
  default     = true
  nullable    = false
}

variable "subnet_group_name" {
  description = "An existing subnet group"
  type        = string
  default     = null
}

variable "additional_security_group_ids" {
  description = "More security groups for Redis"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.additional_security_group_ids : can(regex("^sg-([0-9a-f]{8}|[0-9a-f]{17})$", id))])
    error_message = "additional_security_group_ids: ${join(", ", [for i, id in var.additional_security_group_ids : "\"${id}\" (element ${i + 1})" if !can(regex("^sg-([0-9a-f]{8}|[0-9a-f]{17})$", id))])} is not a security group ID: write sg- and 8 or 17 hexadecimal digits."
  }
  validation {
    condition     = length(distinct(var.additional_security_group_ids)) == length(var.additional_security_group_ids)
    error_message = "additional_security_group_ids: ${join(", ", distinct([for i, id in var.additional_security_group_ids : "\"${id}\"" if index(var.additional_security_group_ids, id) < i]))} is repeated: name each security group once."
  }
}

variable "create_security_group" {
  description = "Create a security group"
  type        = bool
  default     = false
  nullable    = false
}

variable "allowed_security_group_ids" {
  description = "Security groups that may connect; a record on larder, which keeps nobody out"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.allowed_security_group_ids : can(regex("^sg-([0-9a-f]{8}|[0-9a-f]{17})$", id))])
    error_message = "allowed_security_group_ids: ${join(", ", [for i, id in var.allowed_security_group_ids : "\"${id}\" (element ${i + 1})" if !can(regex("^sg-([0-9a-f]{8}|[0-9a-f]{17})$", id))])} is not a security group ID: write sg- and 8 or 17 hexadecimal digits."
  }
}

variable "allowed_cidrs" {
  description = "Networks that may connect; a record on larder, which keeps nobody out"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "allowed_cidrs: ${join(", ", [for i, cidr in var.allowed_cidrs : "\"${cidr}\" (element ${i + 1})" if !can(cidrnetmask(cidr))])} is not an IPv4 network: write one such as 10.0.0.0/16."
  }
}

# Security

variable "transit_encryption_enabled" {
  description = "Enable TLS"
  type        = bool
  default     = true
  nullable    = false
}

variable "transit_encryption_mode" {
  description = "TLS mode (preferred, required)"
  type        = string
  default     = null

  validation {
    condition     = var.transit_encryption_mode == null ? true : contains(["preferred", "required"], var.transit_encryption_mode)
    error_message = "transit_encryption_mode: \"${coalesce(var.transit_encryption_mode, "null")}\" is not a TLS mode: use one of preferred, required, or leave it out."
  }
}

variable "at_rest_encryption_enabled" {
  description = "Encrypt data at rest with kms_key_arn"
  type        = bool
  default     = true
  nullable    = false
}

variable "auth_token_enabled" {
  description = "Enable auth token"
  type        = bool
  default     = true
  nullable    = false
}

variable "auth_token" {
  description = "Auth token/password"
  type        = string
  default     = ""
  nullable    = false
  sensitive   = true

  validation {
    condition     = var.auth_token == "" || can(regex("^[A-Za-z0-9!&#$^<>-]{16,128}$", var.auth_token))
    error_message = "auth_token: the token (not shown) is not one AWS takes: use 16 to 128 letters, digits and ! & # $ ^ < > -, or leave it out to have one generated."
  }
}

variable "generate_auth_token" {
  description = "Generate a token when auth_token is empty"
  type        = bool
  default     = true
  nullable    = false
}

variable "auth_token_length" {
  description = "Characters of a generated token"
  type        = number
  default     = 64
  nullable    = false

  validation {
    condition     = var.auth_token_length >= 16 && var.auth_token_length <= 128 && floor(var.auth_token_length) == var.auth_token_length
    error_message = "auth_token_length: ${var.auth_token_length} is not a length of a token: use 16 to 128 characters."
  }
}

variable "auth_token_update_strategy" {
  description = "How a new token replaces the old (SET, ROTATE, DELETE)"
  type        = string
  default     = "ROTATE"
  nullable    = false

  validation {
    condition     = contains(["SET", "ROTATE", "DELETE"], var.auth_token_update_strategy)
    error_message = "auth_token_update_strategy: \"${var.auth_token_update_strategy}\" is not a strategy: use one of SET, ROTATE, DELETE."
  }
}

variable "create_auth_token_secret" {
  description = "Keep the token in Secrets Manager"
  type        = bool
  default     = true
  nullable    = false
}

variable "auth_token_secret_name" {
  description = "Name of the secret with the token; null for <project>/<environment>/redis"
  type        = string
  default     = null

  validation {
    condition     = var.auth_token_secret_name == null ? true : can(regex("^[A-Za-z0-9/_+=.@-]{1,512}$", var.auth_token_secret_name))
    error_message = "auth_token_secret_name: \"${coalesce(var.auth_token_secret_name, "null")}\" is not a secret name: use 1 to 512 letters, digits and / _ + = . @ -."
  }
}

variable "auth_token_secret_recovery_window_in_days" {
  description = "Days a deleted secret can be recovered"
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains(concat([0], range(7, 31)), var.auth_token_secret_recovery_window_in_days)
    error_message = "auth_token_secret_recovery_window_in_days: ${var.auth_token_secret_recovery_window_in_days} is not a recovery window: use 7 to 30 days, or 0 to delete at once."
  }
}

variable "auth_token_secret_kms_key_arn" {
  description = "KMS key of the secret"
  type        = string
  default     = null

  validation {
    condition     = var.auth_token_secret_kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.auth_token_secret_kms_key_arn))
    error_message = "auth_token_secret_kms_key_arn: \"${coalesce(var.auth_token_secret_kms_key_arn, "null")}\" is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "user_group_ids" {
  description = "User groups that may log in"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.user_group_ids) <= 1
    error_message = "user_group_ids: the list has ${length(var.user_group_ids)} elements: a replication group takes 1 user group."
  }
}

# Backups

variable "enable_snapshots" {
  description = "Take automatic snapshots"
  type        = bool
  default     = true
  nullable    = false
}

variable "snapshot_retention_limit" {
  description = "Snapshot retention (days)"
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.snapshot_retention_limit >= 0 && var.snapshot_retention_limit <= 35 && floor(var.snapshot_retention_limit) == var.snapshot_retention_limit
    error_message = "snapshot_retention_limit: ${var.snapshot_retention_limit} is not a number of days snapshots are kept: use 0 to 35."
  }
}

variable "snapshot_window" {
  description = "Snapshot window (UTC)"
  type        = string
  default     = "03:00-05:00"
  nullable    = false

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", var.snapshot_window))
    error_message = "snapshot_window: \"${var.snapshot_window}\" is not of the form hh:mm-hh:mm, such as 03:00-05:00 (UTC)."
  }
}

variable "maintenance_window" {
  description = "Maintenance window (UTC)"
  type        = string
  default     = "sun:05:00-sun:07:00"
  nullable    = false

  validation {
    condition     = can(regex("^(sun|mon|tue|wed|thu|fri|sat):([01][0-9]|2[0-3]):[0-5][0-9]-(sun|mon|tue|wed|thu|fri|sat):([01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "maintenance_window: \"${var.maintenance_window}\" is not of the form ddd:hh:mm-ddd:hh:mm in lower case, such as sun:05:00-sun:07:00 (UTC)."
  }
}

variable "skip_final_snapshot" {
  description = "Take no snapshot when the group is deleted"
  type        = bool
  default     = false
  nullable    = false
}

variable "final_snapshot_identifier" {
  description = "Name of the final snapshot"
  type        = string
  default     = null

  validation {
    condition     = var.final_snapshot_identifier == null ? true : can(regex("^[a-z](-?[a-z0-9]){0,39}$", var.final_snapshot_identifier)) && length(var.final_snapshot_identifier) <= 40
    error_message = "final_snapshot_identifier: \"${coalesce(var.final_snapshot_identifier, "null")}\" is not the name of a snapshot: use 1 to 40 lower-case letters, digits and single hyphens, a letter first and no hyphen last."
  }
}

variable "snapshot_name" {
  description = "Snapshot to start from"
  type        = string
  default     = null
}

variable "snapshot_arns" {
  description = "RDB files in S3 to start from"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.snapshot_arns : can(regex("^arn:aws[a-z-]*:s3:::[^,]+/[^,]+$", arn))])
    error_message = "snapshot_arns: ${join(", ", [for i, arn in var.snapshot_arns : "\"${arn}\" (element ${i + 1})" if !can(regex("^arn:aws[a-z-]*:s3:::[^,]+/[^,]+$", arn))])} is not the ARN of a file in S3: write arn:aws:s3:::BUCKET/FILE.rdb, without commas."
  }
}

# Engine

variable "maxmemory_policy" {
  description = "Eviction policy"
  type        = string
  default     = "allkeys-lru"
  nullable    = false

  validation {
    condition     = contains(["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "noeviction"], var.maxmemory_policy)
    error_message = "maxmemory_policy: \"${var.maxmemory_policy}\" is not an eviction policy of Redis: use one of allkeys-lru, allkeys-lfu, allkeys-random, volatile-lru, volatile-lfu, volatile-random, volatile-ttl, noeviction."
  }
}

variable "timeout" {
  description = "Seconds after which an idle connection is closed, 0 for never"
  type        = string
  default     = "0"
  nullable    = false

  validation {
    condition     = can(regex("^(0|[2-9][0-9]|[1-9][0-9]{2,})$", var.timeout))
    error_message = "timeout: \"${var.timeout}\" is not a whole number of seconds that ElastiCache takes: use \"0\" to never close idle connections, or \"20\" and more."
  }
}

variable "notify_keyspace_events" {
  description = "Keyspace events to publish, as letters of Redis's notify-keyspace-events"
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[KEg$lshzxeAtdmn]*$", var.notify_keyspace_events))
    error_message = "notify_keyspace_events: \"${var.notify_keyspace_events}\" has a letter that Redis does not know: use K E g $ l s h z x e t d m n A."
  }
  validation {
    condition     = var.notify_keyspace_events == "" || can(regex("[KE]", var.notify_keyspace_events))
    error_message = "notify_keyspace_events: \"${var.notify_keyspace_events}\" has neither K nor E, so nothing would be notified: add K for keyspace events or E for keyevent events."
  }
}

variable "parameters" {
  description = "More engine parameters"
  type        = list(object({ name = string, value = string }))
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for p in var.parameters : !contains(["maxmemory-policy", "timeout", "notify-keyspace-events", "cluster-enabled"], p.name)])
    error_message = "parameters: ${join(", ", [for p in var.parameters : "\"${p.name}\"" if contains(["maxmemory-policy", "timeout", "notify-keyspace-events", "cluster-enabled"], p.name)])} has an input of its own: set maxmemory_policy, timeout, notify_keyspace_events or cluster_mode_enabled."
  }
  validation {
    condition     = length(distinct(var.parameters[*].name)) == length(var.parameters)
    error_message = "parameters: ${join(", ", distinct([for i, p in var.parameters : "\"${p.name}\"" if index(var.parameters[*].name, p.name) < i]))} is repeated: name each parameter once."
  }
  validation {
    condition     = !contains(var.parameters[*].name, "")
    error_message = "parameters: element ${try(index(var.parameters[*].name, "") + 1, 0)} has no name: name the parameter."
  }
}

variable "parameter_group_family" {
  description = "Parameter group family; null to follow redis_engine_version"
  type        = string
  default     = null
}

variable "create_parameter_group" {
  description = "Create the parameter group; false to use parameter_group_name"
  type        = bool
  default     = true
  nullable    = false
}

variable "parameter_group_name" {
  description = "An existing parameter group"
  type        = string
  default     = null
}

# Monitoring

variable "create_alarms" {
  description = "Create CloudWatch alarms"
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_sns_topic_arn" {
  description = "SNS topic that alarms go to"
  type        = string
  default     = null

  validation {
    condition     = var.alarm_sns_topic_arn == null ? true : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", var.alarm_sns_topic_arn))
    error_message = "alarm_sns_topic_arn: \"${coalesce(var.alarm_sns_topic_arn, "null")}\" is not the ARN of an SNS topic: write arn:aws:sns:REGION:ACCOUNT:NAME, or null for none."
  }
}

variable "alarm_ok_actions" {
  description = "What to do when an alarm is over"
  type        = list(string)
  default     = null

  validation {
    condition     = var.alarm_ok_actions == null ? true : length(var.alarm_ok_actions) <= 5
    error_message = "alarm_ok_actions: the list has ${try(length(var.alarm_ok_actions), 0)} elements: an alarm takes up to 5 actions of a kind."
  }
}

variable "alarm_insufficient_data_actions" {
  description = "What to do when an alarm lacks data"
  type        = list(string)
  default     = null

  validation {
    condition     = var.alarm_insufficient_data_actions == null ? true : length(var.alarm_insufficient_data_actions) <= 5
    error_message = "alarm_insufficient_data_actions: the list has ${try(length(var.alarm_insufficient_data_actions), 0)} elements: an alarm takes up to 5 actions of a kind."
  }
}

variable "enabled_alarms" {
  description = "Which alarms to create"
  type        = set(string)
  default     = null
}

variable "alarm_thresholds" {
  description = "Thresholds of the alarms"
  type = object({
    cpu             = optional(number)
    engine_cpu      = optional(number)
    memory          = optional(number)
    evictions       = optional(number)
    connections     = optional(number)
    replication_lag = optional(number)
    hit_rate        = optional(number)
    network_in      = optional(number)
    network_out     = optional(number)
  })
  default = null

  validation {
    condition     = alltrue([for name, value in coalesce(var.alarm_thresholds, {}) : value == null ? true : value >= 0])
    error_message = "alarm_thresholds: ${join(", ", [for name, value in coalesce(var.alarm_thresholds, {}) : "${name} = ${value}" if try(value < 0, false)])} is less than 0, which no metric is: use 0 or more."
  }
  validation {
    condition     = alltrue([for name in ["cpu", "engine_cpu", "memory", "hit_rate"] : try(var.alarm_thresholds[name] <= 100, true)])
    error_message = "alarm_thresholds: ${join(", ", [for name in ["cpu", "engine_cpu", "memory", "hit_rate"] : "${name} = ${var.alarm_thresholds[name]}" if try(var.alarm_thresholds[name] > 100, false)])} is more than 100 percent: use 0 to 100."
  }
}

variable "alarm_period" {
  description = "Period of the alarms in seconds"
  type        = number
  default     = null

  # ElastiCache publishes once a minute.
  validation {
    condition     = var.alarm_period == null ? true : var.alarm_period >= 60 && var.alarm_period % 60 == 0
    error_message = "alarm_period: ${coalesce(var.alarm_period, 0)} is not a period of ElastiCache's metrics: use 60 seconds or a multiple of it."
  }
}

variable "alarm_evaluation_periods" {
  description = "Evaluation periods of the alarms"
  type        = number
  default     = null

  validation {
    condition     = var.alarm_evaluation_periods == null ? true : var.alarm_evaluation_periods >= 1 && floor(var.alarm_evaluation_periods) == var.alarm_evaluation_periods
    error_message = "alarm_evaluation_periods: ${coalesce(var.alarm_evaluation_periods, 0)} is not a number of periods: use 1 or more."
  }
}

variable "alarm_dimension_mode" {
  description = "Dimensions of the alarms"
  type        = string
  default     = null

  validation {
    condition     = var.alarm_dimension_mode == null ? true : contains(["node", "member"], var.alarm_dimension_mode)
    error_message = "alarm_dimension_mode: \"${coalesce(var.alarm_dimension_mode, "null")}\" is not a set of dimensions ElastiCache publishes: use node (CacheClusterId and CacheNodeId), member (CacheClusterId alone), or null for node."
  }
}

variable "treat_missing_data" {
  description = "What an alarm makes of missing data"
  type        = string
  default     = null

  validation {
    condition     = var.treat_missing_data == null ? true : contains(["breaching", "notBreaching", "ignore", "missing"], var.treat_missing_data)
    error_message = "treat_missing_data: \"${coalesce(var.treat_missing_data, "null")}\" is not a treatment: use one of breaching, notBreaching, ignore, missing, or null for notBreaching."
  }
}

variable "create_dashboard" {
  description = "Create a CloudWatch dashboard"
  type        = bool
  default     = false
  nullable    = false
}

variable "notification_topic_arn" {
  description = "SNS topic that ElastiCache events go to"
  type        = string
  default     = null

  validation {
    condition     = var.notification_topic_arn == null ? true : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", var.notification_topic_arn))
    error_message = "notification_topic_arn: \"${coalesce(var.notification_topic_arn, "null")}\" is not the ARN of an SNS topic: write arn:aws:sns:REGION:ACCOUNT:NAME, or null for none."
  }
}

# Logs

variable "slow_log_enabled" {
  description = "Export the slow log to CloudWatch"
  type        = bool
  default     = true
  nullable    = false
}

variable "engine_log_enabled" {
  description = "Export the engine log to CloudWatch"
  type        = bool
  default     = true
  nullable    = false
}

variable "log_format" {
  description = "Format of the exported logs"
  type        = string
  default     = "json"
  nullable    = false

  validation {
    condition     = contains(["json", "text"], var.log_format)
    error_message = "log_format: \"${var.log_format}\" is not a log format: use one of json, text."
  }
}

variable "cloudwatch_log_retention_days" {
  description = "Days that CloudWatch keeps the logs, 0 for ever"
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.cloudwatch_log_retention_days)
    error_message = "cloudwatch_log_retention_days: ${var.cloudwatch_log_retention_days} is not a number of days CloudWatch Logs takes: use one of 0 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653."
  }
}

variable "log_destination_type" {
  description = "Where logs go (cloudwatch-logs, kinesis-firehose)"
  type        = string
  default     = "cloudwatch-logs"
  nullable    = false

  validation {
    condition     = contains(["cloudwatch-logs", "kinesis-firehose"], var.log_destination_type)
    error_message = "log_destination_type: \"${var.log_destination_type}\" is not a destination of logs: use one of cloudwatch-logs, kinesis-firehose."
  }
}

variable "create_log_groups" {
  description = "Create the log groups; false to use slow_log_destination and engine_log_destination"
  type        = bool
  default     = true
  nullable    = false
}

variable "slow_log_destination" {
  description = "Name of the slow log's destination"
  type        = string
  default     = null
}

variable "engine_log_destination" {
  description = "Name of the engine log's destination"
  type        = string
  default     = null
}

variable "log_group_prefix" {
  description = "Prefix of the log groups' names; the key of modules/kms is for those under /aws/elasticache"
  type        = string
  default     = null

  validation {
    condition     = var.log_group_prefix == null ? true : can(regex("^[A-Za-z0-9_/.#-]{1,400}$", var.log_group_prefix)) && !endswith(var.log_group_prefix, "/")
    error_message = "log_group_prefix: \"${coalesce(var.log_group_prefix, "null")}\" is not the start of a log group's name: use letters, digits and _ - / . #, without a slash at the end, or null for /aws/elasticache."
  }
}

variable "cloudwatch_log_kms_key_arn" {
  description = "KMS key of the log groups"
  type        = string
  default     = null

  validation {
    condition     = var.cloudwatch_log_kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.cloudwatch_log_kms_key_arn))
    error_message = "cloudwatch_log_kms_key_arn: \"${coalesce(var.cloudwatch_log_kms_key_arn, "null")}\" is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "log_skip_destroy" {
  description = "Keep the log groups on destroy"
  type        = bool
  default     = false
  nullable    = false
}

# Other

variable "description" {
  description = "Description of the replication group; null for one made of project and environment"
  type        = string
  default     = null

  validation {
    condition     = var.description == null ? true : can(regex("\\S", var.description))
    error_message = "description: the text is empty, which AWS refuses: describe the group, or leave it out."
  }
}

variable "apply_immediately" {
  description = "Make changes at once and not in the maintenance window; null for true outside of prod"
  type        = bool
  default     = null
}

variable "auto_minor_version_upgrade" {
  description = "Upgrade to new minor versions in the maintenance window"
  type        = bool
  default     = true
  nullable    = false
}

variable "dns" {
  description = "Route 53 record of the endpoint"
  type        = object({ zone_id = string, name = string, ttl = optional(number, 60) })
  default     = null

  validation {
    condition     = try(var.dns.ttl >= 0 && floor(var.dns.ttl) == var.dns.ttl, true)
    error_message = "dns: a ttl of ${try(var.dns.ttl, 0)} is not a number of seconds: use 0 or more."
  }
}

variable "timeouts" {
  description = "How long Terraform waits"
  type        = object({ create = optional(string), update = optional(string), delete = optional(string) })
  default     = null

  validation {
    condition     = alltrue([for limit in values(coalesce(var.timeouts, {})) : limit == null ? true : can(regex("^([0-9]+(\\.[0-9]+)?(h|m|s))+$", limit))])
    error_message = "timeouts: ${join(", ", [for name, limit in coalesce(var.timeouts, {}) : "${name} = \"${limit}\"" if limit == null ? false : !can(regex("^([0-9]+(\\.[0-9]+)?(h|m|s))+$", limit))])} is not a duration: write one such as 60m or 1h30m."
  }
}

variable "tags" {
  description = "Tags of every resource; the module adds Project, Environment and ManagedBy"
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : can(regex("^[\\p{L}\\p{N}\\p{Zs}_.:/=+@-]{1,128}$", key))])
    error_message = "tags: the key ${join(", ", [for key in keys(var.tags) : "\"${key}\"" if !can(regex("^[\\p{L}\\p{N}\\p{Zs}_.:/=+@-]{1,128}$", key))])} is not one AWS takes: use 1 to 128 letters, digits, spaces and + - = . _ : / @."
  }
  validation {
    condition     = !anytrue([for key in keys(var.tags) : startswith(lower(key), "aws:")])
    error_message = "tags: the key ${join(", ", [for key in keys(var.tags) : "\"${key}\"" if startswith(lower(key), "aws:")])} starts with aws:, which AWS keeps for itself: use another prefix."
  }
  validation {
    condition     = alltrue([for value in values(var.tags) : can(regex("^[\\p{L}\\p{N}\\p{Zs}_.:/=+@-]{0,256}$", value))])
    error_message = "tags: the value of ${join(", ", [for key, value in var.tags : "\"${key}\"" if !can(regex("^[\\p{L}\\p{N}\\p{Zs}_.:/=+@-]{0,256}$", value))])} is not one AWS takes: use at most 256 letters, digits, spaces and + - = . _ : / @."
  }
}
