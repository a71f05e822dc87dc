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

variable "vpc_id" {
  description = "The VPC that Redis is in"
  type        = string

  validation {
    condition     = can(regex("^vpc-([0-9a-f]{8}|[0-9a-f]{17})$", var.vpc_id))
    error_message = "vpc_id: \"${var.vpc_id}\" is not a VPC ID: write vpc- and 8 or 17 hexadecimal digits."
  }
}

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

variable "client_security_group_ids" {
  description = "More security groups that may connect to Redis, such as that of an existing ECS service"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.client_security_group_ids : can(regex("^sg-([0-9a-f]{8}|[0-9a-f]{17})$", id))])
    error_message = "client_security_group_ids: ${join(", ", [for i, id in var.client_security_group_ids : "\"${id}\" (element ${i + 1})" if !can(regex("^sg-([0-9a-f]{8}|[0-9a-f]{17})$", id))])} is not a security group ID: write sg- and 8 or 17 hexadecimal digits."
  }
}

variable "tags" {
  description = "Tags of every resource; the module adds Project, Environment and ManagedBy"
  type        = map(string)
  default     = {}
  nullable    = false
}
