package module

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

func diffSecret(desired Resources, observed Observed) []Change {
	if desired.Secret == nil || observed.Secret == nil {
		return nil
	}
	return diffFields(SecretResource, "", []field{
		{"KmsKeyId", "auth_token_secret_kms_key_arn", text(desired.Secret.KmsKeyId), text(observed.Secret.KmsKeyId)},
	})
}

func diffLogGroups(desired Resources, observed Observed) []Change {
	var changes []Change
	for _, want := range desired.LogGroups {
		name := text(want.Create.LogGroupName)
		i := slices.IndexFunc(observed.LogGroups,
			func(g logtypes.LogGroup) bool { return text(g.LogGroupName) == name })
		if i < 0 {
			continue
		}
		have := observed.LogGroups[i]
		changes = append(changes, diffFields(LogGroupResource, name, []field{
			{"RetentionInDays", "cloudwatch_log_retention_days", intText(&want.RetentionInDays),
				intText(have.RetentionInDays)},
			{"KmsKeyId", "cloudwatch_log_kms_key_arn", text(want.Create.KmsKeyId), text(have.KmsKeyId)},
		})...)
	}
	return changes
}

func diffAlarms(desired Resources, observed Observed) []Change {
	have := map[string]cwtypes.MetricAlarm{}
	for _, a := range observed.Alarms {
		have[text(a.AlarmName)] = a
	}
	var changes []Change
	for _, want := range desired.Alarms {
		if a, exists := have[text(want.AlarmName)]; exists {
			changes = append(changes, diffFields(AlarmResource, text(want.AlarmName), alarmFields(want, a))...)
		}
	}
	return changes
}

func alarmFields(want *cloudwatch.PutMetricAlarmInput, have cwtypes.MetricAlarm) []field {
	return []field{
		{"AlarmDescription", "alarm_thresholds", text(want.AlarmDescription), text(have.AlarmDescription)},
		{"Threshold", "alarm_thresholds", numberText(aws.ToFloat64(want.Threshold)),
			numberText(aws.ToFloat64(have.Threshold))},
		{"ComparisonOperator", "enabled_alarms", string(want.ComparisonOperator), string(have.ComparisonOperator)},
		{"EvaluationPeriods", "alarm_evaluation_periods", intText(want.EvaluationPeriods),
			intText(have.EvaluationPeriods)},
		{"DatapointsToAlarm", "alarm_evaluation_periods", intText(want.DatapointsToAlarm),
			intText(have.DatapointsToAlarm)},
		{"TreatMissingData", "treat_missing_data", text(want.TreatMissingData), text(have.TreatMissingData)},
		{"ActionsEnabled", "create_alarms", boolText(want.ActionsEnabled), boolText(have.ActionsEnabled)},
		{"AlarmActions", "alarm_sns_topic_arn", listText(want.AlarmActions), listText(have.AlarmActions)},
		{"OKActions", "alarm_ok_actions", listText(want.OKActions), listText(have.OKActions)},
		{"InsufficientDataActions", "alarm_insufficient_data_actions", listText(want.InsufficientDataActions),
			listText(have.InsufficientDataActions)},
		{"Namespace", "enabled_alarms", text(want.Namespace), text(have.Namespace)},
		{"MetricName", "enabled_alarms", text(want.MetricName), text(have.MetricName)},
		{"Statistic", "enabled_alarms", string(want.Statistic), string(have.Statistic)},
		{"ExtendedStatistic", "enabled_alarms", text(want.ExtendedStatistic), text(have.ExtendedStatistic)},
		{"Unit", "enabled_alarms", string(want.Unit), string(have.Unit)},
		{"Period", "alarm_period", intText(want.Period), intText(have.Period)},
		{"Dimensions", "alarm_dimension_mode", dimensionsText(want.Dimensions), dimensionsText(have.Dimensions)},
		{"Metrics", "alarm_period", metricsText(want.Metrics), metricsText(have.Metrics)},
	}
}

func dimensionsText(list []cwtypes.Dimension) string {
	var all []string
	for _, d := range list {
		all = append(all, text(d.Name)+"="+text(d.Value))
	}
	return listText(all)
}

// metricsText is the same for the same queries in any order.
func metricsText(queries []cwtypes.MetricDataQuery) string {
	var all []string
	for _, q := range queries {
		s := fmt.Sprintf("%s: %s %s %s", text(q.Id), text(q.Label), text(q.Expression), boolText(q.ReturnData))
		if m := q.MetricStat; m != nil && m.Metric != nil {
			s += fmt.Sprintf(" %s %s/%s %s every %s s", text(m.Stat), text(m.Metric.Namespace),
				text(m.Metric.MetricName), dimensionsText(m.Metric.Dimensions), intText(m.Period))
		}
		all = append(all, s)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// diffDashboard compares what the bodies say, not how they are written. They are too long to show.
func diffDashboard(desired Resources, observed Observed) []Change {
	if desired.Dashboard == nil || observed.Dashboard == nil {
		return nil
	}
	var want, have any
	if json.Unmarshal([]byte(text(desired.Dashboard.DashboardBody)), &want) == nil &&
		json.Unmarshal([]byte(text(observed.Dashboard.DashboardBody)), &have) == nil && reflect.DeepEqual(want, have) {
		return nil
	}
	return []Change{{Resource: DashboardResource, Field: "DashboardBody", Input: "create_dashboard"}}
}
