package cloudwatch

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/series"
)

// The limits of an alarm (alarm_semantics.md, section 2). Lengths count characters, times seconds.
const (
	maxName        = 255
	maxActions     = 5
	maxWindow      = 604_800
	maxShortWindow = 86_400 // for periods under longPeriod
	longPeriod     = 3600
)

// checkAlarm refuses what cannot be an alarm.
func checkAlarm(in *sdk.PutMetricAlarmInput) error {
	if err := checkName(*in.AlarmName); err != nil {
		return err
	}
	switch {
	case in.ComparisonOperator == "":
		return missing("The parameter ComparisonOperator is required")
	case in.Threshold == nil:
		return missing("The parameter Threshold is required")
	case math.IsNaN(*in.Threshold) || math.IsInf(*in.Threshold, 0):
		return invalidValue("Threshold must be a finite number")
	}
	return cmp.Or(checkActions(in.OKActions, in.AlarmActions, in.InsufficientDataActions), checkPeriods(in),
		checkMissing(in), checkMeasured(in))
}

func checkActions(ok, alarm, insufficient []string) error {
	for _, list := range []struct {
		name    string
		actions []string
	}{{"OKActions", ok}, {"AlarmActions", alarm}, {"InsufficientDataActions", insufficient}} {
		for _, action := range list.actions {
			switch {
			case !strings.HasPrefix(action, "arn:"):
				return validation("Invalid arn syntax: %s", action)
			case !strings.HasPrefix(action, "arn:aws:sns:"):
				return invalidValue("larder serves %s that are topics of SNS only, not %s", list.name, action)
			}
		}
	}
	return nil
}

func checkPeriods(in *sdk.PutMetricAlarmInput) error {
	switch {
	case in.EvaluationPeriods == nil:
		return missing("The parameter EvaluationPeriods is required")
	case in.DatapointsToAlarm != nil && *in.DatapointsToAlarm > *in.EvaluationPeriods:
		return validation("DatapointsToAlarm is %d. It must not be greater than EvaluationPeriods, which is %d",
			*in.DatapointsToAlarm, *in.EvaluationPeriods)
	}
	period, err := alarmPeriod(in)
	if err != nil {
		return err
	}
	switch window := int64(period) * int64(*in.EvaluationPeriods); {
	case window > maxWindow:
		return validation("Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= %d).",
			maxWindow)
	case period < longPeriod && window > maxShortWindow:
		return validation("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= %d) "+
			"with a Period under %d.",
			maxShortWindow, longPeriod)
	}
	return nil
}

// alarmPeriod is the period of an alarm's metric, or the longest of those of its metrics.
func alarmPeriod(in *sdk.PutMetricAlarmInput) (int32, error) {
	if len(in.Metrics) == 0 {
		if in.Period == nil {
			return 0, missing("The parameter Period is required with MetricName")
		}
		return *in.Period, checkPeriod(*in.Period)
	}
	longest := int32(0)
	for _, m := range in.Metrics {
		for _, p := range []*int32{m.Period, statPeriod(m)} {
			if p == nil {
				continue
			}
			if err := checkPeriod(*p); err != nil {
				return 0, err
			}
			longest = max(longest, *p)
		}
	}
	return longest, nil
}

func statPeriod(m types.MetricDataQuery) *int32 {
	if m.MetricStat == nil {
		return nil
	}
	return m.MetricStat.Period
}

func checkPeriod(p int32) error {
	if p < 1 || p%60 != 0 && !slices.Contains([]int32{10, 20, 30}, p) {
		return validation("Period must be 10, 20, 30 or a multiple of 60")
	}
	return nil
}

func checkMissing(in *sdk.PutMetricAlarmInput) error {
	treatments := []string{"breaching", "notBreaching", "ignore", "missing"}
	if in.TreatMissingData != nil && !slices.Contains(treatments, *in.TreatMissingData) {
		return validation("TreatMissingData %q must be one of %v", *in.TreatMissingData, treatments)
	}
	if in.EvaluateLowSampleCountPercentile == nil {
		return nil
	}
	if !slices.Contains([]string{"evaluate", "ignore"}, *in.EvaluateLowSampleCountPercentile) {
		return validation("EvaluateLowSampleCountPercentile %q must be evaluate or ignore",
			*in.EvaluateLowSampleCountPercentile)
	}
	if in.ExtendedStatistic == nil {
		return invalidCombination("EvaluateLowSampleCountPercentile is for alarms on a percentile: it must be given with " +
			"ExtendedStatistic")
	}
	return nil
}

// checkMeasured checks what an alarm measures: a metric, or metric math.
func checkMeasured(in *sdk.PutMetricAlarmInput) error {
	if len(in.Metrics) > 0 {
		if in.MetricName != nil || in.Namespace != nil || len(in.Dimensions) > 0 || in.Statistic != "" ||
			in.ExtendedStatistic != nil || in.Period != nil || in.Unit != "" {
			return invalidCombination("Metrics must not be given together with MetricName, Namespace, Dimensions, Period, " +
				"Unit, Statistic or ExtendedStatistic")
		}
		return checkMath(in.Metrics)
	}
	switch {
	case in.MetricName == nil:
		return validation("MetricName must not be null")
	case (in.Statistic == "") == (in.ExtendedStatistic == nil):
		return invalidCombination("Exactly one of the parameters Statistic and ExtendedStatistic must be given")
	case in.ExtendedStatistic != nil:
		if err := checkExtended("ExtendedStatistic", *in.ExtendedStatistic); err != nil {
			return err
		}
	}
	return checkMetric(in.Namespace, in.MetricName, in.Dimensions)
}

// checkExtended refuses a statistic that is not one, and those that are in the other list.
func checkExtended(member, text string) error {
	s, err := series.ParseStatistic(text)
	if err != nil || !s.Distributed() {
		return invalidValue("%s %q is not a percentile such as p90, tm, tc, ts, wm, IQM, or TM, TC, TS, WM or PR with bounds",
			member, text)
	}
	return nil
}

func checkMetric(namespace, name *string, dimensions []types.Dimension) error {
	for _, text := range []struct {
		name  string
		value *string
	}{{"Namespace", namespace}, {"MetricName", name}} {
		if text.value == nil {
			return missing("The parameter %s is required", text.name)
		}
	}
	seen := map[string]bool{}
	for _, d := range dimensions {
		name := aws.ToString(d.Name)
		switch {
		case name == "" || aws.ToString(d.Value) == "":
			return validation("A dimension must have a Name and a Value")
		case seen[name]:
			return invalidValue("The dimension %s is given more than once", name)
		}
		seen[name] = true
	}
	return nil
}
