output "redis_auth_token" {
  description = "The token, given or generated"
  value       = local.auth_token
  sensitive   = true
}

output "secret_arn" {
  description = "The secret that keeps the token, as auth_token"
  value       = aws_secretsmanager_secret.this.arn
}

output "secret_name" {
  description = "Name of the secret"
  value       = aws_secretsmanager_secret.this.name
}
