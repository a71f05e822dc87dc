package logs_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"larder/internal/servicetest"
)

// onThisHost keeps the SDK from asking a host whose name begins with "stream-".
func onThisHost(o *sdk.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("OnThisHost", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
	})
}

// tail starts a session and returns its events.
func (s *server) tail(t *testing.T, in sdk.StartLiveTailInput) *sdk.StartLiveTailEventStream {
	t.Helper()
	client := sdk.NewFromConfig(s.config,
		onThisHost) // of its own: the streams of one client share a buffer in the SDK (smithy-go 1.28.8)
	stream := must(client.StartLiveTail(t.Context(), &in))(t).GetStream()
	t.Cleanup(func() { stream.Close() })
	start, ok := next(t, stream).(*types.StartLiveTailResponseStreamMemberSessionStart)
	if !ok || *start.Value.SessionId != "session-1" ||
		!slices.Equal(start.Value.LogGroupIdentifiers, in.LogGroupIdentifiers) {
		t.Fatalf("the session starts with %+v", start)
	}
	return stream
}

// next waits for a stream's next event; nil is its end.
func next(t *testing.T, stream *sdk.StartLiveTailEventStream) types.StartLiveTailResponseStream {
	t.Helper()
	select {
	case e := <-stream.Events():
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no event came")
	}
	return nil
}

// updates reads updates until there were so many log events.
func updates(t *testing.T, stream *sdk.StartLiveTailEventStream, n int) (messages []string, sampled bool) {
	t.Helper()
	for len(messages) < n {
		update, ok := next(t, stream).(*types.StartLiveTailResponseStreamMemberSessionUpdate)
		if !ok {
			t.Fatalf("the stream ended after %q: %v", messages, stream.Err())
		}
		sampled = sampled || update.Value.SessionMetadata.Sampled
		for _, e := range update.Value.SessionResults {
			messages = append(messages, *e.LogStreamName+" "+*e.Message)
			if !strings.HasPrefix(*e.LogGroupIdentifier, prefix) || *e.Timestamp == 0 || *e.IngestionTime == 0 {
				t.Errorf("an event is %+v", e)
			}
		}
	}
	return messages, sampled
}

func TestStartLiveTail(t *testing.T) {
	s := newServer(t)
	for _, group := range []string{"mine", "other"} {
		s.create(t, group)
		s.createStream(t, group, "a/1")
		s.createStream(t, group, "b/1")
	}
	s.put(t, "mine", "a/1", "ERROR before")
	all := s.tail(t, sdk.StartLiveTailInput{LogGroupIdentifiers: []string{prefix + "mine", prefix + "other"}})
	some := s.tail(t, sdk.StartLiveTailInput{LogGroupIdentifiers: []string{prefix + "mine"},
		LogEventFilterPattern: new("ERROR"), LogStreamNamePrefixes: []string{"a/", "c"}})
	one := s.tail(t, sdk.StartLiveTailInput{LogGroupIdentifiers: []string{prefix + "mine"},
		LogStreamNames: []string{"b/1"}})
	s.put(t, "mine", "b/1", "ERROR one")
	s.put(t, "other", "a/1", "two")
	s.put(t, "mine", "a/1", "INFO three", "ERROR four")
	for stream, want := range map[*sdk.StartLiveTailEventStream]string{
		all: "b/1 ERROR one|a/1 two|a/1 INFO three|a/1 ERROR four", some: "a/1 ERROR four", one: "b/1 ERROR one",
	} {
		if got, sampled := updates(t, stream, 1+strings.Count(want, "|")); strings.Join(got, "|") != want || sampled {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	var many []string
	for i := range 501 {
		many = append(many, fmt.Sprint("ERROR ", i))
	}
	s.put(t, "mine", "a/1", many...)
	if got, sampled := updates(t, some, 500); len(got) != 500 || !sampled {
		t.Errorf("of 501 events at once %d came, sampled: %v", len(got), sampled)
	}
	s.gateway.EndStreams()
	for _, stream := range []*sdk.StartLiveTailEventStream{all, some, one} {
		for next(t, stream) != nil { // what was under way
		}
	}
}

// A session ends after three hours, and says why.
func TestLiveTailEnds(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	stream := s.tail(t, sdk.StartLiveTailInput{LogGroupIdentifiers: []string{prefix + "mine"}})
	s.passed.Store(int64(3 * time.Hour))
	for next(t, stream) != nil { // updates without events
	}
	servicetest.WantError(t, stream.Err(), "SessionTimeoutException", "The session has been open for three hours.")
}

func TestLiveTailRefusals(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.create(t, "other")
	const parameter = "InvalidParameterException"
	mine := []string{prefix + "mine"}
	for _, test := range []struct {
		in            sdk.StartLiveTailInput
		code, message string
	}{
		{sdk.StartLiveTailInput{LogGroupIdentifiers: []string{}}, parameter,
			"1 validation error detected: Value '[]' at 'logGroupIdentifiers' failed to satisfy constraint: " +
				"Member must have length greater than or equal to 1"},
		{sdk.StartLiveTailInput{LogGroupIdentifiers: []string{"mine"}}, parameter,
			"mine is not the ARN of a log group of account 123456789012 in us-east-1, without an asterisk"},
		{sdk.StartLiveTailInput{LogGroupIdentifiers: []string{prefix + "mine:*"}}, parameter,
			"1 validation error detected: Value '[" + prefix +
				"mine:*]' at 'logGroupIdentifiers' failed to satisfy constraint: Member must satisfy " +
				"constraint: [Member must have length less than or equal to 2048, Member must have length greater " +
				"than or equal to 1, " +
				`Member must satisfy regular expression pattern: [\w#+=/:,.@-]*]`},
		{sdk.StartLiveTailInput{LogGroupIdentifiers: []string{prefix + "not-there"}}, "ResourceNotFoundException",
			"The specified log group does not exist."},
		{sdk.StartLiveTailInput{LogGroupIdentifiers: mine, LogEventFilterPattern: new(`"`)}, parameter,
			`Invalid filter pattern: the quotation that begins at " has no end`},
		{sdk.StartLiveTailInput{LogGroupIdentifiers: mine, LogStreamNames: []string{"a"},
			LogStreamNamePrefixes: []string{"a"}}, parameter,
			"At most one of logStreamNames and logStreamNamePrefixes can be given"},
		{sdk.StartLiveTailInput{LogGroupIdentifiers: []string{prefix + "mine", prefix + "other"},
			LogStreamNames: []string{"a"}}, parameter,
			"logStreamNames and logStreamNamePrefixes can be given with one log group only"},
	} {
		_, err := s.StartLiveTail(t.Context(), &test.in, onThisHost)
		servicetest.WantError(t, err, test.code, test.message)
	}
}
