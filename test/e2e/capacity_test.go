package e2e

import (
	"strconv"
	"strings"
	"testing"
)

// TestUpFailsWhereANodeTypeCannotHoldTheData: it says why, keeps every key and the node type, and succeeds when the old
// type is asked for again. With 99 percent in reserve a cache.t3.small holds 14 MB, and a cache.t3.micro 5.
func TestUpFailsWhereANodeTypeCannotHoldTheData(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	call := func(nodeType string) string {
		return d.write("main.tf", shopCall(
			line{"node_type", strconv.Quote(nodeType)}, line{"num_cache_nodes", "2"}, line{"apply_immediately", "true"},
			line{"maxmemory_policy", `"allkeys-lru"`},
			line{"parameters", `[{ name = "reserved-memory-percent", value = 99 }]`}))
	}
	d.must("up", call("cache.t3.small"))
	c := d.client(d.status(shop).Primary)
	const keys = 100
	for i := range keys {
		d.check(c.Set(t.Context(), strconv.Itoa(i), strings.Repeat("v", 64<<10), 0).Err())
	}
	d.refused([]string{"up", call("cache.t3.micro")},
		`node_type stays "cache.t3.small"`,
		"Failed to scale down to cache node type Replication Group ["+shop+"] because the node has "+
			"insufficient memory", "list-allowed-node-type-modifications --replication-group-id "+shop)
	if n, err := c.DBSize(t.Context()).Result(); n != keys || err != nil {
		t.Errorf("%d keys are left of %d: %v", n, keys, err)
	}
	m := d.describe()
	if *m.group.Status != "available" || *m.group.CacheNodeType != "cache.t3.small" {
		t.Errorf("the group is %s, of %s", *m.group.Status, *m.group.CacheNodeType)
	}
	d.must("up", call("cache.t3.small"))
	d.check(c.FlushAll(t.Context()).Err())
	d.must("up", call("cache.t3.micro"))
	if m := d.describe(); *m.group.CacheNodeType != "cache.t3.micro" {
		t.Errorf("with fewer data the group is of %s", *m.group.CacheNodeType)
	}
}
