package elasticache_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
)

// operations are those of a group, the newest first.
func (s *server) operations(t *testing.T, group string) (all []state.Progress) {
	t.Helper()
	err := s.Store.View(func(tx *store.Tx) (err error) {
		all, err = state.Operations(tx, group, func(string) *operation.Copy { return nil })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// open are a group's open operations, as what and from what to what.
func (s *server) open(t *testing.T, group string) (open []string) {
	t.Helper()
	for _, o := range s.operations(t, group) {
		if !o.Open() {
			continue
		}
		open = append(open, strings.TrimSpace(fmt.Sprintf("%s %s>%s %s", o.Kind, o.From, o.To, strings.Join(o.Members, " "))))
		if want := "arn:aws:iam::" + account + ":user/larder"; o.By != want || !o.Began.Equal(s.now) {
			t.Errorf("%s was asked for by %q at %s", o.ID(), o.By, o.Began)
		}
	}
	slices.Sort(open)
	return open
}

// finished records what the engine would when all that was asked for of a group is done.
func (s *server) finished(t *testing.T, id string) {
	t.Helper()
	if b := s.group(t, id).Snapshot; b != nil {
		s.change(t, func(tx *store.Tx) error {
			return state.Snapshots.Put(tx, b.Name, cache.Snapshot{Name: b.Name, Status: cache.SnapshotAvailable})
		})
	}
	s.update(t, id, func(g cache.Topology) {
		shard := g.Only()
		g.Scaling, g.ScaledFrom, g.TransitBefore, g.Snapshot, g.Restore = "", "", nil, nil, ""
		if shard.Promote != "" {
			shard.SetPrimary(shard.Promote)
			shard.Promote = ""
		}
		shard.Members = slices.DeleteFunc(shard.Members, func(m cache.Member) bool { return m.Removing })
		for i := range shard.Members {
			shard.Members[i].Replacement = ""
		}
	})
	s.settled(t, id)
}

// TestEveryRequestIsAnOperation, of whoever signed it, in the request's own transaction, and ends when the group is as
// asked for.
func TestEveryRequestIsAnOperation(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	must(s.CreateCacheParameterGroup(t.Context(), &sdk.CreateCacheParameterGroupInput{
		CacheParameterGroupName: new("own"), CacheParameterGroupFamily: new("redis7"), Description: new("d"),
	}))(t)
	modify := func(change func(*sdk.ModifyReplicationGroupInput)) func(*sdk.Client) error {
		in := &sdk.ModifyReplicationGroupInput{ReplicationGroupId: new("mine"), ApplyImmediately: new(true)}
		change(in)
		return func(c *sdk.Client) error { _, err := c.ModifyReplicationGroup(t.Context(), in); return err }
	}
	for _, c := range []struct {
		ask  func(*sdk.Client) error
		want []string
	}{
		{func(c *sdk.Client) error {
			in := minimal("mine")
			in.NumCacheClusters, in.TransitEncryptionEnabled, in.AuthToken = new(int32(2)), new(true), new(authToken)
			in.EngineVersion = new("7.0")
			_, err := c.CreateReplicationGroup(t.Context(), in)
			return err
		}, []string{"create-group >"}},
		{modify(func(in *modifyInput) { in.CacheNodeType = new("cache.r6g.large") }),
			[]string{"scale-node-type cache.t3.micro>cache.r6g.large"}},
		{modify(func(in *modifyInput) { in.EngineVersion = new("7.1") }), []string{"upgrade-engine 7.0.15>7.1.0"}},
		{modify(func(in *modifyInput) {
			in.AuthToken, in.AuthTokenUpdateStrategy = new(authToken+"2"), types.AuthTokenUpdateStrategyTypeRotate
		}), []string{"change-token >"}},
		{modify(func(in *modifyInput) { in.CacheParameterGroupName = new("own") }),
			[]string{"change-parameters default.redis7>own"}},
		{modify(func(in *modifyInput) {
			in.ReplicationGroupDescription, in.SnapshotWindow = new("other"), new("01:00-02:00")
		}), []string{"modify >description, snapshot window"}},
		{modify(func(*modifyInput) {}), []string{"modify >nothing"}},
		{modify(func(in *modifyInput) { in.PrimaryClusterId = new("mine-002") }),
			[]string{"switchover mine-001>mine-002 mine-002"}},
		{modify(func(in *modifyInput) { in.AutomaticFailoverEnabled, in.MultiAZEnabled = new(true), new(true) }),
			[]string{"set-failover off>on", "set-multi-az off>on"}},
		{func(c *sdk.Client) error {
			_, err := c.IncreaseReplicaCount(t.Context(), &sdk.IncreaseReplicaCountInput{
				ReplicationGroupId: new("mine"), NewReplicaCount: new(int32(3)), ApplyImmediately: new(true)})
			return err
		}, []string{"add-replicas 1>3 mine-003 mine-004"}},
		{func(c *sdk.Client) error {
			_, err := c.DecreaseReplicaCount(t.Context(), &sdk.DecreaseReplicaCountInput{
				ReplicationGroupId: new("mine"), NewReplicaCount: new(int32(2)), ApplyImmediately: new(true)})
			return err
		}, []string{"remove-replicas 3>2 mine-004"}},
		{func(c *sdk.Client) error {
			_, err := c.TestFailover(t.Context(), &sdk.TestFailoverInput{
				ReplicationGroupId: new("mine"), NodeGroupId: new("0001")})
			return err
		}, []string{"test-failover > mine-002"}},
		{func(c *sdk.Client) error {
			_, err := c.RebootCacheCluster(t.Context(), &sdk.RebootCacheClusterInput{
				CacheClusterId: new("mine-001"), CacheNodeIdsToReboot: []string{"0001"}})
			return err
		}, []string{"reboot > mine-001"}},
		{func(c *sdk.Client) error {
			_, err := c.CreateSnapshot(t.Context(), &sdk.CreateSnapshotInput{
				ReplicationGroupId: new("mine"), SnapshotName: new("kept")})
			return err
		}, []string{"snapshot >kept"}},
		{func(c *sdk.Client) error {
			_, err := c.DeleteReplicationGroup(t.Context(), &sdk.DeleteReplicationGroupInput{
				ReplicationGroupId: new("mine"), FinalSnapshotIdentifier: new("last")})
			return err
		}, []string{"delete-group >", "snapshot >last"}},
	} {
		before := len(s.operations(t, "mine"))
		if err := c.ask(s.Client); err != nil {
			t.Fatalf("%v: %v", c.want, err)
		}
		if got := s.open(t, "mine"); !slices.Equal(got, c.want) {
			t.Errorf("open are %q, want %q", got, c.want)
		}
		if s.group(t, "mine").Status != cache.Deleting {
			s.finished(t, "mine")
		} else {
			s.forget(t, "mine")
		}
		all := s.operations(t, "mine")
		for _, o := range all[:len(all)-before] {
			if final := o.To == "last"; o.Operation.Outcome != operation.Succeeded && !final {
				t.Errorf("%s %s %q: %s", o.ID(), o.Kind, o.Operation.Outcome, o.Operation.Reason)
			}
		}
	}
}

// TestWhatIsWithdrawnIsSuperseded: a change that waits for the maintenance window ends when another value is asked for,
// or the one that the group has. Applied with something else at once, it goes on.
func TestWhatIsWithdrawnIsSuperseded(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.available(t, "mine", 2, nil)
	for _, c := range []struct {
		nodeType  string
		at        bool
		open, was string
	}{
		{"cache.r6g.large", false, "scale-node-type cache.t3.micro>cache.r6g.large", ""},
		{"cache.r6g.xlarge", false, "scale-node-type cache.t3.micro>cache.r6g.xlarge", "cache.r6g.large"},
		{"cache.t3.micro", false, "modify >what waited", "cache.r6g.xlarge"},
		{"cache.m6g.large", false, "scale-node-type cache.t3.micro>cache.m6g.large", ""},
		{"", true, "scale-node-type cache.t3.micro>cache.m6g.large", ""},
	} {
		err := s.modify(t, "mine", func(in *modifyInput) {
			if in.ApplyImmediately = &c.at; c.nodeType != "" {
				in.CacheNodeType = &c.nodeType
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.open(t, "mine"); !slices.Equal(got, []string{c.open}) {
			t.Errorf("after %s: open are %q", c.nodeType, got)
		}
		ended := slices.IndexFunc(s.operations(t, "mine"), func(o state.Progress) bool {
			return o.To == c.was && o.Operation.Outcome == operation.Superseded
		})
		if c.was != "" && ended < 0 {
			t.Errorf("%s is not superseded by %s: %+v", c.was, c.nodeType, s.operations(t, "mine"))
		}
		if !c.at {
			s.settle(t, "mine")
		}
	}
}
