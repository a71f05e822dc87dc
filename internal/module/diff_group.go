package module

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

func diffGroup(desired Resources, observed Observed) []Change {
	fields := groupFields(desired, observed.ReplicationGroup)
	fields = append(fields, countFields(desired.ReplicationGroup, observed.ReplicationGroup)...)
	fields = append(fields, logFields(desired.ReplicationGroup, observed.ReplicationGroup)...)
	if observed.CacheCluster != nil {
		sameMode := (desired.ReplicationGroup.NumNodeGroups != nil) == aws.ToBool(observed.ReplicationGroup.ClusterEnabled)
		fields = append(fields, clusterFields(desired.ReplicationGroup, observed.CacheCluster, sameMode)...)
		fields = withoutPending(fields, observed, aws.ToBool(desired.ReplicationGroup.AutoMinorVersionUpgrade))
	}
	changes := diffFields(ReplicationGroupResource, "", fields)
	for i, c := range changes {
		if !inPlace(c) {
			changes[i].Refused = fmt.Sprintf("%s: larder cannot change it from %q to %q while the group exists: set it back, or delete the group and create it again",
				c.Input, c.Old, c.New)
		}
	}
	return refuseTransit(changes, desired, observed.ReplicationGroup)
}

func groupFields(desired Resources, have *ectypes.ReplicationGroup) []field {
	want := desired.ReplicationGroup
	failover := have.AutomaticFailover == ectypes.AutomaticFailoverStatusEnabled ||
		have.AutomaticFailover == ectypes.AutomaticFailoverStatusEnabling
	fields := []field{
		{"ReplicationGroupDescription", "description", text(want.ReplicationGroupDescription), text(have.Description)},
		{"CacheNodeType", "node_type", text(want.CacheNodeType), text(have.CacheNodeType)},
		{"AutomaticFailoverEnabled", "automatic_failover_enabled", boolText(want.AutomaticFailoverEnabled),
			strconv.FormatBool(failover)},
		{"MultiAZEnabled", "multi_az_enabled", boolText(want.MultiAZEnabled),
			strconv.FormatBool(have.MultiAZ == ectypes.MultiAZStatusEnabled)},
		{"TransitEncryptionEnabled", "transit_encryption_enabled", boolText(want.TransitEncryptionEnabled),
			boolText(have.TransitEncryptionEnabled)},
		{"TransitEncryptionMode", "transit_encryption_mode", string(wantedMode(want, have)),
			string(have.TransitEncryptionMode)},
		{"AtRestEncryptionEnabled", "at_rest_encryption_enabled", boolText(want.AtRestEncryptionEnabled),
			boolText(have.AtRestEncryptionEnabled)},
		{"KmsKeyId", "kms_key_arn", text(want.KmsKeyId), text(have.KmsKeyId)},
		{"AuthToken", "auth_token_enabled", strconv.FormatBool(desired.AuthTokenEnabled),
			boolText(have.AuthTokenEnabled)},
		{"SnapshotRetentionLimit", "snapshot_retention_limit", intText(want.SnapshotRetentionLimit),
			intText(have.SnapshotRetentionLimit)},
		{"SnapshotWindow", "snapshot_window", text(want.SnapshotWindow), text(have.SnapshotWindow)},
	}
	if port := portOf(have); port != nil {
		fields = append(fields, field{"Port", "redis_port", intText(want.Port), intText(port)})
	}
	return fields
}

// withoutPending leaves out what was asked for already and waits for the maintenance window.
func withoutPending(fields []field, observed Observed, upgrades bool) []field {
	waiting := Waiting(observed)
	return slices.DeleteFunc(fields, func(f field) bool {
		value, waits := waiting[f.name]
		return waits && (f.want == value || f.name == "EngineVersion" && runs(f.want, value, upgrades))
	})
}

// Waiting are the fields of a replication group whose changes wait for the maintenance window, and their values then,
// as far as the API tells of them.
func Waiting(o Observed) map[string]string {
	waiting := map[string]string{}
	if group := o.ReplicationGroup.PendingModifiedValues; group != nil && group.AutomaticFailoverStatus != "" {
		enabled := group.AutomaticFailoverStatus == ectypes.PendingAutomaticFailoverStatusEnabled
		waiting["AutomaticFailoverEnabled"] = strconv.FormatBool(enabled)
	}
	if o.CacheCluster == nil {
		return waiting
	}
	if cluster := o.CacheCluster.PendingModifiedValues; cluster != nil {
		for name, value := range map[string]*string{
			"CacheNodeType": cluster.CacheNodeType, "EngineVersion": cluster.EngineVersion,
		} {
			if value != nil {
				waiting[name] = *value
			}
		}
	}
	return waiting
}

// logFields compares where each log goes to, and how.
func logFields(want *elasticache.CreateReplicationGroupInput, have *ectypes.ReplicationGroup) []field {
	deliveries := func(log ectypes.LogType) (wanted, found string) {
		for _, d := range want.LogDeliveryConfigurations {
			if d.LogType == log {
				wanted = deliveryText(d.DestinationDetails, string(d.LogFormat))
			}
		}
		for _, d := range have.LogDeliveryConfigurations {
			if d.LogType == log {
				found = deliveryText(d.DestinationDetails, string(d.LogFormat))
			}
		}
		return wanted, found
	}
	var fields []field
	for _, log := range []ectypes.LogType{ectypes.LogTypeEngineLog, ectypes.LogTypeSlowLog} {
		wanted, found := deliveries(log)
		fields = append(fields, field{logField, strings.ReplaceAll(string(log), "-", "_") + "_enabled", wanted, found})
	}
	return fields
}

const logField = "LogDeliveryConfigurations"

func deliveryText(to *ectypes.DestinationDetails, format string) string {
	switch {
	case to == nil:
		return format
	case to.CloudWatchLogsDetails != nil:
		return format + " to " + text(to.CloudWatchLogsDetails.LogGroup)
	case to.KinesisFirehoseDetails != nil:
		return format + " to " + text(to.KinesisFirehoseDetails.DeliveryStream)
	}
	return format
}

// countFields compares the counts of the mode the call asks for; of two different modes only the mode itself.
func countFields(want *elasticache.CreateReplicationGroupInput, have *ectypes.ReplicationGroup) []field {
	clusterMode := want.NumNodeGroups != nil
	if clusterMode != aws.ToBool(have.ClusterEnabled) {
		return []field{{"ClusterMode", "cluster_mode_enabled", strconv.FormatBool(clusterMode),
			boolText(have.ClusterEnabled)}}
	}
	nodes, shards := len(have.MemberClusters), len(have.NodeGroups)
	if !clusterMode {
		return []field{{"NumCacheClusters", "num_cache_nodes", intText(want.NumCacheClusters), strconv.Itoa(nodes)}}
	}
	if shards == 0 {
		return nil // still creating: AWS lists no shards yet
	}
	return []field{
		{"NumNodeGroups", "num_node_groups", intText(want.NumNodeGroups), strconv.Itoa(shards)},
		{"ReplicasPerNodeGroup", "replicas_per_node_group", intText(want.ReplicasPerNodeGroup),
			strconv.Itoa(nodes/shards - 1)},
	}
}

// clusterFields compares what only a member tells. The parameter group's name follows from the mode, so it says nothing
// of its own when the mode differs.
func clusterFields(want *elasticache.CreateReplicationGroupInput, have *ectypes.CacheCluster, sameMode bool) []field {
	var topic, group *string
	if have.NotificationConfiguration != nil {
		topic = have.NotificationConfiguration.TopicArn
	}
	if have.CacheParameterGroup != nil {
		group = have.CacheParameterGroup.CacheParameterGroupName
	}
	var groups []string
	for _, g := range have.SecurityGroups {
		groups = append(groups, text(g.SecurityGroupId))
	}
	fields := []field{
		{"CacheSubnetGroupName", "subnet_group_name", text(want.CacheSubnetGroupName), text(have.CacheSubnetGroupName)},
		{"SecurityGroupIds", "redis_security_group_id", listText(want.SecurityGroupIds), listText(groups)},
		{"PreferredMaintenanceWindow", "maintenance_window", text(want.PreferredMaintenanceWindow),
			text(have.PreferredMaintenanceWindow)},
		{"NotificationTopicArn", "notification_topic_arn", text(want.NotificationTopicArn), text(topic)},
		{"AutoMinorVersionUpgrade", "auto_minor_version_upgrade", boolText(want.AutoMinorVersionUpgrade),
			boolText(have.AutoMinorVersionUpgrade)},
	}
	if sameMode {
		fields = append(fields, field{"CacheParameterGroupName", "redis_engine_version",
			text(want.CacheParameterGroupName), text(group)})
	}
	if !runs(text(want.EngineVersion), text(have.EngineVersion), aws.ToBool(want.AutoMinorVersionUpgrade)) {
		fields = append(fields, field{"EngineVersion", "redis_engine_version", text(want.EngineVersion),
			text(have.EngineVersion)})
	}
	return fields
}

// runs reports whether an engine that answers with a full version, such as 7.0.7, is what was asked for: 7.0 or 6.x.
// With minor upgrades on, a later minor version is too, or AWS's own upgrade would read as a downgrade to make.
func runs(want, have string, upgrades bool) bool {
	wantMajor, wantMinor, _ := strings.Cut(want, ".")
	haveMajor, haveMinor, _ := strings.Cut(have, ".")
	if wantMajor != haveMajor {
		return false
	}
	if wantMinor == "x" || have == want || strings.HasPrefix(have, want+".") {
		return true
	}
	haveMinor, _, _ = strings.Cut(haveMinor, ".")
	wantMinor, _, _ = strings.Cut(wantMinor, ".")
	w, errWant := strconv.Atoi(wantMinor)
	h, errHave := strconv.Atoi(haveMinor)
	return upgrades && errWant == nil && errHave == nil && h > w
}

func portOf(g *ectypes.ReplicationGroup) *int32 {
	if e := endpoint(g); e != nil {
		return e.Port
	}
	return nil
}

// endpoint is where clients connect to: the configuration endpoint in cluster mode, else the primary's; nil while the
// group has none.
func endpoint(g *ectypes.ReplicationGroup) *ectypes.Endpoint {
	switch {
	case g == nil:
		return nil
	case g.ConfigurationEndpoint != nil:
		return g.ConfigurationEndpoint
	case len(g.NodeGroups) > 0:
		return g.NodeGroups[0].PrimaryEndpoint
	}
	return nil
}
