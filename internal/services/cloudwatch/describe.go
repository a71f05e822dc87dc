package cloudwatch

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/alarm"
	"larder/internal/store"
)

// The bounds of MaxRecords.
const (
	maxRecords     = 100
	defaultRecords = 50
)

func (s *Service) describeAlarms(_ context.Context, in *sdk.DescribeAlarmsInput) (*sdk.DescribeAlarmsOutput, error) {
	if err := checkDescribe(in); err != nil {
		return nil, err
	}
	var rows []storedAlarm
	err := s.Store.View(func(tx *store.Tx) (err error) {
		switch {
		case in.ChildrenOfAlarmName != nil:
			rows, err = childrenOf(tx, *in.ChildrenOfAlarmName)
		case in.ParentsOfAlarmName != nil:
			rows, err = parentsOf(tx, *in.ParentsOfAlarmName)
		default:
			rows, err = all(tx, func(a storedAlarm) bool { return asked(in, a) })
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	rows, token, err := page(rows, func(a storedAlarm) string { return *a.AlarmName }, in.MaxRecords, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{},
		NextToken: token}
	for _, a := range rows {
		if a.AlarmRule != nil || in.ParentsOfAlarmName != nil {
			out.CompositeAlarms = append(out.CompositeAlarms, a.composite())
		} else {
			out.MetricAlarms = append(out.MetricAlarms, a.MetricAlarm)
		}
	}
	return out, nil
}

func checkDescribe(in *sdk.DescribeAlarmsInput) error {
	others := len(in.AlarmNames) > 0 || in.AlarmNamePrefix != nil || in.StateValue != "" || in.ActionPrefix != nil ||
		len(in.AlarmTypes) > 0
	switch {
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil:
		return invalidCombination("AlarmNames and AlarmNamePrefix must not be given together")
	case in.ChildrenOfAlarmName != nil && (others || in.ParentsOfAlarmName != nil):
		return invalidCombination("ChildrenOfAlarmName must be given alone, but for MaxRecords and NextToken")
	case in.ParentsOfAlarmName != nil && others:
		return invalidCombination("ParentsOfAlarmName must be given alone, but for MaxRecords and NextToken")
	}
	return nil
}

// typeAsked tells whether a request asks for alarms of a type: without any, for metric alarms.
func typeAsked(given []types.AlarmType, t types.AlarmType) bool {
	if len(given) == 0 {
		return t == types.AlarmTypeMetricAlarm
	}
	return slices.Contains(given, t)
}

// asked tells whether a request asks for an alarm.
func asked(in *sdk.DescribeAlarmsInput, a storedAlarm) bool {
	if len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, *a.AlarmName) || !typeAsked(in.AlarmTypes, a.kind()) {
		return false
	}
	if !strings.HasPrefix(*a.AlarmName, aws.ToString(in.AlarmNamePrefix)) || in.StateValue != "" &&
		in.StateValue != a.StateValue {
		return false
	}
	return in.ActionPrefix == nil ||
		slices.ContainsFunc(slices.Concat(a.OKActions, a.AlarmActions, a.InsufficientDataActions),
			func(action string) bool { return strings.HasPrefix(action, *in.ActionPrefix) })
}

// all are the alarms that accept takes, in the order of their names.
func all(tx *store.Tx, accept func(storedAlarm) bool) ([]storedAlarm, error) {
	var rows []storedAlarm
	for a, err := range alarms.Readable(tx, "") {
		if err != nil {
			return nil, err
		}
		if accept(a) {
			rows = append(rows, a)
		}
	}
	return rows, nil
}

// childrenNames are the alarms that an alarm's rule names.
func childrenNames(a storedAlarm) []string {
	rule, err := alarm.ParseComposite(aws.ToString(a.AlarmRule))
	if err != nil { // a metric alarm has no rule; another's was checked when it was put
		return nil
	}
	return rule.Children()
}

// childrenOf are the alarms that a composite alarm's rule names, as far as the API shows them.
func childrenOf(tx *store.Tx, name string) ([]storedAlarm, error) {
	parent, err := findAlarm(tx, name)
	if err != nil {
		return nil, err
	}
	names := childrenNames(parent)
	rows, err := all(tx, func(a storedAlarm) bool { return slices.Contains(names, *a.AlarmName) })
	for i, a := range rows {
		rows[i] = storedAlarm{AlarmRule: a.AlarmRule, MetricAlarm: types.MetricAlarm{
			AlarmName: a.AlarmName, AlarmArn: a.AlarmArn, StateValue: a.StateValue,
			StateUpdatedTimestamp: a.StateUpdatedTimestamp,
		}}
	}
	return rows, err
}

// parentsOf are the composite alarms whose rules name an alarm, as far as the API shows them.
func parentsOf(tx *store.Tx, name string) ([]storedAlarm, error) {
	if _, err := findAlarm(tx, name); err != nil {
		return nil, err
	}
	rows, err := all(tx, func(a storedAlarm) bool { return slices.Contains(childrenNames(a), name) })
	for i, a := range rows {
		rows[i] = storedAlarm{MetricAlarm: types.MetricAlarm{AlarmName: a.AlarmName, AlarmArn: a.AlarmArn}}
	}
	return rows, err
}

// page returns the rows, which come in the order of their keys, that a request asks for, and the token of the next page
// when there is one. A token holds the last key shown.
func page[T any](rows []T, key func(T) string, limit *int32, token *string) ([]T, *string, error) {
	size := defaultRecords
	if limit != nil {
		size = int(*limit)
	}
	if token != nil {
		text, err := base64.RawURLEncoding.DecodeString(*token)
		last, ours := strings.CutPrefix(string(text), afterKey)
		if err != nil || !ours {
			return nil, nil, invalidToken()
		}
		for len(rows) > 0 && key(rows[0]) <= last {
			rows = rows[1:]
		}
	}
	if len(rows) <= size {
		return rows, nil, nil
	}
	return rows[:size], new(base64.RawURLEncoding.EncodeToString([]byte(afterKey + key(rows[size-1])))), nil
}

// afterKey begins what a token says: whatever else may be base64 too is not one of ours.
const afterKey = "after:"

func invalidToken() error {
	return &types.InvalidNextToken{Message: new("The NextToken is not one of an earlier answer.")}
}

// describeAlarmsForMetric lists the alarms on one metric; those on metric math are not looked into.
func (s *Service) describeAlarmsForMetric(
	_ context.Context, in *sdk.DescribeAlarmsForMetricInput,
) (*sdk.DescribeAlarmsForMetricOutput, error) {
	if err := checkMetric(in.Namespace, in.MetricName, in.Dimensions); err != nil {
		return nil, err
	}
	out := &sdk.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	wanted := alarm.Key(in.Namespace, in.MetricName, in.Dimensions, "")
	err := s.Store.View(func(tx *store.Tx) error {
		rows, err := all(tx, func(a storedAlarm) bool {
			return a.MetricName != nil && alarm.Key(a.Namespace, a.MetricName, a.Dimensions, "").Equal(wanted) &&
				(in.Statistic == "" || in.Statistic == a.Statistic) && (in.Unit == "" || in.Unit == a.Unit) &&
				(in.ExtendedStatistic == nil || *in.ExtendedStatistic == aws.ToString(a.ExtendedStatistic)) &&
				(in.Period == nil || *in.Period == *a.Period)
		})
		for _, a := range rows {
			out.MetricAlarms = append(out.MetricAlarms, a.MetricAlarm)
		}
		return err
	})
	return out, err
}
