package elasticache

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
)

// redis is the one engine, as the API names it.
const redis = "redis"

// nodeID is the id of the one node that a cluster has (statuses.md, section 5).
const nodeID = "0001"

// describeGroup is a group as the API shows it. Which fields are there depends on its status (statuses.md, section 3):
// shards and endpoints appear when it serves, and members go when it is being deleted.
func describeGroup(g cache.Topology) types.ReplicationGroup {
	out := types.ReplicationGroup{
		ReplicationGroupId:         &g.ID,
		ARN:                        &g.ARN,
		Description:                &g.Description,
		Status:                     new(string(g.Status)),
		ReplicationGroupCreateTime: &g.Created,
		PendingModifiedValues:      pendingGroup(g),

		Engine:                  &g.Engine,
		CacheNodeType:           &g.NodeType,
		ClusterEnabled:          new(false),
		ClusterMode:             types.ClusterModeDisabled,
		NetworkType:             types.NetworkTypeIpv4,
		IpDiscovery:             types.IpDiscoveryIpv4,
		DataTiering:             types.DataTieringStatusDisabled,
		AutoMinorVersionUpgrade: &g.AutoMinorVersionUpgrade,
		AutomaticFailover:       types.AutomaticFailoverStatusDisabled,
		MultiAZ:                 types.MultiAZStatusDisabled,

		AtRestEncryptionEnabled:   &g.AtRestEncryption,
		StorageEncryptionType:     storageEncryption(g),
		KmsKeyId:                  text(g.KMSKeyID),
		TransitEncryptionEnabled:  new(g.ServedTransit() != cache.TransitOff),
		TransitEncryptionMode:     transitMode(g),
		AuthTokenEnabled:          new(len(g.AuthTokens) > 0),
		AuthTokenLastModifiedDate: moment(g.AuthTokenModified),

		LogDeliveryConfigurations: describeLogs(g.LogDeliveries),

		SnapshotRetentionLimit: new(int32(g.SnapshotRetentionLimit)),
		SnapshotWindow:         &g.SnapshotWindow,
		SnapshottingClusterId:  text(g.SnapshottingCluster),
	}
	if g.AutomaticFailover {
		out.AutomaticFailover = types.AutomaticFailoverStatusEnabled
	}
	if g.MultiAZ {
		out.MultiAZ = types.MultiAZStatusEnabled
	}
	if g.Status != cache.Deleting {
		for _, m := range g.Members() {
			out.MemberClusters = append(out.MemberClusters, m.ID)
		}
	}
	if g.Status.Serving() {
		for _, s := range g.Shards {
			out.NodeGroups = append(out.NodeGroups, describeShard(s))
		}
	}
	return out
}

func pendingFailover(asked *bool) types.PendingAutomaticFailoverStatus {
	switch {
	case asked == nil:
		return ""
	case *asked:
		return types.PendingAutomaticFailoverStatusEnabled
	}
	return types.PendingAutomaticFailoverStatusDisabled
}

// pendingGroup tells what the engine has yet to bring about.
func pendingGroup(g cache.Topology) *types.ReplicationGroupPendingModifiedValues {
	pending := &types.ReplicationGroupPendingModifiedValues{
		PrimaryClusterId: text(g.Only().Promote), LogDeliveryConfigurations: pendingLogs(g.LogDeliveries),
	}
	pending.TransitEncryptionEnabled, pending.TransitEncryptionMode = pendingTransit(g)
	if d := g.Deferred; d != nil {
		pending.PrimaryClusterId = text(cmp.Or(g.Only().Promote, d.Primary))
		pending.AutomaticFailoverStatus = pendingFailover(d.AutomaticFailover)
	}
	access := cache.AccessFingerprint(g.AuthTokens)
	for _, m := range g.Members() {
		if m.Access == "" || m.Access == access {
			continue
		}
		pending.AuthTokenStatus = types.AuthTokenUpdateStatusSetting
		if len(g.AuthTokens) > 1 {
			pending.AuthTokenStatus = types.AuthTokenUpdateStatusRotating
		}
	}
	return pending
}

func describeShard(s cache.Shard) types.NodeGroup {
	status, port := s.Group.Status, s.Group.Port
	if status == cache.Snapshotting { // which a shard's statuses don't have
		status = cache.Available
	}
	shard := types.NodeGroup{
		NodeGroupId:     &s.ID,
		Status:          new(string(status)),
		PrimaryEndpoint: endpointOf(s.PrimaryAddress, port),
		ReaderEndpoint:  endpointOf(s.ReaderAddress, port),
	}
	for _, m := range s.Members {
		if m.Created.IsZero() { // it is not built yet
			continue
		}
		shard.NodeGroupMembers = append(shard.NodeGroupMembers, types.NodeGroupMember{
			CacheClusterId:            &m.ID,
			CacheNodeId:               new(nodeID),
			CurrentRole:               new(string(m.Role)),
			PreferredAvailabilityZone: &m.Zone,
			ReadEndpoint:              endpointOf(m.Address, port),
		})
	}
	return shard
}

func endpointOf(address netip.Addr, port int) *types.Endpoint {
	return &types.Endpoint{Address: new(address.String()), Port: new(int32(port))}
}

func storageEncryption(g cache.Topology) types.StorageEncryptionType {
	switch {
	case !g.AtRestEncryption:
		return types.StorageEncryptionTypeNone
	case g.KMSKeyID != "":
		return types.StorageEncryptionTypeSseKms
	}
	return types.StorageEncryptionTypeSseElasticache
}

func transitMode(g cache.Topology) types.TransitEncryptionMode {
	return types.TransitEncryptionMode(g.ServedTransit())
}

// pendingTransit is what the nodes are being switched to; nil and empty when they are not.
func pendingTransit(g cache.Topology) (enabled *bool, mode types.TransitEncryptionMode) {
	if g.TransitBefore == nil {
		return nil, ""
	}
	if (*g.TransitBefore != cache.TransitOff) != g.TransitEncryption {
		enabled = &g.TransitEncryption
	}
	return enabled, types.TransitEncryptionMode(g.Transit())
}

// text and moment leave out what is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
