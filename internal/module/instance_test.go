package module

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCalls(t *testing.T) {
	twice := func(s string) string { return strings.Replace(s, `"redis"`, `"more"`, 1) }
	for name, test := range map[string]struct {
		text, module string
		want         []string
		refused      string
	}{
		"one":                 {block(), "", []string{"redis"}, ""},
		"two blocks":          {block() + twice(block()), "", []string{"redis", "more"}, ""},
		"one of two":          {block() + twice(block()), "more", []string{"more"}, ""},
		"count":               {block(`count = 2`) + twice(block()), "", []string{"redis[0]", "redis[1]", "more"}, ""},
		"count by a local":    {block(`count = local.n`) + "locals {\n  n = \"1\"\n}\n", "", []string{"redis[0]"}, ""},
		"count, switched off": {block(`count = var.on ? 1 : 0`) + "variable \"on\" {\n  default = false\n}\n", "", nil, ""},
		"map":                 {block(`for_each = { b = 1, a = 2 }`), "", []string{`redis["a"]`, `redis["b"]`}, ""},
		"set":                 {block(`for_each = toset(["x", "x", "y z"])`), "", []string{`redis["x"]`, `redis["y z"]`}, ""},
		"an element":          {block(`for_each = { b = 1, a = 2 }`), `redis["b"]`, []string{`redis["b"]`}, ""},
		"no such element":     {block(`count = 1`), `redis[1]`, nil, `has no module.redis[1]`},
		"no such block":       {block(), `rediss`, nil, `no module "rediss" calls the redis module`},
		"a list":              {block(`for_each = ["a"]`), "", nil, "neither a map nor a set of texts: write toset(...)"},
		"numbers":             {block(`for_each = toset([1])`), "", nil, "neither a map nor a set of texts"},
		"both":                {block(`count = 1`, `for_each = {}`), "", nil, "exclude each other"},
		"a half":              {block(`count = 0.5`), "", nil, "no whole number from 0 to 100"},
		"less than none":      {block(`count = -1`), "", nil, "no whole number from 0 to 100"},
		"too many":            {block(`count = 101`), "", nil, "no whole number from 0 to 100"},
		"a text":              {block(`count = "many"`), "", nil, "count is no number"},
		"null":                {block(`count = null`), "", nil, "count is null"},
		"itself":              {block(`count = count.index`), "", nil, "count.index is unknown here"},
		"a secret": {block(`for_each = toset([var.s])`) +
			"variable \"s\" {\n  default   = \"x\"\n  sensitive = true\n}\n", "", nil, "for_each is sensitive"},
	} {
		t.Run(name, func(t *testing.T) {
			src := Source{Config: mustOpen(t, writeFiles(t, "main.tf", test.text)), Module: test.module,
				NodeTypes: testTypes()}
			got, diags := Calls(src, testStandIns())
			if said := diags.String(); (test.refused == "") != (said == "") || !strings.Contains(said, test.refused) {
				t.Fatalf("said %q, want %q", said, test.refused)
			}
			if diff := cmp.Diff(test.want, got); test.refused == "" && diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRepeatedCall reads each instance of a call, with inputs of its own, and outputs that refer to all.
func TestRepeatedCall(t *testing.T) {
	text := strings.Replace(block(`for_each = { cart = 1, stock = 2 }`), `project_name = "shop"`,
		"project_name = \"shop-${each.key}\"\n  num_cache_nodes = each.value + 1", 1) + `
output "ports" { value = { for k, m in module.redis : k => m.redis_port } }
output "one"   { value = module.redis["stock"].replication_group_id }
output "none"  { value = module.redis["stock"].redis_prot }
`
	if !strings.Contains(text, "each.key") {
		t.Fatal(text)
	}
	src := Source{Config: mustOpen(t, writeFiles(t, "main.tf", text)), Module: `redis["stock"]`,
		NodeTypes: testTypes()}
	if _, diags := Load(src, testStandIns()); !strings.Contains(diags.String(), `no output "redis_prot"`) {
		t.Errorf("said %s", diags)
	}
	src.Config = mustOpen(t, writeFiles(t, "main.tf", strings.Replace(text, "redis_prot", "redis_port", 1)))
	var applied []Applied
	for _, address := range []string{`redis["cart"]`, `redis["stock"]`} {
		src.Module = address
		call, diags := Load(src, testStandIns())
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		applied = append(applied, Applied{call, call.Outputs(observe(call.Resources(Known{})), testAccess(true))})
	}
	if a, b := applied[0].Call, applied[1].Call; a.ReplicationGroupID() != "shop-cart-dev-redis" ||
		b.ReplicationGroupID() != "shop-stock-dev-redis" || a.Inputs.NumCacheNodes != 2 || b.Inputs.NumCacheNodes != 3 {
		t.Errorf("the calls are %+v and %+v", a.Inputs, b.Inputs)
	}
	own, diags := OwnOutputs(src, testStandIns(), applied)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	got := map[string]any{}
	for _, o := range own {
		raw, err := json.Marshal(o.Value)
		if err != nil {
			t.Fatal(err)
		}
		got[o.Name] = string(raw)
	}
	want := map[string]any{"ports": `{"cart":6379,"stock":6379}`, "one": `"shop-stock-dev-redis"`, "none": "6379"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	_, diags = OwnOutputs(src, testStandIns(), applied[:1])
	if said := diags.String(); !strings.Contains(said, `output "ports" is not evaluated`) || diags.HasErrors() {
		t.Errorf("of one call alone it said %s", said)
	}
}
