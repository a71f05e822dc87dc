output "redis_security_group_id" {
  description = "Security group of the Redis nodes"
  value       = aws_security_group.redis.id
}

output "redis_client_security_group_id" {
  description = "Security group of what connects to Redis"
  value       = aws_security_group.clients.id
}
