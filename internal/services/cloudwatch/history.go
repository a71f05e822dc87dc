package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/store"
)

// histories holds what happened to alarms, by name and time. It outlives them.
const histories = store.Table[history]("alarm_history")

// history is an item, with its key.
type history struct {
	types.AlarmHistoryItem
	Key string
}

const historyKept = 30 * 24 * time.Hour

// note adds an item to an alarm's history.
func note(tx *store.Tx, name string, kind types.AlarmType, at time.Time, t types.HistoryItemType, summary, data string) error {
	key, err := freeKey(tx, histories, name+"\x00"+instant(at))
	if err != nil {
		return err
	}
	return histories.Put(tx, key, history{types.AlarmHistoryItem{
		AlarmName: &name, AlarmType: kind, Timestamp: &at, HistoryItemType: t, HistorySummary: &summary, HistoryData: &data,
	}, key})
}

// What can happen to a definition.
const (
	created = "created"
	updated = "updated"
	deleted = "deleted"
)

func (s *Service) noteConfiguration(tx *store.Tx, a alarm, what string) error {
	kind := map[string]string{created: "Create", updated: "Update", deleted: "Delete"}[what]
	data, err := json.Marshal(map[string]string{"version": "1.0", "type": kind})
	if err != nil {
		return err
	}
	return note(tx, *a.AlarmName, a.kind(), s.Now(), types.HistoryItemTypeConfigurationUpdate, fmt.Sprintf("Alarm %q %s", *a.AlarmName, what), string(data))
}

// Tidy forgets the history of more than 30 days ago.
func (s *Service) Tidy() error {
	oldest := s.Now().Add(-historyKept)
	var old []string
	err := s.Store.View(func(tx *store.Tx) error {
		rows, err := histories.All(tx)
		for _, h := range rows {
			if h.Timestamp.Before(oldest) {
				old = append(old, h.Key)
			}
		}
		return err
	})
	if err != nil || len(old) == 0 {
		return err
	}
	return s.Store.Update(func(tx *store.Tx) error {
		for _, key := range old {
			if err := histories.Delete(tx, key); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) describeAlarmHistory(_ context.Context, in *sdk.DescribeAlarmHistoryInput) (*sdk.DescribeAlarmHistoryOutput, error) {
	switch {
	case in.HistoryItemType != "" && !slices.Contains(in.HistoryItemType.Values(), in.HistoryItemType):
		return nil, validation("HistoryItemType %q must be one of %v", in.HistoryItemType, in.HistoryItemType.Values())
	case in.ScanBy != "" && !slices.Contains(in.ScanBy.Values(), in.ScanBy):
		return nil, validation("ScanBy %q must be one of %v", in.ScanBy, in.ScanBy.Values())
	case in.StartDate != nil && in.EndDate != nil && !in.StartDate.Before(*in.EndDate):
		return nil, invalidValue("StartDate must be before EndDate")
	}
	if err := checkTypes(in.AlarmTypes); err != nil {
		return nil, err
	}
	var rows []history
	err := s.Store.View(func(tx *store.Tx) error {
		for h, err := range histories.From(tx, aws.ToString(in.AlarmName)) {
			if err != nil {
				return err
			}
			if historyAsked(in, h) {
				rows = append(rows, h)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	key := func(h history) string { _, when, _ := strings.Cut(h.Key, "\x00"); return when + *h.AlarmName }
	slices.SortFunc(rows, func(a, b history) int { return strings.Compare(key(a), key(b)) })
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(rows)
		key = backwards(key)
	}
	rows, token, err := page(rows, key, in.MaxRecords, in.NextToken)
	out := &sdk.DescribeAlarmHistoryOutput{AlarmHistoryItems: []types.AlarmHistoryItem{}, NextToken: token}
	for _, h := range rows {
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, h.AlarmHistoryItem)
	}
	return out, err
}

// backwards turns the order of keys round.
func backwards(key func(history) string) func(history) string {
	return func(h history) string {
		b := []byte(key(h))
		for i := range b {
			b[i] = ^b[i]
		}
		return string(b) + "\xff"
	}
}

func historyAsked(in *sdk.DescribeAlarmHistoryInput, h history) bool {
	return (in.AlarmName == nil || *in.AlarmName == *h.AlarmName) && typeAsked(in.AlarmTypes, h.AlarmType) &&
		(in.HistoryItemType == "" || in.HistoryItemType == h.HistoryItemType) &&
		(in.StartDate == nil || !h.Timestamp.Before(*in.StartDate)) && (in.EndDate == nil || !h.Timestamp.After(*in.EndDate))
}
