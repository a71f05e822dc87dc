package elasticache

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/audit"
	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

func (s *Service) createReplicationGroup(
	ctx context.Context, in *sdk.CreateReplicationGroupInput,
) (*sdk.CreateReplicationGroupOutput, error) {
	rg, err := s.requested(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.checkSnapshot(filter(in.SnapshotName)); err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if err := s.admit(tx, rg); err != nil {
			return err
		}
		if err := s.assign(tx, rg, in.PreferredCacheClusterAZs); err != nil {
			return err
		}
		if err := s.restoreFrom(tx, rg, filter(in.SnapshotName)); err != nil {
			return err
		}
		return state.PutGroup(tx, rg, s.origin(ctx))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateReplicationGroupOutput{ReplicationGroup: new(describeGroup(rg))}, nil
}

func (s *Service) describeReplicationGroups(
	_ context.Context, in *sdk.DescribeReplicationGroupsInput,
) (*sdk.DescribeReplicationGroupsOutput, error) {
	groups, err := s.replicationGroups(filter(in.ReplicationGroupId))
	if err != nil {
		return nil, err
	}
	groups, marker, err := page(groups, func(g cache.Topology) string { return g.ID }, in.MaxRecords, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeReplicationGroupsOutput{ReplicationGroups: []types.ReplicationGroup{}, Marker: marker}
	for _, g := range groups {
		out.ReplicationGroups = append(out.ReplicationGroups, describeGroup(g))
	}
	return out, nil
}

// replicationGroups reads the group of that id, or every one.
func (s *Service) replicationGroups(id string) (groups []cache.Topology, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		if id == "" {
			groups, err = state.Groups(tx)
			return err
		}
		g, err := replicationGroup(tx, id)
		groups = append(groups, g)
		return err
	})
	return groups, err
}

func replicationGroup(tx *store.Tx, id string) (cache.Topology, error) {
	g, err := state.Group(tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return g, replicationGroupNotFound(id)
	}
	return g, err
}

// deleteReplicationGroup has the engine take the group down, after a final snapshot where one is asked for. The group
// reads deleting from this answer on, not snapshotting: the SDK's waiter takes available for a failure, and Terraform's
// provider snapshotting.
func (s *Service) deleteReplicationGroup(
	ctx context.Context, in *sdk.DeleteReplicationGroupInput,
) (*sdk.DeleteReplicationGroupOutput, error) {
	id, err := reference("ReplicationGroupId", in.ReplicationGroupId)
	if err != nil {
		return nil, err
	}
	final := ""
	if in.FinalSnapshotIdentifier != nil {
		if final, err = identifier("FinalSnapshotIdentifier", in.FinalSnapshotIdentifier, maxSnapshotName); err != nil {
			return nil, err
		}
	}
	var rg cache.Topology
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) (err error) {
		rg, err = replicationGroup(tx, id)
		if store.IsUnreadable(err) {
			return store.Advise(err,
				"Its nodes go on as they are, and larder starts, moves and ends none of them: what they shall be "+
					"is unknown. "+
					"Put back a copy of larder.db; or copy the data that you need, end all nodes with `larder down`, "+
					"and begin anew")
		}
		if err != nil {
			return err
		}
		if rg.Status == cache.Deleting {
			return &types.InvalidReplicationGroupStateFault{Message: new(fmt.Sprintf(
				"Replication group %s has status %s which is not valid for deletion.", rg.ID, rg.Status))}
		}
		if rg.Status, err = cache.Transition(rg.Status, cache.DeleteAsked); err != nil {
			return &types.InvalidReplicationGroupStateFault{Message: new(err.Error())}
		}
		if final != "" {
			if _, err := s.beginSnapshot(tx, rg, cache.Backup{Name: final}, func(*cache.Snapshot) {}); err != nil {
				return err
			}
		}
		rg.Only().SetMemberStatus(cache.MemberDeleting)
		for _, m := range rg.Members() {
			if err := clusterTags.Delete(tx, m.ID); err != nil {
				return err
			}
		}
		return state.PutGroup(tx, rg, s.origin(ctx))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteReplicationGroupOutput{ReplicationGroup: new(describeGroup(rg))}, nil
}
