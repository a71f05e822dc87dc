package cloudwatch

import (
	"context"
	"fmt"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/awswire"
	"larder/internal/series"
)

// BenchmarkGetMetricData reads a hundred series over a day and writes the answer as awsQuery has it.
func BenchmarkGetMetricData(b *testing.B) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	metrics, err := series.Open(series.Config{Dir: b.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	defer metrics.Close()
	in := &sdk.GetMetricDataInput{StartTime: new(now.Add(-24 * time.Hour)), EndTime: &now}
	for i := range 100 {
		name := fmt.Sprintf("Load%d", i)
		for at := now.Add(-24 * time.Hour); at.Before(now); at = at.Add(time.Minute) {
			value := float64(at.Minute()*i) / 7
			if err := metrics.Add(series.Sample{Key: series.Key{Namespace: "Mine", Name: name, Unit: "None"},
				Cell: series.Single(at.Unix(), value)}); err != nil {
				b.Fatal(err)
			}
		}
		in.MetricDataQueries = append(in.MetricDataQueries,
			types.MetricDataQuery{Id: new(fmt.Sprintf("m%d", i)), MetricStat: &types.MetricStat{
				Stat: new("Average"), Period: new(int32(300)),
				Metric: &types.Metric{Namespace: new("Mine"), MetricName: &name},
			}})
	}
	s := New(Config{Metrics: metrics, Now: func() time.Time { return now }})
	codec := awswire.NewCodec(awswire.CloudWatch())
	for b.Loop() {
		out, err := s.getMetricData(context.Background(), in)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := codec.AppendQueryResponse(nil, "GetMetricData", "request", out); err != nil {
			b.Fatal(err)
		}
	}
}
