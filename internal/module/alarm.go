package module

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/modules/redis"
)

// namespace is where ElastiCache publishes its metrics.
const namespace = "AWS/ElastiCache"

// alarmRow is a row of the Terraform module's table of alarms.
type alarmRow struct {
	Slug              string
	Description       string // {threshold} stands for the threshold
	Metric            string
	Statistic         string
	Comparison        string
	Threshold         float64
	Period            int    // seconds
	EvaluationPeriods int    `json:"evaluation_periods"`
	DatapointsToAlarm int    `json:"datapoints_to_alarm"`
	NeedsReplicas     bool   `json:"needs_replicas"`
	Expression        string // metric math over Inputs; empty for an alarm on Metric itself
	Inputs            []struct{ ID, Metric, Statistic string }
}

func alarmTable() []alarmRow {
	var table []alarmRow
	if err := json.Unmarshal([]byte(redis.Alarms()), &table); err != nil {
		panic("module: alarms.json: " + err.Error()) // it is built into the program
	}
	return table
}

func alarmSlugs() []string {
	var slugs []string
	for _, row := range alarmTable() {
		slugs = append(slugs, row.Slug)
	}
	return slugs
}

// alarmRows are the rows that concern a group of that shape, with the call's own thresholds and periods.
func (in *Inputs) alarmRows() []alarmRow {
	var rows []alarmRow
	for _, row := range alarmTable() {
		if row.NeedsReplicas && in.replicas() == 0 {
			continue
		}
		if own, set := in.AlarmThresholds[row.Slug]; set {
			row.Threshold = own
		}
		if in.AlarmPeriod != nil {
			row.Period = *in.AlarmPeriod
		}
		if in.AlarmEvaluationPeriods != nil {
			row.EvaluationPeriods, row.DatapointsToAlarm = *in.AlarmEvaluationPeriods, *in.AlarmEvaluationPeriods
		}
		rows = append(rows, row)
	}
	return rows
}

// enabledAlarms are the rows of which there is an alarm for each member.
func (in *Inputs) enabledAlarms() []alarmRow {
	if !in.CreateAlarms {
		return nil
	}
	return slices.DeleteFunc(in.alarmRows(), func(row alarmRow) bool {
		return in.EnabledAlarms != nil && !slices.Contains(in.EnabledAlarms, row.Slug)
	})
}

// memberSuffixes number the nodes that the call asks for, as AWS does: 001, in cluster mode 0001-001.
func (in *Inputs) memberSuffixes() []string {
	var all []string
	if !in.ClusterModeEnabled {
		for n := range in.NumCacheNodes {
			all = append(all, fmt.Sprintf("%03d", n+1))
		}
		return all
	}
	for shard := range in.NumNodeGroups {
		for n := range in.ReplicasPerNodeGroup + 1 {
			all = append(all, fmt.Sprintf("%04d-%03d", shard+1, n+1))
		}
	}
	return all
}

// member is a cluster that alarms are made for. Its key counts the members; what they are called is for AWS to say, and
// after a replica was removed no more follows from the count.
type member struct{ key, cluster string }

func (in *Inputs) members(known []string) []member {
	sorted := slices.Sorted(slices.Values(known))
	var all []member
	for i, suffix := range in.memberSuffixes() {
		cluster := in.replicationGroupID() + "-" + suffix
		if i < len(sorted) {
			cluster = sorted[i]
		}
		all = append(all, member{suffix, cluster})
	}
	return all
}

// alarms are in the order of their keys, <member>-<slug>, which is Terraform's.
func alarms(in *Inputs, members []member) []*cloudwatch.PutMetricAlarmInput {
	var all []*cloudwatch.PutMetricAlarmInput
	for _, m := range members {
		for _, row := range in.enabledAlarms() {
			all = append(all, alarm(in, m, row))
		}
	}
	slices.SortFunc(all, func(a, b *cloudwatch.PutMetricAlarmInput) int {
		return strings.Compare(*a.AlarmName,
			*b.AlarmName)
	})
	return all
}

func alarm(in *Inputs, m member, row alarmRow) *cloudwatch.PutMetricAlarmInput {
	actions := []string{}
	if in.AlarmSNSTopicARN != nil && *in.AlarmSNSTopicARN != "" {
		actions = append(actions, *in.AlarmSNSTopicARN)
	}
	ok := actions
	if in.AlarmOKActions != nil {
		ok = in.AlarmOKActions
	}
	put := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(in.replicationGroupID() + "-" + m.key + "-" + row.Slug),
		AlarmDescription: aws.String(strings.ReplaceAll(row.Description, "{threshold}",
			numberText(row.Threshold))),
		ActionsEnabled:          aws.Bool(true),
		AlarmActions:            actions,
		OKActions:               ok,
		InsufficientDataActions: in.AlarmInsufficientDataActions,
		ComparisonOperator:      cwtypes.ComparisonOperator(row.Comparison),
		Threshold:               aws.Float64(row.Threshold),
		EvaluationPeriods:       aws.Int32(int32(row.EvaluationPeriods)),
		DatapointsToAlarm:       aws.Int32(int32(row.DatapointsToAlarm)),
		TreatMissingData:        aws.String("notBreaching"),
		Tags:                    alarmTags(in),
	}
	if in.TreatMissingData != nil {
		put.TreatMissingData = in.TreatMissingData
	}
	if row.Expression != "" {
		put.Metrics = metricMath(in, m, row)
		return put
	}
	put.Namespace, put.MetricName = aws.String(namespace), aws.String(row.Metric)
	put.Statistic, put.Period = cwtypes.Statistic(row.Statistic), aws.Int32(int32(row.Period))
	put.Dimensions = dimensions(in, m)
	return put
}

func metricMath(in *Inputs, m member, row alarmRow) []cwtypes.MetricDataQuery {
	var queries []cwtypes.MetricDataQuery
	for _, input := range row.Inputs {
		queries = append(queries, cwtypes.MetricDataQuery{
			Id: aws.String(input.ID), ReturnData: aws.Bool(false),
			MetricStat: &cwtypes.MetricStat{
				Metric: &cwtypes.Metric{Namespace: aws.String(namespace), MetricName: aws.String(input.Metric),
					Dimensions: dimensions(in, m)},
				Stat: aws.String(input.Statistic), Period: aws.Int32(int32(row.Period)),
			},
		})
	}
	return append(queries, cwtypes.MetricDataQuery{
		Id: aws.String(strings.ReplaceAll(row.Slug, "-", "_")), Label: aws.String(row.Metric),
		Expression: aws.String(row.Expression), ReturnData: aws.Bool(true),
	})
}

// dimensions are those under which ElastiCache publishes a node's metrics; it publishes none for the replication group.
func dimensions(in *Inputs, m member) []cwtypes.Dimension {
	list := []cwtypes.Dimension{{Name: aws.String("CacheClusterId"), Value: aws.String(m.cluster)}}
	if in.AlarmDimensionMode == nil || *in.AlarmDimensionMode == "node" {
		list = append(list, cwtypes.Dimension{Name: aws.String("CacheNodeId"), Value: aws.String("0001")})
	}
	return list
}

func alarmTags(in *Inputs) (list []cwtypes.Tag) {
	all := allTags(in)
	for _, key := range sortedKeys(all) {
		list = append(list, cwtypes.Tag{Key: aws.String(key), Value: aws.String(all[key])})
	}
	return list
}

// numberText writes a number as Terraform does: without an exponent.
func numberText(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
