package e2e

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/redis/go-redis/v9"

	"larder/internal/testkit"
)

const production = "uex-payments-prod-redis"

// gauge reads the nodes' metrics over the SDK.
type gauge struct {
	*harness
	cw   *cloudwatch.Client
	from time.Time
}

// by makes dimensions of name and value pairs.
func by(pairs ...string) (dimensions []cwtypes.Dimension) {
	for i := 0; i < len(pairs); i += 2 {
		dimensions = append(dimensions, cwtypes.Dimension{Name: &pairs[i], Value: &pairs[i+1]})
	}
	return dimensions
}

// points are a metric's values since the test began, per period.
func (g gauge) points(metric string, period int32, dimensions []cwtypes.Dimension) []cwtypes.Datapoint {
	g.t.Helper()
	out, err := g.cw.GetMetricStatistics(g.t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/ElastiCache"), MetricName: &metric, Dimensions: dimensions, Period: &period,
		StartTime:  &g.from,
		EndTime:    aws.Time(time.Now().Add(time.Minute)),
		Statistics: []cwtypes.Statistic{"Sum", "Average", "Maximum", "Minimum", "SampleCount"},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return out.Datapoints
}

func (g gauge) sum(metric string, dimensions ...string) (sum float64) {
	g.t.Helper()
	for _, p := range g.points(metric, 60, by(dimensions...)) {
		sum += *p.Sum
	}
	return sum
}

// last is the newest value of a metric.
func (g gauge) last(metric string, dimensions ...string) float64 {
	g.t.Helper()
	var newest cwtypes.Datapoint
	for _, p := range g.points(metric, 1, by(dimensions...)) {
		if newest.Timestamp == nil || p.Timestamp.After(*newest.Timestamp) {
			newest = p
		}
	}
	if newest.Average == nil {
		return math.NaN()
	}
	return *newest.Average
}

// info is what a node says of itself, asked by the test.
func info(t *testing.T, c *redis.Client) map[string]string {
	t.Helper()
	text, err := c.Info(t.Context(), "all").Result()
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		fields[name] = value
	}
	return fields
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// processor is what a process has used of it, in seconds: fields 14 and 15 of its stat file, in hundredths.
func processor(t *testing.T, path string) float64 {
	t.Helper()
	stat := read(t, path)
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+2:])
	return (number(t, fields[11]) + number(t, fields[12])) / 100
}

// near tells whether a value is within a part of another, or within the slack.
func near(got, want, part, slack float64) bool {
	return math.Abs(got-want) <= max(part*math.Abs(want), slack)
}

func TestMetricsAgreeWithTheNodes(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	const interval = 5 // seconds
	d.env = append(d.env, fmt.Sprintf("LARDER_METRICS_INTERVAL=%ds", interval))
	d.must("up", seed+"production.tf")
	g := gauge{d, cloudwatch.NewFromConfig(d.config()), time.Now().Truncate(time.Minute)}
	s := d.status(production)
	primary := s.Nodes[0]
	c := d.client(s.Primary)
	// The first sample is of two seconds, the second of what was left of its interval: those of the load are of whole
	// ones.
	d.eventually("the primary has been read three times", func() bool {
		samples := 0.0
		for _, p := range g.points("IsMaster", 60, by("CacheClusterId", primary.ID)) {
			samples += *p.SampleCount
		}
		return samples >= 2
	})

	path := fmt.Sprintf("/proc/%d/stat", primary.PID)
	begin, used := time.Now(), processor(t, path)
	load(t, c)
	ran := processor(t, path) - used
	said := info(t, c)
	t.Logf("the load took %s, and %.2f s of the primary's processor", time.Since(begin), ran)

	// Counters come to what the node has counted, whichever dimensions they are asked by.
	for _, set := range [][]string{
		{"CacheClusterId", primary.ID}, {"CacheClusterId", primary.ID, "CacheNodeId", "0001"},
		{"ReplicationGroupId", production}, {},
	} {
		for metric, want := range map[string]float64{
			"CacheHits": number(t, said["keyspace_hits"]), "CacheMisses": number(t, said["keyspace_misses"]),
			"EvalBasedCmds": 100,
		} {
			d.eventually(fmt.Sprintf("%s by %v is %g", metric, set, want),
				func() bool { return g.sum(metric, set...) == want })
		}
	}
	node := []string{"CacheClusterId", primary.ID, "CacheNodeId", "0001"}
	for metric, want := range map[string]float64{
		"SetTypeCmds": 2001, "GetTypeCmds": 3000, "StringBasedCmds": 4000, "HashBasedCmds": 1000, "Reclaimed": 1,
		"AuthenticationFailures": 2, "CommandAuthorizationFailures": 1,
		"Evictions": 0,
	} {
		d.eventually(fmt.Sprintf("%s comes to %g", metric, want), func() bool { return g.sum(metric, node...) == want })
	}
	// Gauges come to what they are now that nothing goes on.
	gauges := map[string]struct {
		want        func(said map[string]string) float64
		part, slack float64
	}{
		"CurrItems": {func(said map[string]string) float64 {
			return number(t, strings.TrimPrefix(strings.Split(said["db0"], ",")[0], "keys="))
		}, 0, 0},
		"CurrConnections": {func(said map[string]string) float64 { return number(t, said["connected_clients"]) }, 0,
			2},
		"BytesUsedForCache": {func(said map[string]string) float64 { return number(t, said["used_memory"]) }, 0.05, 0},
		"DatabaseMemoryUsagePercentage": {func(said map[string]string) float64 {
			return 100 * number(t, said["used_memory"]) / number(t, said["maxmemory"])
		}, 0.05, 0},
		"IsMaster":  {func(map[string]string) float64 { return 1 }, 0, 0},
		"SwapUsage": {func(map[string]string) float64 { return ofProcess(t, primary.PID, "VmSwap:") }, 0.05, 0},
		"FreeableMemory": {func(map[string]string) float64 {
			return 13.07*(1<<30) - ofProcess(t, primary.PID,
				"VmRSS:")
		}, 0.0001, 0},
	}
	for metric, is := range gauges {
		d.eventually(metric+" is what the node says", func() bool {
			return near(g.last(metric, node...), is.want(info(t, c)), is.part, is.slack)
		})
	}
	now := info(t, c)
	if in := g.sum("NetworkBytesIn", node...); !near(in, number(t, now["total_net_input_bytes"]), 0.05, 4096) {
		t.Errorf("NetworkBytesIn comes to %g, and the node counts %s", in, now["total_net_input_bytes"])
	}
	// Percent of two processors, and of one, for so many seconds a sample. One that comes a second late is of six, and
	// the next of four.
	all, main := g.sum("CPUUtilization", node...)/100*2*interval, g.sum("EngineCPUUtilization", node...)/100*interval
	if !near(main, ran, 0.4, 0.1) {
		t.Errorf("EngineCPUUtilization comes to %.2f s, and the kernel counts %.2f s", main, ran)
	}
	if !near(all, main, 0.2, 0.1) {
		t.Errorf("CPUUtilization comes to %.2f s, and EngineCPUUtilization to %.2f s of them", all, main)
	}
	replica := s.Nodes[1].ID
	d.eventually("the replica is up to date, and its link is there", func() bool {
		return g.last("ReplicationLag", "CacheClusterId", replica) < 1 &&
			g.last("MasterLinkHealthStatus", "CacheClusterId", replica) == 1
	})
	if n := g.last("EngineCPUUtilization", "ReplicationGroupId", production, "Role", "Replica"); math.IsNaN(n) {
		t.Error("the replicas have no EngineCPUUtilization")
	}
	g.everyAlarmHasData(primary.ID)
}

// The seed's commands answer with data in the first minute of a group, with the interval that an engine has by itself.
func TestTheSeedsMetricsAreThereAtOnce(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	g := gauge{d, cloudwatch.NewFromConfig(d.config()), time.Now().Truncate(time.Hour).Add(-time.Hour)}
	for _, metric := range []string{"CPUUtilization", "DatabaseMemoryUsagePercentage"} {
		d.eventually(metric+" by ReplicationGroupId has data", func() bool {
			return len(g.points(metric, 300, by("ReplicationGroupId", production))) > 0
		})
	}
}

func TestAnIntervalThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.env = append(d.env, "LARDER_METRICS_INTERVAL=7s")
	d.refused([]string{"serve"}, "LARDER_METRICS_INTERVAL", "7s", "10s")
}

// load gives the primary something of each kind to count, and its processor a second of work.
func load(t *testing.T, c *redis.Client) {
	t.Helper()
	ctx := t.Context()
	pipe := c.Pipeline()
	for i := range 2000 {
		pipe.Get(ctx, fmt.Sprint("key-", i))
	}
	pipe.Exec(ctx) // the error is that keys are missing, which they shall
	for i := range 1000 {
		pipe.Set(ctx, fmt.Sprint("key-", i), strings.Repeat("v", 100), 0)
		pipe.Get(ctx, fmt.Sprint("key-", i))
		pipe.HSet(ctx, fmt.Sprint("hash-", i), "f", "v")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := c.Eval(ctx, "for i = 1, 3000000 do end return 1", nil).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.PExpire(ctx, "key-0", time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Do(ctx, "AUTH", "default", "wrong-"+strings.Repeat("x", 20)).Err(); err == nil {
			t.Fatal("a wrong token is accepted")
		}
	}
	if err := c.ConfigGet(ctx, "*").Err(); err == nil {
		t.Fatal("a client may read the configuration")
	}
}

// ofProcess reads a line of a process's status, in bytes.
func ofProcess(t *testing.T, pid int, name string) float64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(raw), name)
	return 1024 * number(t, strings.Fields(after)[0])
}

// everyAlarmHasData checks that no alarm lacks data on a live node: what each reads is there, but for the primary's
// lag, and none is in INSUFFICIENT_DATA.
func (g gauge) everyAlarmHasData(primary string) {
	g.t.Helper()
	var alarms []cwtypes.MetricAlarm
	testkit.Within(g.t, 2*patience, "every alarm is evaluated, which it is once a minute", func() bool {
		out, err := g.cw.DescribeAlarms(context.Background(), &cloudwatch.DescribeAlarmsInput{})
		if err != nil {
			g.t.Fatal(err)
		}
		alarms = out.MetricAlarms
		for _, a := range alarms {
			if a.StateValue == cwtypes.StateValueInsufficientData {
				return false
			}
		}
		return len(alarms) == 27
	})
	for _, a := range alarms {
		metrics := []cwtypes.Metric{{MetricName: a.MetricName, Dimensions: a.Dimensions}}
		if a.MetricName == nil {
			metrics = nil
			for _, q := range a.Metrics {
				if q.MetricStat != nil {
					metrics = append(metrics, *q.MetricStat.Metric)
				}
			}
		}
		for _, m := range metrics {
			exempt := *m.MetricName == "ReplicationLag" && *m.Dimensions[0].Value == primary
			if !exempt && len(g.points(*m.MetricName, 60, m.Dimensions)) == 0 {
				g.t.Errorf("%s has no data of %s", *a.AlarmName, *m.MetricName)
			}
		}
	}
}
