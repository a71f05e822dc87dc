package logs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"larder/internal/services/logs"
	"larder/internal/servicetest"
)

func (s *server) createStream(t *testing.T, group, stream string) {
	t.Helper()
	must(s.CreateLogStream(t.Context(), &sdk.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream}))(t)
}

// put logs messages a second apart, the last of them now.
func (s *server) put(t *testing.T, group, stream string, messages ...string) {
	t.Helper()
	var events []types.InputLogEvent
	for i, m := range messages {
		at := s.now.Add(time.Duration(i-len(messages)+1) * time.Second)
		events = append(events, types.InputLogEvent{Message: new(m), Timestamp: new(at.UnixMilli())})
	}
	out := must(s.PutLogEvents(t.Context(),
		&sdk.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream, LogEvents: events}))(t)
	if out.RejectedLogEventsInfo != nil || out.NextSequenceToken == nil {
		t.Fatalf("put: %+v", out)
	}
}

func TestLogStreams(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.create(t, "mine-too") // whose streams are not mine's
	s.createStream(t, "mine-too", "a")
	for _, name := range []string{"c", "b", "a", "b/0001"} {
		s.createStream(t, "mine", name)
	}
	_, err := s.CreateLogStream(t.Context(),
		&sdk.CreateLogStreamInput{LogGroupName: new("mine"), LogStreamName: new("a")})
	servicetest.WantError(t, err, "ResourceAlreadyExistsException", "The specified log stream already exists")
	s.put(t, "mine", "b", "one", "two")
	s.now = s.now.Add(time.Minute)
	s.put(t, "mine", "a", "three")
	list := func(in sdk.DescribeLogStreamsInput) (names []string) {
		t.Helper()
		in.Limit = new(int32(3))
		if in.LogGroupIdentifier == nil {
			in.LogGroupName = new("mine")
		}
		pages := sdk.NewDescribeLogStreamsPaginator(s, &in)
		for pages.HasMorePages() {
			for _, st := range must(pages.NextPage(t.Context()))(t).LogStreams {
				names = append(names, *st.LogStreamName)
			}
		}
		return names
	}
	for _, test := range []struct {
		in   sdk.DescribeLogStreamsInput
		want string
	}{
		{sdk.DescribeLogStreamsInput{}, "a b b/0001 c"},
		{sdk.DescribeLogStreamsInput{Descending: new(true)}, "c b/0001 b a"},
		{sdk.DescribeLogStreamsInput{LogStreamNamePrefix: new("b")}, "b b/0001"},
		{sdk.DescribeLogStreamsInput{LogGroupIdentifier: new(prefix + "mine")}, "a b b/0001 c"},
		{sdk.DescribeLogStreamsInput{LogGroupIdentifier: new("mine-too")}, "a"},
		{sdk.DescribeLogStreamsInput{OrderBy: types.OrderByLastEventTime, Descending: new(true)}, "a b c b/0001"},
	} {
		if got := strings.Join(list(test.in), " "); got != test.want {
			t.Errorf("%+v: got %s, want %s", test.in, got, test.want)
		}
	}
	b := must(s.DescribeLogStreams(t.Context(),
		&sdk.DescribeLogStreamsInput{LogGroupName: new("mine"), LogStreamNamePrefix: new("b")}))(t).LogStreams[0]
	empty := must(s.DescribeLogStreams(t.Context(), &sdk.DescribeLogStreamsInput{
		LogGroupName: new("mine"), LogStreamNamePrefix: new("b/0001"),
	}))(t).LogStreams[0]
	if empty.UploadSequenceToken != nil || b.UploadSequenceToken == nil {
		t.Errorf("the token of an empty stream is %v, of another %v", empty.UploadSequenceToken, b.UploadSequenceToken)
	}
	put := s.now.Add(-time.Minute)
	want := types.LogStream{
		LogStreamName: new("b"), Arn: new(prefix + "mine:log-stream:b"), CreationTime: new(put.UnixMilli()),
		//lint:ignore SA1019 AWS still answers it
		StoredBytes:         new(int64(0)),
		UploadSequenceToken: b.UploadSequenceToken, FirstEventTimestamp: new(put.Add(-time.Second).UnixMilli()),
		LastEventTimestamp: new(put.UnixMilli()),
		LastIngestionTime:  new(put.UnixMilli()),
	}
	if diff := cmp.Diff(want, b, cmpopts.IgnoreUnexported(types.LogStream{})); diff != "" {
		t.Error(diff)
	}
	group := must(s.DescribeLogGroups(t.Context(),
		&sdk.DescribeLogGroupsInput{LogGroupNamePrefix: new("mine")}))(t).LogGroups[0]
	if *group.StoredBytes != int64(len("onetwothree")) {
		t.Errorf("the group has %d bytes", *group.StoredBytes)
	}
	must(s.DeleteLogStream(t.Context(),
		&sdk.DeleteLogStreamInput{LogGroupName: new("mine"), LogStreamName: new("b")}))(t)
	s.createStream(t, "mine", "b") // another one of the name has none of its events
	if got := s.filter(t, sdk.FilterLogEventsInput{LogGroupName: new("mine")}); !slices.Equal(got, []string{"three"}) {
		t.Errorf("the events are %v", got)
	}
	must(s.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: new("mine")}))(t)
	s.create(t, "mine")
	if got := list(sdk.DescribeLogStreamsInput{}); got != nil {
		t.Errorf("another group of the name has the streams %v", got)
	}
}

// filter reads all pages.
func (s *server) filter(t *testing.T, in sdk.FilterLogEventsInput) (messages []string) {
	t.Helper()
	ids := map[string]bool{}
	pages := sdk.NewFilterLogEventsPaginator(s, &in)
	for pages.HasMorePages() {
		for _, e := range must(pages.NextPage(t.Context()))(t).Events {
			if ids[*e.EventId] || len(*e.EventId) != 56 {
				t.Errorf("the event id %s", *e.EventId)
			}
			ids[*e.EventId] = true
			messages = append(messages, *e.Message)
		}
	}
	return messages
}

func TestFilterLogEvents(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.createStream(t, "mine", "a")
	s.createStream(t, "mine", "b")
	s.put(t, "mine", "a", "ERROR one", "INFO two", `{"level":"ERROR","ms":30}`)
	s.put(t, "mine", "b", "ERROR four", "ERROR five ARGUMENTS", `{"level":"INFO","ms":31}`)
	at := func(seconds int) *int64 { return new(s.now.Add(time.Duration(seconds) * time.Second).UnixMilli()) }
	for _, test := range []struct {
		what string
		in   sdk.FilterLogEventsInput
		want []string
	}{
		{"all in the order of their time", sdk.FilterLogEventsInput{Limit: new(int32(2))},
			[]string{"ERROR one", "ERROR four", "INFO two", "ERROR five ARGUMENTS", `{"level":"ERROR","ms":30}`,
				`{"level":"INFO","ms":31}`}},
		{"the last first", sdk.FilterLogEventsInput{Limit: new(int32(2)), StartFromHead: new(false), StartTime: at(-1)},
			[]string{`{"level":"INFO","ms":31}`, `{"level":"ERROR","ms":30}`, "ERROR five ARGUMENTS", "INFO two"}},
		{"a term", sdk.FilterLogEventsInput{FilterPattern: new("ERROR -ARGUMENTS"), Limit: new(int32(1))},
			[]string{"ERROR one", "ERROR four", `{"level":"ERROR","ms":30}`}},
		//lint:ignore SA1019 older clients still send it
		{"JSON", sdk.FilterLogEventsInput{FilterPattern: new("{ $.ms > 30 }"), Interleaved: new(true)},
			[]string{`{"level":"INFO","ms":31}`}},
		{"a stream", sdk.FilterLogEventsInput{LogStreamNames: []string{"a"}, FilterPattern: new("ERROR")},
			[]string{"ERROR one", `{"level":"ERROR","ms":30}`}},
		{"a prefix", sdk.FilterLogEventsInput{LogStreamNamePrefix: new("b"), FilterPattern: new("[w1=ERROR, w2]")},
			[]string{"ERROR four", "ERROR five ARGUMENTS"}},
		{"a time, with its end", sdk.FilterLogEventsInput{StartTime: at(-1), EndTime: at(-1)},
			[]string{"INFO two", "ERROR five ARGUMENTS"}},
		{"none", sdk.FilterLogEventsInput{StartTime: at(1)}, nil},
	} {
		test.in.LogGroupName = new("mine")
		if diff := cmp.Diff(test.want, s.filter(t, test.in)); diff != "" {
			t.Errorf("%s: %s", test.what, diff)
		}
	}
	s.now = s.now.Add(24*time.Hour - time.Second) // and with a retention of a day, the older are gone at once
	must(s.PutRetentionPolicy(t.Context(),
		&sdk.PutRetentionPolicyInput{LogGroupName: new("mine"), RetentionInDays: new(int32(1))}))(t)
	if got := s.filter(t, sdk.FilterLogEventsInput{LogGroupName: new("mine")}); len(got) != 4 {
		t.Errorf("a day later there are %v", got)
	}
}

// GetLogEvents goes through a stream from either end, comes back, and at an end gives the same token again, with which
// later events are found.
func TestGetLogEvents(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.createStream(t, "mine", "a")
	get := func(in sdk.GetLogEventsInput) (string, *sdk.GetLogEventsOutput) {
		t.Helper()
		in.LogGroupName, in.LogStreamName = new("mine"), new("a")
		out := must(s.GetLogEvents(t.Context(), &in))(t)
		var messages []string
		for _, e := range out.Events {
			messages = append(messages, *e.Message)
		}
		return strings.Join(messages, " "), out
	}
	_, empty := get(sdk.GetLogEventsInput{})
	s.put(t, "mine", "a", "1", "2", "3", "4", "5")
	if got, _ := get(sdk.GetLogEventsInput{NextToken: empty.NextForwardToken}); got != "1 2 3 4 5" {
		t.Errorf("after the stream was empty: %s", got)
	}
	step := func(want string, in sdk.GetLogEventsInput) *sdk.GetLogEventsOutput {
		t.Helper()
		in.Limit = new(int32(2))
		got, out := get(in)
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		return out
	}
	out := step("1 2", sdk.GetLogEventsInput{StartFromHead: new(true)})
	out = step("3 4", sdk.GetLogEventsInput{NextToken: out.NextForwardToken})
	step("1 2", sdk.GetLogEventsInput{NextToken: out.NextBackwardToken})
	out = step("5", sdk.GetLogEventsInput{NextToken: out.NextForwardToken})
	end := step("", sdk.GetLogEventsInput{NextToken: out.NextForwardToken})
	if *end.NextForwardToken != *out.NextForwardToken {
		t.Error("the token at the end is another")
	}
	step("4 5", sdk.GetLogEventsInput{NextToken: end.NextBackwardToken})
	s.now = s.now.Add(time.Second)
	s.put(t, "mine", "a", "6")
	step("6", sdk.GetLogEventsInput{NextToken: end.NextForwardToken})

	out = step("5 6", sdk.GetLogEventsInput{})
	out = step("3 4", sdk.GetLogEventsInput{NextToken: out.NextBackwardToken})
	step("5 6", sdk.GetLogEventsInput{NextToken: out.NextForwardToken})
	out = step("1 2", sdk.GetLogEventsInput{NextToken: out.NextBackwardToken})
	head := step("", sdk.GetLogEventsInput{NextToken: out.NextBackwardToken})
	if *head.NextBackwardToken != *out.NextBackwardToken {
		t.Error("the token at the head is another")
	}
	step("1 2", sdk.GetLogEventsInput{NextToken: head.NextForwardToken})
	at := func(seconds int) *int64 { return new(s.now.Add(time.Duration(seconds) * time.Second).UnixMilli()) }
	step("3 4", sdk.GetLogEventsInput{StartTime: at(-3), EndTime: at(-1)}) // the end is not in it
}

// Who reads until a token comes again ends, also where the retention has passed all that a stream had, and finds what
// comes later.
func TestGetLogEventsPastTheRetention(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	must(s.PutRetentionPolicy(t.Context(),
		&sdk.PutRetentionPolicyInput{LogGroupName: new("mine"), RetentionInDays: new(int32(1))}))(t)
	s.createStream(t, "mine", "a")
	s.put(t, "mine", "a", "1")
	token := func(fromHead bool, from func(*sdk.GetLogEventsOutput) *string) *string {
		t.Helper()
		var last *string
		for range 5 {
			out := must(s.GetLogEvents(t.Context(),
				&sdk.GetLogEventsInput{LogGroupName: new("mine"), LogStreamName: new("a"), StartFromHead: &fromHead,
					NextToken: last}))(t)
			s.now = s.now.Add(time.Millisecond)
			if last != nil && *from(out) == *last {
				return last
			}
			last = from(out)
		}
		t.Fatal("no token comes again")
		return nil
	}
	forward := func(out *sdk.GetLogEventsOutput) *string { return out.NextForwardToken }
	backward := func(out *sdk.GetLogEventsOutput) *string { return out.NextBackwardToken }
	end := token(true, forward)
	s.now = s.now.Add(48 * time.Hour)
	token(true, forward)
	token(false, forward)
	token(false, backward)
	again := must(s.GetLogEvents(t.Context(),
		&sdk.GetLogEventsInput{LogGroupName: new("mine"), LogStreamName: new("a"), NextToken: end}))(t)
	if *again.NextForwardToken != *end {
		t.Error("the token at the end is another after the retention")
	}
	s.put(t, "mine", "a", "2")
	if out := must(s.GetLogEvents(t.Context(),
		&sdk.GetLogEventsInput{LogGroupName: new("mine"), LogStreamName: new("a"),
			NextToken: end}))(t); len(out.Events) != 1 {
		t.Errorf("later there are %v", out.Events)
	}
}

func TestPutLogEventsBounds(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.createStream(t, "mine", "a")
	event := func(age time.Duration, message string) types.InputLogEvent {
		return types.InputLogEvent{Timestamp: new(s.now.Add(-age).UnixMilli()), Message: &message}
	}
	put := func(events ...types.InputLogEvent) (*sdk.PutLogEventsOutput, error) {
		return s.PutLogEvents(t.Context(),
			&sdk.PutLogEventsInput{LogGroupName: new("mine"), LogStreamName: new("a"), LogEvents: events})
	}
	const day = 24 * time.Hour
	out := must(put(event(14*day+time.Hour, "too old"), event(14*day-time.Hour, "good")))(t)
	if r := out.RejectedLogEventsInfo; r == nil || *r.TooOldLogEventEndIndex != 1 || r.ExpiredLogEventEndIndex != nil ||
		r.TooNewLogEventStartIndex != nil {
		t.Errorf("rejected: %+v", r)
	}
	must(s.PutRetentionPolicy(t.Context(),
		&sdk.PutRetentionPolicyInput{LogGroupName: new("mine"), RetentionInDays: new(int32(1))}))(t)
	out = must(put(event(day+time.Second, "expired"), event(time.Hour, "good too")))(t)
	if r := out.RejectedLogEventsInfo; r == nil || *r.ExpiredLogEventEndIndex != 1 || r.TooOldLogEventEndIndex != nil {
		t.Errorf("rejected: %+v", r)
	}
	out = must(put(event(0, "now"), event(-2*time.Hour-time.Second, "too new")))(t)
	if r := out.RejectedLogEventsInfo; r == nil || *r.TooNewLogEventStartIndex != 1 {
		t.Errorf("rejected: %+v", r)
	}
	largest := strings.Repeat("é\x01", (1<<20-26)/3)
	must(put(event(0, largest)))(t)
	if got := s.filter(t, sdk.FilterLogEventsInput{LogGroupName: new("mine"),
		FilterPattern: new(`"é` + "\x01" + `é"`)}); len(got) != 1 || got[0] != largest {
		t.Error("the largest event did not come back")
	}
	const parameter = "InvalidParameterException"
	for _, test := range []struct {
		what    string
		events  []types.InputLogEvent
		message string
	}{
		{"large", []types.InputLogEvent{event(0, strings.Repeat("a", 1<<20-25))},
			"Upload too large: 1048577 bytes exceeds limit of 1048576"},
		{"out of order", []types.InputLogEvent{event(0, "a"), event(1, "b"), event(time.Minute, "c")},
			"Log events in a single PutLogEvents request must be in chronological order."},
		{"a long time", []types.InputLogEvent{event(25*time.Hour, "a"), event(0, "b")},
			"The batch of log events in a single PutLogEvents request cannot span more than 24 hours."},
		{"empty", []types.InputLogEvent{event(0, "")},
			"1 validation error detected: Value '' at 'logEvents.1.member.message' failed to satisfy constraint: Member must " +
				"have length greater than or equal to 1"},
		{"none", []types.InputLogEvent{},
			"1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint: " +
				"Member must have length greater than or equal to 1"},
		{"many", slices.Repeat([]types.InputLogEvent{event(0, "a")}, 10_001),
			"1 validation error detected: Value at 'logEvents' failed to satisfy constraint: " +
				"Member must have length less than or equal to 10000"},
	} {
		_, err := put(test.events...)
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, err, parameter, test.message) })
	}
	_, err := s.PutLogEvents(t.Context(),
		&sdk.PutLogEventsInput{LogGroupName: new("mine"), LogStreamName: new("b"),
			LogEvents: []types.InputLogEvent{event(0, "a")}})
	servicetest.WantError(t, err, "ResourceNotFoundException", "The specified log stream does not exist.")
	_, err = s.PutLogEvents(t.Context(),
		&sdk.PutLogEventsInput{LogGroupName: new("other"), LogStreamName: new("b"),
			LogEvents: []types.InputLogEvent{event(0, "a")}})
	servicetest.WantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
}

// Sequence tokens are ignored: none, an old one and a made up one are as good as the last.
func TestSequenceTokens(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.createStream(t, "mine", "a")
	var last *string
	for i, token := range []*string{nil, new("49000000000000000000000000000000000000000000000000000001"), new("a"),
		nil} {
		in := &sdk.PutLogEventsInput{LogGroupName: new("mine"), LogStreamName: new("a"), SequenceToken: token,
			LogEvents: []types.InputLogEvent{{Timestamp: new(s.now.UnixMilli()), Message: new(fmt.Sprint(i))}}}
		last = must(s.PutLogEvents(t.Context(), in))(t).NextSequenceToken
	}
	described := must(s.DescribeLogStreams(t.Context(),
		&sdk.DescribeLogStreamsInput{LogGroupName: new("mine")}))(t).LogStreams[0]
	if last == nil || *last != *described.UploadSequenceToken {
		t.Errorf("the next token is %v, the stream's %v", last, described.UploadSequenceToken)
	}
	if got := s.filter(t, sdk.FilterLogEventsInput{LogGroupName: new("mine")}); !slices.Equal(got,
		[]string{"0", "1", "2", "3"}) {
		t.Errorf("the events are %v", got)
	}
}

// Without its KMS key a group's events can be neither read nor written, and the error says so; with it they are there
// again.
func TestLockedGroup(t *testing.T) {
	s := newServer(t)
	must(s.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: new("mine"), KmsKeyId: new(key)}))(t)
	s.createStream(t, "mine", "a")
	s.put(t, "mine", "a", "one")
	s.keys.gone.Store(true)
	_, filterErr := s.FilterLogEvents(t.Context(), &sdk.FilterLogEventsInput{LogGroupName: new("mine")})
	_, getErr := s.GetLogEvents(t.Context(), &sdk.GetLogEventsInput{LogGroupName: new("mine"), LogStreamName: new("a")})
	_, putErr := s.PutLogEvents(t.Context(), &sdk.PutLogEventsInput{LogGroupName: new("mine"), LogStreamName: new("a"),
		LogEvents: []types.InputLogEvent{{Timestamp: new(s.now.UnixMilli()), Message: new("two")}}})
	for _, err := range []error{filterErr, getErr, putErr} {
		servicetest.WantError(t, err, "AccessDeniedException",
			"The KMS key of the log group is disabled, is being deleted, or does not exist")
	}
	must(s.DescribeLogStreams(t.Context(), &sdk.DescribeLogStreamsInput{LogGroupName: new("mine")}))(t)
	if err := s.logs.Keep(); err != nil {
		t.Errorf("keeping a group without its key: %v", err)
	}
	s.keys.gone.Store(false)
	if got := s.filter(t, sdk.FilterLogEventsInput{LogGroupName: new("mine")}); !slices.Equal(got, []string{"one"}) {
		t.Errorf("the events are %v", got)
	}
}

// Events past their group's retention are deleted: they stay away when the retention is taken back.
func TestRetention(t *testing.T) {
	s := newServer(t)
	for name, days := range map[string]int32{"day": 1, "week": 7} {
		s.create(t, name)
		s.createStream(t, name, "a")
		s.put(t, name, "a", "old")
		must(s.PutRetentionPolicy(t.Context(),
			&sdk.PutRetentionPolicyInput{LogGroupName: &name, RetentionInDays: &days}))(t)
	}
	s.now = s.now.Add(25 * time.Hour)
	if err := s.logs.Keep(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"day": nil, "week": {"old"}} {
		must(s.DeleteRetentionPolicy(t.Context(), &sdk.DeleteRetentionPolicyInput{LogGroupName: &name}))(t)
		if got := s.filter(t, sdk.FilterLogEventsInput{LogGroupName: &name}); !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", name, got, want)
		}
		group := must(s.DescribeLogGroups(t.Context(),
			&sdk.DescribeLogGroupsInput{LogGroupNamePrefix: &name}))(t).LogGroups[0]
		if *group.StoredBytes != int64(len(strings.Join(want, ""))) {
			t.Errorf("%s has %d bytes", name, *group.StoredBytes)
		}
	}
}

// What larder delivers itself is kept once, however often it is delivered, in streams that are made for it.
func TestDeliver(t *testing.T) {
	s := newServer(t)
	if err := s.logs.Deliver("mine", logs.Delivery{Stream: "a"}); err == nil {
		t.Error("delivered to a group that is not there")
	}
	s.create(t, "mine")
	deliver := func(mark uint64, message string) {
		t.Helper()
		err := s.logs.Deliver("mine",
			logs.Delivery{Stream: "elasticache/redis/x-001/0001/slow-log", Events: []logs.Event{{s.now, message}},
				Source: "x-001/slow", Mark: mark},
			logs.Delivery{Stream: "elasticache/redis/x-002/0001/slow-log", Events: []logs.Event{{s.now, message + "'"}},
				Source: "x-002/slow", Mark: mark})
		if err != nil {
			t.Fatal(err)
		}
	}
	deliver(1, "one")
	deliver(1, "one")
	deliver(7, "two")
	deliver(5, "one and a half")
	if diff := cmp.Diff([]string{"one", "one'", "two", "two'"},
		s.filter(t, sdk.FilterLogEventsInput{LogGroupName: new("mine")})); diff != "" {
		t.Error(diff)
	}
	if mark := must(s.logs.Delivered("mine", "x-002/slow"))(t); mark != 7 {
		t.Errorf("delivered to %d", mark)
	}
}
