package cloudwatch_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestDamagedSamples: samples that cannot be read cost the queries that need them their completeness, which the answer
// says, and the others nothing.
func TestDamagedSamples(t *testing.T) {
	s := newServer(t)
	s.values(t, "Bad", 1, 2)
	s.values(t, "Good", 3, 4)
	s.set(s.now().Add(2 * time.Hour))
	if err := s.metrics.Maintain(); err != nil {
		t.Fatal(err)
	}
	s.values(t, "Bad", 5)
	path := must(filepath.Glob(filepath.Join(s.metricsDir, "*.cells")))(t)[0]
	content := must(os.ReadFile(path))(t)
	content[0] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	query := func(name string) types.MetricDataQuery {
		metric := &types.Metric{Namespace: new("Mine"), MetricName: &name, Dimensions: node}
		return types.MetricDataQuery{Id: new("m" + name),
			MetricStat: &types.MetricStat{Metric: metric, Stat: new("Sum"), Period: new(int32(60))}}
	}
	from, to := s.now().Add(-3*time.Hour), s.now()
	out := must(s.GetMetricData(t.Context(),
		&sdk.GetMetricDataInput{StartTime: &from, EndTime: &to, MetricDataQueries: []types.MetricDataQuery{
			query("Bad"), query("Good"), {Id: new("double"), Expression: new("mBad * 2")}, {Id: new("half"),
				Expression: new("mGood / 2")},
		}}))(t)
	for i, want := range []struct {
		points  int
		partial bool
	}{{1, true}, {2, false}, {1, true}, {2, false}} {
		r := out.MetricDataResults[i]
		if len(r.Values) != want.points || (r.StatusCode == types.StatusCodePartialData) != want.partial ||
			len(r.Messages) > 0 != want.partial {
			t.Errorf("%s is %s with %v and the messages %v", *r.Id, r.StatusCode, r.Values, r.Messages)
		}
	}
	statistics := must(s.GetMetricStatistics(t.Context(), &sdk.GetMetricStatisticsInput{
		Namespace: new("Mine"), MetricName: new("Bad"), Dimensions: node, StartTime: &from, EndTime: &to,
		Period:     new(int32(60)),
		Statistics: []types.Statistic{types.StatisticSum},
	}))(t)
	if len(statistics.Datapoints) != 1 {
		t.Errorf("there are %d data points", len(statistics.Datapoints))
	}
}
