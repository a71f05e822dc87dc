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

variable "cidr_block" {
  description = "Network of the VPC"
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  # A data subnet takes 8 bits more, and AWS makes none smaller than /28.
  validation {
    condition     = can(cidrsubnet(var.cidr_block, 8, 23)) && can(regex("/(1[6-9]|20)$", var.cidr_block))
    error_message = "cidr_block: \"${var.cidr_block}\" is not an IPv4 network with room for the subnets: write one from /16 to /20, such as 10.0.0.0/16."
  }
}

variable "availability_zones" {
  description = "The three zones of the private data subnets; null for the first three of the region"
  type        = list(string)
  default     = null

  validation {
    condition     = var.availability_zones == null ? true : length(distinct(var.availability_zones)) == 3
    error_message = "availability_zones: ${jsonencode(var.availability_zones)} are not three zones: name three, or leave it out."
  }
}

variable "tags" {
  description = "Tags of every resource; the module adds Project, Environment and ManagedBy"
  type        = map(string)
  default     = {}
  nullable    = false
}
