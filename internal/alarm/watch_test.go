package alarm

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/series"
)

// samples holds a metric's cells by unit.
type samples map[string][]series.Cell

func (s samples) Units(series.Key) (units []string) {
	for unit := range s {
		units = append(units, unit)
	}
	return units
}

func (s samples) Cells(key series.Key, from, to int64) (cells []series.Cell, err error) {
	for _, c := range s[key.Unit] {
		if c.At >= from && c.At < to {
			cells = append(cells, c)
		}
	}
	return cells, nil
}

func TestPace(t *testing.T) {
	for _, test := range []struct {
		period, periods int32
		want            time.Duration
	}{
		{10, 1, 10 * time.Second}, {20, 3, 10 * time.Second}, {30, 2880, 10 * time.Second}, {60, 1, time.Minute},
		{300, 3, time.Minute},
		{3600, 24, time.Minute}, {3600, 25, time.Hour}, {86400, 2, time.Hour}, {86400, 1, time.Minute},
	} {
		a := metricAlarm("a", test.period)
		a.EvaluationPeriods = &test.periods
		w, err := newWatch(a)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.pace(); got != test.want {
			t.Errorf("%d periods of %d s are looked at every %v, want %v", test.periods, test.period, got, test.want)
		}
	}
}

// TestWindowSlides: the first window of five minutes is minutes 1 to 5, the next minutes 2 to 6.
func TestWindowSlides(t *testing.T) {
	start := noon.Unix()
	data := samples{"Count": nil}
	for minute := range int64(12) {
		data["Count"] = append(data["Count"], series.Single(start+60*minute, float64(minute)))
	}
	a := metricAlarm("a", 300)
	a.EvaluationPeriods = new(int32(1))
	w, err := newWatch(a)
	if err != nil {
		t.Fatal(err)
	}
	for end, want := range map[int64]float64{5: 2, 6: 3, 7: 4, 11: 8} {
		points, err := w.points(data, start+60*end)
		if err != nil {
			t.Fatal(err)
		}
		newest := points[len(points)-1]
		if newest.Missing || newest.Value != want || newest.Samples != 5 || newest.At.Unix() != start+60*(end-5) {
			t.Errorf("after minute %d the newest point is %+v, want %v", end, newest, want)
		}
	}
}

// TestUnits: an alarm with a unit ignores data of other units. An alarm without one uses all units.
func TestUnits(t *testing.T) {
	start := noon.Unix()
	data := samples{"Percent": {series.Single(start, 10)}, "None": {series.Single(start, 30)}}
	for unit, want := range map[types.StandardUnit]Point{
		types.StandardUnitPercent: {At: noon, Value: 10, Samples: 1},
		types.StandardUnitNone:    {At: noon, Value: 30, Samples: 1},
		types.StandardUnitCount:   {At: noon, Missing: true}, "": {At: noon, Value: 20, Samples: 2},
	} {
		a := metricAlarm("a", 60)
		a.Unit = unit
		w, err := newWatch(a)
		if err != nil {
			t.Fatal(err)
		}
		points, err := w.points(data, start+60)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, points[len(points)-1]); diff != "" {
			t.Errorf("%q: %s", unit, diff)
		}
	}
}

// TestDataFromBefore: a new alarm uses data from before its creation.
func TestDataFromBefore(t *testing.T) {
	start := noon.Unix()
	data := samples{"Count": {series.Single(start-120, 90), series.Single(start-60, 90)}}
	b := &memory{alarms: map[string]Definition{}}
	b.put(Definition{Metric: metricAlarm("new", 60)})
	r := &Runner{Store: b, Metrics: data, Now: func() time.Time { return noon.Add(10 * time.Second) },
		Failed: func(err error) { t.Error(err) }}
	if err := r.Evaluate(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"12:00:10 new INSUFFICIENT_DATA->ALARM"}, b.take()); diff != "" {
		t.Error(diff)
	}
}
