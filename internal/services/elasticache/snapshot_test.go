package elasticache_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"larder/internal/cache"
	"larder/internal/caller"
	"larder/internal/services/elasticache"
	"larder/internal/servicetest"
	"larder/internal/state"
	"larder/internal/store"
)

func (s *server) takeSnapshot(t *testing.T, in *sdk.CreateSnapshotInput) types.Snapshot {
	t.Helper()
	return *must(s.CreateSnapshot(t.Context(), in))(t).Snapshot
}

// taken does what the engine does when a snapshot is there.
func (s *server) taken(t *testing.T, group, name string) {
	t.Helper()
	s.update(t, group, func(g cache.Topology) { g.Status, g.Snapshot = cache.Available, nil })
	s.changeSnapshot(t, name, func(sn *cache.Snapshot) {
		sn.Status, sn.Taken, sn.CacheSize = cache.SnapshotAvailable, s.now, 3<<20+1000
	})
}

func (s *server) changeSnapshot(t *testing.T, name string, change func(*cache.Snapshot)) {
	t.Helper()
	s.change(t, func(tx *store.Tx) error {
		sn, err := state.Snapshots.Get(tx, name)
		if err != nil {
			return err
		}
		change(&sn)
		return state.Snapshots.Put(tx, name, sn)
	})
}

func (s *server) snapshots(t *testing.T, in *sdk.DescribeSnapshotsInput) []types.Snapshot {
	t.Helper()
	return must(s.DescribeSnapshots(t.Context(), in))(t).Snapshots
}

func compareSnapshots(t *testing.T, when string, got, want types.Snapshot) {
	t.Helper()
	ignore := cmpopts.IgnoreUnexported(types.Snapshot{}, types.NodeSnapshot{}, types.NodeGroupConfiguration{})
	if diff := cmp.Diff(want, got, ignore, equateEmpty); diff != "" {
		t.Errorf("%s: -want +got\n%s", when, diff)
	}
}

func TestSnapshotLife(t *testing.T) {
	s := newServer(t)
	s.prepare(t)
	s.create(t, full("my-redis"))
	want := types.Snapshot{
		SnapshotName: new("nightly"), ARN: new("arn:aws:elasticache:us-east-1:123456789012:snapshot:nightly"),
		SnapshotStatus: new("creating"), SnapshotSource: new("manual"),
		KmsKeyId:       new("arn:aws:kms:us-east-1:123456789012:key/1"),
		CacheClusterId: new("my-redis-001"), CacheClusterCreateTime: &s.now, CacheNodeType: new("cache.t3.micro"),
		NumCacheNodes: new(int32(1)),
		Engine:        new("redis"), EngineVersion: new("7.0.15"), Port: new(int32(6380)),
		PreferredAvailabilityZone:  new("us-east-1c"),
		PreferredMaintenanceWindow: new("sun:05:00-sun:06:00"), SnapshotWindow: new("02:00-03:00"),
		SnapshotRetentionLimit:  new(int32(7)),
		CacheParameterGroupName: new("tuned"), CacheSubnetGroupName: new("data"), VpcId: new("vpc-1"),
		TopicArn: new("arn:aws:sns:us-east-1:123456789012:alerts"), AutoMinorVersionUpgrade: new(false),
		DataTiering: types.DataTieringStatusDisabled,
		NodeSnapshots: []types.NodeSnapshot{{CacheNodeId: new("0001"), CacheNodeCreateTime: &s.now,
			CacheSize: new("")}},
	}
	made := s.takeSnapshot(t, &sdk.CreateSnapshotInput{
		SnapshotName: new("Nightly"), ReplicationGroupId: new("my-redis"),
		Tags: []types.Tag{{Key: new("team"), Value: new("payments")}},
	})
	compareSnapshots(t, "created", made, want)
	if g := s.describe(t, "my-redis"); *g.Status != "snapshotting" || *g.NodeGroups[0].Status != "available" {
		t.Errorf("the group is %s", *g.Status)
	}
	if a, b := *s.cluster(t, "my-redis-001").CacheClusterStatus, *s.cluster(t,
		"my-redis-002").CacheClusterStatus; a != "snapshotting" || b != "available" {
		t.Errorf("the clusters are %s and %s", a, b)
	}
	if b := s.group(t, "my-redis").Snapshot; b == nil || *b != (cache.Backup{Name: "nightly"}) {
		t.Errorf("the engine is asked for %v", b)
	}
	s.wantTags(t, *made.ARN, "team=payments")

	s.taken(t, "my-redis", "nightly")
	want.SnapshotStatus = new("available")
	want.NodeSnapshots[0].SnapshotCreateTime, want.NodeSnapshots[0].CacheSize = &s.now, new("3 MB")
	compareSnapshots(t, "available", s.snapshots(t, &sdk.DescribeSnapshotsInput{SnapshotName: new("NIGHTLY")})[0], want)
	want.NodeSnapshots[0].NodeGroupConfiguration = &types.NodeGroupConfiguration{
		NodeGroupId: new("0001"), PrimaryAvailabilityZone: new("us-east-1c"), ReplicaCount: new(int32(2)),
		ReplicaAvailabilityZones: []string{"us-east-1a", "us-east-1c"},
	}
	compareSnapshots(t, "with its shard",
		s.snapshots(t, &sdk.DescribeSnapshotsInput{ShowNodeGroupConfig: new(true)})[0], want)

	deleted := must(s.DeleteSnapshot(t.Context(), &sdk.DeleteSnapshotInput{SnapshotName: new("nightly")}))(t)
	want.SnapshotStatus, want.NodeSnapshots[0].NodeGroupConfiguration = new("deleting"), nil
	compareSnapshots(t, "deleted", *deleted.Snapshot, want)
}

func TestSnapshotOfACluster(t *testing.T) {
	s := newServer(t)
	s.prepare(t)
	s.create(t, full("my-redis"))
	made := s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: new("one"), CacheClusterId: new("My-Redis-002")})
	if *made.CacheClusterId != "my-redis-002" || *made.PreferredAvailabilityZone != "us-east-1a" {
		t.Errorf("got %+v", made)
	}
	if b := s.group(t, "my-redis").Snapshot; b == nil || b.Member != "my-redis-002" {
		t.Errorf("the engine is asked for %v", b)
	}
	if a, b := *s.cluster(t, "my-redis-001").CacheClusterStatus, *s.cluster(t,
		"my-redis-002").CacheClusterStatus; a != "available" || b != "snapshotting" {
		t.Errorf("the clusters are %s and %s", a, b)
	}
}

func TestSnapshotFiltersAndPages(t *testing.T) {
	s := newServer(t)
	s.create(t, minimal("a"))
	s.create(t, minimal("b"))
	for n := range 53 {
		group := []string{"a", "b"}[n%2]
		s.now = s.now.Add(3 * time.Hour)
		name := fmt.Sprintf("s-%02d", n)
		s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: &name, ReplicationGroupId: &group})
		s.taken(t, group, name)
	}
	for name, c := range map[string]struct {
		in   sdk.DescribeSnapshotsInput
		want int
	}{
		"all, a page":      {sdk.DescribeSnapshotsInput{}, 50},
		"a small page":     {sdk.DescribeSnapshotsInput{MaxRecords: new(int32(20))}, 20},
		"of a group":       {sdk.DescribeSnapshotsInput{ReplicationGroupId: new("A")}, 27},
		"of a cluster":     {sdk.DescribeSnapshotsInput{CacheClusterId: new("b-001")}, 26},
		"of neither":       {sdk.DescribeSnapshotsInput{ReplicationGroupId: new("a"), CacheClusterId: new("b-001")}, 0},
		"manual ones":      {sdk.DescribeSnapshotsInput{SnapshotSource: new("user"), ReplicationGroupId: new("b")}, 26},
		"automatic ones":   {sdk.DescribeSnapshotsInput{SnapshotSource: new("system")}, 0},
		"of one gone":      {sdk.DescribeSnapshotsInput{ReplicationGroupId: new("gone")}, 0},
		"one of its group": {sdk.DescribeSnapshotsInput{SnapshotName: new("s-01"), ReplicationGroupId: new("b")}, 1},
	} {
		if got := s.snapshots(t, &c.in); len(got) != c.want {
			t.Errorf("%s: %d snapshots, want %d", name, len(got), c.want)
		}
	}
	first := must(s.DescribeSnapshots(t.Context(), &sdk.DescribeSnapshotsInput{}))(t)
	rest := s.snapshots(t, &sdk.DescribeSnapshotsInput{Marker: first.Marker})
	if len(rest) != 3 || *rest[0].SnapshotName != "s-50" {
		t.Errorf("the second page has %d", len(rest))
	}
	for in, message := range map[*sdk.DescribeSnapshotsInput]string{
		{MaxRecords: new(int32(51))}:       "Invalid value 51 for MaxRecords. Must be between 20 and 50",
		{SnapshotSource: new("automated")}: "Invalid value automated for SnapshotSource. Must be one of [user system]",
	} {
		_, err := s.DescribeSnapshots(t.Context(), in)
		servicetest.WantError(t, err, value, message)
	}
	_, err := s.DescribeSnapshots(t.Context(), &sdk.DescribeSnapshotsInput{SnapshotName: new("other")})
	servicetest.WantError(t, err, "SnapshotNotFoundFault", "Snapshot other not found.")
}

func TestCreateSnapshotRefusals(t *testing.T) {
	s := newServer(t)
	s.create(t, minimal("g"))
	s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: new("taken"), ReplicationGroupId: new("g")})
	s.taken(t, "g", "taken")
	s.create(t, minimal("busy"))
	s.update(t, "busy", func(g cache.Topology) { g.Status = cache.Modifying })
	type input = sdk.CreateSnapshotInput
	for name, c := range map[string]struct {
		in            input
		code, message string
	}{
		"no name": {input{SnapshotName: new(""), ReplicationGroupId: new("g")}, value,
			"The parameter SnapshotName must be provided and must not be blank."},
		"long name": {input{SnapshotName: new(strings.Repeat("a", 41))}, value,
			"The parameter SnapshotName should be no more than 40 characters."},
		"no source": {input{SnapshotName: new("s")}, combination,
			"One of ReplicationGroupId and CacheClusterId must be provided."},
		"two sources": {input{SnapshotName: new("s"), ReplicationGroupId: new("g"), CacheClusterId: new("g-001")},
			combination, "Cannot specify both ReplicationGroupId and CacheClusterId."},
		"name taken": {input{SnapshotName: new("Taken"), ReplicationGroupId: new("g")}, "SnapshotAlreadyExistsFault",
			"Snapshot taken already exists."},
		"no such group": {input{SnapshotName: new("s"), ReplicationGroupId: new("x")}, "ReplicationGroupNotFoundFault",
			"Replication group x not found."},
		"no cluster": {input{SnapshotName: new("s"), CacheClusterId: new("g-002")}, "CacheClusterNotFound",
			"CacheCluster not found: g-002"},
		"busy": {input{SnapshotName: new("s"), ReplicationGroupId: new("busy")},
			"InvalidReplicationGroupState", "Replication group must be in available state to create a snapshot."},
		"no such key": {input{SnapshotName: new("s"), ReplicationGroupId: new("g"), KmsKeyId: new("key/2")},
			"InvalidKMSKeyFault", "The KMS key key/2 does not exist, or is not enabled."},
		"a bad tag": {input{
			SnapshotName: new("s"), ReplicationGroupId: new("g"), Tags: []types.Tag{{Key: new("")}},
		}, value,
			`The tag key "" must have 1 to 128 characters.`},
	} {
		_, err := s.CreateSnapshot(t.Context(), &c.in)
		t.Run(name, func(t *testing.T) { servicetest.WantError(t, err, c.code, c.message) })
	}
	if g := s.group(t, "g"); g.Status != cache.Available || g.Snapshot != nil {
		t.Errorf("the refusals left the group %s with %v", g.Status, g.Snapshot)
	}
}

func TestSnapshotQuota(t *testing.T) {
	s := newServer(t)
	s.create(t, minimal("g"))
	take := func(name string) error {
		_, err := s.CreateSnapshot(t.Context(),
			&sdk.CreateSnapshotInput{SnapshotName: &name, ReplicationGroupId: new("g")})
		return err
	}
	for n := range 20 {
		if err := take(fmt.Sprint("s-", n)); err != nil {
			t.Fatal(err)
		}
		s.taken(t, "g", fmt.Sprint("s-", n))
	}
	const text = "The maximum number of manual snapshots for this node taken within 24 hours has been reached its " +
		"quota of 20"
	servicetest.WantError(t, take("more"), "SnapshotQuotaExceededFault", text)
	_, err := s.DeleteReplicationGroup(t.Context(),
		&sdk.DeleteReplicationGroupInput{ReplicationGroupId: new("g"), FinalSnapshotIdentifier: new("more")})
	servicetest.WantError(t, err, "SnapshotQuotaExceededFault", text)
	s.now = s.now.Add(24 * time.Hour)
	if err := take("more"); err != nil {
		t.Errorf("a day later: %v", err)
	}
}

func TestDeleteSnapshotRefusals(t *testing.T) {
	s := newServer(t)
	s.create(t, minimal("g"))
	s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: new("s"), ReplicationGroupId: new("g")})
	remove := func(name string) error {
		_, err := s.DeleteSnapshot(t.Context(), &sdk.DeleteSnapshotInput{SnapshotName: &name})
		return err
	}
	servicetest.WantError(t, remove("other"), "SnapshotNotFoundFault", "Snapshot other not found.")
	servicetest.WantError(t, remove(""), value, "The parameter SnapshotName must be provided and must not be blank.")
	for _, status := range cache.SnapshotStatuses {
		var refusal error
		s.changeSnapshot(t, "s", func(sn *cache.Snapshot) {
			sn.Status = status
			probe := *sn
			refusal = probe.Fire(cache.SnapshotDeleteAsked)
		})
		err := remove("s")
		if refusal == nil && err != nil {
			t.Errorf("while %s: %v", status, err)
		}
		if refusal != nil {
			servicetest.WantError(t, err, "InvalidSnapshotState", refusal.Error())
		}
	}
}

func TestDeleteWithAFinalSnapshot(t *testing.T) {
	s := newServer(t)
	s.create(t, minimal("g"))
	remove := func(final string) (*types.ReplicationGroup, error) {
		out, err := s.DeleteReplicationGroup(t.Context(),
			&sdk.DeleteReplicationGroupInput{ReplicationGroupId: new("g"), FinalSnapshotIdentifier: &final})
		if err != nil {
			return nil, err
		}
		return out.ReplicationGroup, nil
	}
	s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: new("taken"), ReplicationGroupId: new("g")})
	_, err := remove("last")
	servicetest.WantError(t, err, "InvalidReplicationGroupState",
		"Replication group is being backed up. Delete it when the snapshot is complete.")
	s.taken(t, "g", "taken")
	_, err = remove("taken")
	servicetest.WantError(t, err, "SnapshotAlreadyExistsFault", "Snapshot taken already exists.")
	_, err = remove("-")
	servicetest.WantError(t, err, value,
		"The parameter FinalSnapshotIdentifier is not a valid identifier. Identifiers must begin with a letter; "+
			"must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two "+
			"consecutive hyphens.")
	if g := s.group(t, "g"); g.Status != cache.Available {
		t.Errorf("the refusals left the group %s", g.Status)
	}
	g := must(remove("last"))(t)
	if *g.Status != "deleting" || *s.describe(t, "g").Status != "deleting" {
		t.Errorf("the group is %s", *g.Status)
	}
	last := s.snapshots(t, &sdk.DescribeSnapshotsInput{SnapshotName: new("last")})[0]
	if *last.SnapshotStatus != "creating" || *last.CacheClusterId != "g-001" {
		t.Errorf("got %+v", last)
	}
	if b := s.group(t, "g").Snapshot; b == nil || b.Name != "last" {
		t.Errorf("the engine is asked for %v", b)
	}
}

func TestRestoreRequests(t *testing.T) {
	s := newServer(t)
	s.create(t, minimal("g"))
	s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: new("s"), ReplicationGroupId: new("g")})
	restore := func(id, name, version string) error {
		in := minimal(id)
		in.SnapshotName, in.EngineVersion = &name, &version
		_, err := s.CreateReplicationGroup(t.Context(), in)
		return err
	}
	servicetest.WantError(t, restore("a", "other", "7.2"), "SnapshotNotFoundFault", "Snapshot other not found.")
	servicetest.WantError(t, restore("a", "s", "7.2"), value,
		"Snapshot s is in the creating state, in which this cannot be done.")
	s.taken(t, "g", "s")
	servicetest.WantError(t, restore("a", "s", "7.0"), combination,
		"Cannot restore the snapshot s of redis 7.2.4 with redis 7.0.15: choose an EngineVersion that is not older.")
	for _, id := range []string{"a", "b"} { // two at a time are fine
		if err := restore(id, "S", "7.2"); err != nil {
			t.Fatal(err)
		}
		if got := s.group(t, id).Restore; got != "s" {
			t.Errorf("%s is made of %q", id, got)
		}
	}
	if got := *s.snapshots(t,
		&sdk.DescribeSnapshotsInput{SnapshotName: new("s")})[0].SnapshotStatus; got != "restoring" {
		t.Errorf("the snapshot is %s", got)
	}
	_, err := s.DeleteSnapshot(t.Context(), &sdk.DeleteSnapshotInput{SnapshotName: new("s")})
	servicetest.WantError(t, err, "InvalidSnapshotState",
		"Snapshot s is in the restoring state, in which this cannot be done.")
}

// CopySnapshot is refused by name, as everything is that is not served.
func TestCopySnapshotIsRefusedByName(t *testing.T) {
	s := newServer(t)
	_, err := s.CopySnapshot(t.Context(),
		&sdk.CopySnapshotInput{SourceSnapshotName: new("a"), TargetSnapshotName: new("b")})
	servicetest.WantError(t, err, "InvalidAction",
		"larder does not serve elasticache:CopySnapshot; docs/COMPATIBILITY.md lists what it serves")
}

// oneKey is a KMS with one key, which can be disabled.
type oneKey struct{ disabled *atomic.Bool }

func (k oneKey) HasKey(_ caller.Caller, id string) bool {
	return id == knownKMSKey && !k.disabled.Load()
}

const knownKMSKey = "arn:aws:kms:us-east-1:123456789012:key/1"

// TestADisabledKeyTakesAndRestoresNoSnapshot: of a group whose KMS key cannot be used no snapshot is begun, and no
// group of its snapshots; nothing of either is left. With the key both go on.
func TestADisabledKeyTakesAndRestoresNoSnapshot(t *testing.T) {
	var disabled atomic.Bool
	s := newServer(t, func(c *elasticache.Config) {
		c.Keys = oneKey{&disabled}
		c.UnlockSnapshot = func(of cache.Snapshot) error {
			if of.KMSKeyID != "" && disabled.Load() {
				return errors.New("it is disabled")
			}
			return nil
		}
	})
	in := minimal("g")
	in.AtRestEncryptionEnabled, in.KmsKeyId = new(true), new(knownKMSKey)
	s.create(t, in)
	s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: new("first"), ReplicationGroupId: new("g")})
	s.taken(t, "g", "first")
	restored := minimal("a")
	restored.SnapshotName = new("first")
	text := "The KMS key " + knownKMSKey + " does not exist, or is not enabled."
	disabled.Store(true)
	_, err := s.CreateSnapshot(t.Context(),
		&sdk.CreateSnapshotInput{SnapshotName: new("second"), ReplicationGroupId: new("g")})
	servicetest.WantError(t, err, "InvalidKMSKeyFault", text)
	_, err = s.CreateReplicationGroup(t.Context(), restored)
	servicetest.WantError(t, err, "InvalidKMSKeyFault", text)
	if g := s.group(t, "g"); g.Status != cache.Available || g.Snapshot != nil {
		t.Errorf("the refusal left the group %s with %v", g.Status, g.Snapshot)
	}
	if got := *s.snapshots(t,
		&sdk.DescribeSnapshotsInput{SnapshotName: new("first")})[0].SnapshotStatus; got != "available" {
		t.Errorf("the snapshot is %s", got)
	}
	disabled.Store(false)
	s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: new("second"), ReplicationGroupId: new("g")})
	if _, err := s.CreateReplicationGroup(t.Context(), restored); err != nil {
		t.Error(err)
	}
}

// TestADamagedSnapshotIsNotRestored: it is refused with a sentence, nothing of the group is left, and others are
// restored.
func TestADamagedSnapshotIsNotRestored(t *testing.T) {
	s := newServer(t, func(c *elasticache.Config) {
		c.CheckSnapshot = func(s cache.Snapshot) error {
			if s.Name == "bad" {
				return errors.New("it was changed")
			}
			return nil
		}
	})
	s.create(t, minimal("g"))
	for _, name := range []string{"bad", "good"} {
		s.takeSnapshot(t, &sdk.CreateSnapshotInput{SnapshotName: &name, ReplicationGroupId: new("g")})
		s.taken(t, "g", name)
	}
	in := minimal("a")
	in.SnapshotName = new("bad")
	_, err := s.CreateReplicationGroup(t.Context(), in)
	servicetest.WantError(t, err, value,
		"Cannot restore the snapshot bad: its file is gone or damaged. Choose another snapshot. (it was changed)")
	if got := *s.snapshots(t,
		&sdk.DescribeSnapshotsInput{SnapshotName: new("bad")})[0].SnapshotStatus; got != "available" {
		t.Errorf("the snapshot is %s", got)
	}
	in.SnapshotName = new("good")
	if _, err := s.CreateReplicationGroup(t.Context(), in); err != nil {
		t.Error(err)
	}
}
