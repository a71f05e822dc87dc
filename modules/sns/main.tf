data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  name      = "${var.project_name}-${var.environment}"
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.id
  partition = data.aws_partition.current.partition
  tags      = merge({ Project = var.project_name, Environment = var.environment, ManagedBy = "larder-module" }, var.tags)

  emails = merge([
    for topic, addresses in { critical = var.critical_emails, warning = var.warning_emails, info = var.info_emails } :
    { for i, address in addresses : "${topic}-${i}" => { topic = topic, address = address } }
  ]...)
}

# Alarms go to critical and warning, ElastiCache's own events to info.
resource "aws_sns_topic" "this" {
  for_each = toset(["critical", "warning", "info"])

  name              = "${local.name}-${each.key}"
  kms_master_key_id = each.key == "info" ? null : var.kms_key_arn
  policy            = data.aws_iam_policy_document.topic[each.key].json
  tags              = local.tags
}

resource "aws_sns_topic_subscription" "email" {
  for_each = local.emails

  topic_arn = aws_sns_topic.this[each.value.topic].arn
  protocol  = "email"
  endpoint  = each.value.address
}
