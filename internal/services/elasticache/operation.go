package elasticache

import (
	"context"
	"slices"
	"strings"

	"larder/internal/cache"
	"larder/internal/caller"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
)

// origin says who makes a request, and when.
func (s *Service) origin(ctx context.Context) operation.Origin {
	return operation.Origin{By: caller.Of(ctx).Name(), At: s.Now()}
}

// begin records operations that a group's records do not show.
func (s *Service) begin(ctx context.Context, tx *store.Tx, asked []operation.Operation) error {
	for _, o := range asked {
		if err := state.BeginOperation(tx, o, s.origin(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// changedSettings names what a modification changes of a group that its nodes have nothing to do with.
func changedSettings(before, after cache.Topology) string {
	var changed []string
	for _, c := range []struct {
		what string
		same bool
	}{
		{"description", before.Description == after.Description},
		{"maintenance window", before.MaintenanceWindow == after.MaintenanceWindow},
		{"snapshot window", before.SnapshotWindow == after.SnapshotWindow},
		{"snapshot retention", before.SnapshotRetentionLimit == after.SnapshotRetentionLimit &&
			before.SnapshottingCluster == after.SnapshottingCluster},
		{"security groups", slices.Equal(before.SecurityGroupIDs, after.SecurityGroupIDs)},
		{"notifications", before.NotificationTopicARN == after.NotificationTopicARN &&
			before.NotificationsOff == after.NotificationsOff},
		{"log delivery", slices.Equal(before.LogDeliveries, after.LogDeliveries)},
		{"minor version upgrades", before.AutoMinorVersionUpgrade == after.AutoMinorVersionUpgrade},
	} {
		if !c.same {
			changed = append(changed, c.what)
		}
	}
	return strings.Join(changed, ", ")
}
