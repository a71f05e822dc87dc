package module

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOwnOutputs(t *testing.T) {
	text := block() + `
variable "team" { default = "payments" }
output "url" { value = "redis at ${module.redis.redis_endpoint_address}:${module.redis.redis_port}" }
output "all" { value = { team = var.team, nodes = [for n in module.redis.member_clusters : upper(n)], key = module.kms.key_arn } }
output "secret" {
  description = "with the token"
  value       = "x ${module.redis.auth_token}"
}
output "hidden" {
  value     = var.team
  sensitive = true
}
`
	src := Source{Config: mustOpen(t, writeFiles(t, "main.tf", text)), NodeTypes: testTypes()}
	call, diags := Load(src, testStandIns())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	outputs := call.Outputs(observe(call.Resources(Known{})), testAccess(true))
	own, diags := OwnOutputs(src, testStandIns(), []Applied{{call, outputs}})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	raw, err := MarshalOutputs(own)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]struct {
		Sensitive   bool
		Type, Value any
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got["url"].Value != "redis at 127.0.10.1:6379" || got["url"].Type != "string" || got["url"].Sensitive {
		t.Errorf("url is %+v", got["url"])
	}
	want := map[string]any{"team": "payments", "nodes": []any{"SHOP-DEV-REDIS-001", "SHOP-DEV-REDIS-002"},
		"key": testStandIns().KMSKeyARN}
	if diff := cmp.Diff(want, got["all"].Value); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if !got["secret"].Sensitive || got["secret"].Value != "x "+testToken || !got["hidden"].Sensitive {
		t.Errorf("secret is %+v, hidden %+v", got["secret"], got["hidden"])
	}
}

// References that lead nowhere are found before anything is made.
func TestOwnOutputsComplaints(t *testing.T) {
	for output, want := range map[string]string{
		`value = module.redis.redis_prot`:          `module.redis has no output "redis_prot"; did you mean redis_port?`,
		`value = module.queue.arn`:                 `module.queue is unknown here`,
		`value = var.unset`:                        `var.unset is not set`,
		`description = "no value"`:                 `output "x" has no value: write value = ...`,
		"value = 1\n}\noutput \"x\" {\n value = 2": `output "x" is declared twice`,
	} {
		got := complaints(t, writeFiles(t, "main.tf", block()+"output \"x\" {\n  "+output+"\n}\n"), Vars{})
		if len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %v, want %s", output, got, want)
		}
	}
	two := block() + strings.Replace(block(`project_name = "more"`), `"redis"`, `"more"`, 1) +
		"output \"x\" {\n  value = module.more.redis_port\n  precondition {\n    condition = true\n    error_message " +
		"= \"\"\n  }\n}\n"
	src := Source{Config: mustOpen(t, writeFiles(t, "main.tf", two)), Module: "redis", NodeTypes: testTypes()}
	call, diags := Load(src, testStandIns())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if notices := strings.Join(call.Notices, "\n"); !strings.Contains(notices, `output "x": its precondition is not `+
		`checked`) {
		t.Errorf("notices are %s", notices)
	}
	outputs := call.Outputs(observe(call.Resources(Known{})), testAccess(true))
	_, diags = OwnOutputs(Source{Config: src.Config}, testStandIns(), []Applied{{call, outputs}})
	if got := diags.String(); !strings.Contains(got, `output "x" is not evaluated: it refers to module.more`) ||
		diags.HasErrors() {
		t.Errorf("warnings are %s", got)
	}
}
