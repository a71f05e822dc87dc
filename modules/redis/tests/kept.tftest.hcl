# What later applies keep. These runs apply, one after the other, to one state.

mock_provider "aws" {
  override_during = plan

  override_data {
    target = data.aws_subnet.redis[0]
    values = { availability_zone = "us-east-1a", vpc_id = "vpc-0000000a" }
  }
  override_data {
    target = data.aws_subnet.redis[1]
    values = { availability_zone = "us-east-1b", vpc_id = "vpc-0000000a" }
  }
}

variables {
  project_name            = "shop"
  environment             = "dev"
  redis_subnet_ids        = ["subnet-0000000a", "subnet-0000000b"]
  redis_security_group_id = "sg-0000000a"
  kms_key_arn             = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
}

run "a_generated_token" {
  assert {
    condition     = can(regex("^[A-Za-z0-9]{64}$", aws_elasticache_replication_group.this.auth_token))
    error_message = "the generated token is not 64 letters and digits"
  }
  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.auth_token[0].secret_string) == { auth_token = aws_elasticache_replication_group.this.auth_token }
    error_message = "the secret does not hold the group's token as auth_token"
  }
  assert {
    condition     = can(regex("^shop-dev-redis-final-[0-9a-f]{8}$", aws_elasticache_replication_group.this.final_snapshot_identifier))
    error_message = "the final snapshot is ${aws_elasticache_replication_group.this.final_snapshot_identifier}"
  }
}

run "is_the_same_the_next_time" {
  variables {
    auth_token_length = 128
  }
  assert {
    condition     = output.auth_token == run.a_generated_token.auth_token && output.final_snapshot_identifier == run.a_generated_token.final_snapshot_identifier
    error_message = "a second apply makes another token or another name for the final snapshot"
  }
}

run "another_group_has_another_final_snapshot" {
  variables {
    redis_port = 6380
  }
  assert {
    condition     = output.final_snapshot_identifier != run.a_generated_token.final_snapshot_identifier && output.auth_token == run.a_generated_token.auth_token
    error_message = "a group that is replaced uses the final snapshot's name twice, or has another token"
  }
}

# cluster_mode_enabled: the group was created with false and AWS does not change it to true: to lose the group and its data, apply with -replace for its aws_elasticache_replication_group.this and terraform_data.cluster_mode; to keep them, migrate by cluster_mode = "compatible" and then "enabled", as the README says.
run "cluster_mode_does_not_change" {
  command = plan
  variables {
    cluster_mode_enabled = true
  }
  expect_failures = [terraform_data.checks]
}

run "cluster_mode_is_migrated" {
  command = plan
  variables {
    cluster_mode = "compatible"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.cluster_mode == "compatible"
    error_message = "the mode is ${aws_elasticache_replication_group.this.cluster_mode}"
  }
}
