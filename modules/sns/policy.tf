data "aws_iam_policy_document" "topic" {
  for_each = toset(["critical", "warning", "info"])

  # The account's own principals, which is also how ElastiCache publishes.
  statement {
    sid       = "Account"
    actions   = ["sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:AddPermission", "sns:RemovePermission", "sns:DeleteTopic", "sns:Subscribe", "sns:ListSubscriptionsByTopic", "sns:Publish"]
    resources = ["arn:${local.partition}:sns:${local.region}:${local.account}:${local.name}-${each.key}"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "StringEquals"
      variable = "AWS:SourceOwner"
      values   = [local.account]
    }
  }

  dynamic "statement" {
    for_each = each.key == "info" ? [] : ["alarms"]

    content {
      sid       = "Alarms"
      actions   = ["sns:Publish"]
      resources = ["arn:${local.partition}:sns:${local.region}:${local.account}:${local.name}-${each.key}"]

      principals {
        type        = "Service"
        identifiers = ["cloudwatch.amazonaws.com"]
      }
      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [local.account]
      }
      condition {
        test     = "ArnLike"
        variable = "aws:SourceArn"
        values   = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${local.name}-*"]
      }
    }
  }
}
