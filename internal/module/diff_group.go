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
	due, withdrawn, _ := settle(desired, observed)
	changes := diffFields(ReplicationGroupResource, "", due)
	for i, c := range changes {
		if !unmoved(c) {
			changes[i].Refused = fmt.Sprintf("%s: larder cannot change it from %q to %q while the group exists: set it back, "+
				"or delete the group and create it again",
				c.Input, c.Old, c.New)
		}
	}
	return append(refuseTransit(changes, desired, observed.ReplicationGroup), withdrawn...)
}

// AskedFor are the changes of the replication group that were asked for already, and wait for the maintenance window.
func AskedFor(desired Resources, observed Observed) []Change {
	if observed.ReplicationGroup == nil {
		return nil
	}
	_, _, asked := settle(desired, observed)
	return diffFields(ReplicationGroupResource, "", asked)
}

// settle sorts the group's fields by what waits for the maintenance window:
//   - due are those to compare with what is observed: nothing waits, or it is to be made at once, or another value
//     waits;
//   - withdrawn are changes that wait although the call wants what there is;
//   - asked are those of which what the call wants waits.
func settle(desired Resources, observed Observed) (due []field, withdrawn []Change, asked []field) {
	for _, f := range allGroupFields(desired, observed) {
		value, waits := observed.Waiting[f.name]
		wanted := waits && (f.want == value || f.name == "EngineVersion" && runs(f.want, value, false))
		switch {
		case wanted && !desired.ApplyImmediately:
			asked = append(asked, f)
		case waits && !wanted && f.want == f.have:
			withdrawn = append(withdrawn, Change{Resource: ReplicationGroupResource, Field: f.name, Input: f.input,
				Old: value, New: f.want, Withdrawn: true})
		default:
			due = append(due, f)
		}
	}
	return due, withdrawn, asked
}

func allGroupFields(desired Resources, observed Observed) []field {
	want, have := desired.ReplicationGroup, observed.ReplicationGroup
	fields := slices.Concat(groupFields(desired, have), countFields(want, have), logFields(want, have))
	if observed.CacheCluster == nil {
		return fields
	}
	sameMode := (want.NumNodeGroups != nil) == aws.ToBool(have.ClusterEnabled)
	return append(fields, clusterFields(desired, observed.CacheCluster, sameMode)...)
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
func clusterFields(desired Resources, have *ectypes.CacheCluster, sameMode bool) []field {
	want := desired.ReplicationGroup
	var topic, group *string
	if have.NotificationConfiguration != nil {
		topic = have.NotificationConfiguration.TopicArn
		if text(have.NotificationConfiguration.TopicStatus) == "inactive" { // to give it again makes it active
			topic = aws.String(text(topic) + " (inactive)")
		}
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
		input := "redis_engine_version" // which the name of the module's own ends with
		if desired.ParameterGroup == nil {
			input = "parameter_group_name"
		}
		fields = append(fields, field{"CacheParameterGroupName", input, text(want.CacheParameterGroupName),
			text(group)})
	}
	version := field{"EngineVersion", "redis_engine_version", text(want.EngineVersion), text(have.EngineVersion)}
	if runs(version.want, version.have, aws.ToBool(want.AutoMinorVersionUpgrade)) {
		version.have = version.want
	}
	return append(fields, version)
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
