package cloudwatch_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/servicetest"
)

// units are those of the SDK, in the order in which AWS lists an enum.
const units = "satisfy enum value set: [Gigabits/Second, Gigabits, Percent, Bits, Terabits, Kilobits, Kilobytes, " +
	"Megabytes/Second, Bytes, " +
	"Megabits/Second, Terabytes, Count, Gigabytes, Milliseconds, Count/Second, Gigabytes/Second, Bytes/Second, " +
	"Megabits, None, " +
	"Terabytes/Second, Kilobytes/Second, Megabytes, Microseconds, Kilobits/Second, Bits/Second, " +
	"Terabits/Second, Seconds]"

func TestAlarmRefusals(t *testing.T) {
	s := newServer(t)
	const validation, value, combination, missing = "ValidationError", "InvalidParameterValue",
		"InvalidParameterCombination", "MissingParameter"
	long := strings.Repeat("ä", 256)
	for _, test := range []struct {
		what          string
		change        func(in *sdk.PutMetricAlarmInput)
		code, message string
	}{
		{"name", func(in *sdk.PutMetricAlarmInput) { in.AlarmName = &long }, validation,
			violation("'"+long+"' ", "alarmName", "have length less than or equal to 255")},
		{"control character", func(in *sdk.PutMetricAlarmInput) { in.AlarmName = new("a\tb") }, validation,
			"AlarmName must be UTF-8 without ASCII control characters"},
		{"description", func(in *sdk.PutMetricAlarmInput) { in.AlarmDescription = new(strings.Repeat("ä", 1025)) },
			validation,
			violation("'"+strings.Repeat("ä", 1025)+"' ", "alarmDescription",
				"have length less than or equal to 1024")},
		{"no threshold", func(in *sdk.PutMetricAlarmInput) { in.Threshold = nil }, missing,
			"The parameter Threshold is required"},
		{"threshold", func(in *sdk.PutMetricAlarmInput) { in.Threshold = new(math.NaN()) }, value,
			"Threshold must be a finite number"},
		{"band", func(in *sdk.PutMetricAlarmInput) {
			in.ComparisonOperator = types.ComparisonOperatorLessThanLowerThreshold
		}, value, "larder serves PutMetricAlarm's ComparisonOperator only as GreaterThanOrEqualToThreshold or " +
			"GreaterThanThreshold or " +
			"LessThanThreshold or LessThanOrEqualToThreshold: anomaly detection is not served"},
		{"band metric", func(in *sdk.PutMetricAlarmInput) { in.ThresholdMetricId = new("ad1") }, value,
			"larder does not serve PutMetricAlarm's ThresholdMetricId: anomaly detection is not served"},
		{"many actions", func(in *sdk.PutMetricAlarmInput) { in.OKActions = slices.Repeat([]string{"a"}, 6) },
			validation,
			violation("'[a, a, a, a, a, a]' ", "oKActions", "have length less than or equal to 5")},
		{"action", func(in *sdk.PutMetricAlarmInput) { in.AlarmActions = []string{"critical"} }, validation,
			"Invalid arn syntax: critical"},
		{"other action", func(in *sdk.PutMetricAlarmInput) {
			in.InsufficientDataActions = []string{"arn:aws:automate:us-east-1:ec2:stop"}
		}, value, "larder serves InsufficientDataActions that are topics of SNS only, not " +
			"arn:aws:automate:us-east-1:ec2:stop"},
		{"no periods", func(in *sdk.PutMetricAlarmInput) { in.EvaluationPeriods = new(int32(0)) }, validation,
			violation("'0' ", "evaluationPeriods", "have value greater than or equal to 1")},
		{"datapoints", func(in *sdk.PutMetricAlarmInput) { in.DatapointsToAlarm = new(int32(3)) }, validation,
			"DatapointsToAlarm is 3. It must not be greater than EvaluationPeriods, which is 2"},
		{"no period", func(in *sdk.PutMetricAlarmInput) { in.Period = nil }, missing,
			"The parameter Period is required with MetricName"},
		{"period", func(in *sdk.PutMetricAlarmInput) { in.Period = new(int32(90)) }, validation,
			"Period must be 10, 20, 30 or a multiple of 60"},
		{"a day", func(in *sdk.PutMetricAlarmInput) { in.EvaluationPeriods = new(int32(289)) }, validation,
			"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) with a Period " +
				"under 3600."},
		{"a week", func(in *sdk.PutMetricAlarmInput) {
			in.EvaluationPeriods, in.Period = new(int32(169)),
				new(int32(3600))
		}, validation,
			"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800)."},
		{"missing data", func(in *sdk.PutMetricAlarmInput) { in.TreatMissingData = new("x") }, validation,
			`TreatMissingData "x" must be one of [breaching notBreaching ignore missing]`},
		{"few samples", func(in *sdk.PutMetricAlarmInput) { in.EvaluateLowSampleCountPercentile = new("x") },
			validation,
			`EvaluateLowSampleCountPercentile "x" must be evaluate or ignore`},
		{"few samples of what",
			func(in *sdk.PutMetricAlarmInput) { in.EvaluateLowSampleCountPercentile = new("ignore") }, combination,
			"EvaluateLowSampleCountPercentile is for alarms on a percentile: it must be given with ExtendedStatistic"},
		{"no metric", func(in *sdk.PutMetricAlarmInput) { in.MetricName = nil }, validation,
			"MetricName must not be null"},
		{"no namespace", func(in *sdk.PutMetricAlarmInput) { in.Namespace = nil }, missing,
			"The parameter Namespace is required"},
		{"metric name", func(in *sdk.PutMetricAlarmInput) { in.MetricName = &long }, validation,
			violation("'"+long+"' ", "metricName", "have length less than or equal to 255")},
		{"no statistic", func(in *sdk.PutMetricAlarmInput) { in.Statistic = "" }, combination,
			"Exactly one of the parameters Statistic and ExtendedStatistic must be given"},
		{"statistic", func(in *sdk.PutMetricAlarmInput) { in.Statistic = "Median" }, validation,
			violation("'Median' ", "statistic",
				"satisfy enum value set: [Maximum, SampleCount, Sum, Minimum, Average]")},
		{"percentile", func(in *sdk.PutMetricAlarmInput) { in.Statistic, in.ExtendedStatistic = "", new("p101") },
			value,
			`ExtendedStatistic "p101" is not a percentile such as p90, tm, tc, ts, wm, IQM, or TM, TC, TS, WM or PR with ` +
				`bounds`},
		{"unit", func(in *sdk.PutMetricAlarmInput) { in.Unit = "Furlongs" }, validation,
			violation("'Furlongs' ", "unit", units)},
		{"many dimensions", func(in *sdk.PutMetricAlarmInput) { in.Dimensions = slices.Repeat(in.Dimensions, 31) },
			validation,
			violation("", "dimensions", "have length less than or equal to 30")},
		{"dimension", func(in *sdk.PutMetricAlarmInput) {
			in.Dimensions = []types.Dimension{{Name: new("CacheClusterId"), Value: new("")}}
		}, validation, violation("'' ", "dimensions.1.member.value", "have length greater than or equal to 1")},
		{"long dimension", func(in *sdk.PutMetricAlarmInput) {
			in.Dimensions = []types.Dimension{{Name: new("CacheClusterId"), Value: new(strings.Repeat("x", 1025))}}
		}, validation, violation("'"+strings.Repeat("x",
			1025)+"' ", "dimensions.1.member.value", "have length less than or equal to 1024")},
		{"dimension twice", func(in *sdk.PutMetricAlarmInput) {
			in.Dimensions = append(in.Dimensions,
				in.Dimensions[0])
		}, value,
			"The dimension CacheClusterId is given more than once"},
		{"tag", func(in *sdk.PutMetricAlarmInput) { in.Tags = []types.Tag{{Key: new("aws:x"), Value: new("")}} }, value,
			`The tag key "aws:x" must not begin with aws:, which is kept for AWS's own tags`},
		{"several", func(in *sdk.PutMetricAlarmInput) {
			in.ComparisonOperator, in.Statistic, in.EvaluationPeriods = "Greater", "Median", new(int32(0))
		}, validation, "3 validation errors detected: Value 'Greater' at 'comparisonOperator' failed to satisfy " +
			"constraint: Member must satisfy " +
			"enum value set: [GreaterThanUpperThreshold, LessThanLowerThreshold, GreaterThanThreshold, " +
			"LessThanThreshold, " +
			"LessThanOrEqualToThreshold, GreaterThanOrEqualToThreshold, LessThanLowerOrGreaterThanUpperThreshold]; " +
			"Value '0' at 'evaluationPeriods' failed to satisfy constraint: Member must have value greater than or " +
			"equal to 1; " +
			"Value 'Median' at 'statistic' failed to satisfy constraint: Member must " +
			"satisfy enum value set: [Maximum, SampleCount, Sum, Minimum, Average]"},
		{"both", func(in *sdk.PutMetricAlarmInput) { in.Metrics = hitRate().Metrics }, combination,
			"Metrics must not be given together with MetricName, Namespace, Dimensions, Period, Unit, Statistic or " +
				"ExtendedStatistic"},
	} {
		t.Run(test.what, func(t *testing.T) {
			in := cpu("cpu")
			test.change(in)
			_, err := s.PutMetricAlarm(t.Context(), in, unchecked)
			servicetest.WantError(t, err, test.code, test.message)
		})
	}
	if got := s.names(t, &sdk.DescribeAlarmsInput{}); len(got) != 0 {
		t.Errorf("after the refusals there are %v", got)
	}
}
