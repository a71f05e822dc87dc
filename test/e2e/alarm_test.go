package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestAlarmGoesOffAndBack: an alarm of ten seconds, in a real engine on the real clock, follows the samples that a user
// puts; and after the engine was killed, it still knows its state and its samples.
func TestAlarmGoesOffAndBack(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	first := exec.Command(program, "serve")
	first.Env = d.env
	d.check(first.Start())
	d.eventually("the engine answers", func() bool { return d.larder("status").code == 0 })
	api := cloudwatch.NewFromConfig(d.config())
	ctx := context.Background()
	_, err := api.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: new("load"), Namespace: new("Mine"), MetricName: new("Load"), Statistic: types.StatisticMaximum,
		Period:            new(int32(10)),
		EvaluationPeriods: new(int32(1)), Threshold: new(10.0),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		TreatMissingData:   new("ignore"),
	})
	d.check(err)
	state := func() string {
		found, err := api.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
		d.check(err)
		return string(found.MetricAlarms[0].StateValue)
	}
	begin := time.Now()
	until := func(value float64, want string) {
		t.Helper()
		d.eventually("the alarm is "+want, func() bool {
			_, err := api.PutMetricData(ctx,
				&cloudwatch.PutMetricDataInput{Namespace: new("Mine"), MetricData: []types.MetricDatum{
					{MetricName: new("Load"), Value: &value, StorageResolution: new(int32(1))},
				}})
			d.check(err)
			return state() == want
		})
	}
	until(1, "OK")
	until(90, "ALARM")
	until(1, "OK")
	until(90, "ALARM")

	// The samples of the last flush interval may be gone with the engine; those before are not.
	d.kill(first.Process.Pid)
	if err := first.Wait(); err == nil {
		t.Error("a killed engine ended well")
	}
	d.serve()
	if got := state(); got != "ALARM" {
		t.Errorf("after the engine was killed the alarm is %s", got)
	}
	read, err := api.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: new("Mine"), MetricName: new("Load"), StartTime: new(begin.Add(-time.Minute)),
		EndTime: new(time.Now().Add(time.Minute)),
		Period:  new(int32(3600)), Statistics: []types.Statistic{types.StatisticMaximum, types.StatisticMinimum},
	})
	d.check(err)
	if n := len(read.Datapoints); n < 1 || *read.Datapoints[0].Minimum != 1 {
		t.Errorf("read %+v", read.Datapoints)
	}
	history, err := api.DescribeAlarmHistory(ctx,
		&cloudwatch.DescribeAlarmHistoryInput{AlarmName: new("load"), ScanBy: types.ScanByTimestampAscending})
	d.check(err)
	var updates []string
	for _, item := range history.AlarmHistoryItems {
		if item.HistoryItemType == types.HistoryItemTypeStateUpdate {
			updates = append(updates, strings.TrimPrefix(*item.HistorySummary, "Alarm updated from "))
		}
	}
	if got := strings.Join(updates, "; "); got != "INSUFFICIENT_DATA to OK; OK to ALARM; ALARM to OK; OK to ALARM" {
		t.Errorf("history: %s", got)
	}
}
