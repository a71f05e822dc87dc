# Commands to paste into a shell. The token reaches the programs through their environment: a command line is visible to
# every user of the machine.
locals {
  # Where to connect. It is null while there is no endpoint, as after a creation that failed.
  host = var.cluster_mode_enabled ? aws_elasticache_replication_group.this.configuration_endpoint_address : aws_elasticache_replication_group.this.primary_endpoint_address
  port = aws_elasticache_replication_group.this.port
  tls  = var.transit_encryption_enabled

  read_secret  = "aws secretsmanager get-secret-value --secret-id '${local.secret_name}' --query SecretString --output text"
  token_source = local.create_secret ? "$(${local.read_secret} | jq -r .auth_token)" : "$${REDIS_AUTH_TOKEN:?set it to the auth token}"

  # In double quotes, because a token may hold & # $ ^ < >.
  set_cli_token = var.auth_token_enabled ? "REDISCLI_AUTH=\"${local.token_source}\" " : ""
  set_token     = var.auth_token_enabled ? "REDIS_AUTH_TOKEN=\"${local.token_source}\" " : ""

  connection_string = local.host == null ? null : join("", [
    local.tls ? "rediss://" : "redis://",
    # Everything but letters, digits and "-" is escaped, so that no client takes & # $ ^ < > for a part of the URL.
    # redis-cli takes no name for the name "", so that the token's user is named.
    var.auth_token_enabled ? "default:${urlencode(coalesce(local.auth_token, "-"))}@" : "",
    "${local.host}:${local.port}",
  ])

  redis_cli = local.host == null ? null : join("", [
    local.set_cli_token, "redis-cli -h ${local.host} -p ${local.port}", local.tls ? " --tls" : "", var.cluster_mode_enabled ? " -c" : "",
  ])

  node_options = concat(
    var.auth_token_enabled ? ["password: process.env.REDIS_AUTH_TOKEN"] : [],
    local.tls ? ["tls: { rejectUnauthorized: true }"] : [],
  )

  # In cluster mode nodes announce the names in their certificates; resolved to addresses first, they would no longer match.
  nodejs = local.host == null ? null : join("\n", concat(
    ["# needs: npm install ioredis", "${local.set_token}node - <<'EOF'", "const Redis = require('ioredis');"],
    var.cluster_mode_enabled ? [
      "const redis = new Redis.Cluster([{ host: '${local.host}', port: ${local.port} }], {",
      "  dnsLookup: (address, callback) => callback(null, address),",
      "  redisOptions: { ${join(", ", local.node_options)} },",
      "});",
      ] : [
      "const redis = new Redis({ ${join(", ", concat(["host: '${local.host}'", "port: ${local.port}"], local.node_options))} });",
    ],
    ["redis.ping().then((reply) => { console.log(reply); redis.disconnect(); });", "EOF"],
  ))

  python = local.host == null ? null : join("\n", compact([
    "# needs: pip install redis",
    "${local.set_token}python3 - <<'EOF'",
    "import os",
    var.cluster_mode_enabled ? "from redis.cluster import RedisCluster" : "import redis",
    var.cluster_mode_enabled ? "client = RedisCluster(" : "client = redis.Redis(",
    "    host='${local.host}', port=${local.port},",
    var.auth_token_enabled ? "    password=os.environ['REDIS_AUTH_TOKEN']," : "",
    local.tls ? "    ssl=True, ssl_cert_reqs='required'," : "",
    "    decode_responses=True,",
    ")",
    "print(client.ping())",
    "EOF",
  ]))

  go = local.host == null ? null : join("\n", compact([
    "# needs: go, which fetches go-redis",
    "(cd \"$(mktemp -d)\" && cat > main.go <<'EOF' && go mod init ping && go mod tidy && ${local.set_token}go run .",
    "package main",
    "import (",
    "\t\"context\"",
    local.tls ? "\t\"crypto/tls\"" : "",
    "\t\"fmt\"",
    var.auth_token_enabled ? "\t\"os\"" : "",
    "\t\"github.com/redis/go-redis/v9\"",
    ")",
    "func main() {",
    var.cluster_mode_enabled ? "\tclient := redis.NewClusterClient(&redis.ClusterOptions{" : "\tclient := redis.NewClient(&redis.Options{",
    var.cluster_mode_enabled ? "\t\tAddrs: []string{\"${local.host}:${local.port}\"}," : "\t\tAddr: \"${local.host}:${local.port}\",",
    var.auth_token_enabled ? "\t\tPassword: os.Getenv(\"REDIS_AUTH_TOKEN\")," : "",
    local.tls ? "\t\tTLSConfig: &tls.Config{MinVersion: tls.VersionTLS12}," : "",
    "\t})",
    "\tfmt.Println(client.Ping(context.Background()).Result())",
    "}",
    "EOF",
    ")",
  ]))

  # The token goes in through a file that only its owner can read: the AWS CLI reads its input twice.
  token_as_json = local.create_secret ? "${local.read_secret} | jq '{AuthToken: .auth_token}'" : "jq -n '{AuthToken: env.REDIS_AUTH_TOKEN}'"

  restore = join(" ", compact([
    var.auth_token_enabled ? "(f=$(mktemp) && trap 'rm -f \"$f\"' EXIT && ${local.token_as_json} > \"$f\" &&" : "",
    "aws elasticache create-replication-group",
    var.auth_token_enabled ? "--cli-input-json \"file://$f\"" : "",
    "--replication-group-id \"$${GROUP:?set it to the name of the new group}\"",
    "--snapshot-name \"$${SNAPSHOT:?set it to the name of the snapshot}\"",
    "--replication-group-description 'Restored from ${local.id}'",
    "--engine ${var.engine} --engine-version ${var.redis_engine_version} --cache-node-type ${var.node_type} --port ${var.redis_port}",
    try("--cache-parameter-group-name ${local.parameter_group_name}", ""), # null in a call that checks.tf refuses
    try("--cache-subnet-group-name ${local.subnet_group_name}", ""),
    "--security-group-ids ${join(" ", local.security_group_ids)}",
    var.cluster_mode_enabled ? "--num-node-groups ${var.num_node_groups} --replicas-per-node-group ${var.replicas_per_node_group}" : "--num-cache-clusters ${var.num_cache_nodes}",
    var.automatic_failover_enabled ? "--automatic-failover-enabled" : "--no-automatic-failover-enabled",
    var.multi_az_enabled ? "--multi-az-enabled" : "",
    local.tls ? "--transit-encryption-enabled" : "",
    local.kms_key_arn == null ? "" : "--at-rest-encryption-enabled --kms-key-id ${coalesce(local.kms_key_arn, "-")}",
    var.auth_token_enabled ? ")" : "",
  ]))
}
