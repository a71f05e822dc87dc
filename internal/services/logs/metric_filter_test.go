package logs_test

import (
	"fmt"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/services/logs"
	"larder/internal/servicetest"
)

func TestMetricFilters(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.createStream(t, "mine", "a")
	put := func(name, pattern string, tr types.MetricTransformation) error {
		tr.MetricNamespace = new("Mine")
		_, err := s.PutMetricFilter(t.Context(), &sdk.PutMetricFilterInput{
			LogGroupName: new("mine"), FilterName: &name, FilterPattern: &pattern,
			MetricTransformations: []types.MetricTransformation{tr},
		})
		return err
	}
	for name, err := range map[string]error{
		"errors": put("errors", "ERROR",
			types.MetricTransformation{MetricName: new("Errors"), MetricValue: new("1"), DefaultValue: new(0.0),
				Unit: types.StandardUnitCount}),
		"slow": put("slow", "{ $.ms > 10 }",
			types.MetricTransformation{MetricName: new("Slow"), MetricValue: new("$.ms"),
				Dimensions: map[string]string{"Level": "$.level"}}),
		"bytes": put("bytes", "[level, bytes]",
			types.MetricTransformation{MetricName: new("Bytes"), MetricValue: new("$bytes")}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.put(t, "mine", "a", "ERROR 17", `{"ms":30,"level":"WARN"}`, `{"ms":31}`, `{"ms":3}`)
	minute := s.now.Truncate(time.Minute)
	at := func(i int) time.Time { return s.now.Add(time.Duration(i-3) * time.Second) }
	want := []logs.Datum{
		{Namespace: "Mine", Metric: "Bytes", Time: at(0), Value: 17},
		{Namespace: "Mine", Metric: "Errors", Unit: "Count", Time: at(0), Value: 1},
		{Namespace: "Mine", Metric: "Slow", Time: at(1), Value: 30, Dimensions: map[string]string{"Level": "WARN"}},
		{Namespace: "Mine", Metric: "Slow", Time: at(2), Value: 31},
	}
	if diff := cmp.Diff(want, s.metrics); diff != "" {
		t.Error(diff)
	}
	s.metrics = nil
	s.now = s.now.Add(time.Minute) // in which nothing matches
	s.put(t, "mine", "a", "quiet")
	s.now = s.now.Add(time.Minute)
	for range 2 {
		if err := s.logs.Keep(); err != nil {
			t.Fatal(err)
		}
	}
	want = []logs.Datum{{Namespace: "Mine", Metric: "Errors", Unit: "Count", Time: minute.Add(time.Minute), Value: 0}}
	if diff := cmp.Diff(want, s.metrics); diff != "" {
		t.Errorf("a minute in which nothing matched: %s", diff)
	}

	described := must(s.DescribeMetricFilters(t.Context(),
		&sdk.DescribeMetricFiltersInput{LogGroupName: new("mine"), FilterNamePrefix: new("e")}))(t)
	if f := described.MetricFilters; len(f) != 1 || *f[0].FilterPattern != "ERROR" ||
		*f[0].MetricTransformations[0].DefaultValue != 0 || *f[0].MetricTransformations[0].MetricValue != "1" {
		t.Errorf("described: %+v", f)
	}
	byMetric := must(s.DescribeMetricFilters(t.Context(),
		&sdk.DescribeMetricFiltersInput{MetricName: new("Slow"), MetricNamespace: new("Mine")}))(t)
	if f := byMetric.MetricFilters; len(f) != 1 || *f[0].FilterName != "slow" {
		t.Errorf("by metric: %+v", f)
	}
	must(s.DeleteMetricFilter(t.Context(),
		&sdk.DeleteMetricFilterInput{LogGroupName: new("mine"), FilterName: new("slow")}))(t)
	_, err := s.DeleteMetricFilter(t.Context(),
		&sdk.DeleteMetricFilterInput{LogGroupName: new("mine"), FilterName: new("slow")})
	servicetest.WantError(t, err, "ResourceNotFoundException", "The specified metric filter does not exist.")
	if g := must(s.DescribeLogGroups(t.Context(),
		&sdk.DescribeLogGroupsInput{}))(t).LogGroups[0]; *g.MetricFilterCount != 2 {
		t.Errorf("the group has %d filters", *g.MetricFilterCount)
	}

	const parameter = "InvalidParameterException"
	one := types.MetricTransformation{MetricName: new("M"), MetricValue: new("1")}
	servicetest.WantError(t, put("x", `"`, one), parameter,
		`Invalid filter pattern: the quotation that begins at " has no end`)
	servicetest.WantError(t, put("x", "a", types.MetricTransformation{MetricName: new("M"), MetricValue: new("$.ms")}),
		parameter,
		`Invalid metric transformation: the value "$.ms" is neither a number between -2^360 and 2^360 nor something that `+
			`the filter pattern names`)
	servicetest.WantError(t, put("x", "[a]",
		types.MetricTransformation{MetricName: new("M"), MetricValue: new("1"), DefaultValue: new(1.0),
			Dimensions: map[string]string{"A": "$a"}}), parameter,
		"Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
	servicetest.WantError(t, put("x", "[a]",
		types.MetricTransformation{MetricName: new("M"), MetricValue: new("1"),
			Dimensions: map[string]string{"A": "$b"}}), parameter,
		`Invalid metric transformation: the dimension "A" is "$b", which the filter pattern does not name`)
	for i := range 98 {
		if err := put(fmt.Sprint("f", i), "a", one); err != nil {
			t.Fatal(err)
		}
	}
	servicetest.WantError(t, put("x", "a", one), "LimitExceededException", "Resource limit exceeded.")
}

func TestTestMetricFilter(t *testing.T) {
	s := newServer(t)
	out := must(s.TestMetricFilter(t.Context(), &sdk.TestMetricFilterInput{
		FilterPattern: new("[level=ERROR, code]"), LogEventMessages: []string{"INFO 1", "ERROR 2"},
	}))(t)
	if m := out.Matches; len(m) != 1 || m[0].EventNumber != 2 || *m[0].EventMessage != "ERROR 2" ||
		m[0].ExtractedValues["$code"] != "2" {
		t.Errorf("matches: %+v", m)
	}
}
