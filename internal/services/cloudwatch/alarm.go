package cloudwatch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/store"
)

// alarms holds every metric alarm, by name.
const alarms = store.Table[alarm]("alarms")

// alarm is a metric alarm, in the API's words, with its state.
type alarm struct {
	types.MetricAlarm
	Tags map[string]string
}

// unchecked is the reason for the state of an alarm that was never evaluated.
const unchecked = "Unchecked: Initial alarm creation"

// putMetricAlarm makes an alarm, or gives one another definition; its state and its tags stay as they are.
func (s *Service) putMetricAlarm(_ context.Context, in *sdk.PutMetricAlarmInput) (*sdk.PutMetricAlarmOutput, error) {
	if err := checkAlarm(in); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	if err := setTags(tags, in.Tags); err != nil {
		return nil, err
	}
	err := s.Store.Update(func(tx *store.Tx) error {
		made := alarm{MetricAlarm: s.definition(in), Tags: tags}
		old, err := alarms.Get(tx, *in.AlarmName)
		switch {
		case err == nil:
			made.Tags = old.Tags
			made.StateValue, made.StateReason, made.StateReasonData = old.StateValue, old.StateReason, old.StateReasonData
			made.StateUpdatedTimestamp, made.StateTransitionedTimestamp = old.StateUpdatedTimestamp, old.StateTransitionedTimestamp
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		return alarms.Put(tx, *in.AlarmName, made)
	})
	return &sdk.PutMetricAlarmOutput{}, err
}

// definition is a new alarm as a request describes it.
func (s *Service) definition(in *sdk.PutMetricAlarmInput) types.MetricAlarm {
	now := s.Now()
	return types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: new(s.alarmARN(*in.AlarmName)), AlarmDescription: in.AlarmDescription,
		AlarmConfigurationUpdatedTimestamp: &now,
		ActionsEnabled:                     new(in.ActionsEnabled == nil || *in.ActionsEnabled),
		OKActions:                          listed(in.OKActions), AlarmActions: listed(in.AlarmActions), InsufficientDataActions: listed(in.InsufficientDataActions),
		MetricName: in.MetricName, Namespace: in.Namespace, Dimensions: in.Dimensions, Statistic: in.Statistic,
		ExtendedStatistic: in.ExtendedStatistic, Period: in.Period, Unit: in.Unit, Metrics: in.Metrics,
		EvaluationPeriods: in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm, Threshold: in.Threshold,
		ComparisonOperator: in.ComparisonOperator, TreatMissingData: in.TreatMissingData,
		EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile,
		StateValue:                       types.StateValueInsufficientData, StateReason: new(unchecked),
		StateUpdatedTimestamp: &now, StateTransitionedTimestamp: &now,
	}
}

// listed makes a list of none: the API shows an empty one.
func listed(actions []string) []string {
	if actions == nil {
		return []string{}
	}
	return actions
}

// The bounds of MaxRecords, and how many names one request may give.
const (
	maxRecords     = 100
	defaultRecords = 50
	maxNames       = 100
)

func (s *Service) describeAlarms(_ context.Context, in *sdk.DescribeAlarmsInput) (*sdk.DescribeAlarmsOutput, error) {
	switch {
	case len(in.AlarmNames) > maxNames:
		return nil, validation("At most %d AlarmNames can be given; the request has %d", maxNames, len(in.AlarmNames))
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil:
		return nil, invalidCombination("AlarmNames and AlarmNamePrefix must not be given together")
	case in.StateValue != "" && !slices.Contains(in.StateValue.Values(), in.StateValue):
		return nil, validation("StateValue %q must be one of %v", in.StateValue, in.StateValue.Values())
	}
	for _, t := range in.AlarmTypes {
		if !slices.Contains(t.Values(), t) {
			return nil, validation("AlarmType %q must be one of %v", t, t.Values())
		}
	}
	out := &sdk.DescribeAlarmsOutput{MetricAlarms: []types.MetricAlarm{}, CompositeAlarms: []types.CompositeAlarm{}}
	if len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) {
		return out, nil
	}
	err := s.Store.View(func(tx *store.Tx) error {
		for a, err := range alarms.From(tx, aws.ToString(in.AlarmNamePrefix)) {
			if err != nil {
				return err
			}
			if asked(in, a.MetricAlarm) {
				out.MetricAlarms = append(out.MetricAlarms, a.MetricAlarm)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.MetricAlarms, out.NextToken, err = page(out.MetricAlarms, in.MaxRecords, in.NextToken)
	return out, err
}

// asked tells whether a request asks for an alarm.
func asked(in *sdk.DescribeAlarmsInput, a types.MetricAlarm) bool {
	if len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, *a.AlarmName) {
		return false
	}
	if !strings.HasPrefix(*a.AlarmName, aws.ToString(in.AlarmNamePrefix)) || in.StateValue != "" && in.StateValue != a.StateValue {
		return false
	}
	return in.ActionPrefix == nil || slices.ContainsFunc(slices.Concat(a.OKActions, a.AlarmActions, a.InsufficientDataActions),
		func(action string) bool { return strings.HasPrefix(action, *in.ActionPrefix) })
}

// page returns the alarms, which come in the order of their names, that a request asks for, and the token of the next page when
// there is one. A token holds the last name shown.
func page(rows []types.MetricAlarm, limit *int32, token *string) ([]types.MetricAlarm, *string, error) {
	size := defaultRecords
	if limit != nil {
		if size = int(*limit); size < 1 || size > maxRecords {
			return nil, nil, validation("MaxRecords is %d. It must be between 1 and %d", size, maxRecords)
		}
	}
	if token != nil {
		last, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, &types.InvalidNextToken{Message: new("The NextToken is not one of an earlier answer.")}
		}
		for len(rows) > 0 && *rows[0].AlarmName <= string(last) {
			rows = rows[1:]
		}
	}
	if len(rows) <= size {
		return rows, nil, nil
	}
	return rows[:size], new(base64.RawURLEncoding.EncodeToString([]byte(*rows[size-1].AlarmName))), nil
}

// deleteAlarms deletes all of the alarms that are named, or none.
func (s *Service) deleteAlarms(_ context.Context, in *sdk.DeleteAlarmsInput) (*sdk.DeleteAlarmsOutput, error) {
	if len(in.AlarmNames) < 1 || len(in.AlarmNames) > maxNames {
		return nil, validation("Between 1 and %d AlarmNames must be given; the request has %d", maxNames, len(in.AlarmNames))
	}
	err := s.Store.Update(func(tx *store.Tx) error {
		for _, name := range in.AlarmNames {
			if _, err := alarms.Get(tx, name); errors.Is(err, store.ErrNotFound) {
				return absent{&types.ResourceNotFound{Message: new(fmt.Sprintf("There is no alarm %s", name))}}
			} else if err != nil {
				return err
			}
		}
		for _, name := range in.AlarmNames {
			if err := alarms.Delete(tx, name); err != nil {
				return err
			}
		}
		return nil
	})
	return &sdk.DeleteAlarmsOutput{}, err
}
