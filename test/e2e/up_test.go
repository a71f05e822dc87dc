package e2e

import (
	"strings"
	"testing"
)

// The seed's configurations come up as they are written; the cluster one is understood and refused by name.
func TestSeedConfigurations(t *testing.T) {
	t.Parallel()
	for name, nodes := range map[string]int{"development": 1, "staging": 2, "production": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newHarness(t)
			r := d.larder("up", seed+name+".tf")
			if r.code != 0 {
				t.Fatalf("%s%s", r.stdout, r.stderr)
			}
			if warned := strings.Contains(r.stderr, "cache.t3.large"); warned != (name == "staging") {
				t.Errorf("a warning about cache.t3.large: %v\n%s", warned, r.stderr)
			}
			id := strings.TrimSpace(d.must("outputs", "replication_group_id"))
			s := d.status(id)
			if s.Status != "available" || len(s.Nodes) != nodes {
				t.Errorf("got %+v, want %d nodes, available", s, nodes)
			}
			for _, command := range []string{"redis_cli_command", "connection_test_command"} {
				line := strings.TrimSpace(d.must("outputs", command))
				if command == "redis_cli_command" {
					line += " PING"
				}
				if r := d.shell(line); r.stdout != "PONG\n" || r.stderr != "" {
					t.Errorf("%s\nanswers %q %q", line, r.stdout, r.stderr)
				}
			}
			d.must("destroy", "--yes")
			if out := d.must("status"); !strings.Contains(out, "No replication groups") {
				t.Errorf("after destroy: %s", out)
			}
		})
	}
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		d := newHarness(t)
		d.refused([]string{"up", seed + "cluster.tf"}, "cluster mode")
		if left := d.processes(); len(left) > 0 {
			t.Errorf("an engine was started for it: %v", left)
		}
	})
}

func TestZonesAreSpread(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	zones := map[string]bool{}
	for _, n := range d.status("uex-payments-prod-redis").Nodes {
		zones[n.Zone] = true
	}
	if len(zones) != 3 {
		t.Errorf("three nodes lie in the zones %v", zones)
	}
}

func TestUpAgainChangesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	config := read(t, seed+"staging.tf")
	dir := d.write("main.tf", config)
	d.must("up", dir)
	token := d.must("outputs", "auth_token")
	before := d.status("uex-payments-staging-redis")
	if out := d.must("up", dir); !strings.Contains(out, "nothing to change") {
		t.Errorf("a second up says %s", out)
	}

	changed := strings.Replace(config, `auth_token                 = var.redis_auth_token`,
		"auth_token = var.redis_auth_token\n  maxmemory_policy = \"noeviction\"\n  timeout = \"60\"", 1)
	changed = strings.Replace(changed, `Environment = "staging"`, `Environment = "staging"`+"\n    Team = \"payments\"",
		1)
	dir = d.write("main.tf", changed)
	r := d.larder("up", dir)
	if r.code != 0 || !strings.Contains(r.stderr, "changed parameter timeout") ||
		!strings.Contains(r.stderr, "set tag Team") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	after := d.status("uex-payments-staging-redis")
	for i := range after.Nodes {
		if after.Nodes[i].PID != before.Nodes[i].PID {
			t.Errorf("%s was replaced for a live parameter", after.Nodes[i].ID)
		}
	}
	if got := d.must("outputs", "auth_token"); got != token {
		t.Error("the generated token changed")
	}
	d.eventually("idle clients are cut after 60 s, as INFO's config says", func() bool {
		// The token's user may not read CONFIG; an eviction policy shows in INFO.
		line := strings.TrimSpace(d.must("outputs", "redis_cli_command"))
		return strings.Contains(d.shell(line+" INFO memory").stdout, "maxmemory_policy:noeviction")
	})

	dir = d.write("main.tf", strings.Replace(changed, "num_cache_nodes           = 2",
		"num_cache_nodes = 2\n  redis_port = 6380", 1))
	d.refused([]string{"up", dir}, "redis_port", `"6379"`, `"6380"`)
	if s := d.status("uex-payments-staging-redis"); s.Status != "available" || len(s.Nodes) != 2 {
		t.Errorf("a refused change left %+v", s)
	}
}

func TestATokenThatIsGivenIsUsed(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	const token = "given-token-0123456789!&#$^<>-"
	d.env = append(d.env, "TF_VAR_redis_auth_token="+token)
	d.must("up", seed+"development.tf")
	if got := strings.TrimSpace(d.must("outputs", "auth_token")); got != token {
		t.Errorf("got the token %q", got)
	}
	line := strings.TrimSpace(d.must("outputs", "connection_test_command"))
	if r := d.shell(line); r.stdout != "PONG\n" {
		t.Errorf("%q %q", r.stdout, r.stderr)
	}
	kept := "$(larder outputs --deployment uex-payments-dev-redis auth_token)"
	if r := d.shell(strings.Replace(line, kept, "not-the-token-at-all", 1)); !strings.Contains(r.stdout+r.stderr,
		"WRONGPASS") && !strings.Contains(r.stdout+r.stderr, "NOAUTH") {
		t.Errorf("a wrong token answers %q %q", r.stdout, r.stderr)
	}
}

func TestVariablesComeFromFlagsFilesAndEnvironment(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	config := strings.NewReplacer(`"uex-payments"`, "var.project", `"dev"`, "var.environment", `"7.0"`,
		"var.engine_version").
		Replace(read(t, seed+"development.tf"))
	dir := d.write("main.tf", config)
	d.refused([]string{"up", dir}, "var.project", "TF_VAR_project")
	file := d.write("dev.tfvars", "environment = \"dev\"\nengine_version = \"6.2\"\n") + "/dev.tfvars"
	d.env = append(d.env, "TF_VAR_project=from-environment")
	d.must("up", dir, "-var-file", file, "-var", "engine_version=7.0")
	if got := strings.TrimSpace(d.must("outputs", "replication_group_id")); got != "from-environment-dev-redis" {
		t.Errorf("got %q", got)
	}
}

// The plain outputs, the log and the process list show no secret.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	token := strings.TrimSpace(d.must("outputs", "auth_token"))
	if len(token) != 64 {
		t.Errorf("the generated token has %d characters", len(token))
	}
	texts := map[string]string{
		"outputs": d.must("outputs"), "status": d.must("status"), "engine.log": read(t, d.home+"/engine.log"),
		"larder.db": read(t, d.home+"/larder.db"), "arguments": d.run("ps", "-eo", "args").stdout,
	}
	for _, n := range d.status("uex-payments-prod-redis").Nodes {
		texts["log of "+n.ID] = read(t, d.home+"/nodes/"+n.ID+"/node.log")
	}
	for where, text := range texts {
		if strings.Contains(text, token) {
			t.Errorf("the token stands in %s", where)
		}
	}
}
