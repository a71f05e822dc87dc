package e2e

import (
	"strconv"
	"strings"
	"testing"
)

// TestTwoDeployments: connect and every command that is printed for one of two deployments lead to that one, also from
// another directory.
func TestTwoDeployments(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	second := d.write("main.tf", shopCall(line{"num_cache_nodes", "2"}, line{"transit_encryption_enabled", "false"},
		line{"auth_token_enabled", "false"}))
	_, tried, _ := strings.Cut(d.must("up", second), "Try, in this shell:\n")
	for _, said := range strings.Split(tried, "\n") {
		if command, ok := strings.CutPrefix(said, "  "); ok && !strings.Contains(command, "redis-cli -h") {
			if r := d.shell("cd / && " + command); r.code != 0 {
				t.Errorf("%s: exit %d\n%s", command, r.code, r.stderr)
			}
		}
	}
	first := "uex-payments-dev-redis"
	for group, tls := range map[string]bool{first: true, shop: false} {
		for _, output := range []string{"connection_test_command", "python_connection_example"} {
			command := strings.TrimSpace(d.must("outputs", "--deployment", group, output))
			if tls != strings.Contains(command, "--deployment "+group) {
				t.Errorf("%s of %s does not ask for its token: %s", output, group, command)
			}
			if r := d.shell("cd / && " + command); output == "connection_test_command" && r.stdout != "PONG\n" {
				t.Errorf("%s answers %q %q", command, r.stdout, r.stderr)
			}
		}
		if got := d.must("connect", group, "--", "SET", "of", group); got != "OK\n" {
			t.Errorf("SET in %s answers %q", group, got)
		}
	}
	for _, c := range []struct{ want, args string }{
		{first + "\n", first + " -- GET of"}, {shop + "\n", shop + " -- GET of"},
		{"role:slave\r", shop + " --reader -- INFO replication"},
		{"role:slave\r", shop + " --node " + shop + "-002 -- INFO replication"},
		{"role:master\r", shop + " --node " + shop + "-001 -- INFO replication"},
	} {
		if got := d.must(append([]string{"connect"}, strings.Fields(c.args)...)...); !strings.Contains(got, c.want) {
			t.Errorf("connect %s answers %q", c.args, got)
		}
	}
	for args, want := range map[string]string{
		"-- PING": "several replication groups, name one: ", "nobody": `no replication group "nobody"`,
		shop + " --node x":          `there is no node "x"; there are: ` + shop + "-001",
		shop + " PING":              "a Redis command after --",
		shop + " --reader --node x": "reader node",
	} {
		r := d.larder(append([]string{"connect"}, strings.Fields(args)...)...)
		if r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("connect %s: exit %d, %q", args, r.code, r.stderr)
		}
	}
}

// TestEnvironments: what env prints in each form sets the same variables, and --unset takes them back.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	want := strings.TrimSpace(d.must("outputs", "redis_connection_string"))
	forms := map[string]string{
		"sh":     `eval "$(` + program + ` env)"`,
		"dotenv": `set -a; ` + program + ` env --format dotenv >env.$$; . ./env.$$; set +a`,
		"github": program + ` env --format github >github.$$; while IFS= read -r l; do export "$l"; done <github.$$`,
	}
	for form, set := range forms {
		r := d.run("sh", "-c", "cd "+strconv.Quote(t.TempDir())+"; "+set+
			`; sh -c 'echo "$REDIS_URL"; echo "$REDIS_TLS $REDIS_PORT"; redis-cli -u "$REDIS_URL" PING'`)
		if r.code != 0 || r.stdout != want+"\ntrue 6379\nPONG\n" {
			t.Errorf("%s: exit %d\n%s%s", form, r.code, r.stdout, r.stderr)
		}
	}
	r := d.run("sh", "-c", forms["sh"]+`; eval "$(larder env --unset)"; env`)
	for _, l := range strings.Split(d.must("env", "--format", "dotenv"), "\n") {
		name, _, _ := strings.Cut(l, "=")
		if r.code != 0 || name != "" && name != "LARDER_HOME" && strings.Contains("\n"+r.stdout, "\n"+name+"=") {
			t.Errorf("--unset leaves %s (exit %d %s)", name, r.code, r.stderr)
		}
	}
}
