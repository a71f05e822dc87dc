package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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

// head is an item without its texts, which are most of it.
type head struct {
	AlarmName       *string
	AlarmType       types.AlarmType
	Timestamp       *time.Time
	HistoryItemType types.HistoryItemType
	Key             string
}

const heads = store.Table[head](histories)

// parts are an item's alarm, and its instant with the number that it has in it.
func (h head) parts() (name, when string) {
	at := strings.LastIndexByte(h.Key, 0)
	if at < 0 { // a damaged key
		return h.Key, ""
	}
	return h.Key[:at], h.Key[at+1:]
}

const (
	historyKept = 30 * 24 * time.Hour
	// items of an alarm: AWS names no number, and an alarm can change its state and tell its topics every ten seconds
	historyLength = 1000
	tidyBatch     = 500
)

// note adds an item to an alarm's history.
func note(
	tx *store.Tx, name string, kind types.AlarmType, at time.Time, t types.HistoryItemType, summary, data string,
) error {
	key, err := freeKey(tx, histories, name+"\x00"+instant(at))
	if err != nil {
		return err
	}
	return histories.Put(tx, key, history{types.AlarmHistoryItem{
		AlarmName: &name, AlarmType: kind, Timestamp: &at, HistoryItemType: t, HistorySummary: &summary,
		HistoryData: &data,
	}, key})
}

// What can happen to a definition.
const (
	created = "created"
	updated = "updated"
	deleted = "deleted"
)

func (s *Service) noteConfiguration(tx *store.Tx, a storedAlarm, what string) error {
	kind := map[string]string{created: "Create", updated: "Update", deleted: "Delete"}[what]
	data, err := json.Marshal(map[string]string{"version": "1.0", "type": kind})
	if err != nil {
		return err
	}
	return note(tx, *a.AlarmName, a.kind(), s.Now(), types.HistoryItemTypeConfigurationUpdate,
		fmt.Sprintf("Alarm %q %s", *a.AlarmName, what), string(data))
}

// KeepHistory tidies the history every hour until ctx ends.
func (s *Service) KeepHistory(ctx context.Context) error {
	for {
		if err := s.guard.Do("the history of alarms", func() error { return s.Tidy(ctx) }); err != nil {
			s.Failed(fmt.Errorf("cannot forget old history of alarms: %w", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.After(time.Hour):
		}
	}
}

// Tidy forgets the history of more than 30 days ago, and what is more than an alarm may have, the oldest first. It
// takes as many rows as a batch has in one transaction: others do not wait for it.
func (s *Service) Tidy(ctx context.Context) error {
	oldest := instant(s.Now().Add(-historyKept))
	name, kept := "", []string(nil)
	for last := ""; ctx.Err() == nil; {
		rows, err := s.headsAfter(last)
		if err != nil || len(rows) == 0 {
			return err
		}
		var old []string
		for _, h := range rows {
			of, when := h.parts()
			if of != name {
				name, kept = of, nil
			}
			if when == "" { // a damaged key does not tell how old the item is
				continue
			}
			if when < oldest {
				old = append(old, h.Key)
				continue
			}
			if kept = append(kept, h.Key); len(kept) > historyLength {
				old, kept = append(old, kept[0]), kept[1:]
			}
		}
		if err := s.forget(old); err != nil {
			return err
		}
		last = rows[len(rows)-1].Key
	}
	return nil
}

// headsAfter are a batch of the items that follow a key.
func (s *Service) headsAfter(last string) (rows []head, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		for h, err := range heads.From(tx, last) {
			if damaged, is := errors.AsType[*store.RowError](err); is { // its key tells how old it is
				h, err = head{Key: damaged.Key}, nil
			}
			if err != nil {
				return err
			}
			if h.Key != last {
				rows = append(rows, h)
			}
			if len(rows) == tidyBatch {
				return nil
			}
		}
		return nil
	})
	return rows, err
}

func (s *Service) forget(keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	return s.Store.Update(func(tx *store.Tx) error {
		for _, key := range keys {
			if err := histories.Delete(tx, key); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) describeAlarmHistory(
	_ context.Context, in *sdk.DescribeAlarmHistoryInput,
) (*sdk.DescribeAlarmHistoryOutput, error) {
	if in.StartDate != nil && in.EndDate != nil && !in.StartDate.Before(*in.EndDate) {
		return nil, invalidValue("StartDate must be before EndDate")
	}
	out := &sdk.DescribeAlarmHistoryOutput{AlarmHistoryItems: []types.AlarmHistoryItem{}}
	return out, s.Store.View(func(tx *store.Tx) error {
		rows, err := historyOf(tx, in)
		if err != nil {
			return err
		}
		key := func(h head) string { name, when := h.parts(); return when + name }
		slices.SortFunc(rows, func(a, b head) int { return strings.Compare(key(a), key(b)) })
		if in.ScanBy != types.ScanByTimestampAscending {
			slices.Reverse(rows)
			key = backwards(key)
		}
		rows, out.NextToken, err = page(rows, key, in.MaxRecords, in.NextToken)
		for _, h := range rows {
			item, err := histories.Get(tx, h.Key)
			if store.IsUnreadable(err) { // in the part that a head lacks
				continue
			}
			if err != nil {
				return err
			}
			out.AlarmHistoryItems = append(out.AlarmHistoryItems, item.AlarmHistoryItem)
		}
		return err
	})
}

// historyOf are the items that a request asks for, in the order of the keys.
func historyOf(tx *store.Tx, in *sdk.DescribeAlarmHistoryInput) (rows []head, err error) {
	prefix := ""
	if in.AlarmName != nil {
		prefix = *in.AlarmName + "\x00"
	}
	for h, err := range heads.Readable(tx, prefix) {
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(h.Key, prefix) {
			break
		}
		if historyAsked(in, h) {
			rows = append(rows, h)
		}
	}
	return rows, nil
}

// backwards turns the order of keys round.
func backwards(key func(head) string) func(head) string {
	return func(h head) string {
		b := []byte(key(h))
		for i := range b {
			b[i] = ^b[i]
		}
		return string(b) + "\xff"
	}
}

func historyAsked(in *sdk.DescribeAlarmHistoryInput, h head) bool {
	return (in.AlarmName == nil || *in.AlarmName == *h.AlarmName) && typeAsked(in.AlarmTypes, h.AlarmType) &&
		(in.HistoryItemType == "" || in.HistoryItemType == h.HistoryItemType) &&
		(in.StartDate == nil || !h.Timestamp.Before(*in.StartDate)) &&
		(in.EndDate == nil || !h.Timestamp.After(*in.EndDate))
}
