package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"larder/internal/deploy"
)

// plan is what `larder plan --json` prints of a call.
type plan struct {
	ID, Region string
	Changes    []struct{ Effect, Text string }
	Notes      []string
}

// plan runs the command, checks its exit code, and returns what it would do.
func (d *harness) plan(path string) plan {
	d.t.Helper()
	r := d.larder("plan", path, "--json")
	var p plan
	if err := json.Unmarshal([]byte(r.stdout), &p); err != nil {
		d.t.Fatalf("%v: %s%s", err, r.stdout, r.stderr)
	}
	if want := map[bool]int{true: 2, false: 0}[len(p.Changes) > 0]; r.code != want {
		d.t.Errorf("exit %d, want %d: %s%s", r.code, want, r.stdout, r.stderr)
	}
	return p
}

// ids are those that only an up makes.
var ids = regexp.MustCompile(`\b(sg|sgr|vpc|subnet)-[0-9a-f]{8,17}\b`)

// Each row changes the call. On real nodes a plan of it changes nothing, and says what the up after it does.
func TestPlanIsWhatUpDoes(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	lines := []line{{"enabled_alarms", `["cpu"]`}}
	dir := t.TempDir()
	for _, change := range []struct {
		name   string
		lines  []line
		effect string // of the first step
	}{
		{"all is new", nil, "create"},
		{"nothing", nil, ""},
		{"node type", []line{{"node_type", `"cache.t3.small"`}}, "interrupt"},
		{"three nodes", []line{{"num_cache_nodes", "3"}}, "change"},
		{"one node", []line{{"num_cache_nodes", "1"}, {"multi_az_enabled", "false"},
			{"automatic_failover_enabled", "false"}}, "delete"},
		{"two nodes", []line{{"num_cache_nodes", "2"}, {"multi_az_enabled", "true"},
			{"automatic_failover_enabled", "true"}}, "change"},
		{"parameters and tags", []line{{"timeout", `"60"`}, {"tags", `{ Team = "payments" }`}}, "change"},
		{"a log off", []line{{"engine_log_enabled", "false"}}, "delete"},
		{"a log on", []line{{"engine_log_enabled", "true"}}, "change"},
		{"token", []line{{"auth_token", `"another-token-0123456789"`}}, "change"},
		{"own security group", []line{{"create_security_group", "true"}, {"allowed_cidrs", `["10.1.0.0/16"]`}}, "change"},
		{"in the maintenance window", []line{{"node_type", `"cache.t3.medium"`}, {"apply_immediately", "false"},
			{"redis_engine_version", `"7.1"`}}, "change"},
	} {
		lines = append(lines, change.lines...)
		d.check(os.WriteFile(filepath.Join(dir, "main.tf"), []byte(shopCall(lines...)), 0o600))
		p := d.plan(dir)
		var planned []string
		for _, c := range p.Changes {
			planned = append(planned, strings.ReplaceAll(c.Text, "(known after up)", "ID"))
		}
		if first := append(p.Changes, struct{ Effect, Text string }{})[0].Effect; first != change.effect {
			t.Errorf("%s: the first is of effect %q, want %q: %v", change.name, first, change.effect, planned)
		}
		var up struct{ Changed []string }
		d.check(json.Unmarshal([]byte(d.must("up", dir, "--json")), &up))
		var done []string
		for _, text := range up.Changed {
			done = append(done, deploy.ToDo(text))
		}
		for _, all := range [][]string{planned, done} {
			for i := range all {
				all[i] = ids.ReplaceAllString(all[i], "ID")
			}
			slices.Sort(all)
		}
		if diff := cmp.Diff(planned, done); diff != "" {
			t.Errorf("%s: -plan +up\n%s", change.name, diff)
		}
		if again := d.plan(dir); len(again.Changes) > 0 {
			t.Fatalf("%s: after up there is still %+v", change.name, again)
		}
	}
	r := d.larder("plan", dir)
	if want := fmt.Sprintf("%s in us-east-1 is as %s asks: nothing to change.\n", shop, dir); r.code != 0 ||
		r.stdout != want {
		t.Errorf("exit %d, %q, want %q", r.code, r.stdout, want)
	}
	d.check(os.WriteFile(filepath.Join(dir, "main.tf"), []byte(shopCall(append(lines, line{"redis_port", "6380"})...)),
		0o600))
	if r := d.larder("plan", dir); r.code != 1 || !strings.Contains(r.stderr, "redis_port") {
		t.Errorf("what up refuses: exit %d, %s", r.code, r.stderr)
	}
	d.planElsewhere(dir)
}

// planElsewhere plans for a region that nobody uses, which must not make it, and without the engine.
func (d *harness) planElsewhere(dir string) {
	d.t.Helper()
	d.check(os.WriteFile(filepath.Join(dir, "main.tf"), []byte(shopCall()), 0o600))
	r := d.larder("plan", dir, "--region", "eu-west-1")
	if r.code != 2 || !strings.Contains(r.stdout, shop+" in eu-west-1: 0 to delete, 0 to change, ") {
		d.t.Errorf("in another region: exit %d, %s%s", r.code, r.stdout, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(d.home, "regions", "eu-west-1")); !os.IsNotExist(err) {
		d.t.Errorf("a plan made a region: %v", err)
	}
	d.must("down", "--yes")
	if r := d.larder("plan", dir); r.code != 1 || !strings.Contains(r.stderr, "does not run") ||
		len(d.processes()) > 0 {
		d.t.Errorf("without the engine: exit %d, %s%s, processes %v", r.code, r.stdout, r.stderr, d.processes())
	}
}
