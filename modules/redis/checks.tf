# The rules across inputs. They stand on a resource of their own, which the replication group waits for, so that all that
# are broken are reported, before anything is made.

data "aws_subnet" "redis" {
  count = length(var.redis_subnet_ids)
  id    = var.redis_subnet_ids[count.index]
}

locals {
  subnet_zones = distinct(data.aws_subnet.redis[*].availability_zone)

  # Numbers that compare as the versions do: 7.0 is 70000, 5.0.6 is 50006; x is the newest there is.
  version     = sum([for i, part in split(".", replace(var.redis_engine_version, "x", "99")) : try(tonumber(part), 0) * [10000, 100, 1, 0][min(i, 3)]])
  min_version = sum([for i, part in split(".", try(local.node_type.min_redis_version, "0.0.0")) : tonumber(part) * [10000, 100, 1][i]])

  # Minutes after midnight, or after Sunday's midnight, and minutes of length. An end before the start is on the next day,
  # or in the next week.
  snapshot_minutes    = [for n in regexall("[0-9]+", var.snapshot_window) : tonumber(n)]
  snapshot_start      = local.snapshot_minutes[0] * 60 + local.snapshot_minutes[1]
  snapshot_length     = (local.snapshot_minutes[2] * 60 + local.snapshot_minutes[3] - local.snapshot_start + 1440) % 1440
  maintenance_days    = [for day in regexall("[a-z]{3}", var.maintenance_window) : index(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], day)]
  maintenance_minutes = [for n in regexall("[0-9]+", var.maintenance_window) : tonumber(n)]
  maintenance_start   = local.maintenance_days[0] * 1440 + local.maintenance_minutes[0] * 60 + local.maintenance_minutes[1]
  maintenance_end     = local.maintenance_days[1] * 1440 + local.maintenance_minutes[2] * 60 + local.maintenance_minutes[3]
  maintenance_length  = (local.maintenance_end - local.maintenance_start + 10080) % 10080

  # Because snapshots are taken every day, the day of the maintenance does not matter.
  maintenance_delay = (local.maintenance_start - local.snapshot_start + 10080) % 1440
  windows_overlap   = local.maintenance_delay < local.snapshot_length || (1440 - local.maintenance_delay) % 1440 < local.maintenance_length

  missing_log_destinations = [for log in local.enabled_logs : log if !contains(local.log_groups, log) && local.given_destinations[log] == null]
  unused_log_destinations  = [for log, name in local.given_destinations : log if contains(local.log_groups, log) && name != null]
  unknown_alarms           = var.enabled_alarms == null ? toset([]) : setsubtract(var.enabled_alarms, local.alarm_table[*].slug)
  longest_alarm            = max(0, [for alarm in values(local.alarms) : alarm.period * alarm.evaluation_periods]...)
}

# What the group was created with.
resource "terraform_data" "cluster_mode" {
  input = var.cluster_mode_enabled

  lifecycle {
    ignore_changes = [input]
  }
}

resource "terraform_data" "checks" {
  lifecycle {
    # Names

    precondition {
      condition     = length(local.id) <= 40
      error_message = "project_name: \"${var.project_name}\" makes the identifier ${local.id} of ${length(local.id)} characters, the limit is 40: shorten the project name by ${length(local.id) - 40}."
    }
    precondition {
      condition     = length(local.tags) <= 50
      error_message = "tags: these and the module's own make ${length(local.tags)} tags, the most on a resource is 50: drop ${length(local.tags) - 50}."
    }

    # Engine

    precondition {
      condition     = contains(local.versions[*].version, var.redis_engine_version)
      error_message = "redis_engine_version: \"${var.redis_engine_version}\" is not a version of ${var.engine} to ask ElastiCache for: use one of ${join(", ", [for v in local.versions : "\"${v.version}\""])}, in quotes and without a patch number from 6 on."
    }
    precondition {
      condition     = var.parameter_group_family == null || contains([for v in local.versions : v.family if v.version == var.redis_engine_version], local.family)
      error_message = "parameter_group_family: \"${local.family}\" is not the family of ${var.engine} ${var.redis_engine_version}, which is ${join("", [for v in local.versions : v.family if v.version == var.redis_engine_version])}: leave it out to follow the version."
    }
    precondition {
      condition     = var.create_parameter_group == (var.parameter_group_name == null)
      error_message = "parameter_group_name: ${var.create_parameter_group ? "\"${coalesce(var.parameter_group_name, "null")}\" is not used while create_parameter_group is true: set create_parameter_group = false, or leave the name out" : "it is not set and create_parameter_group is false: name an existing parameter group, or set create_parameter_group = true"}."
    }
    precondition {
      condition     = var.engine != "redis" || local.version >= local.min_version
      error_message = "node_type: \"${var.node_type}\" runs redis ${try(local.node_type.min_redis_version, "")} and later, and redis_engine_version is \"${var.redis_engine_version}\": use a later version or an older node type."
    }
    precondition {
      condition     = try(local.node_type.data_tiering == "yes", false) == var.data_tiering_enabled
      error_message = var.data_tiering_enabled ? "data_tiering_enabled: true needs a node type with a local disk and node_type is \"${var.node_type}\": use a cache.r6gd, or set data_tiering_enabled = false." : "node_type: \"${var.node_type}\" works with data tiering only: set data_tiering_enabled = true, or use the cache.r6g of the same size."
    }
    precondition {
      condition     = !var.data_tiering_enabled || contains(["allkeys-lru", "volatile-lru", "noeviction"], var.maxmemory_policy)
      error_message = "maxmemory_policy: \"${var.maxmemory_policy}\" does not work with data tiering: use one of allkeys-lru, volatile-lru, noeviction, or set data_tiering_enabled = false."
    }

    # Topology

    precondition {
      condition     = !var.cluster_mode_enabled || var.automatic_failover_enabled
      error_message = "cluster_mode_enabled: true needs automatic failover: set automatic_failover_enabled = true."
    }
    precondition {
      condition     = try(var.cluster_mode == "compatible" || (var.cluster_mode == "enabled") == var.cluster_mode_enabled, true) || var.cluster_mode == null
      error_message = "cluster_mode: \"${coalesce(var.cluster_mode, "null")}\" contradicts cluster_mode_enabled, which is ${var.cluster_mode_enabled}: leave cluster_mode out to follow it."
    }
    precondition {
      condition     = var.cluster_mode == null ? terraform_data.cluster_mode.output == var.cluster_mode_enabled : true
      error_message = "cluster_mode_enabled: the group was created with ${terraform_data.cluster_mode.output} and AWS does not change it to ${var.cluster_mode_enabled}: to lose the group and its data, apply with -replace for its aws_elasticache_replication_group.this and terraform_data.cluster_mode; to keep them, migrate by cluster_mode = \"compatible\" and then \"enabled\", as the README says."
    }
    precondition {
      condition     = !var.cluster_mode_enabled || local.nodes <= 500
      error_message = "num_node_groups: ${var.num_node_groups} shards with ${var.replicas_per_node_group} replicas each are ${local.nodes} nodes, the most is 500: use fewer shards or replicas."
    }
    precondition {
      condition     = !var.automatic_failover_enabled || var.cluster_mode_enabled || var.num_cache_nodes >= 2
      error_message = "automatic_failover_enabled: true needs at least 2 nodes and num_cache_nodes is ${var.num_cache_nodes}: raise it, or set automatic_failover_enabled = false."
    }
    precondition {
      condition     = !var.multi_az_enabled || var.automatic_failover_enabled
      error_message = "multi_az_enabled: true needs automatic failover: set automatic_failover_enabled = true, or multi_az_enabled = false."
    }
    precondition {
      condition     = !var.multi_az_enabled || local.replicas >= 1
      error_message = "multi_az_enabled: true needs a replica in another zone: raise ${var.cluster_mode_enabled ? "replicas_per_node_group" : "num_cache_nodes"} by one, or set multi_az_enabled = false."
    }

    # Zones

    precondition {
      condition     = !var.multi_az_enabled || length(var.redis_subnet_ids) >= 2
      error_message = "multi_az_enabled: true needs subnets in 2 zones and redis_subnet_ids has 1 subnet: add one in another zone, or set multi_az_enabled = false."
    }
    precondition {
      condition     = !var.multi_az_enabled || length(var.redis_subnet_ids) < 2 || length(local.subnet_zones) >= 2
      error_message = "multi_az_enabled: true needs subnets in 2 zones and those of redis_subnet_ids are all in ${join(", ", local.subnet_zones)}: add one in another zone, or set multi_az_enabled = false."
    }
    precondition {
      condition     = !var.cluster_mode_enabled || length(var.preferred_cache_cluster_azs) == 0
      error_message = "preferred_cache_cluster_azs: ${jsonencode(var.preferred_cache_cluster_azs)} cannot be chosen in cluster mode, where AWS spreads the shards: leave it out."
    }
    precondition {
      condition     = var.cluster_mode_enabled || contains([0, var.num_cache_nodes], length(var.preferred_cache_cluster_azs))
      error_message = "preferred_cache_cluster_azs: ${jsonencode(var.preferred_cache_cluster_azs)} names ${length(var.preferred_cache_cluster_azs)} zones for ${var.num_cache_nodes} nodes: name one for each of num_cache_nodes, with slice() to take the first few of a longer list."
    }
    precondition {
      condition     = var.cluster_mode_enabled || !var.multi_az_enabled || length(distinct(var.preferred_cache_cluster_azs)) != 1
      error_message = "preferred_cache_cluster_azs: ${jsonencode(var.preferred_cache_cluster_azs)} names one zone only, and Multi-AZ needs 2: name another, or set multi_az_enabled = false."
    }
    precondition {
      condition     = length(setsubtract(var.preferred_cache_cluster_azs, local.subnet_zones)) == 0
      error_message = "preferred_cache_cluster_azs: ${join(", ", setsubtract(var.preferred_cache_cluster_azs, local.subnet_zones))} has none of the subnets in redis_subnet_ids, which are in ${join(", ", local.subnet_zones)}: add a subnet there, or name another zone."
    }

    # Network

    precondition {
      condition     = var.create_subnet_group == (var.subnet_group_name == null)
      error_message = "subnet_group_name: ${var.create_subnet_group ? "\"${coalesce(var.subnet_group_name, "null")}\" is not used while create_subnet_group is true: set create_subnet_group = false, or leave the name out" : "it is not set and create_subnet_group is false: name an existing subnet group, or set create_subnet_group = true"}."
    }
    precondition {
      condition     = var.create_security_group || length(var.allowed_security_group_ids) + length(var.allowed_cidrs) == 0
      error_message = "${length(var.allowed_cidrs) > 0 ? "allowed_cidrs" : "allowed_security_group_ids"}: nothing is let in without a security group of the module, which opens nothing in redis_security_group_id: set create_security_group = true."
    }

    # Token

    precondition {
      condition     = !var.auth_token_enabled || var.transit_encryption_enabled
      error_message = "auth_token_enabled: true needs TLS, or the token would cross the network in the clear: set transit_encryption_enabled = true, or auth_token_enabled = false."
    }
    precondition {
      condition     = var.auth_token_enabled && !var.generate_auth_token ? var.auth_token != "" : true
      error_message = "auth_token: the token (not shown) is empty and generate_auth_token is false: give a token of 16 to 128 characters, or set generate_auth_token = true."
    }
    precondition {
      condition     = length(var.user_group_ids) == 0 || !var.auth_token_enabled
      error_message = "user_group_ids: ${jsonencode(var.user_group_ids)} cannot be used together with a token: set auth_token_enabled = false."
    }
    precondition {
      condition     = length(var.user_group_ids) == 0 || var.transit_encryption_enabled
      error_message = "user_group_ids: ${jsonencode(var.user_group_ids)} need TLS: set transit_encryption_enabled = true."
    }
    precondition {
      condition     = var.auth_token_update_strategy != "DELETE" || length(var.user_group_ids) > 0
      error_message = "auth_token_update_strategy: \"DELETE\" takes the token away in favour of user groups and user_group_ids is empty: name a user group, or use ROTATE or SET."
    }
    precondition {
      condition     = var.transit_encryption_mode == null || var.transit_encryption_enabled
      error_message = "transit_encryption_mode: \"${coalesce(var.transit_encryption_mode, "null")}\" needs TLS: set transit_encryption_enabled = true, or leave it out."
    }

    precondition {
      condition     = !var.auth_token_enabled || try(var.transit_encryption_mode != "preferred", true)
      error_message = "transit_encryption_mode: \"${coalesce(var.transit_encryption_mode, "null")}\" lets clients in without TLS, and AWS takes no token then: set auth_token_enabled = false until the mode is required."
    }

    # Backups

    precondition {
      condition     = !var.enable_snapshots || var.snapshot_retention_limit > 0
      error_message = "snapshot_retention_limit: 0 keeps no snapshot and enable_snapshots is true: keep them 1 to 35 days, or set enable_snapshots = false."
    }
    precondition {
      condition     = local.snapshot_length >= 60
      error_message = "snapshot_window: \"${var.snapshot_window}\" is ${local.snapshot_length} minutes long: the least AWS takes is 60 minutes."
    }
    precondition {
      condition     = local.maintenance_length >= 60
      error_message = "maintenance_window: \"${var.maintenance_window}\" is ${local.maintenance_length} minutes long: the least AWS takes is 60 minutes."
    }
    precondition {
      condition     = local.maintenance_length <= 1440
      error_message = "maintenance_window: \"${var.maintenance_window}\" is ${local.maintenance_length} minutes long: the most AWS takes is 24 hours (1440 minutes)."
    }
    precondition {
      condition     = local.snapshot_length < 60 || local.maintenance_length < 60 || local.maintenance_length > 1440 || !local.windows_overlap
      error_message = "snapshot_window: \"${var.snapshot_window}\" overlaps maintenance_window \"${var.maintenance_window}\", which AWS refuses even without snapshots: move one of them."
    }
    precondition {
      condition     = var.snapshot_name == null || length(var.snapshot_arns) == 0
      error_message = "snapshot_name: \"${coalesce(var.snapshot_name, "null")}\" and snapshot_arns are two sources of data: leave one of them out."
    }
    precondition {
      condition     = var.final_snapshot_identifier == null || local.final_snapshot
      error_message = "final_snapshot_identifier: \"${coalesce(var.final_snapshot_identifier, "null")}\" is not used, because no final snapshot is taken: set enable_snapshots = true and skip_final_snapshot = false, or leave it out."
    }

    # Logs

    precondition {
      condition     = !var.slow_log_enabled || local.version >= 60000
      error_message = "slow_log_enabled: true needs redis_engine_version 6.0 or later and it is \"${var.redis_engine_version}\": set slow_log_enabled = false."
    }
    precondition {
      condition     = !var.engine_log_enabled || local.version >= 60200
      error_message = "engine_log_enabled: true needs redis_engine_version 6.2 or later and it is \"${var.redis_engine_version}\": set engine_log_enabled = false."
    }
    precondition {
      condition     = length(local.missing_log_destinations) == 0
      error_message = "log_destination_type: the module makes no destination for the ${join(" and the ", local.missing_log_destinations)}: name it in ${join(" and ", [for log in local.missing_log_destinations : "${replace(log, "-", "_")}_destination"])}${var.log_destination_type == "cloudwatch-logs" ? ", or set create_log_groups = true" : ""}."
    }
    precondition {
      condition     = length(local.unused_log_destinations) == 0
      error_message = "${join(", ", [for log in local.unused_log_destinations : "${replace(log, "-", "_")}_destination"])}: it is not used while the module makes the log groups: set create_log_groups = false, or leave it out."
    }

    # Alarms

    precondition {
      condition     = length(local.unknown_alarms) == 0
      error_message = "enabled_alarms: \"${join("\", \"", local.unknown_alarms)}\" is not an alarm of the module: use some of ${join(", ", local.alarm_table[*].slug)}, or null for all."
    }
    precondition {
      condition     = local.longest_alarm <= 86400
      error_message = "alarm_evaluation_periods: an alarm looks back ${local.longest_alarm} seconds, the most is one day (86400): use fewer or shorter periods."
    }
  }
}

# What works but is doubtful.

check "node_type" {
  assert {
    condition     = try(local.node_type.creatable == "yes", false)
    error_message = "node_type: \"${var.node_type}\" ${local.node_type == null ? "is not a node type this module knows, and an apply on AWS fails if there is none" : local.node_type.creatable == "larder only" ? "does not exist on AWS, where an apply fails: use cache.t3.medium or cache.m6g.large" : "is no longer offered for new clusters: use a newer generation"}."
  }
}

check "port" {
  assert {
    condition     = var.redis_port >= 1024
    error_message = "redis_port: ${var.redis_port} is below 1024: only root may listen there on one machine; use 1024 to 65535."
  }
}

check "quota" {
  assert {
    condition     = local.nodes <= 90 || local.nodes > 500
    error_message = "num_node_groups: ${var.num_node_groups} shards with ${var.replicas_per_node_group} replicas each are ${local.nodes} nodes, an AWS account gets 90: ask for a higher quota first."
  }
}

check "token" {
  assert {
    condition     = var.auth_token_enabled ? true : var.auth_token == ""
    error_message = "auth_token: the token (not shown) is not used, because auth_token_enabled is false."
  }
}

check "snapshots" {
  assert {
    condition     = !var.cluster_mode_enabled || var.enable_snapshots
    error_message = "enable_snapshots: false cannot become true later in cluster mode without a new replication group: set it to true and keep snapshots at least 1 day."
  }
}

check "dns" {
  assert {
    condition     = var.dns == null || !var.transit_encryption_enabled
    error_message = "dns: the nodes' certificates do not hold the name \"${try(var.dns.name, "")}\": clients that connect to it with TLS have to verify another name, the endpoint's."
  }
}
