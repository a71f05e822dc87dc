package cloudwatch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"larder/internal/servicetest"
	"larder/internal/store"
)

var plain = cmp.Options{
	cmpopts.IgnoreUnexported(types.MetricAlarm{}, types.Dimension{}, types.Tag{}, types.MetricDataQuery{},
		types.MetricStat{}, types.Metric{}),
	cmpopts.EquateEmpty(),
}

func (s *server) alarm(t *testing.T, name string) types.MetricAlarm {
	t.Helper()
	found := must(s.DescribeAlarms(t.Context(),
		&sdk.DescribeAlarmsInput{AlarmNames: []string{name},
			AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}}))(t)
	if len(found.MetricAlarms) != 1 {
		t.Fatalf("found %d alarms of the name %s", len(found.MetricAlarms), name)
	}
	return found.MetricAlarms[0]
}

func TestAlarmLife(t *testing.T) {
	s := newServer(t)
	in := cpu("cpu")
	in.Tags = []types.Tag{{Key: new("team"), Value: new("payments")}}
	s.put(t, in)
	made := s.now()
	want := types.MetricAlarm{
		AlarmName: new("cpu"), AlarmArn: new(prefix + "cpu"), AlarmDescription: new("CPU"), ActionsEnabled: new(true),
		AlarmActions: []string{topic}, AlarmConfigurationUpdatedTimestamp: &made, MetricName: in.MetricName,
		Namespace:  in.Namespace,
		Dimensions: in.Dimensions, Statistic: types.StatisticAverage, Period: in.Period,
		EvaluationPeriods: in.EvaluationPeriods,
		Threshold:         in.Threshold, ComparisonOperator: in.ComparisonOperator,
		TreatMissingData: in.TreatMissingData,
		StateValue:       types.StateValueInsufficientData, StateReason: new("Unchecked: Initial alarm creation"),
		StateUpdatedTimestamp: &made, StateTransitionedTimestamp: &made,
	}
	if diff := cmp.Diff(want, s.alarm(t, "cpu"), plain); diff != "" {
		t.Errorf("created: -want +got\n%s", diff)
	}

	// Another definition replaces the whole one, and leaves state and tags.
	s.setState(t, "cpu", types.StateValueAlarm)
	s.set(s.now().Add(time.Hour))
	other := &sdk.PutMetricAlarmInput{
		AlarmName: new("cpu"), ActionsEnabled: new(false), Namespace: new("AWS/ElastiCache"),
		MetricName:        new("EngineCPUUtilization"),
		ExtendedStatistic: new("p99.9"), EvaluateLowSampleCountPercentile: new("ignore"), Period: new(int32(60)),
		Unit:              types.StandardUnitPercent,
		EvaluationPeriods: new(int32(5)), DatapointsToAlarm: new(int32(3)), Threshold: new(0.5),
		OKActions:               []string{topic},
		InsufficientDataActions: []string{topic},
		ComparisonOperator:      types.ComparisonOperatorLessThanOrEqualToThreshold,
		Tags:                    []types.Tag{{Key: new("team"), Value: new("other")}},
	}
	s.put(t, other)
	want = types.MetricAlarm{
		AlarmName: new("cpu"), AlarmArn: new(prefix + "cpu"), ActionsEnabled: new(false), OKActions: []string{topic},
		InsufficientDataActions: []string{topic}, AlarmConfigurationUpdatedTimestamp: new(s.now()),
		MetricName: other.MetricName,
		Namespace:  other.Namespace, ExtendedStatistic: other.ExtendedStatistic,
		EvaluateLowSampleCountPercentile: new("ignore"),
		Period:                           other.Period, Unit: other.Unit, EvaluationPeriods: other.EvaluationPeriods,
		DatapointsToAlarm: other.DatapointsToAlarm,
		Threshold:         other.Threshold, ComparisonOperator: other.ComparisonOperator,
		StateValue:  types.StateValueAlarm,
		StateReason: new("Unchecked: Initial alarm creation"), StateUpdatedTimestamp: &made,
		StateTransitionedTimestamp: &made,
	}
	if diff := cmp.Diff(want, s.alarm(t, "cpu"), plain); diff != "" {
		t.Errorf("changed: -want +got\n%s", diff)
	}
	tags := must(s.ListTagsForResource(t.Context(),
		&sdk.ListTagsForResourceInput{ResourceARN: new(prefix + "cpu")}))(t).Tags
	if diff := cmp.Diff(in.Tags, tags, plain); diff != "" {
		t.Errorf("tags: -want +got\n%s", diff)
	}
	must(s.DeleteAlarms(t.Context(), &sdk.DeleteAlarmsInput{AlarmNames: []string{"cpu"}}))(t)
	if got := s.names(t, &sdk.DescribeAlarmsInput{}); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

// setState does to the record what an evaluation does.
func (s *server) setState(t *testing.T, name string, state types.StateValue) {
	t.Helper()
	table := store.Table[map[string]any]("alarms")
	err := s.store.Update(func(tx *store.Tx) error {
		row, err := table.Get(tx, name)
		if err != nil {
			return err
		}
		row["StateValue"] = state
		return table.Put(tx, name, row)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDescribeAlarms(t *testing.T) {
	s := newServer(t)
	var all []string
	for i := range 7 {
		in := cpu(fmt.Sprintf("cpu-%d", i))
		if i == 6 {
			in.AlarmActions, in.OKActions = nil, []string{topic + "-ok"}
		}
		s.put(t, in)
		all = append(all, *in.AlarmName)
	}
	s.put(t, cpu("memory"))
	s.setState(t, "memory", types.StateValueOk)
	for _, test := range []struct {
		what string
		in   sdk.DescribeAlarmsInput
		want []string
	}{
		{"all, by threes", sdk.DescribeAlarmsInput{MaxRecords: new(int32(3))}, append(slices.Clone(all), "memory")},
		{"a prefix", sdk.DescribeAlarmsInput{AlarmNamePrefix: new("cpu-"), MaxRecords: new(int32(7))}, all},
		{"names", sdk.DescribeAlarmsInput{AlarmNames: []string{"memory", "cpu-3", "other"}},
			[]string{"cpu-3", "memory"}},
		{"a state", sdk.DescribeAlarmsInput{StateValue: types.StateValueOk}, []string{"memory"}},
		{"an action", sdk.DescribeAlarmsInput{ActionPrefix: new(topic + "-")}, []string{"cpu-6"}},
		{"composite alarms", sdk.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}},
			nil},
		{"both kinds", sdk.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm,
			types.AlarmTypeMetricAlarm}, AlarmNamePrefix: new("m")}, []string{"memory"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			if diff := cmp.Diff(test.want, s.names(t, &test.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
	describe := func(in sdk.DescribeAlarmsInput) error { _, err := s.DescribeAlarms(t.Context(), &in); return err }
	remove := func(names ...string) error {
		_, err := s.DeleteAlarms(t.Context(), &sdk.DeleteAlarmsInput{AlarmNames: names}, unchecked)
		return err
	}
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"names and prefix", describe(sdk.DescribeAlarmsInput{AlarmNames: all, AlarmNamePrefix: new("c")}),
			"InvalidParameterCombination",
			"AlarmNames and AlarmNamePrefix must not be given together"},
		{"many names", describe(sdk.DescribeAlarmsInput{AlarmNames: slices.Repeat([]string{"a"}, 101)}),
			"ValidationError",
			violation("'["+strings.Repeat("a, ", 100)+"a]' ", "alarmNames", "have length less than or equal to 100")},
		{"state", describe(sdk.DescribeAlarmsInput{StateValue: "BAD"}), "ValidationError",
			violation("'BAD' ", "stateValue", "satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]")},
		{"records", describe(sdk.DescribeAlarmsInput{MaxRecords: new(int32(101))}), "ValidationError",
			violation("'101' ", "maxRecords", "have value less than or equal to 100")},
		{"token", describe(sdk.DescribeAlarmsInput{NextToken: new("%")}), "InvalidNextToken",
			"The NextToken is not one of an earlier answer."},
		{"another token", describe(sdk.DescribeAlarmsInput{NextToken: new("nope")}), "InvalidNextToken",
			"The NextToken is not one of an earlier answer."},
		{"children", describe(sdk.DescribeAlarmsInput{ChildrenOfAlarmName: new("x")}), "ResourceNotFound",
			"There is no alarm x"},
		{"children and names", describe(sdk.DescribeAlarmsInput{ChildrenOfAlarmName: new("x"), AlarmNames: all}),
			"InvalidParameterCombination",
			"ChildrenOfAlarmName must be given alone, but for MaxRecords and NextToken"},
		{"delete none", remove(), "ValidationError", "Between 1 and 100 AlarmNames must be given; the request has 0"},
		{"delete unknown", remove("memory", "other"), "ResourceNotFound", "There is no alarm other"},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
	s.alarm(t, "memory") // deleting it together with an unknown one deleted neither
}
