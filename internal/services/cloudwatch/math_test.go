package cloudwatch_test

import (
	"fmt"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

func TestMathAlarm(t *testing.T) {
	s := newServer(t)
	in := hitRate()
	s.put(t, in)
	got := s.alarm(t, "hit-rate")
	if diff := cmp.Diff(in.Metrics, got.Metrics, plain); diff != "" {
		t.Error(diff)
	}
	if got.MetricName != nil || got.Period != nil || got.Statistic != "" {
		t.Errorf("got %+v", got)
	}
}

// hitRate is an alarm on metric math.
func hitRate() *sdk.PutMetricAlarmInput {
	metric := func(id, name string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: &id, ReturnData: new(false), MetricStat: &types.MetricStat{
			Period: new(int32(300)), Stat: new("Sum"), Unit: types.StandardUnitCount, Metric: &types.Metric{
				Namespace: new("AWS/ElastiCache"), MetricName: &name,
				Dimensions: []types.Dimension{{Name: new("CacheClusterId"), Value: new("mine-001")}},
			}}}
	}
	return &sdk.PutMetricAlarmInput{
		AlarmName: new("hit-rate"), EvaluationPeriods: new(int32(3)), Threshold: new(80.0),
		ComparisonOperator: types.ComparisonOperatorLessThanThreshold,
		Metrics: []types.MetricDataQuery{
			{Id: new("rate"), Expression: new(`IF(hits + misses > 0, 100 * hits / (hits + misses), 1e2)`),
				Label: new("hit rate"), ReturnData: new(true)},
			metric("hits", "CacheHits"), metric("misses", "CacheMisses"),
		},
	}
}

func TestMathRefusals(t *testing.T) {
	s := newServer(t)
	const validation, value, combination, missing = "ValidationError", "InvalidParameterValue",
		"InvalidParameterCombination", "MissingParameter"
	for _, test := range []struct {
		what          string
		change        func(q []types.MetricDataQuery) []types.MetricDataQuery
		code, message string
	}{
		{"many", func(q []types.MetricDataQuery) []types.MetricDataQuery {
			for i := range 8 {
				q = append(q, types.MetricDataQuery{Id: new(fmt.Sprint("e", i)), Expression: new("1"),
					ReturnData: new(false)})
			}
			return q
		}, validation, "An alarm has at most 10 Metrics; the request gives 11"},
		{"id", func(q []types.MetricDataQuery) []types.MetricDataQuery { q[1].Id = new("Hits"); return q }, validation,
			"The value Hits for parameter Metrics.member.2.Id is not matching the expected pattern " +
				"^[a-z][a-zA-Z0-9_]*$."},
		{"id twice", func(q []types.MetricDataQuery) []types.MetricDataQuery { q[2].Id = q[1].Id; return q },
			validation,
			"The Id hits is given to more than one metric"},
		{"two returned", func(q []types.MetricDataQuery) []types.MetricDataQuery { q[1].ReturnData = nil; return q },
			validation,
			"Exactly one element of the metrics list should return data; these do: [rate hits]"},
		{"none returned",
			func(q []types.MetricDataQuery) []types.MetricDataQuery { q[0].ReturnData = new(false); return q },
			validation,
			"Exactly one element of the metrics list should return data; these do: []"},
		{"neither", func(q []types.MetricDataQuery) []types.MetricDataQuery { q[1].MetricStat = nil; return q },
			combination,
			"The metric hits must have exactly one of Expression and MetricStat"},
		{"period twice",
			func(q []types.MetricDataQuery) []types.MetricDataQuery { q[1].Period = new(int32(60)); return q },
			combination,
			"The metric hits has a MetricStat: its Period belongs there"},
		{"period", func(q []types.MetricDataQuery) []types.MetricDataQuery {
			q[1].MetricStat.Period = new(int32(61))
			return q
		}, validation,
			"Period must be 10, 20, 30 or a multiple of 60"},
		{"window", func(q []types.MetricDataQuery) []types.MetricDataQuery {
			q[1].MetricStat.Period = new(int32(604800))
			return q
		}, validation,
			"Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800)."},
		{"no period",
			func(q []types.MetricDataQuery) []types.MetricDataQuery { q[1].MetricStat.Period = nil; return q }, missing,
			"The MetricStat of hits must have a Metric and a Period"},
		{"no period at all", func(q []types.MetricDataQuery) []types.MetricDataQuery {
			q[0].Expression = new("TIME_SERIES(1)")
			return q[:1]
		}, missing,
			"The parameter Period is required with expressions that have no metric"},
		{"stat",
			func(q []types.MetricDataQuery) []types.MetricDataQuery { q[1].MetricStat.Stat = new("p101"); return q },
			validation, "The value for parameter Metrics.member.2.MetricStat.Stat is not a valid statistic."},
		{"namespace", func(q []types.MetricDataQuery) []types.MetricDataQuery {
			q[1].MetricStat.Metric.Namespace = nil
			return q
		}, missing,
			"The parameter Namespace is required"},
		{"account", func(q []types.MetricDataQuery) []types.MetricDataQuery {
			q[1].AccountId = new("999999999999")
			return q
		}, value,
			"larder does not serve PutMetricAlarm's Metrics.AccountId: larder is one account"},
		{"empty", func(q []types.MetricDataQuery) []types.MetricDataQuery { q[0].Expression = new(" "); return q },
			validation,
			"The Expression of rate must have 1 to 1024 characters"},
		{"search", func(q []types.MetricDataQuery) []types.MetricDataQuery {
			q[0].Expression = new(`SUM(SEARCH('x', 'Sum'))`)
			return q
		}, validation,
			"Error in expression 'rate': larder does not serve SEARCH: name the metrics"},
		{"insights", func(q []types.MetricDataQuery) []types.MetricDataQuery {
			q[0].Expression = new(`SELECT AVG(x) FROM y`)
			return q
		}, value,
			"larder does not serve Metrics Insights queries: the Expression of rate is one"},
		{"parentheses",
			func(q []types.MetricDataQuery) []types.MetricDataQuery { q[0].Expression = new(`SUM(hits`); return q }, validation,
			"Error in expression 'rate': the parentheses do not match"},
		{"itself",
			func(q []types.MetricDataQuery) []types.MetricDataQuery { q[0].Expression = new(`rate + 1`); return q }, validation,
			"Error in expression 'rate': it refers to itself"},
		{"unknown",
			func(q []types.MetricDataQuery) []types.MetricDataQuery { q[0].Expression = new(`hits + m2`); return q }, validation,
			"Error in expression 'rate': there is no metric of the Id m2"},
	} {
		t.Run(test.what, func(t *testing.T) {
			in := hitRate()
			in.Metrics = test.change(in.Metrics)
			_, err := s.PutMetricAlarm(t.Context(), in, unchecked)
			servicetest.WantError(t, err, test.code, test.message)
		})
	}
}

// TestEndlessRange: a range ends where data can, and one that has too many periods is refused.
func TestEndlessRange(t *testing.T) {
	s := newServer(t)
	end := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	ask := func(start time.Time, period int32) (*sdk.GetMetricDataOutput, error) {
		return s.GetMetricData(t.Context(), &sdk.GetMetricDataInput{StartTime: &start, EndTime: &end,
			MetricDataQueries: []types.MetricDataQuery{{Id: new("e"), Expression: new("TIME_SERIES(1)"),
				Period: &period}}})
	}
	if got := len(must(ask(s.now(), 1))(t).MetricDataResults[0].Values); got != 7200 {
		t.Errorf("%d points of two hours of seconds", got)
	}
	late := end.Add(-time.Hour)
	if got := len(must(ask(late, 60))(t).MetricDataResults[0].Values); got != 0 {
		t.Errorf("%d points of the year 9999", got)
	}
	in := cpu("x")
	statistics := must(s.GetMetricStatistics(t.Context(),
		&sdk.GetMetricStatisticsInput{Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: in.Dimensions,
			StartTime: &late, EndTime: &end, Period: new(int32(60)), Unit: types.StandardUnitPercent,
			Statistics: []types.Statistic{types.StatisticSum}}))(t)
	if len(statistics.Datapoints) != 0 {
		t.Errorf("statistics of the year 9999: %v", statistics.Datapoints)
	}
	_, err := ask(time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC), 3600)
	wantErrorBeginning(t, err, "ValidationError",
		"Error in expression 'e': more than 3000000 points are to be worked out")
}
