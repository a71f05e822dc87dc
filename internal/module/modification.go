package module

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
)

// Modification makes a replication group that exists equal to a call. Its calls are made in this order, each when the
// group is available: failover can be turned on only after a replica has come, and has to be off before the last one
// goes.
type Modification struct {
	Increase *elasticache.IncreaseReplicaCountInput
	Modify   *elasticache.ModifyReplicationGroupInput
	Logs     *elasticache.ModifyReplicationGroupInput // apart, because it must not wait and what is in Modify may
	Decrease *elasticache.DecreaseReplicaCountInput
}

type (
	modify = elasticache.ModifyReplicationGroupInput
	create = elasticache.CreateReplicationGroupInput
)

// settings are the fields of a replication group that ModifyReplicationGroup changes in place.
var settings = map[string]func(m *modify, want *create){
	"ReplicationGroupDescription": func(m *modify, w *create) {
		m.ReplicationGroupDescription = w.ReplicationGroupDescription
	},
	"CacheNodeType":            func(m *modify, w *create) { m.CacheNodeType = w.CacheNodeType },
	"EngineVersion":            func(m *modify, w *create) { m.EngineVersion = w.EngineVersion },
	"CacheParameterGroupName":  func(m *modify, w *create) { m.CacheParameterGroupName = w.CacheParameterGroupName },
	"AutomaticFailoverEnabled": func(m *modify, w *create) { m.AutomaticFailoverEnabled = w.AutomaticFailoverEnabled },
	"MultiAZEnabled": func(m *modify, w *create) {
		m.MultiAZEnabled = aws.Bool(aws.ToBool(w.MultiAZEnabled))
	},
	"SnapshotRetentionLimit": func(m *modify, w *create) {
		m.SnapshotRetentionLimit = aws.Int32(aws.ToInt32(w.SnapshotRetentionLimit))
	},
	"SnapshotWindow": func(m *modify, w *create) { m.SnapshotWindow = w.SnapshotWindow },
	"PreferredMaintenanceWindow": func(m *modify, w *create) {
		m.PreferredMaintenanceWindow = w.PreferredMaintenanceWindow
	},
	"SecurityGroupIds": func(m *modify, w *create) { m.SecurityGroupIds = w.SecurityGroupIds },
	"NotificationTopicArn": func(m *modify, w *create) {
		m.NotificationTopicArn = aws.String(text(w.NotificationTopicArn)) // an empty one ends the notifications
	},
	"TransitEncryptionEnabled": func(m *modify, w *create) {
		m.TransitEncryptionEnabled = aws.Bool(aws.ToBool(w.TransitEncryptionEnabled))
	},
	"TransitEncryptionMode":   func(m *modify, w *create) { m.TransitEncryptionMode = w.TransitEncryptionMode },
	"AutoMinorVersionUpgrade": func(m *modify, w *create) { m.AutoMinorVersionUpgrade = w.AutoMinorVersionUpgrade },
}

// unmoved tells whether a group keeps its nodes' data through a change. An engine goes forwards only, a token can be
// added and not taken away.
func unmoved(c Change) bool {
	switch c.Field {
	case "EngineVersion":
		return newer(c.New, c.Old)
	case "AuthToken":
		return c.New == "true"
	case "NumCacheClusters", logField:
		return true
	}
	return settings[c.Field] != nil
}

// Modification is what the changes of the replication group become.
func (r Resources) Modification(o Observed, changes []Change) Modification {
	want, have := r.ReplicationGroup, o.ReplicationGroup
	var m Modification
	for _, c := range changes {
		if c.Resource != ReplicationGroupResource {
			continue
		}
		switch set := settings[c.Field]; {
		case c.Field == "NumCacheClusters":
			m.Increase, m.Decrease = replicaCount(want, have)
		case c.Field == logField:
			m.Logs = r.logModification(have)
		case set != nil:
			if m.Modify == nil {
				m.Modify = &elasticache.ModifyReplicationGroupInput{ReplicationGroupId: want.ReplicationGroupId,
					ApplyImmediately: &r.ApplyImmediately}
			}
			set(m.Modify, want)
			if c.Field == "SnapshotRetentionLimit" && c.Old == "0" {
				m.Modify.SnapshottingClusterId = aws.String(snapshotSource(have))
			}
		}
	}
	return m
}

// CanWait tells whether a change of the replication group waits for the maintenance window unless it is to be made at
// once. All others are made at once.
func CanWait(c Change) bool {
	switch c.Field {
	case "CacheNodeType", "EngineVersion", "CacheParameterGroupName", "AutomaticFailoverEnabled", "MultiAZEnabled":
		return true
	}
	return false
}

// MembersThen names the members that a group has when it has as many as the call wants: the replicas with the highest
// names go, new ones get the lowest free numbers.
func (r Resources) MembersThen(have ectypes.ReplicationGroup) []string {
	members := slices.Clone(have.MemberClusters)
	if r.ReplicationGroup.NumCacheClusters == nil {
		return members
	}
	want := int(aws.ToInt32(r.ReplicationGroup.NumCacheClusters))
	for _, shard := range have.NodeGroups {
		replicas := slices.SortedFunc(slices.Values(shard.NodeGroupMembers),
			func(a, b ectypes.NodeGroupMember) int {
				return strings.Compare(text(b.CacheClusterId), text(a.CacheClusterId))
			})
		for _, m := range replicas {
			if len(members) > want && text(m.CurrentRole) == "replica" {
				members = slices.DeleteFunc(members, func(id string) bool { return id == text(m.CacheClusterId) })
			}
		}
	}
	for n := 1; len(members) < want; n++ {
		if id := cache.MemberID(text(have.ReplicationGroupId), n); !slices.Contains(members, id) {
			members = append(members, id)
		}
	}
	slices.Sort(members)
	return members
}

func replicaCount(
	want *elasticache.CreateReplicationGroupInput, have *ectypes.ReplicationGroup,
) (*elasticache.IncreaseReplicaCountInput, *elasticache.DecreaseReplicaCountInput) {
	count := aws.ToInt32(want.NumCacheClusters) - 1
	if int(count) < len(have.MemberClusters)-1 {
		return nil, &elasticache.DecreaseReplicaCountInput{ReplicationGroupId: want.ReplicationGroupId,
			NewReplicaCount: &count, ApplyImmediately: aws.Bool(true)}
	}
	in := &elasticache.IncreaseReplicaCountInput{ReplicationGroupId: want.ReplicationGroupId,
		ApplyImmediately: aws.Bool(true)}
	if len(want.PreferredCacheClusterAZs) == 0 {
		in.NewReplicaCount = &count
		return in, nil
	}
	in.ReplicaConfiguration = []ectypes.ConfigureShard{{NodeGroupId: aws.String("0001"),
		// the only one without cluster mode
		NewReplicaCount: &count, PreferredAvailabilityZones: want.PreferredCacheClusterAZs}}
	return in, nil
}

// logModification turns on or changes what the call wants, and ends the rest.
func (r Resources) logModification(have *ectypes.ReplicationGroup) *elasticache.ModifyReplicationGroupInput {
	m := &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: r.ReplicationGroup.ReplicationGroupId, ApplyImmediately: aws.Bool(true),
		LogDeliveryConfigurations: slices.Clone(r.ReplicationGroup.LogDeliveryConfigurations),
	}
	for _, d := range have.LogDeliveryConfigurations {
		if !slices.ContainsFunc(m.LogDeliveryConfigurations,
			func(w ectypes.LogDeliveryConfigurationRequest) bool { return w.LogType == d.LogType }) {
			m.LogDeliveryConfigurations = append(m.LogDeliveryConfigurations,
				ectypes.LogDeliveryConfigurationRequest{LogType: d.LogType, Enabled: aws.Bool(false)})
		}
	}
	return m
}

// snapshotSource is the member to take backups of: a replica where there is one, for its primary has enough to do.
func snapshotSource(g *ectypes.ReplicationGroup) string {
	for _, shard := range g.NodeGroups {
		for _, m := range shard.NodeGroupMembers {
			if text(m.CurrentRole) == "replica" {
				return text(m.CacheClusterId)
			}
		}
	}
	return slices.Min(g.MemberClusters)
}

// newer tells whether a version to ask for, such as 7.1, is later than one that runs, such as 7.0.15.
func newer(want, have string) bool {
	w, h := versionParts(want), versionParts(have)
	return slices.Compare(w, h) > 0
}

// versionParts are major and minor; x, which stands for the latest minor version, is greater than any.
func versionParts(v string) []int {
	var parts []int
	for i, p := range strings.Split(v, ".") {
		n, err := strconv.Atoi(p)
		if err != nil {
			n = 1 << 30
		}
		if i < 2 {
			parts = append(parts, n)
		}
	}
	return parts
}
