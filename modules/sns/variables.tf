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

variable "kms_key_arn" {
  description = "KMS key of the critical and warning topics; null for none. ElastiCache does not publish to an encrypted topic, so the info topic has none"
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn: \"${coalesce(var.kms_key_arn, "null")}\" is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "critical_emails" {
  description = "Addresses that critical messages go to; each gets a mail to confirm"
  type        = list(string)
  default     = []
  nullable    = false
}

variable "warning_emails" {
  description = "Addresses that warnings go to; each gets a mail to confirm"
  type        = list(string)
  default     = []
  nullable    = false
}

variable "info_emails" {
  description = "Addresses that ElastiCache's events go to; each gets a mail to confirm"
  type        = list(string)
  default     = []
  nullable    = false
}

variable "tags" {
  description = "Tags of every resource; the module adds Project, Environment and ManagedBy"
  type        = map(string)
  default     = {}
  nullable    = false
}
