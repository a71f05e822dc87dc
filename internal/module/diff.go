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

// The resources a Change can be of.
const (
	ReplicationGroupResource = "replication group"
	SubnetGroupResource      = "subnet group"
	ParameterGroupResource   = "parameter group"
	ParameterResource        = "parameter"
	SecretResource           = "secret"
	LogGroupResource         = "log group"
	AlarmResource            = "alarm"
	DashboardResource        = "dashboard"
	TagResource              = "tag"
)

// Change is one thing that is not as the module call wants it.
type Change struct {
	Resource string // one of the constants above
	// which one, where there are several: of alarms and log groups the name, of tags the tagged resource's ARN
	Name     string
	Field    string // the API's field, or the name of the parameter or tag
	Input    string // the module input behind it
	Old, New string
	Remove   bool // the parameter is to go back to its default, or the tag away; New is ""
	// Withdrawn: Old waits for the maintenance window, and is not to come. New is what there is.
	Withdrawn bool
	Refused   string // why larder cannot make the change now; "" when it can
}

// Diff says what to change so that what is observed becomes what is desired. Resources that do not exist are not
// compared: they are to be created. Preferred zones are not either: AWS takes them at creation only.
func Diff(desired Resources, observed Observed) []Change {
	var changes []Change
	if observed.ReplicationGroup != nil {
		changes = append(changes, diffGroup(desired, observed)...)
	}
	if observed.SubnetGroup != nil && desired.SubnetGroup != nil {
		changes = append(changes, diffSubnets(desired.SubnetGroup, observed.SubnetGroup)...)
	}
	if observed.ParameterGroup != nil && desired.ParameterGroup != nil {
		changes = append(changes, diffParameters(desired, observed)...)
	}
	changes = append(changes, diffSecret(desired, observed)...)
	changes = append(changes, diffLogGroups(desired, observed)...)
	changes = append(changes, diffAlarms(desired, observed)...)
	changes = append(changes, diffDashboard(desired, observed)...)
	return append(changes, diffTags(desired.Tags, observed.Tags)...)
}

// field is one value of a resource, desired and observed, as text.
type field struct{ name, input, want, have string }

// diffFields says which of a resource's fields differ.
func diffFields(resource, name string, fields []field) []Change {
	var changes []Change
	for _, f := range fields {
		if f.want != f.have {
			changes = append(changes, Change{Resource: resource, Name: name, Field: f.name, Input: f.input, Old: f.have,
				New: f.want})
		}
	}
	return changes
}

func diffSubnets(want *elasticache.CreateCacheSubnetGroupInput, have *ectypes.CacheSubnetGroup) []Change {
	var subnets []string
	for _, s := range have.Subnets {
		subnets = append(subnets, text(s.SubnetIdentifier))
	}
	return diffFields(SubnetGroupResource, "", []field{
		{"CacheSubnetGroupDescription", "project_name", text(want.CacheSubnetGroupDescription),
			text(have.CacheSubnetGroupDescription)},
		{"SubnetIds", "redis_subnet_ids", listText(want.SubnetIds), listText(subnets)},
	})
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
			changes[i].Refused = "cluster_mode_enabled: AWS lets nobody change cluster-enabled in an existing parameter " +
				"group: delete the group and create it again"
		}
	}
	family := text(observed.ParameterGroup.CacheParameterGroupFamily)
	if asked := text(desired.ParameterGroup.CacheParameterGroupFamily); asked != family {
		changes = append(changes, Change{
			Resource: ParameterGroupResource, Field: "CacheParameterGroupFamily", Input: "parameter_group_family",
			Old: family, New: asked,
			Refused: fmt.Sprintf("parameter_group_family: the family of a parameter group cannot change from %q to %q: "+
				"delete the group first", family, asked),
		})
	}
	return changes
}

// diffTags leaves tags that start with aws: alone: AWS sets them.
func diffTags(want map[string]string, have map[string]map[string]string) []Change {
	var changes []Change
	for _, arn := range sortedKeys(have) {
		own := maps.Clone(have[arn])
		maps.DeleteFunc(own, func(key, _ string) bool { return strings.HasPrefix(key, "aws:") })
		for _, c := range diffMaps(TagResource, want, own, func(string) string { return "tags" }) {
			c.Name = arn
			changes = append(changes, c)
		}
	}
	return changes
}

func diffMaps(resource string, want, have map[string]string, input func(name string) string) []Change {
	all := map[string]string{}
	maps.Copy(all, have)
	maps.Copy(all, want)
	var changes []Change
	for _, name := range sortedKeys(all) {
		value, wanted := want[name]
		old, exists := have[name]
		if wanted != exists || value != old {
			changes = append(changes, Change{Resource: resource, Field: name, Input: input(name), Old: old, New: value,
				Remove: !wanted})
		}
	}
	return changes
}

func text(s *string) string { return aws.ToString(s) }

func boolText(b *bool) string { return strconv.FormatBool(aws.ToBool(b)) }

func intText(n *int32) string { return strconv.Itoa(int(aws.ToInt32(n))) }

func listText(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), ", ") }
