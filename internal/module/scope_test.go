package module

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const everything = "module.kms.key_arn, module.secrets.*, module.security.redis_security_group_id, " +
	"module.sns.critical_topic_arn, " +
	"module.sns.info_topic_arn, module.sns.warning_topic_arn, module.vpc.availability_zones, " +
	"module.vpc.private_data_subnet_ids"

func TestReferenceComplaints(t *testing.T) {
	tests := []struct{ use, want string }{
		{`description = local.nme`, `local.nme does not exist; there is local.left, local.name, local.right`},
		{`description = module.vpc.cidr`,
			`module.vpc has no output "cidr"; there is module.vpc.availability_zones, module.vpc.private_data_subnet_ids`},
		{`description = module.queue.arn`, `module.queue is unknown here: larder up knows ` + everything},
		{`description = data.aws_region.here.name`,
			`data.aws_region.here.name is unknown here: larder up knows var.NAME, local.NAME and ` + everything},
		{`description = path.module`, `path.module is unknown here: larder up knows var.NAME, local.NAME and ` +
			everything},
		{`description = var["x"]`, `var is not followed by a name: write var.NAME`},
		{`description = module.secrets.redis_auth_token`,
			`module.secrets.redis_auth_token stands for the token that larder generates, and can be used only as auth_token ` +
				`= module.secrets.redis_auth_token`},
		{`description = local.left`, `local.left refers to itself, directly or by way of other locals`},
		{`description = lookup({}, "x")`,
			`Error in function call: Call to function "lookup" failed: the map has no such key and no default is given.`},
		{`description = lookup("a", "x")`,
			`Error in function call: Call to function "lookup" failed: the first argument must be a map or an object.`},
		{`description = length(1)`,
			`Error in function call: Call to function "length" failed: the argument must be a list, a map, or a string.`},
		{`description = coalesce("", null)`,
			`Error in function call: Call to function "coalesce" failed: no non-null, non-empty-string arguments.`},
		{`description = [local.name][5]`,
			`Invalid index: The given key does not identify an element in this collection value.`},
	}
	const locals = "locals {\n  name = \"x\"\n  left = local.right\n  right = local.left\n}\n"
	for _, tt := range tests {
		got := complaints(t, writeFiles(t, "main.tf", block(tt.use)+locals), Vars{})
		if len(got) != 1 || !strings.HasSuffix(got[0], `: input "description": `+tt.want) {
			t.Errorf("%s: complaints are %s\nwant %s", tt.use, strings.Join(got, "\n"), tt.want)
		}
	}
}

func TestUnknownFunctionIsNamed(t *testing.T) {
	got := complaints(t, writeFiles(t, "main.tf", block(`description = file("x")`)), Vars{})
	if len(got) != 1 || !strings.Contains(got[0], `larder up has no function "file"; it has abs, can, ceil,`) {
		t.Errorf("complaints are %v", got)
	}
}

// Each expression becomes the description.
func TestExpressions(t *testing.T) {
	tests := map[string]string{
		`local.name`:                                                    "shop-x",
		`upper(local.name)`:                                             "SHOP-X",
		`format("%s/%03d", var.x, 7)`:                                   "x/007",
		`join(",", concat(["a"], ["b"]))`:                               "a,b",
		`coalesce("", null, "c")`:                                       "c",
		`coalesce(null, 3)`:                                             "3",
		`lookup({ a = "1" }, "a")`:                                      "1",
		`lookup({ a = "1" }, "b", null) == null`:                        "true",
		`length(toset(["a", "a"]))`:                                     "1",
		`lookup({ a = "1" }, "b", "2")`:                                 "2",
		`length("häh")`:                                                 "3",
		`length([1, 2]) + length({ a = 1 })`:                            "3",
		`jsonencode({ a = [1, true] })`:                                 `{"a":[1,true]}`,
		`jsondecode("{\"a\": \"b\"}").a`:                                "b",
		`element(["a", "b"], 3)`:                                        "b",
		`join(",", flatten([["a"], ["b", "c"]]))`:                       "a,b,c",
		`join(",", keys(merge({ b = 1 }, { a = 2 })))`:                  "a,b",
		`join(",", [for s in values({ a = "x", b = "y" }) : upper(s)])`: "X,Y",
		`try(jsondecode("nope").a, "fallback")`:                         "fallback",
		`startswith("redis", "re") ? "yes" : "no"`:                      "yes",
		`join(",", tolist(toset(["b", "a", "b"])))`:                     "a,b",
		`tostring(tonumber("12") + 1)`:                                  "13",
		`nonsensitive(sensitive("plain"))`:                              "plain",
		`element(module.vpc.availability_zones, 0)`:                     "us-east-1a",
		`length(module.vpc) == 2 ? "whole" : "part"`:                    "whole",
		"<<-EOT\n    here\n  EOT\n":                                     "here\n",
	}
	const locals = "locals {\n  name = \"shop-${local.suffix}\"\n  suffix = var.x\n}\n"
	for expr, want := range tests {
		call, diags := load(writeFiles(t, "main.tf", block(`description = `+expr)+locals),
			Vars{Environ: []string{"TF_VAR_x=x"}})
		if diags.HasErrors() {
			t.Errorf("%s: %v", expr, diags)
			continue
		}
		if got := *call.Inputs.Description; got != want {
			t.Errorf("%s = %q, want %q", expr, got, want)
		}
	}
}

func TestGeneratedToken(t *testing.T) {
	const secret = "variable \"token\" {\n  type = string\n  sensitive = true\n}\n"
	tests := []struct {
		head, use string
		generated bool
	}{
		{"", ``, true},
		{"", `auth_token = ""`, true},
		{"", `auth_token = null`, true},
		{"", `auth_token = var.redis_auth_token`, true},
		{secret, `auth_token = var.token`, true},
		{strings.Replace(secret, "\n}", "\n  default = null\n}", 1), `auth_token = var.token`, true},
		{"", `auth_token = module.secrets.redis_auth_token`, true},
		{"", `auth_token = module.tokens.anything`, true},
		{"", `auth_token = "0123456789abcdef"`, false},
		{"", `auth_token_enabled = false`, false},
	}
	for _, tt := range tests {
		head := tt.head
		if strings.Contains(tt.use, "module.tokens") {
			head = "module \"tokens\" {\n  source = \"./modules/secrets\"\n}\n"
		}
		lines := []string{tt.use}
		if tt.use == "" {
			lines = nil
		}
		call := mustLoad(t, head+block(lines...))
		if call.GeneratedToken != tt.generated {
			t.Errorf("%s%s: GeneratedToken is %v", tt.head, tt.use, call.GeneratedToken)
		}
	}
}

// Only a bare reference stands for a token: anything else needs the variable.
func TestTokenExpressionsNeedTheVariable(t *testing.T) {
	got := complaints(t, writeFiles(t, "main.tf", block(`auth_token = "${var.token}0123456789abcdef"`)), Vars{})
	if len(got) != 1 || !strings.Contains(got[0], "var.token is not set") {
		t.Errorf("complaints are %v", got)
	}
}

func TestSensitiveInputsMakeOutputsSensitive(t *testing.T) {
	const secret = "variable \"policy\" {\n  sensitive = true\n}\n"
	call := mustLoad(t, secret+block(`maxmemory_policy = var.policy`), VarArg{Name: "policy", Value: "noeviction"})
	for _, o := range call.Outputs(Observed{}, Access{}) {
		if !o.Sensitive {
			t.Errorf("output %s is not sensitive", o.Name)
		}
	}
	plain := mustLoad(t, block(`auth_token = var.token`), VarArg{Name: "token", Value: "0123456789abcdef"})
	var sensitive []string
	for _, o := range plain.Outputs(Observed{}, Access{}) {
		if o.Sensitive {
			sensitive = append(sensitive, o.Name)
		}
	}
	if diff := cmp.Diff([]string{"redis_connection_string", "auth_token"}, sensitive); diff != "" {
		t.Errorf("sensitive outputs (-want +got):\n%s", diff)
	}
}
