package cloudwatch_test

import (
	"fmt"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// measured asks for a metric, and expr for an expression.
func measured(id, namespace string, period int32) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: &namespace, MetricName: new("Load")}, Period: &period, Stat: new("Sum")}}
}

func expr(id, expression string) types.MetricDataQuery {
	return types.MetricDataQuery{Id: &id, Expression: &expression}
}

// TestUnknownIsEmpty: CloudWatch does not know which namespaces there are; one without metrics is empty, not an error.
func TestUnknownIsEmpty(t *testing.T) {
	s := newServer(t)
	day := new(s.now().Add(-24 * time.Hour))
	if got := must(s.ListMetrics(t.Context(),
		&sdk.ListMetricsInput{Namespace: new("Nothing")}))(t); len(got.Metrics) != 0 || got.NextToken != nil {
		t.Errorf("listed %v", got)
	}
	statistics := must(s.GetMetricStatistics(t.Context(), &sdk.GetMetricStatisticsInput{
		Namespace: new("Nothing"), MetricName: new("Load"), StartTime: day, EndTime: new(s.now()), Period: new(int32(60)),
		Statistics: []types.Statistic{types.StatisticSum}}))(t)
	if len(statistics.Datapoints) != 0 || *statistics.Label != "Load" {
		t.Errorf("read %v", statistics)
	}
	data := must(s.GetMetricData(t.Context(), &sdk.GetMetricDataInput{
		StartTime: day, EndTime: new(s.now()), MetricDataQueries: []types.MetricDataQuery{measured("m", "Nothing", 60),
			expr("e", "m*2")}}))(t)
	if len(data.MetricDataResults) != 2 {
		t.Fatalf("%d results", len(data.MetricDataResults))
	}
	for _, r := range data.MetricDataResults {
		if len(r.Values) != 0 || r.StatusCode != types.StatusCodeComplete {
			t.Errorf("read %+v", r)
		}
	}
	alarms := must(s.DescribeAlarmsForMetric(t.Context(),
		&sdk.DescribeAlarmsForMetricInput{Namespace: new("Nothing"), MetricName: new("Load")}))(t)
	if len(alarms.MetricAlarms) != 0 {
		t.Errorf("found %v", alarms)
	}
	if got := s.names(t, &sdk.DescribeAlarmsInput{AlarmNames: []string{"nothing"}}); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

// TestBadInput: what issue reports and fuzzers send, and the error it gets.
func TestBadInput(t *testing.T) {
	s := newServer(t)
	const validation, value, combination = "ValidationError", "InvalidParameterValue", "InvalidParameterCombination"
	data := func(queries ...types.MetricDataQuery) error {
		_, err := s.GetMetricData(t.Context(),
			&sdk.GetMetricDataInput{StartTime: new(s.now().Add(-time.Hour)), EndTime: new(s.now()),
				MetricDataQueries: queries}, unchecked)
		return err
	}
	statistics := func(from, to time.Duration, period int32) error {
		_, err := s.GetMetricStatistics(t.Context(),
			&sdk.GetMetricStatisticsInput{Namespace: new("Mine"), MetricName: new("Load"),
				StartTime: new(s.now().Add(-from)), EndTime: new(s.now().Add(-to)), Period: &period,
				Statistics: []types.Statistic{types.StatisticSum}})
		return err
	}
	alarm := func(change func(*sdk.PutMetricAlarmInput)) error {
		in := cpu("bad")
		change(in)
		_, err := s.PutMetricAlarm(t.Context(), in, unchecked)
		return err
	}
	withExpression := func(text string) types.MetricDataQuery { return expr("e", text) }
	const periods = "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not "
	var many []types.MetricDataQuery
	for i := range 501 {
		many = append(many, measured(fmt.Sprint("m", i), "Mine", 60))
	}
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"a period that is no multiple", statistics(time.Hour, 0, 90), value, periods + "90"},
		{"no period", statistics(time.Hour, 0, 0), value, periods + "0"},
		{"a negative period", statistics(time.Hour, 0, -60), value, periods + "-60"},
		{"seconds of yesterday", statistics(24*time.Hour, 23*time.Hour, 1), value,
			"The parameter Period must be a multiple of 60 with a StartTime more than 3 hours ago, not 1"},
		{"minutes of last month", statistics(20*24*time.Hour, 19*24*time.Hour, 60), value,
			"The parameter Period must be a multiple of 300 with a StartTime more than 15 days ago, not 60"},
		{"one point too many", statistics(24*time.Hour+time.Minute, 0, 60), combination,
			"You have requested up to 1441 datapoints, which exceeds the limit of 1440. You may reduce the datapoints " +
				"requested by increasing Period, or decreasing the time range."},
		{"a range that ends before it begins", statistics(0, time.Hour, 60), value,
			"The parameter StartTime must be less than the parameter EndTime."},
		{"a namespace that is empty", data(measured("m", "", 60)), validation,
			violation("'' ", "metricDataQueries.1.member.metricStat.metric.namespace",
				"have length greater than or equal to 1")},
		{"a period of a query", data(measured("m", "Mine", 61)), value, periods + "61"},
		{"a period of an expression", data(measured("m", "Mine", 60),
			types.MetricDataQuery{Id: new("e"), Expression: new("m"), Period: new(int32(61))}), value, periods + "61"},
		{"no query", data(), validation, "Between 1 and 500 MetricDataQueries must be given; the request has 0"},
		{"many queries", data(many...), validation,
			"Between 1 and 500 MetricDataQueries must be given; the request has 501"},
		{"an id in capitals", data(measured("M", "Mine", 60)), validation,
			"The value M for parameter MetricDataQueries.member.1.Id is not matching the expected pattern " +
				"^[a-z][a-zA-Z0-9_]*$."},
		{"ids and a statistic", data(measured("5xx_sum", "Mine", 60), withExpression("m"),
			func() types.MetricDataQuery {
				q := measured("m", "Mine", 60)
				q.MetricStat.Stat = new("Median")
				return q
			}(), measured("4xx_sum", "Mine", 60)), validation,
			"The value 5xx_sum for parameter MetricDataQueries.member.1.Id is not matching the expected pattern " +
				"^[a-z][a-zA-Z0-9_]*$.\n" +
				"The value for parameter MetricDataQueries.member.3.MetricStat.Stat is not a valid statistic.\n" +
				"The value 4xx_sum for parameter MetricDataQueries.member.4.Id is not matching the expected pattern " +
				"^[a-z][a-zA-Z0-9_]*$."},
		{"an id twice", data(measured("m", "Mine", 60), measured("m", "Mine", 60)), validation,
			"The Id m is given to more than one metric"},
		{"itself", data(withExpression("e+1")), validation, "Error in expression 'e': it refers to itself"},
		{"a cycle", data(expr("a", "b*2"), expr("b", "c"), expr("c", "a")), validation,
			"Error in expression 'a': it refers to itself by way of b, c"},
		{"an id that nothing has", data(withExpression("m1+1")), validation,
			"Error in expression 'e': there is no metric of the Id m1"},
		{"parentheses", data(withExpression("(1+2")), validation,
			"Error in expression 'e': the parentheses do not match"},
		{"a function that nobody has", data(measured("m", "Mine", 60), withExpression("DANCE(m)")), validation,
			"Error in expression 'e': there is no function DANCE"},
		{"SEARCH", data(withExpression("SEARCH('{Mine,Node} Load', 'Sum', 60)")), validation,
			"Error in expression 'e': larder does not serve SEARCH: name the metrics"},
		{"a band", data(measured("m", "Mine", 60), withExpression("ANOMALY_DETECTION_BAND(m, 2)")), validation,
			"Error in expression 'e': larder does not serve ANOMALY_DETECTION_BAND: "},
		{"a quota", data(measured("m", "Mine", 60), withExpression("SERVICE_QUOTA(m)")), validation,
			"Error in expression 'e': larder does not serve SERVICE_QUOTA: "},
		{"Metrics Insights", data(withExpression("SELECT AVG(Load) FROM Mine")), value,
			"larder does not serve Metrics Insights queries: the Expression of e is one"},
		{"a number for an answer", data(measured("m", "Mine", 60), withExpression("AVG(m)")), validation,
			"Error in expression 'e': it gives a number, not a time series"},
		{"an alarm on a band", alarm(func(in *sdk.PutMetricAlarmInput) {
			in.ComparisonOperator = types.ComparisonOperatorGreaterThanUpperThreshold
		}), value, "larder serves PutMetricAlarm's ComparisonOperator only as GreaterThanOrEqualToThreshold or "},
		{"a threshold that is a metric", alarm(func(in *sdk.PutMetricAlarmInput) { in.ThresholdMetricId = new("ad1") }),
			value,
			"larder does not serve PutMetricAlarm's ThresholdMetricId: anomaly detection is not served"},
		{"an alarm's period", alarm(func(in *sdk.PutMetricAlarmInput) { in.Period = new(int32(90)) }), validation,
			"Period must be 10, 20, 30 or a multiple of 60"},
		{"an alarm over more than a week",
			alarm(func(in *sdk.PutMetricAlarmInput) { in.Period = new(int32(86400)); in.EvaluationPeriods = new(int32(8)) }),
			validation,
			"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800)."},
		{"an alarm over more than a day",
			alarm(func(in *sdk.PutMetricAlarmInput) { in.EvaluationPeriods = new(int32(289)) }), validation,
			"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) with a Period " +
				"under 3600."},
		{"an alarm without a name", alarm(func(in *sdk.PutMetricAlarmInput) { in.AlarmName = nil }), validation,
			violation("null ", "alarmName", "not be null")},
	} {
		t.Run(test.what, func(t *testing.T) { wantErrorBeginning(t, test.err, test.code, test.message) })
	}
}
