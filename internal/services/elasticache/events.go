package elasticache

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/event"
	"larder/internal/state"
	"larder/internal/store"
)

// defaultPast is how far back events are shown when the request says nothing.
const defaultPast = time.Hour

func (s *Service) describeEvents(_ context.Context, in *sdk.DescribeEventsInput) (*sdk.DescribeEventsOutput, error) {
	from, till, err := s.span(in)
	if err != nil {
		return nil, err
	}
	var events []event.Notice
	err = s.Store.View(func(tx *store.Tx) (err error) {
		events, err = state.Notices(tx, from)
		return err
	})
	if err != nil {
		return nil, err
	}
	source := filter(in.SourceIdentifier)
	events = slices.DeleteFunc(events, func(n event.Notice) bool {
		return n.Date.After(till) || in.SourceType != "" && string(in.SourceType) != n.SourceType || source != "" &&
			source != n.Source
	})
	events, marker, err := page(events, newestFirst, in.MaxRecords, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeEventsOutput{Events: []types.Event{}, Marker: marker}
	for _, n := range events {
		out.Events = append(out.Events, types.Event{
			Date: &n.Date, SourceIdentifier: &n.Source, SourceType: types.SourceType(n.SourceType), Message: &n.Message,
		})
	}
	return out, nil
}

// newestFirst is a key: events have distinct times.
func newestFirst(n event.Notice) string { return fmt.Sprintf("%019d", math.MaxInt64-n.Date.UnixNano()) }

// span returns the time that a request asks about. Two of start, end and duration give the third; with less, the past
// hour fills in.
func (s *Service) span(in *sdk.DescribeEventsInput) (from, till time.Time, err error) {
	length := defaultPast
	if in.Duration != nil {
		length = time.Duration(*in.Duration) * time.Minute
	}
	if length <= 0 || length > event.NoticeLife {
		return from, till, invalidValue("Invalid value %d for Duration. Must be between 1 and %d minutes", *in.Duration,
			event.NoticeLife/time.Minute)
	}
	// Notices of one instant are stamped nanoseconds apart, so the latest may lie just ahead of the clock.
	now := s.Now().Add(time.Second)
	from, till = aws.ToTime(in.StartTime), aws.ToTime(in.EndTime)
	switch {
	case in.StartTime != nil && in.EndTime != nil && in.Duration != nil:
		return from, till, invalidCombination("Cannot specify all of StartTime, EndTime and Duration.")
	case in.StartTime != nil && in.EndTime != nil && from.After(till):
		return from, till, invalidCombination("StartTime %s must not be later than EndTime %s.",
			from.Format(time.RFC3339), till.Format(time.RFC3339))
	case in.StartTime != nil && in.EndTime != nil:
	case in.StartTime != nil && in.Duration != nil:
		till = from.Add(length)
	case in.StartTime != nil:
		till = now
	case in.EndTime != nil:
		from = till.Add(-length)
	default:
		from, till = s.Now().Add(-length), now
	}
	return from, till, nil
}
