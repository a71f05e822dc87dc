output "critical_topic_arn" {
  description = "Topic of what must be looked at now"
  value       = aws_sns_topic.this["critical"].arn
}

output "warning_topic_arn" {
  description = "Topic of what must be looked at soon"
  value       = aws_sns_topic.this["warning"].arn
}

output "info_topic_arn" {
  description = "Topic of ElastiCache's events"
  value       = aws_sns_topic.this["info"].arn
}
