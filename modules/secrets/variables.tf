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

variable "auth_token" {
  description = "The token to keep; empty to have one generated"
  type        = string
  default     = ""
  nullable    = false
  sensitive   = true

  validation {
    condition     = var.auth_token == "" || can(regex("^[A-Za-z0-9!&#$^<>-]{16,128}$", var.auth_token))
    error_message = "auth_token: the token (not shown) is not one AWS takes: use 16 to 128 letters, digits and ! & # $ ^ < > -, or leave it out to have one generated."
  }
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

variable "secret_name" {
  description = "Name of the secret; null for <project>/<environment>/redis-auth-token, beside modules/redis's own <project>/<environment>/redis"
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "KMS key of the secret; null for the account's own"
  type        = string
  default     = null
}

variable "recovery_window_in_days" {
  description = "Days a deleted secret can be recovered"
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains(concat([0], range(7, 31)), var.recovery_window_in_days)
    error_message = "recovery_window_in_days: ${var.recovery_window_in_days} is not a recovery window: use 7 to 30 days, or 0 to delete at once."
  }
}

variable "tags" {
  description = "Tags of every resource; the module adds Project, Environment and ManagedBy"
  type        = map(string)
  default     = {}
  nullable    = false
}
