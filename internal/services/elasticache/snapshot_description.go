package elasticache

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

// maxSnapshotRecords is the upper bound of DescribeSnapshots' MaxRecords, and its default.
const maxSnapshotRecords = 50

// manual is the one SnapshotSource there is, and how a request asks for it: "user"; "system" asks for automatic ones.
const manual = "manual"

func (s *Service) describeSnapshots(
	_ context.Context, in *sdk.DescribeSnapshotsInput,
) (*sdk.DescribeSnapshotsOutput, error) {
	sources := []string{"user", "system"}
	if in.SnapshotSource != nil && !slices.Contains(sources, *in.SnapshotSource) {
		return nil, invalidValue("Invalid value %s for SnapshotSource. Must be one of %v", *in.SnapshotSource, sources)
	}
	var all []cache.Snapshot
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if in.SnapshotName != nil {
			one, err := snapshot(tx, filter(in.SnapshotName))
			all = append(all, one)
			return err
		}
		all, err = state.Snapshots.List(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s cache.Snapshot) bool {
		return aws.ToString(in.SnapshotSource) == "system" ||
			in.ReplicationGroupId != nil && s.Group != filter(in.ReplicationGroupId) ||
			in.CacheClusterId != nil && s.Member != filter(in.CacheClusterId)
	})
	all, marker, err := pageOf(all, func(s cache.Snapshot) string { return s.Name }, maxSnapshotRecords, in.MaxRecords,
		in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeSnapshotsOutput{Snapshots: []types.Snapshot{}, Marker: marker}
	for _, one := range all {
		out.Snapshots = append(out.Snapshots, describeSnapshot(one, aws.ToBool(in.ShowNodeGroupConfig)))
	}
	return out, nil
}

// describeSnapshot is a snapshot as the API shows it (statuses.md, section 3): with cluster mode off it is one of a
// cluster, of one node.
func describeSnapshot(s cache.Snapshot, withConfig bool) types.Snapshot {
	node := types.NodeSnapshot{CacheNodeId: new(nodeID), CacheNodeCreateTime: moment(s.ClusterCreated),
		CacheSize: new("")}
	if !s.Taken.IsZero() {
		node.SnapshotCreateTime, node.CacheSize = &s.Taken, new(megabytes(s.CacheSize))
	}
	if withConfig && len(s.Zones) > 0 {
		node.NodeGroupConfiguration = &types.NodeGroupConfiguration{
			NodeGroupId: new(cache.FirstShard), PrimaryAvailabilityZone: &s.Zones[0],
			ReplicaCount: new(int32(len(s.Zones) - 1)), ReplicaAvailabilityZones: s.Zones[1:],
		}
	}
	return types.Snapshot{
		SnapshotName:   &s.Name,
		ARN:            &s.ARN,
		SnapshotStatus: new(string(s.Status)),
		SnapshotSource: new(manual),
		KmsKeyId:       text(s.KMSKeyID),

		CacheClusterId:             &s.Member,
		CacheClusterCreateTime:     moment(s.ClusterCreated),
		CacheNodeType:              &s.NodeType,
		NumCacheNodes:              new(int32(1)),
		Engine:                     &s.Engine,
		EngineVersion:              &s.EngineVersion,
		Port:                       new(int32(s.Port)),
		PreferredAvailabilityZone:  &s.Zone,
		PreferredMaintenanceWindow: &s.MaintenanceWindow,
		SnapshotWindow:             &s.SnapshotWindow,
		SnapshotRetentionLimit:     new(int32(s.SnapshotRetentionLimit)),
		CacheParameterGroupName:    &s.ParameterGroup,
		CacheSubnetGroupName:       &s.SubnetGroup,
		VpcId:                      text(s.VPCID),
		TopicArn:                   text(s.NotificationTopicARN),
		AutoMinorVersionUpgrade:    &s.AutoMinorVersionUpgrade,
		DataTiering:                types.DataTieringStatusDisabled,
		NodeSnapshots:              []types.NodeSnapshot{node},
	}
}

// megabytes spells a size as the API does, such as "3 MB"; there is nothing under one.
func megabytes(bytes int64) string { return fmt.Sprintf("%d MB", max(1, (bytes+1<<19)>>20)) }
