output "key_arn" {
  description = "The key"
  value       = aws_kms_key.this.arn
}

output "key_id" {
  description = "ID of the key"
  value       = aws_kms_key.this.key_id
}

output "alias_name" {
  description = "Alias of the key"
  value       = aws_kms_alias.this.name
}

output "alias_arn" {
  description = "ARN of the alias; modules/redis takes key_arn, not this"
  value       = aws_kms_alias.this.arn
}
