package cli

import (
	"errors"
	"strings"
	"testing"

	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

func TestAdvice(t *testing.T) {
	group := func(change func(*ectypes.ReplicationGroup)) ectypes.ReplicationGroup {
		g := ectypes.ReplicationGroup{
			ReplicationGroupId: new("shop"), Status: new("available"), MemberClusters: []string{"shop-001", "shop-002"},
			AutomaticFailover: ectypes.AutomaticFailoverStatusEnabled,
			NodeGroups:        []ectypes.NodeGroup{{NodeGroupId: new("0001")}},
		}
		change(&g)
		return g
	}
	healthy := func(*ectypes.ReplicationGroup) {}
	barred := &ectypes.TestFailoverNotAvailableFault{Message: new("not now")}
	for name, c := range map[string]struct {
		err   error
		group ectypes.ReplicationGroup
		next  string
	}{
		"unknown shard":  {&ectypes.NodeGroupNotFoundFault{}, group(healthy), "its node groups: 0001"},
		"unknown member": {&ectypes.CacheClusterNotFoundFault{}, group(healthy), "its members: shop-001, shop-002"},
		"being modified": {&ectypes.InvalidReplicationGroupStateFault{},
			group(func(g *ectypes.ReplicationGroup) { g.Status = new("modifying") }), "larder status --watch shop"},
		"alone": {barred, group(func(g *ectypes.ReplicationGroup) { g.MemberClusters = g.MemberClusters[:1] }),
			"increase-replica-count --replication-group-id shop --new-replica-count 1"},
		"failover off": {barred,
			group(func(g *ectypes.ReplicationGroup) { g.AutomaticFailover = ectypes.AutomaticFailoverStatusDisabled }),
			"larder failover shop --to MEMBER"},
		"limit": {&ectypes.APICallRateForCustomerExceededFault{}, group(healthy),
			"larder failover shop --to MEMBER"},
		"barred": {barred, group(healthy), "larder failover shop --to MEMBER"},
	} {
		t.Run(name, func(t *testing.T) {
			got := advised(c.err, c.group)
			if got == nil || !strings.Contains(got.Error(), c.next) ||
				!strings.HasPrefix(got.Error(), plain(c.err)+"\nnext: ") {
				t.Errorf("got %v, want the refusal and %q", got, c.next)
			}
		})
	}
	if err := errors.New("a dark disk"); advised(err, group(healthy)) != err {
		t.Error("a failure without remedy was changed")
	}
	if advised(nil, group(healthy)) != nil {
		t.Error("success became an error")
	}
}
