package terraform

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// change is a call of which one thing differs from the call that made the group.
type change struct {
	name     string // also the name of the module call
	lines    string // what the call sets instead
	replaces string // the input that README.md names; "" when the group is changed in place
}

var changes = []change{
	{"nothing", ``, ""},
	{"project_name", `project_name = "store"`, "project_name"},
	{"environment", `environment = "prod"`, "environment"},
	{"redis_port", `redis_port = 6380`, "redis_port"},
	{"kms_key_arn", `kms_key_arn = "arn:aws:kms:us-east-1:000000000000:key/22222222-2222-3333-4444-555555555555"`,
		"kms_key_arn"},
	{"at_rest_encryption_enabled", `at_rest_encryption_enabled = false`, "at_rest_encryption_enabled"},
	{"subnet_group_name", "create_subnet_group = false\n  subnet_group_name = \"other\"", "subnet_group_name"},
	{"network_type", `network_type = "dual_stack"`, "network_type"},
	{"data_tiering_enabled", "data_tiering_enabled = true\n  node_type = \"cache.r6gd.xlarge\"",
		"data_tiering_enabled"},
	{"snapshot_name", `snapshot_name = "nightly"`, "snapshot_name"},
	{"snapshot_arns", `snapshot_arns = ["arn:aws:s3:::backups/dump.rdb"]`, "snapshot_arns"},
	{"earlier_version", `redis_engine_version = "6.2"`, "redis_engine_version"},
	{"tls_before_7_0_5", "transit_encryption_enabled = false\n  auth_token_enabled = false\n  auth_token = \"\"",
		"transit_encryption_enabled"},

	{"tls_since_7_0_5", "transit_encryption_enabled = false\n  auth_token_enabled = false\n  auth_token = \"\"", ""},
	{"later_version", `redis_engine_version = "7.1"`, ""},
	{"node_type", `node_type = "cache.r6g.large"`, ""},
	{"more_nodes", `num_cache_nodes = 3`, ""},
	{"fewer_nodes", "num_cache_nodes = 1\n  automatic_failover_enabled = false\n  multi_az_enabled = false", ""},
	{"multi_az_enabled", `multi_az_enabled = false`, ""},
	{"redis_subnet_ids",
		`redis_subnet_ids = [terraform_data.subnet[1].id, terraform_data.subnet[0].id, terraform_data.subnet[2].id]`,
		""},
	{"redis_security_group_id", `redis_security_group_id = "sg-0000000c"`, ""},
	{"auth_token", `auth_token = "fedcba9876543210"`, ""},
	{"auth_token_update_strategy", `auth_token_update_strategy = "SET"`, ""},
	{"maxmemory_policy", `maxmemory_policy = "noeviction"`, ""},
	{"snapshot_retention_limit", `snapshot_retention_limit = 3`, ""},
	{"snapshot_window", `snapshot_window = "01:00-02:00"`, ""},
	{"maintenance_window", `maintenance_window = "mon:08:00-mon:09:00"`, ""},
	{"notification_topic_arn", `notification_topic_arn = "arn:aws:sns:us-east-1:000000000000:info"`, ""},
	{"slow_log_enabled", `slow_log_enabled = false`, ""},
	{"log_format", `log_format = "text"`, ""},
	{"description", `description = "other"`, ""},
	{"tags", `tags = { Team = "other" }`, ""},
	{"apply_immediately", `apply_immediately = false`, ""},
	{"auto_minor_version_upgrade", `auto_minor_version_upgrade = false`, ""},
	{"ip_discovery", `ip_discovery = "ipv6"`, ""},
	{"engine", "engine = \"valkey\"\n  redis_engine_version = \"8.0\"", ""},
}

// The real provider plans each change against the state of a group that exists.
func TestWhatReplacesTheGroup(t *testing.T) {
	w := newWorkspace(t, "calls")
	var calls strings.Builder
	calls.WriteString("resource \"terraform_data\" \"subnet\" {\n  count = 3\n}\n")
	state := map[string]any{"version": 4, "terraform_version": "1.11.0", "serial": 1, "lineage": "test",
		"outputs": map[string]any{}}
	var resources []any
	for _, c := range changes {
		calls.WriteString(call(c))
		resources = append(resources, group(c))
	}
	state["resources"] = resources
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	w.write("main.tf", calls.String())
	w.write("terraform.tfstate", string(text))
	w.env = append(w.env, "AWS_ENDPOINT_URL="+serveAWS(t))
	printed := string(w.init().must("plan", "-refresh=false", "-input=false", "-no-color", "-out=plan"))
	if strings.Contains(printed, "0123456789abcdef") || strings.Contains(printed, "fedcba9876543210") {
		t.Error("the plan prints a token")
	}
	checkActions(t, w.must("show", "-json", "plan"))
	checkReadme(t)
}

// call writes a module call with a change. Its subnets are not known, so that nobody asks for their zones.
func call(c change) string {
	inputs := []string{
		`project_name = "shop"`, `environment = "dev"`, `redis_subnet_ids = terraform_data.subnet[*].id`,
		`redis_security_group_id = "sg-0000000a"`,
		`kms_key_arn = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"`,
		`auth_token = "0123456789abcdef"`, `skip_final_snapshot = true`, `create_alarms = false`,
	}
	var kept []string
	for _, line := range inputs {
		name, _, _ := strings.Cut(line, " ")
		if !regexp.MustCompile(`(?m)^\s*` + name + ` =`).MatchString(c.lines) {
			kept = append(kept, line)
		}
	}
	return fmt.Sprintf("module %q {\n  source = \"../modules/redis\"\n  %s\n  %s\n}\n", c.name,
		strings.Join(kept, "\n  "), c.lines)
}

// group is what the state says of the group that the call without the change has made.
func group(c change) map[string]any {
	engine := "7.0.7"
	if c.name == "tls_before_7_0_5" {
		engine = "7.0.4"
	}
	log := func(kind string) map[string]any {
		return map[string]any{"destination": "/aws/elasticache/shop-dev-redis/" + kind,
			"destination_type": "cloudwatch-logs", "log_format": "json", "log_type": kind}
	}
	token := []any{map[string]any{"type": "get_attr", "value": "auth_token"}}
	tags := map[string]any{"Project": "shop", "Environment": "dev", "ManagedBy": "larder-module"}
	return map[string]any{
		"module": "module." + c.name, "mode": "managed", "type": "aws_elasticache_replication_group", "name": "this",
		"provider": `provider["registry.terraform.io/hashicorp/aws"]`,
		"instances": []any{map[string]any{"schema_version": 2, "sensitive_attributes": []any{token},
			"attributes": map[string]any{
				"id": "shop-dev-redis", "replication_group_id": "shop-dev-redis", "description": "Redis of shop in dev",
				"arn":    "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:shop-dev-redis",
				"engine": "redis", "engine_version": "7.0", "engine_version_actual": engine,
				"node_type":            "cache.t3.medium",
				"port":                 6379,
				"parameter_group_name": "shop-dev-redis-redis7", "subnet_group_name": "shop-dev-redis-subnets",
				"security_group_ids": []string{"sg-0000000a"}, "security_group_names": []string{},
				"num_cache_clusters": 2, "num_node_groups": 1, "replicas_per_node_group": 1,
				"member_clusters":            []string{"shop-dev-redis-001", "shop-dev-redis-002"},
				"automatic_failover_enabled": true, "multi_az_enabled": true, "cluster_enabled": false,
				"cluster_mode":               "disabled",
				"at_rest_encryption_enabled": "true",
				"kms_key_id":                 "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555",
				"transit_encryption_enabled": true, "transit_encryption_mode": "required",
				"auth_token":                 "0123456789abcdef",
				"auth_token_update_strategy": "ROTATE",
				"snapshot_retention_limit":   7, "snapshot_window": "03:00-05:00",
				"maintenance_window":         "sun:05:00-sun:07:00",
				"auto_minor_version_upgrade": "true", "apply_immediately": true, "network_type": "ipv4",
				"ip_discovery": "ipv4", "data_tiering_enabled": false,
				"primary_endpoint_address": "primary", "reader_endpoint_address": "reader", "tags": tags,
				"tags_all":                   tags,
				"log_delivery_configuration": []any{log("slow-log"), log("engine-log")},
			}}},
	}
}

// checkActions compares what the plan does to each group.
func checkActions(t *testing.T, planned []byte) {
	t.Helper()
	var plan struct {
		ResourceChanges []struct {
			Address, Type string
			Change        struct{ Actions []string }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(planned, &plan); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range plan.ResourceChanges {
		if r.Type == "aws_elasticache_replication_group" {
			got[strings.Split(r.Address, ".")[1]] = strings.Join(r.Change.Actions, ",")
		}
	}
	// A change of these touches other resources than the group, or none.
	elsewhere := []string{"nothing", "redis_subnet_ids", "maxmemory_policy"}
	want := map[string]string{}
	for _, c := range changes {
		switch {
		case c.replaces != "":
			want[c.name] = "delete,create"
		case slices.Contains(elsewhere, c.name):
			want[c.name] = "no-op"
		default:
			want[c.name] = "update"
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the changes do to the group (-want +got):\n%s", diff)
	}
}

// checkReadme compares the inputs in README.md's table with those that replace the group.
func checkReadme(t *testing.T) {
	t.Helper()
	readme, err := os.ReadFile("../../modules/redis/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "<!-- begin replaces -->")
	table, _, found := strings.Cut(table, "<!-- end replaces -->")
	if !found {
		t.Fatal("README.md has no table of what replaces the group")
	}
	var got, want []string
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(cells[1], -1) {
			got = append(got, name[1])
		}
	}
	for _, c := range changes {
		if c.replaces != "" {
			want = append(want, c.replaces)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("README.md's table of what replaces the group (-want +got):\n%s", diff)
	}
}
