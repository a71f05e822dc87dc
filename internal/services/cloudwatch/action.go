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

	"larder/internal/alarm"
	"larder/internal/outbox"
	"larder/internal/store"
)

// actions holds what topics have yet to be told of alarms, in the order of the changes. A row is made in the
// transaction of the change: see outbox.
const actions = store.Table[action]("alarm_actions")

// action is one of an alarm's, due for a change of its state.
type action struct {
	Key                     string
	Alarm                   string
	Kind                    types.AlarmType
	Topic, Subject, Message string
	Change                  alarm.Change
}

// plan keeps the actions of a change, to be run.
func (s *Service) plan(tx *store.Tx, a storedAlarm, c alarm.Change) error {
	topics := map[alarm.State][]string{alarm.OK: a.OKActions, alarm.Alarm: a.AlarmActions,
		alarm.Insufficient: a.InsufficientDataActions}[c.To]
	if len(topics) == 0 || !aws.ToBool(a.ActionsEnabled) {
		return nil
	}
	owner := alarm.Owner{Account: s.Account, Region: s.RegionName}
	due := action{Alarm: *a.AlarmName, Kind: a.kind(), Subject: alarm.Subject(*a.AlarmName, c.To, owner), Change: c}
	if a.AlarmRule != nil {
		due.Message = alarm.CompositeMessage(new(a.composite()), c, owner)
	} else {
		due.Message = alarm.MetricMessage(&a.MetricAlarm, c, owner)
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

// Run runs the actions of alarms until ctx ends, beginning with what an earlier run left.
func (s *Service) Run(ctx context.Context) error {
	box := outbox.Outbox[action]{
		Store: s.Store, Table: actions, Deliver: s.act, Settle: s.acted, Failed: s.Failed, After: s.After,
		Item: func(due action) outbox.Item {
			return outbox.Item{Key: due.Key, Queue: due.Alarm, Name: "an action of the alarm " + due.Alarm,
				Task: fmt.Sprintf("tell the topic %s of the alarm %s", due.Topic, due.Alarm)}
		},
	}
	box.Run(ctx)
	return nil
}

func (s *Service) act(due action, also func(*store.Tx) error) error {
	return s.Publish(s.alarmARN(due.Alarm), due.Topic, due.Subject, due.Message, also)
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

// acted writes into the history what came of an action.
func (s *Service) acted(tx *store.Tx, due action, refusal smithy.APIError) error {
	summary, failure := "Successfully executed action "+due.Topic, error(nil)
	if refusal != nil {
		failure = errors.New(actionFailure(due.Topic, refusal))
		summary = "Failed to execute action " + due.Topic + `. Received error: "` + failure.Error() + `"`
	}
	data := alarm.ActionUpdate(due.Topic, due.Message, due.Change, failure)
	return note(tx, due.Alarm, due.Kind, s.Now(), types.HistoryItemTypeAction, summary, data)
}
