# What a program and a person need of it: terraform output, or larder outputs.

output "primary_endpoint" {
  description = "Where to write"
  value       = module.redis.replication_group_primary_endpoint_address
}

output "reader_endpoint" {
  description = "Where to read"
  value       = module.redis.replication_group_reader_endpoint_address
}

output "port" {
  description = "Port of every endpoint"
  value       = module.redis.redis_port
}

output "auth_token_secret" {
  description = "Secret that has the auth token"
  value       = module.redis.auth_token_secret_name
}

output "cli_command" {
  description = "Command to connect with redis-cli"
  value       = module.redis.redis_cli_command
}
