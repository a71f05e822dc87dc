package elasticache_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/cache"
	"larder/internal/servicetest"
)

func withFailover(in *sdk.CreateReplicationGroupInput) { in.AutomaticFailoverEnabled = new(true) }

func (s *server) testFailover(t *testing.T, id, shard string) error {
	t.Helper()
	_, err := s.TestFailover(t.Context(), &sdk.TestFailoverInput{ReplicationGroupId: &id, NodeGroupId: &shard})
	return err
}

func TestTestFailover(t *testing.T) {
	s := newServer(t)
	s.available(t, "mine", 3, withFailover)
	out, err := s.TestFailover(t.Context(),
		&sdk.TestFailoverInput{ReplicationGroupId: new("mine"), NodeGroupId: new("0001")})
	if err != nil {
		t.Fatal(err)
	}
	if got := *out.ReplicationGroup.Status; got != "available" { // as the service answers
		t.Errorf("the answer says %s", got)
	}
	g := s.group(t, "mine")
	if g.Status != cache.Modifying || g.Member("mine-001").Replacement != cache.FailedOver ||
		g.Only().Primary().ID != "mine-001" {
		t.Errorf("recorded: %+v", g)
	}
	events, err := s.DescribeEvents(t.Context(), &sdk.DescribeEventsInput{})
	if err != nil || len(events.Events) == 0 ||
		*events.Events[0].Message != "Test Failover API called for node group 0001" ||
		*events.Events[0].SourceIdentifier != "mine" {
		t.Errorf("the events are %+v, %v", events.Events, err)
	}
	servicetest.WantError(t, s.testFailover(t, "mine", "0001"), "InvalidReplicationGroupState",
		"Replication group must be in available state to modify.")
}

// untouched checks that something which is refused changes nothing that is stored, to the byte.
func (s *server) untouched(t *testing.T, refused func()) {
	t.Helper()
	before := must(os.ReadFile(s.file))(t)
	refused()
	if after := must(os.ReadFile(s.file))(t); !bytes.Equal(before, after) {
		t.Error("a refused call changed the store")
	}
}

func TestTestFailoverRefuses(t *testing.T) {
	s := newServer(t)
	s.available(t, "mine", 2, withFailover)
	s.available(t, "off", 2, nil)
	s.available(t, "alone", 1, nil)
	s.available(t, "moving", 2, withFailover)
	if err := s.testFailover(t, "moving", "0001"); err != nil {
		t.Fatal(err)
	}
	s.available(t, "behind", 2, withFailover)
	s.behind = "behind-002"
	for name, c := range map[string]struct{ id, shard, code, message string }{
		"unknown group": {"other", "0001", "ReplicationGroupNotFoundFault", "Replication group other not found."},
		"unknown shard": {"mine", "0002", "NodeGroupNotFoundFault", "Node group 0002 not found."},
		"no shard": {"mine", "", "InvalidParameterValue",
			"The parameter NodeGroupId must be provided and must not be blank."},
		"failover off": {"off", "0001", "TestFailoverNotAvailableFault",
			"Automatic failover is not enabled for replication group off."},
		"no replica": {"alone", "0001", "TestFailoverNotAvailableFault",
			"Replication group alone has no replica to fail over to."},
		"one goes on": {"moving", "0001", "InvalidReplicationGroupState",
			"Replication group must be in available state to modify."},
		"not in sync": {"behind", "0001", "TestFailoverNotAvailableFault",
			"Replication group behind has no replica that is in sync with its primary."},
	} {
		t.Run(name, func(t *testing.T) {
			s.untouched(t, func() { servicetest.WantError(t, s.testFailover(t, c.id, c.shard), c.code, c.message) })
		})
	}
}

// TestPromotionRefuses: a member's status is not what tells whether it can take over.
func TestPromotionRefuses(t *testing.T) {
	s := newServer(t)
	s.available(t, "mine", 3, nil)
	s.available(t, "other", 2, nil)
	s.available(t, "automatic", 2, withFailover)
	s.available(t, "moving", 2, nil)
	promote := func(group, member string) error {
		return s.modify(t, group, func(in *modify) { in.PrimaryClusterId, in.ApplyImmediately = &member, new(true) })
	}
	if err := promote("moving", "moving-002"); err != nil {
		t.Fatal(err)
	}
	s.update(t, "mine", func(g cache.Topology) { g.Member("mine-003").Status = cache.MemberModifying })
	s.behind = "mine-002"
	for name, c := range map[string]struct{ group, member, code, message string }{
		"unknown group":   {"none", "none-002", "ReplicationGroupNotFoundFault", "Replication group none not found."},
		"unknown node":    {"mine", "mine-009", "CacheClusterNotFound", "CacheCluster not found: mine-009"},
		"another group's": {"mine", "other-002", "CacheClusterNotFound", "CacheCluster not found: other-002"},
		"failover is on": {"automatic", "automatic-002", combination,
			"Cannot promote a replica while automatic failover is enabled: set AutomaticFailoverEnabled to " +
				"false first."},
		"one goes on": {"moving", "moving-001", "InvalidReplicationGroupState",
			"Replication group must be in available state to modify."},
		"not available": {"mine", "mine-003", "InvalidCacheClusterState",
			"The cache cluster mine-003 is not in the available state."},
		"not in sync": {"mine", "mine-002", "InvalidCacheClusterState",
			"The cache cluster mine-002 is not in sync with its primary."},
	} {
		t.Run(name, func(t *testing.T) {
			s.untouched(t, func() { servicetest.WantError(t, promote(c.group, c.member), c.code, c.message) })
		})
	}
	if err := promote("other", "other-001"); err != nil { // it is what was asked for
		t.Fatal(err)
	}
	if g := s.group(t, "other"); g.Only().Promote != "" || g.Only().Primary().ID != "other-001" {
		t.Errorf("the primary, asked to be it, is recorded as %+v", g)
	}
}

// TestTestFailoverHasALimit over the account, in a rolling day.
func TestTestFailoverHasALimit(t *testing.T) {
	s := newServer(t)
	s.available(t, "mine", 2, withFailover)
	s.available(t, "other", 2, withFailover)
	again := func(id string) error {
		s.update(t, id, func(g cache.Topology) { g.Only().Members[0].Replacement = "" })
		s.settled(t, id)
		return s.testFailover(t, id, "0001")
	}
	for range 15 {
		if err := again("mine"); err != nil {
			t.Fatal(err)
		}
	}
	const tooMany = "TestFailover was called for 15 node groups in the past 24 hours, which is as many as there may be."
	servicetest.WantError(t, again("other"), "TestFailoverNotAvailableFault", tooMany)
	s.now = s.now.Add(24*time.Hour + time.Second)
	if err := again("other"); err != nil {
		t.Error(err)
	}
}

func TestRebootCacheCluster(t *testing.T) {
	s := newServer(t)
	s.available(t, "mine", 2, nil)
	s.available(t, "busy", 2, nil)
	s.update(t, "busy", func(g cache.Topology) { g.Status = cache.Modifying })
	reboot := func(id string, nodes ...string) (*sdk.RebootCacheClusterOutput, error) {
		return s.RebootCacheCluster(t.Context(),
			&sdk.RebootCacheClusterInput{CacheClusterId: &id, CacheNodeIdsToReboot: nodes})
	}
	for name, c := range map[string]struct {
		id            string
		nodes         []string
		code, message string
	}{
		"unknown": {"mine-009", []string{"0001"}, "CacheClusterNotFound", "CacheCluster not found: mine-009"},
		"no such node": {"mine-001", []string{"0001", "0002"}, "InvalidParameterValue",
			"Invalid CacheNodeIdsToReboot [0001 0002]: cache cluster mine-001 has the node 0001."},
		"not available": {"busy-001", []string{"0001"}, "InvalidCacheClusterState",
			"Cache cluster busy-001 is not in the available state."},
	} {
		_, err := reboot(c.id, c.nodes...)
		t.Run(name, func(t *testing.T) { servicetest.WantError(t, err, c.code, c.message) })
	}
	out, err := reboot("mine-002", "0001")
	if err != nil {
		t.Fatal(err)
	}
	if c := out.CacheCluster; *c.CacheClusterStatus != "rebooting cluster nodes" ||
		*c.CacheNodes[0].CacheNodeStatus != "rebooting" {
		t.Errorf("the answer says %s, %+v", *c.CacheClusterStatus, c.CacheNodes)
	}
	if g := s.group(t, "mine"); g.Status != cache.Modifying || g.Member("mine-002").Replacement != cache.Rebooting ||
		g.Member("mine-001").Replacement != "" {
		t.Errorf("recorded: %+v", g)
	}
	_, err = reboot("mine-001", "0001")
	servicetest.WantError(t, err, "InvalidCacheClusterState", "Cache cluster mine-001 is not in the available state.")
}
