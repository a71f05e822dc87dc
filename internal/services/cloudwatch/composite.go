package cloudwatch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/alarm"
	"larder/internal/store"
)

// putCompositeAlarm makes an alarm over others, which must be there, or gives one another rule.
func (s *Service) putCompositeAlarm(
	ctx context.Context, in *sdk.PutCompositeAlarmInput,
) (*sdk.PutCompositeAlarmOutput, error) {
	err := cmp.Or(checkName(*in.AlarmName), checkActions(in.OKActions, in.AlarmActions, in.InsufficientDataActions))
	if err != nil {
		return nil, err
	}
	rule, err := alarm.ParseComposite(aws.ToString(in.AlarmRule))
	if err != nil {
		return nil, validation("%v", err)
	}
	now := s.Now()
	made := storedAlarm{AlarmRule: in.AlarmRule, MetricAlarm: types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: new(s.alarmARN(*in.AlarmName)), AlarmDescription: in.AlarmDescription,
		AlarmConfigurationUpdatedTimestamp: &now, ActionsEnabled: new(in.ActionsEnabled == nil || *in.ActionsEnabled),
		OKActions: listed(in.OKActions), AlarmActions: listed(in.AlarmActions),
		InsufficientDataActions: listed(in.InsufficientDataActions),
		StateValue:              types.StateValueInsufficientData, StateReason: new(alarm.Unchecked),
		StateUpdatedTimestamp:      &now,
		StateTransitionedTimestamp: &now,
	}}
	return &sdk.PutCompositeAlarmOutput{}, s.put(ctx, made, in.Tags,
		func(tx *store.Tx) error { return checkChildren(tx, *in.AlarmName, rule) })
}

// checkName checks the characters of an alarm's name.
func checkName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, isASCIIControl) {
		return validation("AlarmName must be UTF-8 without ASCII control characters")
	}
	return nil
}

func isASCIIControl(r rune) bool { return r <= unicode.MaxASCII && unicode.IsControl(r) }

// checkChildren refuses a rule over alarms that are not there, and one that comes back to its own alarm.
func checkChildren(tx *store.Tx, name string, rule *alarm.Composite) error {
	var lost []string
	for _, child := range rule.Children() {
		if _, err := alarms.Get(tx, child); errors.Is(err, store.ErrNotFound) && child != name {
			lost = append(lost, child)
		} else if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if len(lost) > 0 {
		slices.Sort(lost)
		return validation("Could not save the composite alarm as alarms [%s] in the alarm rule do not exist",
			strings.Join(lost, ", "))
	}
	var broken error
	children := func(child string) []string {
		a, err := alarms.Get(tx, child)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			broken = err
		}
		return childrenNames(a)
	}
	if alarm.Cycle(name, rule.Children(), children) {
		return validation("The alarm rule of %s leads back to itself", name)
	}
	return broken
}
