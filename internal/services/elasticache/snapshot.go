package elasticache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/audit"
	"larder/internal/cache"
	"larder/internal/caller"
	"larder/internal/catalog"
	"larder/internal/state"
	"larder/internal/store"
)

const (
	maxSnapshotName = 40
	// maxSnapshots is how many manual snapshots of one node may be taken in a day (limits.md, section 1).
	maxSnapshots = 20
	day          = 24 * time.Hour
)

func (s *Service) createSnapshot(ctx context.Context, in *sdk.CreateSnapshotInput) (*sdk.CreateSnapshotOutput, error) {
	name, err := identifier("SnapshotName", in.SnapshotName, maxSnapshotName)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	key := aws.ToString(in.KmsKeyId)
	if err := s.checkSealing(caller.Of(ctx), in, key); err != nil {
		return nil, err
	}
	var made cache.Snapshot
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		rg, member, err := source(tx, in.ReplicationGroupId, in.CacheClusterId)
		if err != nil {
			return err
		}
		if rg.Status, err = cache.Transition(rg.Status, cache.SnapshotAsked); err != nil {
			return &types.InvalidReplicationGroupStateFault{Message: new(err.Error())}
		}
		made, err = s.beginSnapshot(tx, rg, cache.Backup{Name: name, Member: member}, func(snapshot *cache.Snapshot) {
			if snapshot.Tags = tags; key != "" {
				snapshot.KMSKeyID = key
			}
		})
		return errors.Join(err, state.PutGroup(tx, rg, s.origin(ctx)))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateSnapshotOutput{Snapshot: new(describeSnapshot(made, false))}, nil
}

// checkSealing refuses a snapshot that could not be sealed: with a key of its own, or else with that of its group.
// Using a key may rotate it, so it runs in no transaction.
func (s *Service) checkSealing(by caller.Caller, in *sdk.CreateSnapshotInput, key string) error {
	if key == "" {
		err := s.Store.View(func(tx *store.Tx) error {
			rg, _, err := source(tx, in.ReplicationGroupId, in.CacheClusterId)
			if err == nil {
				key = rg.KMSKeyID
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if !s.hasKey(by, key) {
		return invalidKey(key)
	}
	return nil
}

// hasKey tells whether there is an enabled key that the caller may use; none is needed where id is empty.
func (s *Service) hasKey(by caller.Caller, id string) bool { return id == "" || s.Keys.HasKey(by, id) }

// source finds the group that a request names, and the cluster where it names one. With cluster mode off, either may be
// named.
func source(tx *store.Tx, groupID, clusterID *string) (rg cache.Topology, member string, err error) {
	group, member := filter(groupID), filter(clusterID)
	switch {
	case group == "" && member == "":
		return rg, "", invalidCombination("One of ReplicationGroupId and CacheClusterId must be provided.")
	case group != "" && member != "":
		return rg, "", invalidCombination("Cannot specify both ReplicationGroupId and CacheClusterId.")
	case group != "":
		rg, err = replicationGroup(tx, group)
		return rg, "", err
	}
	groups, err := groupsWith(tx, member)
	if err != nil {
		return rg, "", err
	}
	if len(groups) == 0 {
		return rg, "", cacheClusterNotFound(member)
	}
	return groups[0], member, nil
}

// beginSnapshot records a snapshot that is to be taken of a group: of a member, or of the primary where none is named.
func (s *Service) beginSnapshot(tx *store.Tx, rg cache.Topology, b cache.Backup,
	change func(*cache.Snapshot)) (made cache.Snapshot, err error) {
	taken, err := state.Snapshots.Has(tx, b.Name)
	if err != nil {
		return made, err
	}
	if taken {
		return made, &types.SnapshotAlreadyExistsFault{Message: new(fmt.Sprintf("Snapshot %s already exists.", b.Name))}
	}
	all, err := state.Snapshots.List(tx)
	if err != nil {
		return made, err
	}
	of := rg.Member(b.Member)
	if of == nil {
		of = rg.Only().Primary()
	}
	made = cache.SnapshotOf(rg.Only(), *of)
	made.Name, made.ARN, made.Asked, made.ByGroup = b.Name, s.arn(snapshotResource, b.Name), s.Now(), b.Member == ""
	recent := 0
	for _, other := range all {
		if other.Member == made.Member && made.Asked.Sub(other.Asked) < day {
			recent++
		}
	}
	if recent >= maxSnapshots {
		return made, &types.SnapshotQuotaExceededFault{Message: new(fmt.Sprintf(
			"The maximum number of manual snapshots for this node taken within 24 hours has been reached its quota of %d",
			maxSnapshots))}
	}
	if made.VPCID, err = s.vpcOf(tx, rg.SubnetGroup); err != nil {
		return made, err
	}
	change(&made)
	rg.Snapshot = &b
	return made, state.Snapshots.Put(tx, b.Name, made)
}

// vpcOf is the network of a subnet group; that of a default group whose subnets were deleted is not known any more.
func (s *Service) vpcOf(tx *store.Tx, name string) (string, error) {
	g, err := s.subnetGroup(tx, name)
	if _, gone := errors.AsType[*types.CacheSubnetGroupNotFoundFault](err); gone {
		err = nil
	}
	return g.VPCID, err
}

func (s *Service) deleteSnapshot(ctx context.Context, in *sdk.DeleteSnapshotInput) (*sdk.DeleteSnapshotOutput, error) {
	name, err := reference("SnapshotName", in.SnapshotName)
	if err != nil {
		return nil, err
	}
	var deleted cache.Snapshot
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) (err error) {
		deleted, err = snapshot(tx, name)
		// The engine removes the files of what is being deleted, and nothing else can be done with it.
		if store.IsUnreadable(err) {
			deleted = cache.Snapshot{Name: name, ARN: s.arn(snapshotResource, name), Status: cache.SnapshotDeleting}
			return state.Snapshots.Put(tx, name, deleted)
		}
		if err != nil {
			return err
		}
		if err := deleted.Fire(cache.SnapshotDeleteAsked); err != nil {
			return &types.InvalidSnapshotStateFault{Message: new(err.Error())}
		}
		return state.Snapshots.Put(tx, name, deleted)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteSnapshotOutput{Snapshot: new(describeSnapshot(deleted, false))}, nil
}

func snapshot(tx *store.Tx, name string) (cache.Snapshot, error) {
	s, err := state.Snapshots.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		return s, &types.SnapshotNotFoundFault{Message: new(fmt.Sprintf("Snapshot %s not found.", name))}
	}
	return s, err
}

// checkSnapshot refuses a snapshot whose KMS key cannot be used, or whose file cannot be restored. It reads the file,
// and so runs in no transaction that changes something.
func (s *Service) checkSnapshot(name string) error {
	if name == "" {
		return nil
	}
	var from cache.Snapshot
	err := s.Store.View(func(tx *store.Tx) (err error) {
		from, err = snapshot(tx, name)
		return err
	})
	if err == nil {
		err = from.Fire(cache.RestoreAsked)
	}
	if err != nil {
		return nil // restoreFrom refuses it
	}
	if s.UnlockSnapshot != nil && s.UnlockSnapshot(from) != nil {
		return invalidKey(from.KMSKeyID)
	}
	if s.CheckSnapshot == nil {
		return nil
	}
	if err := s.CheckSnapshot(from); err != nil {
		return invalidValue("Cannot restore the snapshot %s: its file is gone or damaged. Choose another "+
			"snapshot. (%v)", name, err)
	}
	return nil
}

// restoreFrom has a new group begin with a snapshot's data.
func (s *Service) restoreFrom(tx *store.Tx, rg cache.Topology, name string) error {
	if name == "" {
		return nil
	}
	from, err := snapshot(tx, name)
	if err != nil {
		return err
	}
	if catalog.CompareVersions(catalog.Minor(rg.EngineVersion), catalog.Minor(from.EngineVersion)) < 0 {
		return invalidCombination("Cannot restore the snapshot %s of redis %s with redis %s: choose an EngineVersion that "+
			"is not older.",
			name, from.EngineVersion, rg.EngineVersion)
	}
	if !from.RestorableBy(rg.EngineVersion, rg.Server()) {
		release, err := s.releaseFor(catalog.Minor(rg.EngineVersion), from.Server())
		if err != nil {
			return err
		}
		rg.SetRelease(release)
	}
	if err := from.Fire(cache.RestoreAsked); err != nil {
		return invalidValue("%s", err)
	}
	rg.Restore = name
	return state.Snapshots.Put(tx, name, from)
}
