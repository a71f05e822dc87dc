package cloudwatch

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/alarm"
	"larder/internal/audit"
	"larder/internal/store"
)

// alarms holds every alarm, by name.
const alarms = store.Table[storedAlarm]("alarms")

// AlarmTable is the name of the table of alarms: who watches it learns which of them change.
const AlarmTable = string(alarms)

// storedAlarm is a metric alarm, in the API's words, with its state; or a composite one, which has a rule and nothing
// that is measured.
type storedAlarm struct {
	types.MetricAlarm
	AlarmRule *string `json:",omitempty"`
	Tags      map[string]string
}

func (a storedAlarm) kind() types.AlarmType {
	if a.AlarmRule != nil {
		return types.AlarmTypeCompositeAlarm
	}
	return types.AlarmTypeMetricAlarm
}

// composite is the alarm as the API shows a composite one.
func (a storedAlarm) composite() types.CompositeAlarm {
	return types.CompositeAlarm{
		AlarmName: a.AlarmName, AlarmArn: a.AlarmArn, AlarmDescription: a.AlarmDescription, AlarmRule: a.AlarmRule,
		AlarmConfigurationUpdatedTimestamp: a.AlarmConfigurationUpdatedTimestamp, ActionsEnabled: a.ActionsEnabled,
		OKActions: a.OKActions, AlarmActions: a.AlarmActions, InsufficientDataActions: a.InsufficientDataActions,
		StateValue: a.StateValue, StateReason: a.StateReason, StateReasonData: a.StateReasonData,
		StateUpdatedTimestamp: a.StateUpdatedTimestamp, StateTransitionedTimestamp: a.StateTransitionedTimestamp,
	}
}

// putMetricAlarm makes an alarm, or gives one another definition; its state and its tags stay as they are.
func (s *Service) putMetricAlarm(ctx context.Context, in *sdk.PutMetricAlarmInput) (*sdk.PutMetricAlarmOutput, error) {
	if err := checkAlarm(in); err != nil {
		return nil, err
	}
	return &sdk.PutMetricAlarmOutput{}, s.put(ctx, storedAlarm{MetricAlarm: s.definition(in)}, in.Tags, nil)
}

// put keeps a definition under its name, new or changed. check may refuse it in view of the other alarms.
func (s *Service) put(ctx context.Context, made storedAlarm, tags []types.Tag, check func(*store.Tx) error) error {
	made.Tags = map[string]string{}
	if err := setTags(made.Tags, tags); err != nil {
		return err
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if check != nil {
			if err := check(tx); err != nil {
				return err
			}
		}
		what := created
		old, err := alarms.Get(tx, *made.AlarmName)
		switch {
		case err == nil && old.kind() != made.kind():
			return validation("There is a %s of the name %s", old.kind(), *made.AlarmName)
		case err == nil:
			what = updated
			made.Tags = old.Tags
			made.StateValue, made.StateReason, made.StateReasonData = old.StateValue, old.StateReason, old.StateReasonData
			made.StateUpdatedTimestamp, made.StateTransitionedTimestamp = old.StateUpdatedTimestamp,
				old.StateTransitionedTimestamp
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		if err := alarms.Put(tx, *made.AlarmName, made); err != nil {
			return err
		}
		return s.noteConfiguration(tx, made, what)
	})
}

// definition is a new alarm as a request describes it.
func (s *Service) definition(in *sdk.PutMetricAlarmInput) types.MetricAlarm {
	now := s.Now()
	return types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: new(s.alarmARN(*in.AlarmName)), AlarmDescription: in.AlarmDescription,
		AlarmConfigurationUpdatedTimestamp: &now,
		ActionsEnabled:                     new(in.ActionsEnabled == nil || *in.ActionsEnabled),
		OKActions:                          listed(in.OKActions), AlarmActions: listed(in.AlarmActions),
		InsufficientDataActions: listed(in.InsufficientDataActions),
		MetricName:              in.MetricName, Namespace: in.Namespace, Dimensions: in.Dimensions,
		Statistic:         in.Statistic,
		ExtendedStatistic: in.ExtendedStatistic, Period: in.Period, Unit: in.Unit, Metrics: in.Metrics,
		EvaluationPeriods: in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm, Threshold: in.Threshold,
		ComparisonOperator: in.ComparisonOperator, TreatMissingData: in.TreatMissingData,
		EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile,
		StateValue:                       types.StateValueInsufficientData, StateReason: new(alarm.Unchecked),
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

// maxNames is how many alarms one request may name.
const maxNames = 100

// deleteAlarms deletes all of the alarms that are named, or none.
func (s *Service) deleteAlarms(ctx context.Context, in *sdk.DeleteAlarmsInput) (*sdk.DeleteAlarmsOutput, error) {
	if len(in.AlarmNames) < 1 || len(in.AlarmNames) > maxNames {
		return nil, validation("Between 1 and %d AlarmNames must be given; the request has %d", maxNames,
			len(in.AlarmNames))
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		composites := 0
		for _, name := range in.AlarmNames {
			found, err := findAlarm(tx, name)
			if store.IsUnreadable(err) {
				if err := alarms.Delete(tx, name); err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
			if found.AlarmRule != nil {
				composites++
			}
			if composites > 1 {
				return validation("Only one composite alarm can be deleted by one request")
			}
			if err := errors.Join(alarms.Delete(tx, name), s.noteConfiguration(tx, found, deleted)); err != nil {
				return err
			}
		}
		return nil
	})
	return &sdk.DeleteAlarmsOutput{}, err
}

func findAlarm(tx *store.Tx, name string) (storedAlarm, error) {
	found, err := alarms.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		return storedAlarm{}, absent{&types.ResourceNotFound{Message: new("There is no alarm " + name)}}
	}
	return found, err
}
