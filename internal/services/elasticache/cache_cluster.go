package elasticache

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/state"
	"larder/internal/store"
)

// cluster is a member with what it takes to describe it.
type cluster struct {
	cache.Member
	group cache.Topology
	// The fingerprints of the live and the boot directives that the node should have.
	live, boot string
	unknown    bool // which those are
}

func (s *Service) describeCacheClusters(
	_ context.Context, in *sdk.DescribeCacheClustersInput,
) (*sdk.DescribeCacheClustersOutput, error) {
	clusters, err := s.clusters(filter(in.CacheClusterId))
	if err != nil {
		return nil, err
	}
	if aws.ToBool(in.ShowCacheClustersNotInReplicationGroups) {
		clusters = nil // every cluster is in a group
	}
	clusters, marker, err := page(clusters, func(c cluster) string { return c.ID }, in.MaxRecords, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeCacheClustersOutput{CacheClusters: []types.CacheCluster{}, Marker: marker}
	for _, c := range clusters {
		out.CacheClusters = append(out.CacheClusters, s.describeCluster(c, aws.ToBool(in.ShowCacheNodeInfo)))
	}
	return out, nil
}

// clusters reads the cluster of that id, or every one.
func (s *Service) clusters(id string) (clusters []cluster, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		groups, err := groupsWith(tx, id)
		if err != nil {
			return err
		}
		for _, g := range groups {
			d, err := s.directives(tx, g)
			unknown := store.IsUnreadable(err)
			if err != nil && !unknown {
				return err
			}
			for _, m := range g.Members() {
				if id == "" || m.ID == id {
					clusters = append(clusters, cluster{*m, g, catalog.Fingerprint(d.Live), catalog.Fingerprint(d.Boot),
						unknown})
				}
			}
		}
		return nil
	})
	if err == nil && id != "" && len(clusters) == 0 {
		err = cacheClusterNotFound(id)
	}
	return clusters, err
}

// groupsWith lists every group, or the one that has the cluster of that id; none where there is none.
func groupsWith(tx *store.Tx, cluster string) ([]cache.Topology, error) {
	if cluster == "" {
		return state.Groups(tx)
	}
	g, err := state.GroupOf(tx, cluster)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return []cache.Topology{g}, err
}

// directives are what the servers of a group's nodes should have been told.
func (s *Service) directives(tx *store.Tx, g cache.Topology) (catalog.Directives, error) {
	return state.Directives(tx, g.ReplicationGroup, s.Families, s.NodeTypes)
}

// describeCluster is a cluster as the API shows it. When it was made and where appear with its node.
func (s *Service) describeCluster(c cluster, withNodes bool) types.CacheCluster {
	g := c.group
	out := types.CacheCluster{
		CacheClusterId:                     &c.ID,
		ARN:                                new(s.arn(clusterResource, c.ID)),
		CacheClusterStatus:                 new(c.status()),
		ReplicationGroupId:                 &g.ID,
		ReplicationGroupLogDeliveryEnabled: new(len(g.LogDeliveries) > 0),
		PendingModifiedValues:              pendingCluster(g),
		LogDeliveryConfigurations:          describeLogs(g.LogDeliveries),

		Engine:                  &g.Engine,
		EngineVersion:           &g.EngineVersion,
		CacheNodeType:           &g.NodeType,
		NumCacheNodes:           new(int32(1)),
		NetworkType:             types.NetworkTypeIpv4,
		IpDiscovery:             types.IpDiscoveryIpv4,
		AutoMinorVersionUpgrade: &g.AutoMinorVersionUpgrade,
		CacheParameterGroup:     c.parameterGroupStatus(),
		CacheSubnetGroupName:    &g.SubnetGroup,

		AtRestEncryptionEnabled:   &g.AtRestEncryption,
		TransitEncryptionEnabled:  new(g.ServedTransit() != cache.TransitOff),
		TransitEncryptionMode:     transitMode(g),
		AuthTokenEnabled:          new(len(g.AuthTokens) > 0),
		AuthTokenLastModifiedDate: moment(g.AuthTokenModified),

		PreferredMaintenanceWindow: &g.MaintenanceWindow,
		SnapshotWindow:             &g.SnapshotWindow,
		SnapshotRetentionLimit:     new(int32(0)),
	}
	if c.ID == g.SnapshottingCluster {
		out.SnapshotRetentionLimit = new(int32(g.SnapshotRetentionLimit))
	}
	for _, id := range g.SecurityGroupIDs {
		out.SecurityGroups = append(out.SecurityGroups,
			types.SecurityGroupMembership{SecurityGroupId: &id, Status: new("active")})
	}
	if g.NotificationTopicARN != "" {
		out.NotificationConfiguration = &types.NotificationConfiguration{TopicArn: &g.NotificationTopicARN,
			TopicStatus: new(topicStatus(g))}
	}
	if !c.Created.IsZero() {
		out.CacheClusterCreateTime, out.PreferredAvailabilityZone = &c.Created, &c.Zone
		if withNodes && c.Status != cache.MemberDeleting {
			out.CacheNodes = []types.CacheNode{c.node()}
		}
	}
	return out
}

// status is the member's, or that it is being backed up, or modified with its group.
func (c cluster) status() string {
	b := c.group.Snapshot
	if c.group.MembersModified && c.group.Status == cache.Modifying && c.Status == cache.MemberAvailable {
		return string(cache.MemberModifying)
	}
	if c.group.Status == cache.Snapshotting && b != nil &&
		(c.ID == b.Member || b.Member == "" && c.Role == cache.Primary) {
		return string(cache.Snapshotting)
	}
	return string(c.Status)
}

func (c cluster) node() types.CacheNode {
	status := string(c.Status)
	if c.Status == cache.MemberModifying ||
		c.Status == cache.MemberRebooting { // the node is on its way back; "modifying" is no status of nodes
		status = "rebooting"
	}
	return types.CacheNode{
		CacheNodeId:              new(nodeID),
		CacheNodeStatus:          &status,
		CacheNodeCreateTime:      &c.Created,
		CustomerAvailabilityZone: &c.Zone,
		Endpoint:                 endpointOf(c.Address, c.group.Port),
		ParameterGroupStatus:     new(c.applyStatus()),
	}
}

func (c cluster) parameterGroupStatus() *types.CacheParameterGroupStatus {
	out := &types.CacheParameterGroupStatus{
		CacheParameterGroupName: &c.group.ParameterGroup, ParameterApplyStatus: new(c.applyStatus()),
		CacheNodeIdsToReboot: []string{},
	}
	if c.pendingReboot() {
		out.CacheNodeIdsToReboot = []string{nodeID}
	}
	return out
}

func pendingCluster(g cache.Topology) *types.PendingModifiedValues {
	pending := &types.PendingModifiedValues{LogDeliveryConfigurations: pendingLogs(g.LogDeliveries)}
	pending.TransitEncryptionEnabled, pending.TransitEncryptionMode = pendingTransit(g)
	if g.Deferred != nil {
		pending.CacheNodeType, pending.EngineVersion = text(g.Deferred.NodeType), text(g.Deferred.EngineVersion)
	}
	return pending
}

func topicStatus(g cache.Topology) string {
	if g.NotificationsOff {
		return "inactive"
	}
	return "active"
}

// applyStatus tells how far the node's parameters are those of its group. A node that was not started yet will start
// with them.
func (c cluster) applyStatus() string {
	switch {
	case c.unknown: // the record of the parameter group cannot be read, so that nothing can be applied
		return "applying"
	case c.Parameters != "" && c.Parameters != c.live:
		return "applying"
	case c.pendingReboot():
		return "pending-reboot"
	}
	return "in-sync"
}

// pendingReboot tells whether parameters wait for the node's next start.
func (c cluster) pendingReboot() bool {
	return !c.unknown && c.BootParameters != "" && c.BootParameters != c.boot
}
