package alarm

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/series"
)

// memory is a Store in memory.
type memory struct {
	mu      sync.Mutex
	alarms  map[string]Definition
	changes []string
	broken  map[string]bool // names of alarms that cannot be read or written
}

var errBroken = errors.New("broken")

func (b *memory) Alarms() (all []Definition, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, d := range b.alarms {
		if b.broken[name] {
			err = errBroken
		} else {
			all = append(all, d)
		}
	}
	return all, err
}

func (b *memory) Alarm(name string) (Definition, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken[name] {
		return Definition{}, false, errBroken
	}
	d, ok := b.alarms[name]
	return d, ok, nil
}

func (b *memory) Change(name string, revision uint64, c Change) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken[name] {
		return errBroken
	}
	d := b.alarms[name]
	if d.Revision != revision {
		return errors.New("another definition")
	}
	if d.Metric != nil {
		d.Metric.StateValue, d.Metric.StateUpdatedTimestamp = types.StateValue(c.To), &c.At
	} else {
		d.Composite.StateValue, d.Composite.StateUpdatedTimestamp = types.StateValue(c.To), &c.At
	}
	b.changes = append(b.changes, fmt.Sprintf("%s %s %s->%s", c.At.UTC().Format("15:04:05"), name, c.From, c.To))
	return nil
}

func (b *memory) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	changes := b.changes
	b.changes = nil
	return changes
}

func (b *memory) put(d Definition) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	name := ""
	if d.Metric != nil {
		name = *d.Metric.AlarmName
		d.Metric.AlarmArn, d.Metric.StateUpdatedTimestamp, d.Metric.StateValue = new("arn:alarm:"+name), &now,
			types.StateValueInsufficientData
	} else {
		name = *d.Composite.AlarmName
		d.Composite.AlarmArn, d.Composite.StateUpdatedTimestamp, d.Composite.StateValue = new("arn:alarm:"+name), &now,
			types.StateValueInsufficientData
	}
	d.Revision = b.alarms[name].Revision + 1
	b.alarms[name] = d
}

func metricAlarm(name string, period int32) *types.MetricAlarm {
	return &types.MetricAlarm{
		AlarmName: &name, Namespace: new("N"), MetricName: new("M"),
		Dimensions: []types.Dimension{{Name: new("d"), Value: new("1")}},
		Statistic:  types.StatisticAverage, Period: &period, EvaluationPeriods: new(int32(2)), Threshold: new(10.0),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	}
}

// TestRunner advances the clock by hand. Alarms go off and return to OK at their own intervals, and composite ones with
// their children.
func TestRunner(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Second) // between two steps
		metrics, err := series.Open(series.Config{Dir: filepath.Join(dir, "m"), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer metrics.Close()
		b := &memory{alarms: map[string]Definition{}}
		b.put(Definition{Metric: metricAlarm("fast", 10)})
		b.put(Definition{Metric: metricAlarm("slow", 60)})
		b.put(Definition{Composite: &types.CompositeAlarm{AlarmName: new("both"),
			AlarmRule: new("ALARM(fast) AND ALARM(slow)")}})
		b.put(Definition{Composite: &types.CompositeAlarm{AlarmName: new("above"), AlarmRule: new("NOT ALARM(both)")}})
		b.put(Definition{Metric: mathAlarm()})
		r := &Runner{Store: b, Metrics: metrics, Now: time.Now, After: time.After,
			Failed: func(err error) { t.Error(err) }}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		feed := func(value float64, minutes int) {
			for range minutes * 6 {
				key := series.Key{Namespace: "N", Name: "M", Dimensions: []series.Dimension{{Name: "d", Value: "1"}},
					Unit: "Count"}
				if err := metrics.Add(series.Sample{Key: key, Cell: series.Single(time.Now().Unix(), value),
					Fine: true}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
			}
		}
		want := func(changes ...string) {
			t.Helper()
			if diff := cmp.Diff(changes, b.take()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}
		feed(1, 3)
		want("00:00:10 fast INSUFFICIENT_DATA->OK", "00:00:10 both INSUFFICIENT_DATA->OK",
			"00:00:10 above INSUFFICIENT_DATA->ALARM",
			"00:01:00 math INSUFFICIENT_DATA->OK", "00:01:00 slow INSUFFICIENT_DATA->OK")
		feed(20, 3)
		want("00:03:20 fast OK->ALARM", "00:05:00 math OK->ALARM", "00:05:00 slow OK->ALARM", "00:05:00 both OK->ALARM",
			"00:05:00 above ALARM->OK")
		feed(1, 3)
		want("00:06:10 fast ALARM->OK", "00:06:10 both ALARM->OK", "00:06:10 above OK->ALARM",
			"00:07:00 math ALARM->OK", "00:07:00 slow ALARM->OK")

		// A new definition counts from the next step on. A deleted alarm is not evaluated.
		other := metricAlarm("fast", 10)
		other.Threshold = new(0.5)
		b.put(Definition{Metric: other})
		b.mu.Lock()
		delete(b.alarms, "slow")
		b.mu.Unlock()
		r.Changed("fast")
		r.Changed("slow")
		feed(1, 1)
		want("00:09:10 fast INSUFFICIENT_DATA->ALARM")
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if got := b.take(); !slices.ContainsFunc(got,
			func(c string) bool { return strings.HasSuffix(c, "fast ALARM->INSUFFICIENT_DATA") }) {
			t.Errorf("without data: %v", got)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestBrokenAlarms: an alarm that cannot be read or written does not stop others, and is evaluated once it can be read
// again.
func TestBrokenAlarms(t *testing.T) {
	now := noon
	b := &memory{alarms: map[string]Definition{}, broken: map[string]bool{"b": true}}
	var failed []error
	r := &Runner{Store: b, Metrics: samples{"Count": {series.Single(noon.Unix()-120, 90),
		series.Single(noon.Unix()-60,
			90)}}, Now: func() time.Time { return now }, Failed: func(err error) { failed = append(failed, err) }}
	for _, name := range []string{"a", "b", "c"} {
		b.put(Definition{Metric: metricAlarm(name, 60)})
	}
	evaluate := func(broken bool, changes ...string) {
		t.Helper()
		if err := r.Evaluate(); errors.Is(err, errBroken) != broken {
			t.Errorf("got %v", err)
		}
		got := b.take()
		for i, c := range got {
			got[i] = c[strings.Index(c, " ")+1:]
		}
		if diff := cmp.Diff(changes, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		now = now.Add(step)
	}
	evaluate(false, "a INSUFFICIENT_DATA->ALARM", "c INSUFFICIENT_DATA->ALARM")
	if len(failed) != 1 || !errors.Is(failed[0], errBroken) {
		t.Errorf("failed: %v", failed)
	}
	other := []Definition{{Composite: &types.CompositeAlarm{AlarmName: new("d"), AlarmRule: new("OK(a)")}}}
	for _, name := range []string{"a", "b", "c"} {
		changed := metricAlarm(name, 60)
		changed.Threshold = new(100.0)
		other = append(other, Definition{Metric: changed})
	}
	for _, d := range other {
		b.put(d)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		r.Changed(name)
	}
	evaluate(true, "a INSUFFICIENT_DATA->OK", "c INSUFFICIENT_DATA->OK", "d INSUFFICIENT_DATA->ALARM")
	b.broken = nil
	evaluate(false, "b INSUFFICIENT_DATA->OK")

	b.put(Definition{Metric: metricAlarm("a", 60)})
	r.Changed("a")
	b.broken = map[string]bool{"d": true} // d is evaluated after a
	evaluate(true, "a INSUFFICIENT_DATA->ALARM")
	b.broken = nil
	evaluate(false, "d ALARM->OK")
}

// TestClockStepsBack: if the clock is set back, alarms are evaluated at once, and regularly from then on.
func TestClockStepsBack(t *testing.T) {
	now := noon
	b := &memory{alarms: map[string]Definition{}}
	data := samples{"Count": {series.Single(noon.Unix()-120, 1), series.Single(noon.Unix()-60, 1)}}
	for at := noon.Add(-2 * time.Hour).Unix(); at < noon.Add(-time.Hour).Unix(); at += 60 {
		data["Count"] = append(data["Count"], series.Single(at, 90))
	}
	b.put(Definition{Metric: metricAlarm("a", 60)})
	r := &Runner{Store: b, Metrics: data, Now: func() time.Time { return now }, Failed: func(err error) { t.Error(err) }}
	for _, test := range []struct {
		at   time.Time
		want []string
	}{
		{noon, []string{"12:00:00 a INSUFFICIENT_DATA->OK"}},
		{noon.Add(-time.Hour), []string{"11:00:00 a OK->ALARM"}},
		{noon.Add(-time.Hour + step), nil},
	} {
		now = test.at
		if err := r.Evaluate(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, b.take()); diff != "" {
			t.Errorf("%v: -want +got:\n%s", test.at, diff)
		}
	}
}

// mathAlarm is an alarm on twice the metric, without missing points.
func mathAlarm() *types.MetricAlarm {
	a := metricAlarm("math", 60)
	a.Metrics = []types.MetricDataQuery{
		{Id: new("twice"), Expression: new("m * 2 + MIN(m)*0")},
		{Id: new("m"), ReturnData: new(false), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions},
			Period: new(int32(60)), Stat: new("Maximum")}},
	}
	a.MetricName, a.Namespace, a.Dimensions, a.Statistic, a.Period, a.Threshold = nil, nil, nil, "", nil, new(20.0)
	return a
}

// thousandAlarms creates an alarm on each of a thousand metrics, which have data of the ninety minutes before now.
func thousandAlarms(b *testing.B, now *time.Time) *Runner {
	metrics, err := series.Open(series.Config{Dir: b.TempDir(), Now: func() time.Time { return *now }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { metrics.Close() })
	list := &memory{alarms: map[string]Definition{}}
	for i := range 1000 {
		a := metricAlarm(fmt.Sprint(i), 300)
		a.Dimensions[0].Value = new(fmt.Sprint(i))
		list.put(Definition{Metric: a})
		for minute := range 90 {
			key := Key(a.Namespace, a.MetricName, a.Dimensions, types.StandardUnitCount)
			at := now.Unix() - int64(90-minute)*60
			if err := metrics.Add(series.Sample{Key: key, Cell: series.Single(at, float64(minute%7))}); err != nil {
				b.Fatal(err)
			}
		}
	}
	r := &Runner{Store: list, Metrics: metrics, Now: func() time.Time { return *now },
		Failed: func(err error) { b.Error(err) }}
	if err := r.Evaluate(); err != nil {
		b.Fatal(err)
	}
	return r
}

// due makes all alarms due again.
func (r *Runner) due() {
	for _, a := range r.alarms {
		a.evaluated = time.Time{}
	}
}

// BenchmarkThousandAlarms evaluates a thousand alarms that are all due.
func BenchmarkThousandAlarms(b *testing.B) {
	now := time.Date(2026, 3, 4, 12, 0, 30, 0, time.UTC)
	r := thousandAlarms(b, &now)
	for b.Loop() {
		r.due()
		if err := r.Evaluate(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkThousandReads only reads the data that BenchmarkThousandAlarms evaluates.
func BenchmarkThousandReads(b *testing.B) {
	now := time.Date(2026, 3, 4, 12, 0, 30, 0, time.UTC)
	r := thousandAlarms(b, &now)
	for b.Loop() {
		for _, a := range r.alarms {
			m, to := a.watch.metric, now.Truncate(time.Minute).Unix()
			if cells, err := m.Cells(r.Metrics, to-m.Period*int64(a.watch.rule.Range()), to); err != nil ||
				len(cells) == 0 {
				b.Fatal(len(cells), err)
			}
		}
	}
}
