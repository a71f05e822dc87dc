package elasticache_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"
)

// deferrable is what the API says of what can wait for the maintenance window, and of what waits.
type deferrable struct {
	NodeType, PendingNodeType, ParameterGroup string
	Failover                                  types.AutomaticFailoverStatus
	MultiAZ                                   types.MultiAZStatus
	PendingFailover                           types.PendingAutomaticFailoverStatus
	PendingPrimary                            string
}

func (s *server) deferrable(t *testing.T, id string) deferrable {
	t.Helper()
	groups := must(s.DescribeReplicationGroups(t.Context(),
		&sdk.DescribeReplicationGroupsInput{ReplicationGroupId: &id}))(t)
	g := groups.ReplicationGroups[0]
	clusters := must(s.DescribeCacheClusters(t.Context(),
		&sdk.DescribeCacheClustersInput{CacheClusterId: &g.MemberClusters[0]}))(t)
	c := clusters.CacheClusters[0]
	return deferrable{
		NodeType: *g.CacheNodeType, PendingNodeType: text(c.PendingModifiedValues.CacheNodeType),
		ParameterGroup: *c.CacheParameterGroup.CacheParameterGroupName,
		Failover:       g.AutomaticFailover, MultiAZ: g.MultiAZ,
		PendingFailover: g.PendingModifiedValues.AutomaticFailoverStatus,
		PendingPrimary:  text(g.PendingModifiedValues.PrimaryClusterId),
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// TestWhatWaitsForTheMaintenanceWindow: without ApplyImmediately these changes wait, and the API tells the old values
// until they are made, together.
func TestWhatWaitsForTheMaintenanceWindow(t *testing.T) {
	s := newServer(t)
	s.available(t, "mine", 2, nil)
	must(s.CreateCacheParameterGroup(t.Context(), &sdk.CreateCacheParameterGroupInput{
		CacheParameterGroupName: new("own"), CacheParameterGroupFamily: new("redis7"), Description: new("d"),
	}))(t)
	want := s.deferrable(t, "mine")
	check := func(when string) {
		t.Helper()
		s.settle(t, "mine")
		if diff := cmp.Diff(want, s.deferrable(t, "mine")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	for _, step := range []struct {
		change func(*modify)
		then   func()
	}{
		{func(in *modify) { in.AutomaticFailoverEnabled, in.MultiAZEnabled = new(true), new(true) },
			func() { want.PendingFailover = "enabled" }},
		{func(in *modify) { in.CacheNodeType = new("cache.r6g.xlarge") },
			func() { want.PendingNodeType = "cache.r6g.xlarge" }},
		{func(in *modify) { in.CacheParameterGroupName = new("own") }, func() {}},
	} {
		if err := s.modify(t, "mine", step.change); err != nil {
			t.Fatal(err)
		}
		step.then()
		check("while it waits")
	}
	if _, err := s.DeleteCacheParameterGroup(t.Context(),
		&sdk.DeleteCacheParameterGroupInput{CacheParameterGroupName: new("own")}); err == nil {
		t.Error("a parameter group that a group will have is deleted")
	}
	_, err := s.DecreaseReplicaCount(t.Context(), &sdk.DecreaseReplicaCountInput{
		ReplicationGroupId: new("mine"), NewReplicaCount: new(int32(0)), ApplyImmediately: new(true)})
	if err == nil {
		t.Error("the last replica goes though failover will be on")
	}
	if err := s.modify(t, "mine", func(in *modify) { in.ApplyImmediately = new(true) }); err != nil {
		t.Fatal(err)
	}
	want.NodeType, want.PendingNodeType, want.ParameterGroup = "cache.r6g.xlarge", "", "own"
	want.Failover, want.PendingFailover, want.MultiAZ = "enabled", "", "enabled"
	check("when it is applied")
	for _, off := range []bool{false, true} { // what is set back waits no longer
		if err := s.modify(t, "mine", func(in *modify) {
			in.AutomaticFailoverEnabled, in.MultiAZEnabled = &off, &off
		}); err != nil {
			t.Fatal(err)
		}
		if want.PendingFailover = "disabled"; off {
			want.PendingFailover = ""
		}
		check("when failover is asked to be " + string(want.PendingFailover))
	}
}

// TestAPromotionWaitsForTheMaintenanceWindow: PendingModifiedValues names the member.
func TestAPromotionWaitsForTheMaintenanceWindow(t *testing.T) {
	s := newServer(t)
	s.available(t, "mine", 2, nil)
	if err := s.modify(t, "mine", func(in *modify) { in.PrimaryClusterId = new("mine-002") }); err != nil {
		t.Fatal(err)
	}
	s.settle(t, "mine")
	g := s.group(t, "mine")
	if got := s.deferrable(t, "mine").PendingPrimary; got != "mine-002" || g.Only().Promote != "" {
		t.Errorf("pending is %q, asked of the engine %q", got, g.Only().Promote)
	}
	g.Only().Apply(*g.Deferred) // in the window
	if g.Only().Promote != "mine-002" || g.Deferred != nil {
		t.Errorf("in the window %q is promoted, and %v waits", g.Only().Promote, g.Deferred)
	}
}
