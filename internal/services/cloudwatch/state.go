package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/alarm"
	"larder/internal/audit"
	"larder/internal/store"
)

// Alarms are all alarms as the evaluation reads them, but for those that cannot be read: the store tells of these.
func (s *Service) Alarms() (all []alarm.Definition, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		rows, err := alarms.List(tx)
		for _, a := range rows {
			all = append(all, a.defined())
		}
		return err
	})
	return all, err
}

// Alarm is one of them; not when there is none of the name.
func (s *Service) Alarm(name string) (d alarm.Definition, there bool, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		a, err := alarms.Get(tx, name)
		if there = err == nil; there {
			d = a.defined()
		}
		if errors.Is(err, store.ErrNotFound) ||
			store.IsUnreadable(err) { // it is not evaluated, and the store tells of it
			return nil
		}
		return err
	})
	return d, there, err
}

// defined is the alarm as the evaluation reads it. Its revision is a hash of what it is defined by.
func (a storedAlarm) defined() alarm.Definition {
	definition := a
	definition.StateValue, definition.StateReason, definition.StateReasonData = "", nil, nil
	definition.StateUpdatedTimestamp, definition.StateTransitionedTimestamp, definition.Tags = nil, nil, nil
	hash := fnv.New64a()
	if err := json.NewEncoder(hash).Encode(definition); err != nil {
		panic("cloudwatch: an alarm that was read as JSON is none: " + err.Error())
	}
	d := alarm.Definition{Revision: hash.Sum64()}
	if a.AlarmRule != nil {
		d.Composite = new(a.composite())
	} else {
		d.Metric = &a.MetricAlarm
	}
	return d
}

// Change puts an alarm into another state, unless it is meanwhile gone, or has another definition or another state than
// the change begins with.
func (s *Service) Change(name string, revision uint64, c alarm.Change) error {
	err := s.change(s.Store.Update, name, func(a storedAlarm) (alarm.Change, bool) {
		return c, a.defined().Revision == revision && alarm.State(a.StateValue) == c.From
	})
	var gone *types.ResourceNotFound
	if errors.As(err, &gone) {
		return nil
	}
	return err
}

// transaction runs a function in a transaction of the store.
type transaction = func(func(*store.Tx) error) error

// change puts an alarm into the state that decide gives, writes it into the history, and keeps its actions to be run.
func (s *Service) change(update transaction, name string, decide func(storedAlarm) (alarm.Change, bool)) error {
	return update(func(tx *store.Tx) error {
		a, err := findAlarm(tx, name)
		if err != nil {
			return err
		}
		c, do := decide(a)
		if !do {
			return nil
		}
		before := alarm.NewHistoryState(c.From, aws.ToString(a.StateReason), aws.ToString(a.StateReasonData))
		at := c.At
		a.StateValue, a.StateReason, a.StateReasonData, a.StateUpdatedTimestamp = types.StateValue(c.To), &c.Reason, nil, &at
		if c.Data != "" {
			a.StateReasonData = &c.Data
		}
		if c.From == c.To {
			return alarms.Put(tx, name, a)
		}
		a.StateTransitionedTimestamp = &at
		data := alarm.StateUpdate(before, alarm.NewHistoryState(c.To, c.Reason, c.Data))
		return errors.Join(alarms.Put(tx, name, a), s.plan(tx, a, c),
			note(tx, name, a.kind(), c.At, types.HistoryItemTypeStateUpdate,
				"Alarm updated from "+string(c.From)+" to "+string(c.To), data))
	})
}

// setAlarmState sets a state until the next evaluation.
func (s *Service) setAlarmState(ctx context.Context, in *sdk.SetAlarmStateInput) (*sdk.SetAlarmStateOutput, error) {
	data := aws.ToString(in.StateReasonData)
	switch {
	case in.AlarmName == nil || in.StateReason == nil || in.StateValue == "":
		return nil, missing("The parameters AlarmName, StateValue and StateReason are required")
	case data != "" && !json.Valid([]byte(data)):
		return nil, &types.InvalidFormatFault{Message: new("StateReasonData is not JSON")}
	}
	err := s.change(audit.In(ctx, s.Store), *in.AlarmName, func(a storedAlarm) (alarm.Change, bool) {
		return alarm.Change{From: alarm.State(a.StateValue), To: alarm.State(in.StateValue), Reason: *in.StateReason,
			Data: data, At: s.Now()}, true
	})
	if gone := (*types.ResourceNotFound)(nil); errors.As(err, &gone) {
		err = absent{&types.ResourceNotFound{Message: new("")}} // AWS gives no message here
	}
	return &sdk.SetAlarmStateOutput{}, err
}

func (s *Service) enableAlarmActions(
	ctx context.Context, in *sdk.EnableAlarmActionsInput,
) (*sdk.EnableAlarmActionsOutput, error) {
	return &sdk.EnableAlarmActionsOutput{}, s.enableActions(ctx, in.AlarmNames, true)
}

func (s *Service) disableAlarmActions(
	ctx context.Context, in *sdk.DisableAlarmActionsInput,
) (*sdk.DisableAlarmActionsOutput, error) {
	return &sdk.DisableAlarmActionsOutput{}, s.enableActions(ctx, in.AlarmNames, false)
}

// enableActions switches the actions of those of the alarms that there are.
func (s *Service) enableActions(ctx context.Context, names []string, enabled bool) error {
	if len(names) < 1 || len(names) > maxNames {
		return validation("Between 1 and %d AlarmNames must be given; the request has %d", maxNames, len(names))
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		for _, name := range names {
			a, err := alarms.Get(tx, name)
			switch {
			case errors.Is(err, store.ErrNotFound):
				continue
			case err != nil:
				return err
			case aws.ToBool(a.ActionsEnabled) == enabled:
				continue
			}
			now := s.Now()
			a.ActionsEnabled, a.AlarmConfigurationUpdatedTimestamp = &enabled, &now
			if err := errors.Join(alarms.Put(tx, name, a), s.noteConfiguration(tx, a, updated)); err != nil {
				return err
			}
		}
		return nil
	})
}
