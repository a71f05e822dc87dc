package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	engine "larder/internal/alarm"
	"larder/internal/store"
)

// actions holds what topics have yet to be told of alarms, in the order of the changes. A row is made in the
// transaction of the change and taken off in the one that keeps the message for the topic's subscribers: nothing is
// lost or told twice, whenever the engine ends.
const actions = store.Table[action]("alarm_actions")

// action is one of an alarm's, due for a change of its state.
type action struct {
	Key                     string
	Alarm                   string
	Kind                    types.AlarmType
	Topic, Subject, Message string
	Change                  engine.Change
}

// plan keeps the actions of a change, to be run.
func (s *Service) plan(tx *store.Tx, a alarm, c engine.Change) error {
	topics := map[engine.State][]string{engine.OK: a.OKActions, engine.Alarm: a.AlarmActions,
		engine.Insufficient: a.InsufficientDataActions}[c.To]
	if len(topics) == 0 || !aws.ToBool(a.ActionsEnabled) {
		return nil
	}
	place := engine.Place{Account: s.Account, Region: s.RegionName}
	due := action{Alarm: *a.AlarmName, Kind: a.kind(), Subject: engine.Subject(*a.AlarmName, c.To, place), Change: c}
	if a.AlarmRule != nil {
		due.Message = engine.CompositeMessage(new(a.composite()), c, place)
	} else {
		due.Message = engine.MetricMessage(&a.MetricAlarm, c, place)
	}
	for _, due.Topic = range topics {
		key, err := freeKey(tx, actions, instant(c.At)+"\x00"+*a.AlarmName)
		if err != nil {
			return err
		}
		due.Key = key
		if err := actions.Put(tx, key, due); err != nil {
			return err
		}
	}
	return nil
}

// instant is a time as keys have it: they sort by it.
func instant(at time.Time) string { return at.UTC().Format("20060102T150405.000000000") }

// freeKey is the first key of a prefix that has no row yet: rows of one instant follow each other in the order they
// were put.
func freeKey[T any](tx *store.Tx, t store.Table[T], prefix string) (string, error) {
	for n := 0; ; n++ {
		key := fmt.Sprintf("%s-%06d", prefix, n)
		if taken, err := t.Has(tx, key); err != nil || !taken {
			return key, err
		}
	}
}

// retryTime is between two attempts to tell topics what could not be kept.
const retryTime = 5 * time.Second

// Run runs the actions of alarms until ctx ends, beginning with what an earlier run left.
func (s *Service) Run(ctx context.Context) error {
	s.Store.Tend(ctx, string(actions), func() <-chan time.Time {
		if err := s.actAll(ctx); err != nil {
			s.Failed(err)
			return s.After(retryTime)
		}
		return nil
	})
	return nil
}

// actAll runs what is due, oldest first. After one that fails the others of its alarm wait, so that they keep their
// order.
func (s *Service) actAll(ctx context.Context) error {
	var errs []error
	stuck := map[string]bool{}
	for last := ""; ctx.Err() == nil; {
		due, there, err := s.nextAction(last)
		if err != nil || !there {
			return errors.Join(append(errs, err)...)
		}
		last = due.Key
		if stuck[due.Alarm] {
			continue
		}
		if err := s.guard.Do("an action of the alarm "+due.Alarm, func() error { return s.act(due) }); err != nil {
			stuck[due.Alarm] = true
			errs = append(errs, fmt.Errorf("cannot tell the topic %s of the alarm %s: %w", due.Topic, due.Alarm, err))
		}
	}
	return nil
}

// nextAction is the one that follows a key.
func (s *Service) nextAction(last string) (due action, there bool, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		for row, err := range actions.Readable(tx, last) {
			if err != nil {
				return err
			}
			if row.Key != last {
				due, there = row, true
				return nil
			}
		}
		return nil
	})
	return due, there, err
}

// act tells a topic. What a topic refuses, such as one that is gone, is in the history, and is not tried again.
func (s *Service) act(due action) error {
	done := func(tx *store.Tx) error { return s.acted(tx, due, nil) }
	err := s.Publish(s.alarmARN(due.Alarm), due.Topic, due.Subject, due.Message, done)
	if refusal := smithy.APIError(nil); errors.As(err, &refusal) && refusal.ErrorFault() == smithy.FaultClient {
		failure := errors.New(actionFailure(due.Topic, refusal))
		return s.Store.Update(func(tx *store.Tx) error { return s.acted(tx, due, failure) })
	}
	return err
}

// actionFailure is how the history words a topic's refusal. What it says of a policy was recorded from AWS.
func actionFailure(topic string, refusal smithy.APIError) string {
	switch refusal.ErrorCode() {
	case "KMSAccessDenied":
		return "CloudWatch Alarms does not have authorization to access the SNS topic encryption key."
	case "AuthorizationError":
		_, why, _ := strings.Cut(refusal.ErrorMessage(), topic)
		return "CloudWatch Alarms is not authorized to perform: SNS:Publish on resource:" + topic + why
	}
	return refusal.Error()
}

// acted takes an action off and writes into the history what came of it.
func (s *Service) acted(tx *store.Tx, due action, failure error) error {
	summary := "Successfully executed action " + due.Topic
	if failure != nil {
		summary = "Failed to execute action " + due.Topic + `. Received error: "` + failure.Error() + `"`
	}
	data := engine.ActionUpdate(due.Topic, due.Message, due.Change, failure)
	return errors.Join(actions.Delete(tx, due.Key),
		note(tx, due.Alarm, due.Kind, s.Now(), types.HistoryItemTypeAction, summary, data))
}
