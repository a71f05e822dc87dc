package cloudwatch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"larder/internal/alarm"
	"larder/internal/servicetest"
	"larder/internal/store"
	"larder/internal/testkit"
)

// runner evaluates the service's alarms when it is told to.
func (s *server) runner(t *testing.T) *alarm.Runner {
	r := &alarm.Runner{Store: s.service, Metrics: s.metrics, Now: s.now, Failed: func(err error) { t.Error(err) }}
	t.Cleanup(s.store.Subscribe("alarms", r.Changed))
	return r
}

// wait waits until a condition holds; what is waited for is done by goroutines that are under way.
func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	testkit.Within(t, 20*time.Second, what, holds)
}

// history are the summaries of an alarm's history, oldest first.
func (s *server) history(t *testing.T, name string) (summaries []string) {
	t.Helper()
	pages := sdk.NewDescribeAlarmHistoryPaginator(s,
		&sdk.DescribeAlarmHistoryInput{AlarmName: &name, ScanBy: types.ScanByTimestampAscending,
			MaxRecords: new(int32(2)),
			AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}})
	for pages.HasMorePages() {
		for _, item := range must(pages.NextPage(t.Context()))(t).AlarmHistoryItems {
			if !json.Valid([]byte(*item.HistoryData)) {
				t.Errorf("not JSON: %s", *item.HistoryData)
			}
			summaries = append(summaries, *item.HistorySummary)
		}
	}
	return summaries
}

// TestAlarmGoesOff: an alarm goes off for the data it gets and back, tells its topic, and keeps what happened.
func TestAlarmGoesOff(t *testing.T) {
	s := newServer(t)
	s.set(time.Date(2026, 3, 4, 5, 10, 0, 0, time.UTC))
	r := s.runner(t)
	s.act(t)
	in := cpu("load")
	in.Namespace, in.MetricName, in.Dimensions, in.Period, in.OKActions = new("Mine"), new("Load"), node, new(int32(60)),
		[]string{topic}
	s.put(t, in)
	over := &sdk.PutCompositeAlarmInput{AlarmName: new("over"), AlarmRule: new("ALARM(load) OR FALSE"),
		AlarmActions: []string{topic + "-over"}}
	must(s.PutCompositeAlarm(t.Context(), over))(t)
	evaluate := func() {
		t.Helper()
		if err := r.Evaluate(); err != nil {
			t.Fatal(err)
		}
	}
	s.values(t, "Load", 10, 10)
	evaluate()
	if a := s.alarm(t, "load"); a.StateValue != types.StateValueOk ||
		!strings.HasPrefix(*a.StateReason,
			"Threshold Crossed: 2 datapoints [10.0 (04/03/26 05:09:00), 10.0 (04/03/26 05:08:00)] were not greater") {
		t.Errorf("is %s: %s", a.StateValue, *a.StateReason)
	}
	s.set(s.now().Add(2 * time.Minute))
	s.values(t, "Load", 90, 95)
	evaluate()
	wait(t, "three messages", func() bool { return len(s.topics.all()) == 3 })
	var subjects []string
	for _, p := range s.topics.all() {
		subjects = append(subjects, p.Topic[strings.LastIndex(p.Topic, ":")+1:]+" "+p.Subject)
		if !json.Valid([]byte(p.Message)) {
			t.Errorf("not JSON: %s", p.Message)
		}
	}
	if diff := cmp.Diff(map[string]bool{
		`critical OK: "load" in US East (N. Virginia)`: true, `critical ALARM: "load" in US East (N. Virginia)`: true,
		`critical-over ALARM: "over" in US East (N. Virginia)`: true,
	}, map[string]bool{subjects[0]: true, subjects[1]: true, subjects[2]: true}); diff != "" {
		t.Error(diff)
	}
	a := s.alarm(t, "load")
	if a.StateValue != types.StateValueAlarm || !a.StateTransitionedTimestamp.Equal(s.now()) ||
		!json.Valid([]byte(*a.StateReasonData)) {
		t.Errorf("is %+v", a)
	}
	composite := must(s.DescribeAlarms(t.Context(),
		&sdk.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}}))(t).CompositeAlarms
	if len(composite) != 1 || composite[0].StateValue != types.StateValueAlarm ||
		!strings.HasPrefix(*composite[0].StateReason,
			prefix+"load transitioned to ALARM at Wednesday 04 March, 2026 05:12:00 UTC") {
		t.Errorf("composite: %+v", composite)
	}

	// A state that was set lasts until the next evaluation.
	must(s.SetAlarmState(t.Context(),
		&sdk.SetAlarmStateInput{AlarmName: new("load"), StateValue: types.StateValueOk,
			StateReason: new("a drill")}))(t)
	if a := s.alarm(t, "load"); a.StateValue != types.StateValueOk || *a.StateReason != "a drill" ||
		a.StateReasonData != nil {
		t.Errorf("set: %+v", a)
	}
	must(s.DisableAlarmActions(t.Context(), &sdk.DisableAlarmActionsInput{AlarmNames: []string{"load", "unknown"}}))(t)
	wait(t, "the message of the drill", func() bool { return len(s.topics.all()) == 4 })
	s.set(s.now().Add(time.Minute))
	s.values(t, "Load", 95)
	evaluate()
	if a := s.alarm(t, "load"); a.StateValue != types.StateValueAlarm || *a.ActionsEnabled {
		t.Errorf("evaluated again: %+v", a)
	}
	done := "Successfully executed action " + topic
	wait(t, "the history", func() bool { return len(s.history(t, "load")) >= 9 })
	want := []string{`Alarm "load" created`, "Alarm updated from INSUFFICIENT_DATA to OK", done,
		"Alarm updated from OK to ALARM", done,
		"Alarm updated from ALARM to OK", `Alarm "load" updated`, done, "Alarm updated from OK to ALARM"}
	got := s.history(t, "load")
	if diff := cmp.Diff(want, got, sorted); diff != "" {
		t.Errorf("history, -want +got:\n%s", diff)
	}
	// It outlives the alarm by 30 days.
	must(s.DeleteAlarms(t.Context(), &sdk.DeleteAlarmsInput{AlarmNames: []string{"over", "load"}}))(t)
	if got := len(s.history(t, "load")); got != 10 {
		t.Errorf("%d items after the end", got)
	}
	s.set(s.now().AddDate(0, 0, 31))
	if err := s.service.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.history(t, "load"); len(got) != 0 {
		t.Errorf("after a month: %v", got)
	}
}

// TestFailedAction: a topic that cannot be told is in the history, as AWS words it.
func TestFailedAction(t *testing.T) {
	for _, test := range []struct{ code, message, want string }{
		{"NotFound", "the topic is gone", "api error NotFound: the topic is gone"},
		{"KMSAccessDenied", "cloudwatch.amazonaws.com is not authorized to perform: kms:Decrypt",
			"CloudWatch Alarms does not have authorization to access the SNS topic encryption key."},
		{"AuthorizationError", "cloudwatch.amazonaws.com is not authorized to perform: SNS:Publish on resource: " + topic +
			" because no resource-based policy allows the SNS:Publish action",
			"CloudWatch Alarms is not authorized to perform: SNS:Publish on resource:" + topic +
				" because no resource-based policy allows the SNS:Publish action"},
	} {
		t.Run(test.code, func(t *testing.T) { failedAction(t, test.code, test.message, test.want) })
	}
}

func failedAction(t *testing.T, code, message, failure string) {
	s := newServer(t)
	s.topics.failures = []error{&smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}}
	s.act(t)
	s.put(t, cpu("load"))
	must(s.SetAlarmState(t.Context(),
		&sdk.SetAlarmStateInput{AlarmName: new("load"), StateValue: types.StateValueAlarm, StateReason: new("a drill"),
			StateReasonData: new(`{"a":1}`)}))(t)
	wait(t, "the history", func() bool { return len(s.history(t, "load")) == 3 })
	if got, want := s.history(t, "load")[2],
		"Failed to execute action "+topic+`. Received error: "`+failure+`"`; got != want {
		t.Errorf("got %s", got)
	}
	items := must(s.DescribeAlarmHistory(t.Context(),
		&sdk.DescribeAlarmHistoryInput{HistoryItemType: types.HistoryItemTypeStateUpdate,
			StartDate: new(s.now().Add(-time.Hour)), EndDate: new(s.now())}))(t).AlarmHistoryItems
	const want = `{"version":"1.0","oldState":{"stateValue":"INSUFFICIENT_DATA","stateReason":"Unchecked: Initial alarm ` +
		`creation"},` +
		`"newState":{"stateValue":"ALARM","stateReason":"a drill","stateReasonData":{"a":1}}}`
	if len(items) != 1 || *items[0].HistoryData != want {
		t.Errorf("got %+v", items)
	}
}

// TestActionsAreKept: what an engine that ended did not tell, and what failed once, is told by the next run, once.
func TestActionsAreKept(t *testing.T) {
	s := newServer(t)
	in := cpu("load")
	in.AlarmActions = []string{topic, topic + "-too"}
	s.put(t, in)
	set := func(state types.StateValue) {
		must(s.SetAlarmState(t.Context(),
			&sdk.SetAlarmStateInput{AlarmName: new("load"), StateValue: state, StateReason: new("a drill")}))(t)
	}
	set(types.StateValueAlarm)
	set(types.StateValueOk)
	set(types.StateValueAlarm)
	if got := len(s.topics.all()); got != 0 {
		t.Fatalf("%d messages before the actions run", got)
	}
	s.topics.failures = []error{errors.New("the disk is full"), errors.New("the disk is still full")}
	s.act(t)
	wait(t, "the messages", func() bool { return len(s.topics.all()) == 4 })
	wait(t, "the history", func() bool { return len(s.history(t, "load")) == 8 })
	for i, p := range s.topics.all() {
		if want := []string{topic, topic + "-too"}[i%2]; p.Topic != want ||
			p.Subject != `ALARM: "load" in US East (N. Virginia)` {
			t.Errorf("message %d: %+v", i, p)
		}
	}
	s.topics.mu.Lock()
	defer s.topics.mu.Unlock()
	if len(s.topics.failed) != 2 || !strings.HasSuffix(s.topics.failed[0].Error(), "the disk is full") {
		t.Errorf("failed: %v", s.topics.failed)
	}
}

// TestAFormerAction: what an earlier larder left to be told is told, once.
func TestAFormerAction(t *testing.T) {
	const row = `{"Key":"20260304T050607.000000000\u0000load-000000","Alarm":"load","Kind":"MetricAlarm",` +
		`"Topic":"` + topic + `","Subject":"ALARM: \"load\"","Message":"{\"AlarmName\":\"load\"}",` +
		`"Change":{"From":"INSUFFICIENT_DATA","To":"ALARM","Reason":"a drill","Data":"","At":"2026-03-04T05:06:07Z"}}`
	s := newServer(t)
	raw := store.Table[json.RawMessage]("alarm_actions")
	if err := s.store.Update(func(tx *store.Tx) error {
		return raw.Put(tx, "20260304T050607.000000000\x00load-000000", json.RawMessage(row))
	}); err != nil {
		t.Fatal(err)
	}
	s.act(t)
	wait(t, "the history", func() bool { return len(s.history(t, "load")) == 1 })
	if got, want := s.history(t, "load")[0], "Successfully executed action "+topic; got != want {
		t.Errorf("got %s", got)
	}
	arn := "arn:aws:cloudwatch:" + region + ":" + account + ":alarm:load"
	want := []publication{{arn, topic, `ALARM: "load"`, `{"AlarmName":"load"}`}}
	if diff := cmp.Diff(want, s.topics.all()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	if err := s.store.View(func(tx *store.Tx) error {
		keys, err := raw.Keys(tx)
		if len(keys) > 0 {
			t.Errorf("left waiting: %q", keys)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestHistoryIsBounded: an alarm that changes without end keeps its newest items, and another's are left alone.
func TestHistoryIsBounded(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"flaps", "flaps too", "quiet"} {
		in := cpu(name)
		in.AlarmActions = nil
		s.put(t, in)
	}
	revision := map[string]uint64{}
	for _, d := range must(s.service.Alarms())(t) {
		revision[*d.Metric.AlarmName] = d.Revision
	}
	from := alarm.Insufficient
	for i := range 520 {
		for _, to := range []alarm.State{alarm.Alarm, alarm.OK} {
			for _, name := range []string{"flaps", "flaps too"} {
				if name == "flaps too" && i >= 5 {
					continue
				}
				if err := s.service.Change(name, revision[name],
					alarm.Change{From: from, To: to, Reason: fmt.Sprint(i), At: s.now()}); err != nil {
					t.Fatal(err)
				}
			}
			from = to
		}
		s.set(s.now().Add(time.Second))
	}
	if err := s.service.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"flaps": 1000, "flaps too": 11, "quiet": 1} {
		if got := s.count(t, name); got != want {
			t.Errorf("%s has %d items, want %d", name, got, want)
		}
	}
	newest := must(s.DescribeAlarmHistory(t.Context(),
		&sdk.DescribeAlarmHistoryInput{AlarmName: new("flaps"), MaxRecords: new(int32(1))}))(t).AlarmHistoryItems
	if len(newest) != 1 || !strings.Contains(*newest[0].HistoryData, `"stateReason":"519"`) {
		t.Errorf("newest: %+v", newest)
	}
}

// count is how many items an alarm's history has.
func (s *server) count(t *testing.T, name string) (n int) {
	t.Helper()
	pages := sdk.NewDescribeAlarmHistoryPaginator(s,
		&sdk.DescribeAlarmHistoryInput{AlarmName: &name, MaxRecords: new(int32(100))})
	for pages.HasMorePages() {
		n += len(must(pages.NextPage(t.Context()))(t).AlarmHistoryItems)
	}
	return n
}

func TestStateRefusals(t *testing.T) {
	s := newServer(t)
	s.put(t, cpu("load"))
	composite := func(name, rule string) error {
		_, err := s.PutCompositeAlarm(t.Context(), &sdk.PutCompositeAlarmInput{AlarmName: &name, AlarmRule: &rule})
		return err
	}
	set := func(change func(*sdk.SetAlarmStateInput)) error {
		in := &sdk.SetAlarmStateInput{AlarmName: new("load"), StateValue: types.StateValueOk, StateReason: new("x")}
		change(in)
		_, err := s.SetAlarmState(t.Context(), in)
		return err
	}
	for _, rule := range []struct{ name, rule string }{{"c1", "ALARM(load)"}, {"c2", "OK(c1)"}} {
		if err := composite(rule.name, rule.rule); err != nil {
			t.Fatal(err)
		}
	}
	_, suppressed := s.PutCompositeAlarm(t.Context(),
		&sdk.PutCompositeAlarmInput{AlarmName: new("c"), AlarmRule: new("TRUE"), ActionsSuppressor: new("load")})
	_, metric := s.PutMetricAlarm(t.Context(), cpu("c1"))
	_, both := s.DeleteAlarms(t.Context(), &sdk.DeleteAlarmsInput{AlarmNames: []string{"c1", "c2"}})
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"unknown", set(func(in *sdk.SetAlarmStateInput) { in.AlarmName = new("x") }), "ResourceNotFound", ""},
		{"state", set(func(in *sdk.SetAlarmStateInput) { in.StateValue = "RED" }), "ValidationError",
			"1 validation error detected: Value 'RED' at 'stateValue' failed to satisfy constraint: Member must " +
				"satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"},
		{"data", set(func(in *sdk.SetAlarmStateInput) { in.StateReasonData = new("{") }), "InvalidFormat",
			"StateReasonData is not JSON"},
		{"children", composite("c3", "ALARM(load) AND ALARM(zz) AND OK(yy)"), "ValidationError",
			"Could not save the composite alarm as alarms [yy, zz] in the alarm rule do not exist"},
		{"itself", composite("c3", "ALARM(c3)"), "ValidationError", "The alarm rule of c3 leads back to itself"},
		{"cycle", composite("c1", "ALARM(load) OR ALARM(c2)"), "ValidationError",
			"The alarm rule of c1 leads back to itself"},
		{"rule", composite("c3", "ALARM(load"), "ValidationError",
			"AlarmRule: ALARM must be followed by the name of an alarm in parentheses"},
		{"suppressor", suppressed, "InvalidParameterValue",
			"larder does not serve PutCompositeAlarm's ActionsSuppressor: the actions of composite alarms are " +
				"not suppressed"},
		{"other kind", metric, "ValidationError", "There is a CompositeAlarm of the name c1"},
		{"two composites", both, "ValidationError", "Only one composite alarm can be deleted by one request"},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
}

// TestFamily: the API shows a composite alarm's children and an alarm's parents.
func TestFamily(t *testing.T) {
	s := newServer(t)
	s.put(t, cpu("a"))
	s.put(t, cpu("b"))
	for _, c := range []struct{ name, rule string }{{"ab", "ALARM(a) AND NOT OK(b)"},
		{"above", "ALARM(ab) OR ALARM(a)"}} {
		must(s.PutCompositeAlarm(t.Context(), &sdk.PutCompositeAlarmInput{AlarmName: &c.name, AlarmRule: &c.rule}))(t)
	}
	names := func(in *sdk.DescribeAlarmsInput) (names []string) {
		out := must(s.DescribeAlarms(t.Context(), in))(t)
		for _, a := range out.MetricAlarms {
			names = append(names, *a.AlarmName+" "+string(a.StateValue))
		}
		for _, a := range out.CompositeAlarms {
			names = append(names, *a.AlarmName+" "+string(a.StateValue))
		}
		return names
	}
	if diff := cmp.Diff([]string{"a INSUFFICIENT_DATA", "ab INSUFFICIENT_DATA"},
		names(&sdk.DescribeAlarmsInput{ChildrenOfAlarmName: new("above")})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ab ", "above "},
		names(&sdk.DescribeAlarmsInput{ParentsOfAlarmName: new("a")})); diff != "" {
		t.Error(diff)
	}
	in := cpu("a")
	found := must(s.DescribeAlarmsForMetric(t.Context(),
		&sdk.DescribeAlarmsForMetricInput{Namespace: in.Namespace, MetricName: in.MetricName,
			Dimensions: in.Dimensions}))(t).MetricAlarms
	other := must(s.DescribeAlarmsForMetric(t.Context(),
		&sdk.DescribeAlarmsForMetricInput{Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: in.Dimensions,
			Statistic: types.StatisticSum}))(t).MetricAlarms
	if len(found) != 2 || len(other) != 0 {
		t.Errorf("%d and %d alarms for the metric", len(found), len(other))
	}
}

func TestActionsAreEnabledAgain(t *testing.T) {
	s := newServer(t)
	s.put(t, cpu("load"))
	must(s.DisableAlarmActions(t.Context(), &sdk.DisableAlarmActionsInput{AlarmNames: []string{"load"}}))(t)
	if *s.alarm(t, "load").ActionsEnabled {
		t.Error("the actions are not disabled")
	}
	must(s.EnableAlarmActions(t.Context(), &sdk.EnableAlarmActionsInput{AlarmNames: []string{"load", "unknown"}}))(t)
	if !*s.alarm(t, "load").ActionsEnabled {
		t.Error("the actions are not enabled again")
	}
}
