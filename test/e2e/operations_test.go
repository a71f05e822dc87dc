package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// listedOperation is what `larder operations --json` tells of one operation.
type listedOperation struct {
	ID, Kind, From, To, By, Outcome, Reason string
}

// operations are those of the shop that have ended, the oldest first; nothing else goes on.
func (d *harness) operations() (all []listedOperation) {
	d.t.Helper()
	var out struct{ Operations []listedOperation }
	d.check(json.Unmarshal([]byte(d.must("operations", "--group", shop, "--json")), &out))
	slices.Reverse(out.Operations)
	return out.Operations
}

// TestOperations: a switchover, a snapshot, more replicas, a node type and one that is refused are listed with how they
// ended and who asked, also when the group is gone. With 99 percent in reserve a cache.t3.small holds 14 MB, and a
// cache.t3.micro 5.
func TestOperations(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	call := func(nodeType string, nodes int) string {
		return d.write("main.tf", shopCall(
			line{"node_type", strconv.Quote(nodeType)}, line{"num_cache_nodes", strconv.Itoa(nodes)},
			line{"apply_immediately", "true"}, line{"maxmemory_policy", `"allkeys-lru"`},
			line{"parameters", `[{ name = "reserved-memory-percent", value = 99 }]`}))
	}
	seen := 0
	step := func(what string, do func(), want ...string) {
		t.Helper()
		do()
		var got []string
		d.eventually("after "+what+" all is over", func() bool {
			got = nil
			all := d.operations()
			for _, o := range all[min(seen, len(all)):] {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s>%s %s", o.Kind, o.From, o.To, o.Outcome)))
				if o.By != "arn:aws:iam::000000000000:user/larder" {
					t.Errorf("%s was asked for by %q", o.ID, o.By)
				}
			}
			for _, w := range want {
				if !slices.Contains(got, w) {
					return false
				}
			}
			return true
		})
		seen += len(got)
	}
	step("creation", func() { d.must("up", call("cache.t3.small", 2)) }, "create-group > succeeded")
	c := d.client(d.status(shop).Primary)
	for i := range 100 {
		d.check(c.Set(t.Context(), strconv.Itoa(i), strings.Repeat("v", 64<<10), 0).Err())
	}
	step("a refusal", func() {
		d.refused([]string{"up", call("cache.t3.micro", 2)}, "insufficient memory")
	}, "scale-node-type cache.t3.small>cache.t3.micro failed")
	step("a switchover", func() { d.must("failover", shop, "--to", shop+"-002") },
		"switchover "+shop+"-001>"+shop+"-002 succeeded")
	step("a snapshot", func() {
		group, name := shop, "kept"
		_, err := d.api().CreateSnapshot(t.Context(),
			&elasticache.CreateSnapshotInput{ReplicationGroupId: &group, SnapshotName: &name})
		d.check(err)
	}, "snapshot >kept succeeded")
	step("another replica", func() { d.must("up", call("cache.t3.small", 3)) }, "add-replicas 1>2 succeeded")
	d.check(d.client(d.status(shop).Primary).FlushAll(t.Context()).Err())
	step("a node type", func() { d.must("up", call("cache.t3.micro", 3)) },
		"scale-node-type cache.t3.small>cache.t3.micro succeeded")
	text := d.must("operations")
	for _, part := range []string{"OPERATION", shop + "/1", "create-group", "succeeded", "failed", "insufficient memory",
		"cache.t3.small → cache.t3.micro", "user/larder"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
	if one := d.must("operations", shop+"/1"); !strings.HasPrefix(one, shop+"/1  create-group  succeeded\n") {
		t.Errorf("of one it tells\n%s", one)
	}
	d.refused([]string{"operations", "nobody/1"}, "there is no operation nobody/1")
	step("deletion", func() { d.must("destroy", "--yes") }, "delete-group > succeeded")
}
