# The generated token. It is made whenever the module may need one, because whether auth_token is empty is secret and may
# be unknown in a plan. uuid() answers anew in each plan; the first answer is kept until this resource is replaced.
# triggers_replace and not input holds it, because input is repeated in output, which plans print.
resource "terraform_data" "generated_token" {
  count = var.auth_token_enabled && var.generate_auth_token ? 1 : 0

  triggers_replace = sensitive(substr(
    replace(join("", [for half in range(2) : base64sha512("${uuid()}${uuid()}${uuid()}${uuid()}")]), "/[^A-Za-z0-9]/", ""),
    0, var.auth_token_length,
  ))

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

locals {
  generated_token = one(terraform_data.generated_token[*].triggers_replace)
  auth_token      = !var.auth_token_enabled ? null : sensitive(var.auth_token != "" ? var.auth_token : local.generated_token)

  # Without a token there is no strategy, but for DELETE: it takes the token away in favour of user groups.
  auth_token_update_strategy = var.auth_token_enabled || var.auth_token_update_strategy == "DELETE" ? var.auth_token_update_strategy : null

  create_secret = var.auth_token_enabled && var.create_auth_token_secret
  secret_name   = coalesce(var.auth_token_secret_name, "${var.project_name}/${var.environment}/redis")
}

resource "aws_secretsmanager_secret" "auth_token" {
  count = local.create_secret ? 1 : 0

  name                    = local.secret_name
  description             = "Auth token of ${local.id}"
  kms_key_id              = var.auth_token_secret_kms_key_arn
  recovery_window_in_days = var.auth_token_secret_recovery_window_in_days
  tags                    = local.tags
}

# The group has a new token before the secret does: with ROTATE it takes both meanwhile.
resource "aws_secretsmanager_secret_version" "auth_token" {
  count = local.create_secret ? 1 : 0

  secret_id     = aws_secretsmanager_secret.auth_token[0].id
  secret_string = jsonencode({ auth_token = local.auth_token })

  depends_on = [aws_elasticache_replication_group.this]
}
