package module

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// Observed is what AWS describes. What does not exist yet is nil.
type Observed struct {
	ReplicationGroup *ectypes.ReplicationGroup
	CacheCluster     *ectypes.CacheCluster // the first member: it tells what the group does not
	SubnetGroup      *ectypes.CacheSubnetGroup
	ParameterGroup   *ectypes.CacheParameterGroup
	Parameters       []ectypes.Parameter // of Source user
	Tags             []ectypes.Tag       // of the replication group; the other resources have the same
}

// The resources a Change can be of.
const (
	ReplicationGroupResource = "replication group"
	SubnetGroupResource      = "subnet group"
	ParameterGroupResource   = "parameter group"
	ParameterResource        = "parameter"
	TagResource              = "tag"
)

// Change is one thing that is not as the module call wants it.
type Change struct {
	Resource string // one of the constants above
	Field    string // the API's field, or the name of the parameter or tag
	Input    string // the module input behind it
	Old, New string
	Remove   bool   // the parameter is to go back to its default, or the tag away; New is ""
	Refused  string // why larder cannot make the change now; "" when it can
}

// Diff says what to change so that what is observed becomes what is desired. Resources that do not exist are not
// compared: they are to be created. Preferred zones are not either: AWS takes them at creation only.
func Diff(desired Resources, observed Observed) []Change {
	var changes []Change
	if observed.ReplicationGroup != nil {
		changes = append(changes, diffGroup(desired, observed)...)
		changes = append(changes, diffTags(desired.ReplicationGroup.Tags, observed.Tags)...)
	}
	if observed.SubnetGroup != nil {
		changes = append(changes, diffSubnets(desired.SubnetGroup, observed.SubnetGroup)...)
	}
	if observed.ParameterGroup != nil {
		changes = append(changes, diffParameters(desired, observed)...)
	}
	return changes
}

// field is one value of the replication group, desired and observed, as text.
type field struct{ name, input, want, have string }

func diffGroup(desired Resources, observed Observed) []Change {
	fields := groupFields(desired, observed.ReplicationGroup)
	fields = append(fields, countFields(desired.ReplicationGroup, observed.ReplicationGroup)...)
	if observed.CacheCluster != nil {
		sameMode := (desired.ReplicationGroup.NumNodeGroups != nil) == aws.ToBool(observed.ReplicationGroup.ClusterEnabled)
		fields = append(fields, clusterFields(desired.ReplicationGroup, observed.CacheCluster, sameMode)...)
	}
	var changes []Change
	for _, f := range fields {
		if f.want == f.have {
			continue
		}
		changes = append(changes, Change{
			Resource: ReplicationGroupResource, Field: f.name, Input: f.input, Old: f.have, New: f.want,
			Refused: fmt.Sprintf("%s: larder cannot change it from %q to %q while the group exists: set it back, or delete the group and create it again",
				f.input, f.have, f.want),
		})
	}
	return changes
}

func groupFields(desired Resources, have *ectypes.ReplicationGroup) []field {
	want := desired.ReplicationGroup
	failover := have.AutomaticFailover == ectypes.AutomaticFailoverStatusEnabled || have.AutomaticFailover == ectypes.AutomaticFailoverStatusEnabling
	fields := []field{
		{"ReplicationGroupDescription", "description", text(want.ReplicationGroupDescription), text(have.Description)},
		{"CacheNodeType", "node_type", text(want.CacheNodeType), text(have.CacheNodeType)},
		{"AutomaticFailoverEnabled", "automatic_failover_enabled", boolText(want.AutomaticFailoverEnabled), strconv.FormatBool(failover)},
		{"MultiAZEnabled", "multi_az_enabled", boolText(want.MultiAZEnabled), strconv.FormatBool(have.MultiAZ == ectypes.MultiAZStatusEnabled)},
		{"TransitEncryptionEnabled", "transit_encryption_enabled", boolText(want.TransitEncryptionEnabled), boolText(have.TransitEncryptionEnabled)},
		{"AtRestEncryptionEnabled", "at_rest_encryption_enabled", boolText(want.AtRestEncryptionEnabled), boolText(have.AtRestEncryptionEnabled)},
		{"KmsKeyId", "kms_key_arn", text(want.KmsKeyId), text(have.KmsKeyId)},
		{"AuthToken", "auth_token_enabled", strconv.FormatBool(desired.AuthTokenEnabled), boolText(have.AuthTokenEnabled)},
		{"SnapshotRetentionLimit", "snapshot_retention_limit", intText(want.SnapshotRetentionLimit), intText(have.SnapshotRetentionLimit)},
		{"SnapshotWindow", "snapshot_window", text(want.SnapshotWindow), text(have.SnapshotWindow)},
	}
	if port := portOf(have); port != nil {
		fields = append(fields, field{"Port", "redis_port", intText(want.Port), intText(port)})
	}
	return fields
}

// countFields compares the counts of the mode the call asks for; of two different modes only the mode itself.
func countFields(want *elasticache.CreateReplicationGroupInput, have *ectypes.ReplicationGroup) []field {
	clusterMode := want.NumNodeGroups != nil
	if clusterMode != aws.ToBool(have.ClusterEnabled) {
		return []field{{"ClusterMode", "cluster_mode_enabled", strconv.FormatBool(clusterMode), boolText(have.ClusterEnabled)}}
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
		{"ReplicasPerNodeGroup", "replicas_per_node_group", intText(want.ReplicasPerNodeGroup), strconv.Itoa(nodes/shards - 1)},
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
		{"CacheSubnetGroupName", "project_name", text(want.CacheSubnetGroupName), text(have.CacheSubnetGroupName)},
		{"SecurityGroupIds", "redis_security_group_id", listText(want.SecurityGroupIds), listText(groups)},
		{"PreferredMaintenanceWindow", "maintenance_window", text(want.PreferredMaintenanceWindow), text(have.PreferredMaintenanceWindow)},
		{"NotificationTopicArn", "notification_topic_arn", text(want.NotificationTopicArn), text(topic)},
		{"AutoMinorVersionUpgrade", "auto_minor_version_upgrade", boolText(want.AutoMinorVersionUpgrade), boolText(have.AutoMinorVersionUpgrade)},
	}
	if sameMode {
		fields = append(fields, field{"CacheParameterGroupName", "redis_engine_version", text(want.CacheParameterGroupName), text(group)})
	}
	if !runs(text(want.EngineVersion), text(have.EngineVersion), aws.ToBool(want.AutoMinorVersionUpgrade)) {
		fields = append(fields, field{"EngineVersion", "redis_engine_version", text(want.EngineVersion), text(have.EngineVersion)})
	}
	return fields
}

// runs reports whether an engine that answers with a full version, such as 7.0.7, is what was asked for: 7.0 or 6.x. With
// minor upgrades on, a later minor version is too, or AWS's own upgrade would read as a downgrade to make.
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

func diffSubnets(want *elasticache.CreateCacheSubnetGroupInput, have *ectypes.CacheSubnetGroup) []Change {
	var subnets []string
	for _, s := range have.Subnets {
		subnets = append(subnets, text(s.SubnetIdentifier))
	}
	var changes []Change
	for _, f := range []field{
		{"CacheSubnetGroupDescription", "project_name", text(want.CacheSubnetGroupDescription), text(have.CacheSubnetGroupDescription)},
		{"SubnetIds", "redis_subnet_ids", listText(want.SubnetIds), listText(subnets)},
	} {
		if f.want != f.have {
			changes = append(changes, Change{Resource: SubnetGroupResource, Field: f.name, Input: f.input, Old: f.have, New: f.want})
		}
	}
	return changes
}

func diffParameters(desired Resources, observed Observed) []Change {
	want, have := map[string]string{}, map[string]string{}
	for _, p := range desired.Parameters {
		want[text(p.ParameterName)] = text(p.ParameterValue)
	}
	for _, p := range observed.Parameters {
		have[text(p.ParameterName)] = text(p.ParameterValue)
	}
	changes := diffMaps(ParameterResource, want, have, func(name string) string {
		if input, ok := dedicated[name]; ok {
			return input
		}
		return "parameters"
	})
	for i, c := range changes {
		if c.Field == "cluster-enabled" {
			changes[i].Refused = "cluster_mode_enabled: AWS lets nobody change cluster-enabled in an existing parameter group: delete the group and create it again"
		}
	}
	family := text(observed.ParameterGroup.CacheParameterGroupFamily)
	if asked := text(desired.ParameterGroup.CacheParameterGroupFamily); asked != family {
		changes = append(changes, Change{
			Resource: ParameterGroupResource, Field: "CacheParameterGroupFamily", Input: "parameter_group_family", Old: family, New: asked,
			Refused: fmt.Sprintf("parameter_group_family: the family of a parameter group cannot change from %q to %q: delete the group first", family, asked),
		})
	}
	return changes
}

// diffTags leaves tags that start with aws: alone: AWS sets them.
func diffTags(want, have []ectypes.Tag) []Change {
	asMap := func(tags []ectypes.Tag) map[string]string {
		m := map[string]string{}
		for _, t := range tags {
			if !strings.HasPrefix(text(t.Key), "aws:") {
				m[text(t.Key)] = text(t.Value)
			}
		}
		return m
	}
	return diffMaps(TagResource, asMap(want), asMap(have), func(string) string { return "tags" })
}

func diffMaps(resource string, want, have map[string]string, input func(name string) string) []Change {
	all := maps.Clone(have)
	maps.Copy(all, want)
	var changes []Change
	for _, name := range sortedKeys(all) {
		value, wanted := want[name]
		old, exists := have[name]
		if wanted != exists || value != old {
			changes = append(changes, Change{Resource: resource, Field: name, Input: input(name), Old: old, New: value, Remove: !wanted})
		}
	}
	return changes
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

func text(s *string) string { return aws.ToString(s) }

func boolText(b *bool) string { return strconv.FormatBool(aws.ToBool(b)) }

func intText(n *int32) string { return strconv.Itoa(int(aws.ToInt32(n))) }

func listText(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), ", ") }
