package module

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Limits on an alarm: actions of a kind, and the seconds it looks back.
const (
	maxActions   = 5
	maxAlarmSpan = 86400
)

func alarmInputs() []Input {
	text, texts := cty.String, cty.List(cty.String)
	return []Input{
		optional("create_alarms", true, "Create CloudWatch alarms",
			func(in *Inputs) *bool { return &in.CreateAlarms }),
		optional("alarm_sns_topic_arn", (*string)(nil), "SNS topic that alarms go to",
			func(in *Inputs) *(*string) { return &in.AlarmSNSTopicARN }, given(topicARN)),
		optional("alarm_ok_actions", []string(nil), "What to do when an alarm is over",
			func(in *Inputs) *[]string { return &in.AlarmOKActions }, actions).typed(texts),
		optional("alarm_insufficient_data_actions", []string(nil), "What to do when an alarm lacks data",
			func(in *Inputs) *[]string { return &in.AlarmInsufficientDataActions }, actions).typed(texts),
		optional("enabled_alarms", []string(nil), "Which alarms to create",
			func(in *Inputs) *[]string { return &in.EnabledAlarms }, each(oneOf("an alarm of the module",
				alarmSlugs()...))).typed(cty.Set(text)),
		thresholdsInput(),
		optional("alarm_period", (*int)(nil), "Period of the alarms in seconds",
			func(in *Inputs) *(*int) { return &in.AlarmPeriod }, alarmPeriod),
		optional("alarm_evaluation_periods", (*int)(nil), "Evaluation periods of the alarms",
			func(in *Inputs) *(*int) { return &in.AlarmEvaluationPeriods }, evaluationPeriods),
		optional("alarm_dimension_mode", (*string)(nil), "Dimensions of the alarms",
			func(in *Inputs) *(*string) { return &in.AlarmDimensionMode },
			given(oneOf("a set of dimensions ElastiCache publishes", "node", "member"))),
		optional("treat_missing_data", (*string)(nil), "What an alarm makes of missing data",
			func(in *Inputs) *(*string) { return &in.TreatMissingData },
			given(oneOf("a treatment", "breaching", "notBreaching", "ignore", "missing"))),
		optional("create_dashboard", false, "Create a CloudWatch dashboard",
			func(in *Inputs) *bool { return &in.CreateDashboard }),
		optional("notification_topic_arn", (*string)(nil), "SNS topic that ElastiCache events go to",
			func(in *Inputs) *(*string) { return &in.NotificationTopicARN }, given(topicARN)),
	}
}

// thresholdsInput is an object with an optional number for each row of the table of alarms, hyphens written as
// underscores.
func thresholdsInput() Input {
	attributes := map[string]cty.Type{}
	var names []string
	for _, slug := range alarmSlugs() {
		name := strings.ReplaceAll(slug, "-", "_")
		attributes[name] = cty.Number
		names = append(names, name)
	}
	typ := cty.ObjectWithOptionalAttrs(attributes, names)
	return Input{
		Name: "alarm_thresholds", Description: "Thresholds of the alarms", Type: typ,
		Default: cty.NullVal(typ.WithoutOptionalAttributesDeep()),
		decode: func(v cty.Value, in *Inputs) error {
			if v.IsNull() {
				in.AlarmThresholds = nil
				return nil
			}
			in.AlarmThresholds = map[string]float64{}
			for name, n := range v.AsValueMap() {
				if !n.IsNull() {
					in.AlarmThresholds[strings.ReplaceAll(name, "_", "-")], _ = n.AsBigFloat().Float64()
				}
			}
			return nil
		},
		check: func(in *Inputs) []problem { return thresholds(in.AlarmThresholds) },
	}
}

func thresholds(all map[string]float64) (problems []problem) {
	percents := map[string]bool{"cpu": true, "engine-cpu": true, "memory": true, "hit-rate": true}
	for _, slug := range sortedKeys(all) {
		value := fmt.Sprintf("%s = %s", strings.ReplaceAll(slug, "-", "_"), numberText(all[slug]))
		switch {
		case all[slug] < 0:
			problems = append(problems, problem{value, "is less than 0, which no metric is: use 0 or more"})
		case percents[slug] && all[slug] > 100:
			problems = append(problems, problem{value, "is more than 100 percent: use 0 to 100"})
		}
	}
	return problems
}

func actions(list []string) []problem {
	if len(list) > maxActions {
		return []problem{{"the list", fmt.Sprintf("has %d elements: an alarm takes up to %d actions of a kind",
			len(list), maxActions)}}
	}
	return nil
}

func alarmPeriod(seconds *int) []problem {
	if seconds == nil || *seconds >= 60 && *seconds%60 == 0 {
		return nil
	}
	return bad(*seconds, "is not a period of ElastiCache's metrics: use 60 seconds or a multiple of it")
}

func evaluationPeriods(n *int) []problem {
	if n == nil || *n >= 1 {
		return nil
	}
	return bad(*n, "is not a number of periods: use 1 or more")
}

func alarmRules() []rule {
	return []rule{{input: "alarm_evaluation_periods", with: []string{"alarm_period", "enabled_alarms", "create_alarms"},
		broken: func(in *Inputs) string {
			longest := 0
			for _, row := range in.enabledAlarms() {
				longest = max(longest, row.Period*row.EvaluationPeriods)
			}
			return when(longest > maxAlarmSpan,
				"makes an alarm look back %d seconds, the most is one day (%d): use fewer or shorter periods", longest,
				maxAlarmSpan)
		}}}
}
