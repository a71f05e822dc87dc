package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRepeatedCalls brings up all calls of a configuration, of which one is repeated with for_each; changes one
// element, takes one away, and renames a call.
func TestRepeatedCalls(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	plain := []line{{"num_cache_nodes", "2"}, {"transit_encryption_enabled", "false"}, {"auth_token_enabled", "false"}}
	repeated := shopCall(append(plain, line{"for_each", "local.teams"}, line{"project_name", `"shop-${each.key}"`},
		line{"timeout", `each.value`})...)
	counted := shopCall(append(plain, line{"count", "1"}, line{"project_name", `"queue${count.index}"`})...)
	counted = strings.Replace(counted, `"redis"`, `"queue"`, 1)
	configuration := func(teams string) string {
		return repeated + counted + "locals {\n  teams = { " + teams + " }\n}\n" +
			"output \"endpoints\" {\n  value = { for k, m in module.redis : k => m.redis_port }\n}\n" +
			"output \"queue\" {\n  value = module.queue[0].replication_group_id\n}\n"
	}
	dir := d.write("main.tf", configuration(`cart = "100", stock = "200"`))
	d.must("up", dir)
	groups := []string{"shop-cart-dev-redis", "shop-stock-dev-redis", "queue0-dev-redis"}
	for _, group := range groups {
		if got := d.must("connect", group, "--", "SET", "of", group); got != "OK\n" {
			t.Errorf("SET in %s answers %q", group, got)
		}
		var endpoints map[string]int
		said := d.must("outputs", "--deployment", group, "--json", "endpoints")
		if err := json.Unmarshal([]byte(said), &endpoints); err != nil || endpoints["cart"] != 6379 ||
			endpoints["stock"] != 6379 {
			t.Errorf("endpoints of %s are %v (%v)", group, endpoints, err)
		}
		if got := strings.TrimSpace(d.must("outputs", "--deployment", group, "queue")); got != "queue0-dev-redis" {
			t.Errorf("queue of %s is %q", group, got)
		}
	}
	if out := d.must("up", dir); strings.Count(out, "nothing to change") != 3 {
		t.Errorf("up again says %s", out)
	}
	if out := d.must("up", dir, "--module", `redis["cart"]`); strings.Count(out, "nothing to change") != 1 {
		t.Errorf("up of one says %s", out)
	}

	rewrite := func(text string) { d.check(os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600)) }
	rewrite(configuration(`cart = "150"`))
	r := d.larder("up", dir)
	if r.code != 0 || !strings.Contains(r.stderr, "warning: shop-stock-dev-redis was brought up from") ||
		!strings.Contains(r.stderr, "larder destroy shop-stock-dev-redis") {
		t.Errorf("without an element: exit %d, %s", r.code, r.stderr)
	}
	for _, group := range groups { // also the one that no call makes is as it was
		if got := d.must("connect", group, "--", "GET", "of"); got != group+"\n" {
			t.Errorf("GET in %s answers %q", group, got)
		}
	}

	for refused, text := range map[string]string{
		"both make the replication group shop-dev-redis": shopCall(plain...) +
			strings.Replace(shopCall(plain...), `"redis"`, `"other"`, 1),
		"count is no number": shopCall(append(plain, line{"count", `"x"`})...),
		"each.name is unknown here": shopCall(append(plain, line{"for_each", "{ a = 1 }"},
			line{"project_name", "each.name"})...),
	} {
		if r := d.larder("up", d.write("main.tf", text)); r.code != 1 || !strings.Contains(r.stderr, refused) {
			t.Errorf("want %q: exit %d, %s", refused, r.code, r.stderr)
		}
	}
	rewrite(shopCall(append(plain, line{"count", "0"})...))
	none := d.larder("up", dir)
	if none.code != 0 || !strings.Contains(none.stdout, "asks for no Redis") ||
		strings.Count(none.stderr, "warning: ") != 3 {
		t.Errorf("count of none: exit %d, %s %s", none.code, none.stdout, none.stderr)
	}
	for _, group := range groups {
		d.must("destroy", group, "--yes")
	}
	d.gone()
}
