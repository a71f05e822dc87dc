locals {
  tags = merge({ Project = var.project_name, Environment = var.environment, ManagedBy = "larder-module" }, var.tags)
}

# uuid() answers anew in each plan; the first answer is kept until this resource is replaced. triggers_replace and not
# input holds it, because input is repeated in output, which plans print.
resource "terraform_data" "generated_token" {
  triggers_replace = sensitive(substr(
    replace(join("", [for half in range(2) : base64sha512("${uuid()}${uuid()}${uuid()}${uuid()}")]), "/[^A-Za-z0-9]/", ""),
    0, var.auth_token_length,
  ))

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

locals {
  auth_token = sensitive(var.auth_token != "" ? var.auth_token : terraform_data.generated_token.triggers_replace)
}

resource "aws_secretsmanager_secret" "this" {
  name                    = coalesce(var.secret_name, "${var.project_name}/${var.environment}/redis-auth-token")
  description             = "Redis auth token of ${var.project_name} in ${var.environment}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_in_days
  tags                    = local.tags
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id     = aws_secretsmanager_secret.this.id
  secret_string = jsonencode({ auth_token = local.auth_token })
}
