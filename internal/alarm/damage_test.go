package alarm

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/isolate"
	"larder/internal/series"
)

// torn returns samples with an error, because some cannot be read.
type torn struct{ samples }

func (s torn) Cells(key series.Key, from, to int64) ([]series.Cell, error) {
	cells, err := s.samples.Cells(key, from, to)
	return cells, errors.Join(err, &series.DamageError{Err: errBroken})
}

// TestAnAlarmIsEvaluatedWithWhatCanBeRead: unreadable samples of a metric do not prevent an evaluation, with and
// without a unit.
func TestAnAlarmIsEvaluatedWithWhatCanBeRead(t *testing.T) {
	b := &memory{alarms: map[string]Definition{}}
	metrics := torn{samples{"Count": {series.Single(noon.Unix()-120, 90), series.Single(noon.Unix()-60, 90)}}}
	r := &Runner{Store: b, Metrics: metrics, Now: func() time.Time { return noon },
		Failed: func(err error) { t.Error(err) }}
	unit := metricAlarm("unit", 60)
	unit.Unit = "Count"
	b.put(Definition{Metric: metricAlarm("any", 60)})
	b.put(Definition{Metric: unit})
	if err := r.Evaluate(); err != nil {
		t.Error(err)
	}
	want := []string{"12:00:00 any INSUFFICIENT_DATA->ALARM", "12:00:00 unit INSUFFICIENT_DATA->ALARM"}
	if diff := cmp.Diff(want, b.take()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestABrokenChildKeepsNoParentFromItsEvaluation: a parent is evaluated although a child fails.
func TestABrokenChildKeepsNoParentFromItsEvaluation(t *testing.T) {
	b := &memory{alarms: map[string]Definition{}, broken: map[string]bool{}}
	metrics := samples{"Count": {series.Single(noon.Unix()-120, 90), series.Single(noon.Unix()-60, 90)}}
	r := &Runner{Store: b, Metrics: metrics, Now: func() time.Time { return noon },
		Failed: func(err error) { t.Error(err) }}
	b.put(Definition{Metric: metricAlarm("m", 60)})
	b.put(Definition{Composite: &types.CompositeAlarm{AlarmName: new("child"), AlarmRule: new("ALARM(m)")}})
	b.put(Definition{Composite: &types.CompositeAlarm{AlarmName: new("a-parent"),
		AlarmRule: new("ALARM(child) OR ALARM(m)")}})
	if err := r.refresh(); err != nil {
		t.Fatal(err)
	}
	b.broken["child"] = true
	if err := r.Evaluate(); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
	want := []string{"12:00:00 m INSUFFICIENT_DATA->ALARM", "12:00:00 a-parent INSUFFICIENT_DATA->ALARM"}
	if diff := cmp.Diff(want, b.take()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// faulty panics for metrics of one unit.
type faulty struct{ samples }

func (s faulty) Cells(key series.Key, from, to int64) ([]series.Cell, error) {
	if key.Unit == "Bytes" {
		panic("faulty")
	}
	return s.samples.Cells(key, from, to)
}

// TestAnAlarmThatPanicsStopsNoOther: a panic in the definition or the evaluation of one alarm stops no other. Composite
// alarms use the state that the alarm has.
func TestAnAlarmThatPanicsStopsNoOther(t *testing.T) {
	b := &memory{alarms: map[string]Definition{}}
	metrics := faulty{samples{"Count": {series.Single(noon.Unix()-120, 90), series.Single(noon.Unix()-60, 90)}}}
	failures := 0
	r := &Runner{Store: b, Metrics: metrics, Now: func() time.Time { return noon }, Failed: func(error) { failures++ }}
	for name, unit := range map[string]types.StandardUnit{"a-faulty": "Bytes", "good": "Count"} {
		m := metricAlarm(name, 60)
		m.Unit = unit
		b.put(Definition{Metric: m})
	}
	undefined := metricAlarm("b-undefined", 60)
	undefined.Threshold = nil
	b.put(Definition{Metric: undefined})
	rule := "ALARM(good) AND INSUFFICIENT_DATA(a-faulty)"
	b.put(Definition{Composite: &types.CompositeAlarm{AlarmName: new("parent"), AlarmRule: &rule}})
	for range 2 {
		err := r.Evaluate()
		if fault, is := errors.AsType[*isolate.PanicError](err); !is || fault.Item != "the alarm a-faulty" {
			t.Errorf("got %v", err)
		}
	}
	want := []string{"12:00:00 good INSUFFICIENT_DATA->ALARM", "12:00:00 parent INSUFFICIENT_DATA->ALARM"}
	if diff := cmp.Diff(want, b.take()); diff != "" || failures != 1 {
		t.Errorf("%d failures; -want +got:\n%s", failures, diff)
	}
}
