package module

import (
	"fmt"
	"strings"
)

// commands are the outputs to paste into a shell. The token reaches the programs through their environment: a command
// line is visible to every user of the machine. `larder env` exports SSL_CERT_FILE, a file of the system's CAs and the
// local one, through which redis-cli, Python and Go find the local CA; Node looks at it with --use-openssl-ca.
func (v view) commands() []Output {
	return []Output{
		{Name: "redis_cli_command", Value: v.ifUp(v.redisCLI()), Description: "Command to connect via redis-cli"},
		{Name: "connection_test_command", Value: v.ifUp(v.redisCLI() + " PING"),
			Description: "Command to test connectivity; answers PONG"},
		{Name: "nodejs_connection_example", Value: v.ifUp(v.nodejs()),
			Description: "Node.js connection code, as a shell command"},
		{Name: "python_connection_example", Value: v.ifUp(v.python()),
			Description: "Python connection code, as a shell command"},
		{Name: "go_connection_example", Value: v.ifUp(v.golang()),
			Description: "Go connection code, as a shell command"},
	}
}

// ifUp returns null for a command while there is nothing to connect to.
func (v view) ifUp(command string) any {
	if v.host == "" {
		return nil
	}
	return command
}

// withToken prefixes the setting of a variable to the token, in double quotes because a token may hold & # $ ^ < >.
func (v view) withToken(variable string) string {
	if !v.in.AuthTokenEnabled {
		return ""
	}
	return fmt.Sprintf(`%s="%s" `, variable, v.tokenSource())
}

func (v view) tokenSource() string {
	switch {
	case v.access.Local:
		return "$(" + v.tokenCommand() + ")"
	case v.secretARN != nil:
		return fmt.Sprintf("$(aws secretsmanager get-secret-value --secret-id '%s' --query SecretString --output text | "+
			"jq -r .auth_token)", v.in.secretName())
	}
	return "${REDIS_AUTH_TOKEN:?set it to the auth token}"
}

// tokenCommand prints the token that larder keeps, also where there are several deployments.
func (v view) tokenCommand() string {
	return "larder outputs --deployment " + v.call.ReplicationGroupID() + " auth_token"
}

func (v view) redisCLI() string {
	command := v.withToken("REDISCLI_AUTH") + fmt.Sprintf("redis-cli -h %s -p %d", v.host, v.port)
	if v.in.TransitEncryptionEnabled {
		command += " --tls"
	}
	if v.in.ClusterModeEnabled {
		command += " -c"
	}
	return command
}

// lines joins the lines that are there.
func lines(all ...string) string {
	var kept []string
	for _, l := range all {
		if l != "" {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "\n")
}

// only returns the text if the condition holds.
func only(condition bool, text string) string {
	if !condition {
		return ""
	}
	return text
}

func (v view) nodejs() string {
	var options []string
	if v.in.AuthTokenEnabled {
		options = append(options, "password: process.env.REDIS_AUTH_TOKEN")
	}
	if v.in.TransitEncryptionEnabled {
		options = append(options, "tls: { rejectUnauthorized: true }")
	}
	at := []string{fmt.Sprintf("host: '%s'", v.host), fmt.Sprintf("port: %d", v.port)}
	create := fmt.Sprintf("const redis = new Redis({ %s });", strings.Join(append(at, options...), ", "))
	if v.in.ClusterModeEnabled {
		// Nodes announce the names in their certificates; resolved to addresses first, they would no longer match.
		create = lines(
			fmt.Sprintf("const redis = new Redis.Cluster([{ %s }], {", strings.Join(at, ", ")),
			"  dnsLookup: (address, callback) => callback(null, address),",
			fmt.Sprintf("  redisOptions: { %s },", strings.Join(options, ", ")),
			"});",
		)
	}
	return lines(
		"# needs: npm install ioredis",
		v.withToken("REDIS_AUTH_TOKEN")+"node "+only(v.access.Local && v.in.TransitEncryptionEnabled,
			"--use-openssl-ca ")+"- <<'EOF'",
		"const Redis = require('ioredis');",
		create,
		"redis.ping().then((reply) => { console.log(reply); redis.disconnect(); });",
		"EOF",
	)
}

func (v view) python() string {
	class, module := "redis.Redis", "import redis"
	if v.in.ClusterModeEnabled {
		class, module = "RedisCluster", "from redis.cluster import RedisCluster"
	}
	return lines(
		"# needs: pip install redis",
		v.withToken("REDIS_AUTH_TOKEN")+"python3 - <<'EOF'",
		"import os",
		module,
		"client = "+class+"(",
		fmt.Sprintf("    host='%s', port=%d,", v.host, v.port),
		only(v.in.AuthTokenEnabled, "    password=os.environ['REDIS_AUTH_TOKEN'],"),
		only(v.in.TransitEncryptionEnabled, "    ssl=True, ssl_cert_reqs='required',"),
		"    decode_responses=True,",
		")",
		"print(client.ping())",
		"EOF",
	)
}

func (v view) golang() string {
	tls, auth := v.in.TransitEncryptionEnabled, v.in.AuthTokenEnabled
	client, addr := "redis.NewClient(&redis.Options{", fmt.Sprintf("\t\tAddr: \"%s:%d\",", v.host, v.port)
	if v.in.ClusterModeEnabled {
		client, addr = "redis.NewClusterClient(&redis.ClusterOptions{", fmt.Sprintf("\t\tAddrs: []string{\"%s:%d\"},",
			v.host, v.port)
	}
	return lines(
		"# needs: go, which fetches go-redis",
		"(cd \"$(mktemp -d)\" && cat > main.go <<'EOF' && go mod init ping && go mod tidy && "+
			v.withToken("REDIS_AUTH_TOKEN")+"go run .",
		"package main",
		"import (",
		"\t\"context\"",
		only(tls, "\t\"crypto/tls\""),
		"\t\"fmt\"",
		only(auth, "\t\"os\""),
		"\t\"github.com/redis/go-redis/v9\"",
		")",
		"func main() {",
		"\tclient := "+client,
		addr,
		only(auth, "\t\tPassword: os.Getenv(\"REDIS_AUTH_TOKEN\"),"),
		only(tls, "\t\tTLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},"),
		"\t})",
		"\tfmt.Println(client.Ping(context.Background()).Result())",
		"}",
		"EOF",
		")",
	)
}
