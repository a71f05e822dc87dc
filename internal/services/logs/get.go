package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/logfilter"
	"larder/internal/logstore"
	"larder/internal/store"
)

const (
	maxEvents      = 10_000  // of one answer
	maxAnswer      = 1 << 20 // bytes of its messages
	maxStreamNames = 100
)

// A token is a direction and the place to go on from: "f/" or "b/", the time with 2^63 added to it, and the number, in
// hexadecimal.
const (
	forward  = "f/"
	backward = "b/"
)

func token(direction string, p logstore.Position) *string {
	return new(fmt.Sprintf("%s%016x%016x", direction, uint64(p.Time)^1<<63, p.Seq))
}

func parseToken(text string) (direction string, p logstore.Position, err error) {
	var at uint64
	if len(text) == len(forward)+32 {
		_, err = fmt.Sscanf(text[len(forward):], "%16x%16x", &at, &p.Seq)
		direction = text[:len(forward)]
	}
	if err != nil || direction != forward && direction != backward {
		return "", p, invalidParameter("The specified nextToken is invalid.")
	}
	p.Time = int64(at ^ 1<<63)
	return direction, p, nil
}

// span is the positions between two times in milliseconds, either of which may be missing. includeEnd says whether the
// end is in it.
func (s *Service) span(of group, start, end *int64, includeEnd bool) (from, to logstore.Position, err error) {
	from, to = logstore.First, logstore.Last
	if start != nil && end != nil && *start > *end {
		return from, to, invalidParameter("startTime must be less than or equal to endTime")
	}
	if start != nil {
		from.Time = *start
	}
	if end != nil {
		to.Time = *end
		if !includeEnd {
			to = logstore.Position{Time: *end}.Previous()
		}
	}
	if of.Retention > 0 { // what is past its time is not there, whether its file is deleted yet or not
		from.Time = max(from.Time, s.Now().Add(-of.retention()).UnixMilli())
	}
	return from, to, nil
}

func limitOf(limit *int32) int {
	if limit == nil {
		return maxEvents
	}
	return int(*limit)
}

func (s *Service) getLogEvents(_ context.Context, in *sdk.GetLogEventsInput) (*sdk.GetLogEventsOutput, error) {
	name, err := s.chosen(in.LogGroupName, in.LogGroupIdentifier)
	if err == nil {
		err = errors.Join(checkName(name), checkName(in.LogStreamName))
	}
	if err != nil {
		return nil, err
	}
	of, wanted, err := s.readable(*name, streamChoice{names: []string{*in.LogStreamName}})
	if err != nil {
		return nil, err
	}
	q := logstore.Query{Streams: ids(wanted), Key: of.KMSKey, Bytes: maxAnswer, Overhead: eventOverhead,
		Backward: !aws.ToBool(in.StartFromHead)}
	q.Limit = limitOf(in.Limit)
	if q.From, q.To, err = s.span(of, in.StartTime, in.EndTime, false); err != nil {
		return nil, err
	}
	if err := resume(&q, in.NextToken); err != nil {
		return nil, err
	}
	page, err := s.Events.Query(of.id(), q)
	if err != nil {
		return nil, eventsError(err)
	}
	out := &sdk.GetLogEventsOutput{Events: []types.OutputLogEvent{}}
	for _, e := range page.Events {
		out.Events = append(out.Events,
			types.OutputLogEvent{Timestamp: &e.Time, IngestionTime: &e.Ingested, Message: &e.Message})
	}
	before, after := around(q, page)
	out.NextForwardToken, out.NextBackwardToken = token(forward, after), token(backward, before)
	if in.NextToken != nil && len(page.Events) == 0 &&
		!page.More { // an end's token comes again, though the retention, which moves on, is past it
		if q.Backward {
			out.NextBackwardToken = in.NextToken
		} else {
			out.NextForwardToken = in.NextToken
		}
	}
	return out, nil
}

// resume has a query go on where a token says.
func resume(q *logstore.Query, text *string) error {
	if text == nil {
		return nil
	}
	direction, p, err := parseToken(*text)
	if err != nil {
		return err
	}
	if q.Backward = direction == backward; q.Backward {
		if p.Compare(q.To) < 0 {
			q.To = p
		}
	} else if p.Compare(q.From) > 0 {
		q.From = p
	}
	return nil
}

// around are the last place before a page and the first behind it. At the end of a stream the token of the page before
// comes again, and finds what is logged later.
func around(q logstore.Query, page logstore.Page) (before, after logstore.Position) {
	switch n := len(page.Events); {
	case n > 0:
		return page.Events[0].Position().Previous(), page.Events[n-1].Position().Next()
	case q.Backward && page.More:
		return page.Next, q.To.Next()
	case page.More:
		return q.From.Previous(), page.Next
	case q.Backward && q.To == logstore.Last:
		return q.To, q.From // nothing at all yet
	case q.Backward:
		return q.To, q.To.Next()
	}
	if q.From == logstore.First {
		return q.From, q.From
	}
	return q.From.Previous(), q.From
}

// streamChoice says which of a group's streams are wanted: some, or all with a prefix.
type streamChoice struct {
	names  []string
	prefix string
}

// readable finds a group and the streams that are wanted of it.
func (s *Service) readable(name string, choice streamChoice) (of group, wanted []stream, err error) {
	err = s.Store.View(func(tx *store.Tx) (err error) {
		if of, err = find(tx, name); err != nil {
			return err
		}
		if len(choice.names) == 0 {
			wanted, err = streamsOf(tx, name, choice.prefix)
			return err
		}
		for _, n := range choice.names {
			st, err := findStream(tx, name, n)
			if err != nil {
				return err
			}
			wanted = append(wanted, st)
		}
		return nil
	})
	if err == nil {
		err = s.keyUsable(of, "Decrypt")
	}
	return of, wanted, err
}

func ids(of []stream) map[uint32]bool {
	out := map[uint32]bool{}
	for _, st := range of {
		out[st.ID] = true
	}
	return out
}

func (s *Service) filterLogEvents(_ context.Context, in *sdk.FilterLogEventsInput) (*sdk.FilterLogEventsOutput, error) {
	name, err := s.chosen(in.LogGroupName, in.LogGroupIdentifier)
	if err == nil {
		err = errors.Join(checkName(name), checkChoice(in))
	}
	if err != nil {
		return nil, err
	}
	pattern, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	of, wanted, err := s.readable(*name, streamChoice{in.LogStreamNames, aws.ToString(in.LogStreamNamePrefix)})
	if err != nil {
		return nil, err
	}
	q := logstore.Query{
		Streams: ids(wanted), Key: of.KMSKey, Bytes: maxAnswer, Overhead: eventOverhead,
		Contains: pattern.Contains,
		Match:    pattern.Match,
		Backward: in.StartFromHead != nil && !*in.StartFromHead,
	}
	q.Limit = limitOf(in.Limit)
	if q.From, q.To, err = s.span(of, in.StartTime, in.EndTime, true); err != nil {
		return nil, err
	}
	if err := resume(&q, in.NextToken); err != nil {
		return nil, err
	}
	page, err := s.Events.Query(of.id(), q)
	if err != nil {
		return nil, eventsError(err)
	}
	return filtered(q, page, wanted), nil
}

// earliestBackward is 1 January 2024: the API reads backward from no earlier a time, in milliseconds.
const earliestBackward = 1_704_067_200_000

func checkChoice(in *sdk.FilterLogEventsInput) error {
	switch {
	case len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil:
		return invalidParameter("At most one of logStreamNames and logStreamNamePrefix can be given")
	case in.StartFromHead != nil && !*in.StartFromHead && aws.ToInt64(in.StartTime) < earliestBackward:
		return invalidParameter("startFromHead can be false only with a startTime on or after 2024-01-01T00:00:00Z")
	}
	return nil
}

// maxPattern is how long a filter pattern may be, in characters.
const maxPattern = 1024

func parsePattern(text *string) (*logfilter.Pattern, error) {
	p, err := logfilter.Parse(aws.ToString(text))
	if err != nil {
		return nil, invalidParameter("Invalid filter pattern: %v", err)
	}
	return p, nil
}

func filtered(q logstore.Query, page logstore.Page, from []stream) *sdk.FilterLogEventsOutput {
	names := map[uint32]*string{}
	for _, st := range from {
		names[st.ID] = &st.Name
	}
	out := &sdk.FilterLogEventsOutput{Events: []types.FilteredLogEvent{},
		SearchedLogStreams: []types.SearchedLogStream{}}
	for _, e := range page.Events {
		out.Events = append(out.Events, types.FilteredLogEvent{
			EventId: new(eventID(e.Position())), LogStreamName: names[e.Stream], Timestamp: &e.Time,
			IngestionTime: &e.Ingested, Message: &e.Message,
		})
	}
	for _, st := range from {
		if page.Damaged {
			out.SearchedLogStreams = append(out.SearchedLogStreams,
				types.SearchedLogStream{LogStreamName: &st.Name, SearchedCompletely: new(false)})
		}
	}
	direction := forward
	if q.Backward {
		direction = backward
		slices.Reverse(out.Events)
	}
	if page.More {
		out.NextToken = token(direction, page.Next)
	}
	return out
}

// eventID is an event's place in 56 digits.
func eventID(p logstore.Position) string {
	return fmt.Sprintf("3%020d%035d", uint64(p.Time)^1<<63, p.Seq)
}
