package logs

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/gateway"
	"larder/internal/logfilter"
	"larder/internal/logstore"
	"larder/internal/store"
)

// Bounds of a session. Source: StartLiveTail in the API reference.
const (
	maxTailedGroups = 10
	maxTailedEvents = 500 // of an update
	tailInterval    = time.Second
	tailLife        = 3 * time.Hour
)

// tail is a session that is told of events as they come.
type tail struct {
	groups          map[string]string // ARNs, by name
	names, prefixes []string          // of the streams that are wanted; none of either: all
	pattern         *logfilter.Pattern

	mu      sync.Mutex
	events  []types.LiveTailSessionLogEvent // since the last update
	sampled bool                            // there were more
}

// tails are the sessions that are open.
type tails struct {
	mu   sync.Mutex
	open map[*tail]bool
}

func (t *tails) add(one *tail) (remove func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = map[*tail]bool{}
	}
	t.open[one] = true
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.open, one)
	}
}

// of lists the sessions that a group's events are for.
func (t *tails) of(group string) (out []*tail) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for one := range t.open {
		if one.groups[group] != "" {
			out = append(out, one)
		}
	}
	return out
}

// tell tells the sessions of a group's new events.
func (s *Service) tell(group string, events []logstore.Event) error {
	open := s.tails.of(group)
	if len(open) == 0 {
		return nil
	}
	names := map[uint32]string{}
	err := s.Store.View(func(tx *store.Tx) error {
		all, err := streamsOf(tx, group, "")
		for _, st := range all {
			names[st.ID] = st.Name
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, t := range open {
		t.take(group, events, names)
	}
	return nil
}

func (t *tail) take(group string, events []logstore.Event, names map[uint32]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range events {
		if !t.wants(names[e.Stream]) || !t.pattern.Match([]byte(e.Message)) {
			continue
		}
		if len(t.events) == maxTailedEvents {
			t.sampled = true
			return
		}
		t.events = append(t.events, types.LiveTailSessionLogEvent{
			LogGroupIdentifier: aws.String(t.groups[group]), LogStreamName: aws.String(names[e.Stream]),
			Message:   &e.Message,
			Timestamp: &e.Time, IngestionTime: &e.Ingested,
		})
	}
}

func (t *tail) wants(stream string) bool {
	return len(t.names)+len(t.prefixes) == 0 || slices.Contains(t.names, stream) ||
		slices.ContainsFunc(t.prefixes, func(prefix string) bool { return strings.HasPrefix(stream, prefix) })
}

func (s *Service) startLiveTail(_ context.Context, in *sdk.StartLiveTailInput) (gateway.Stream, error) {
	t := &tail{groups: map[string]string{}, names: in.LogStreamNames, prefixes: in.LogStreamNamePrefixes}
	named, prefixed := len(in.LogStreamNames) > 0, len(in.LogStreamNamePrefixes) > 0
	switch {
	case named && prefixed:
		return nil, invalidParameter("At most one of logStreamNames and logStreamNamePrefixes can be given")
	case (named || prefixed) && len(in.LogGroupIdentifiers) > 1:
		return nil, invalidParameter("logStreamNames and logStreamNamePrefixes can be given with one log group only")
	}
	var err error
	if t.pattern, err = parsePattern(in.LogEventFilterPattern); err != nil {
		return nil, err
	}
	for _, arn := range in.LogGroupIdentifiers {
		name, err := s.named(arn)
		if err != nil || strings.HasSuffix(arn, ":*") {
			return nil, invalidParameter("%s is not the ARN of a log group of account %s in %s, without an asterisk",
				clip(arn), s.Account, s.Region)
		}
		if err := checkName(&name); err != nil {
			return nil, err
		}
		if !s.HasLogGroup(name) {
			return nil, notFound("The specified log group does not exist.")
		}
		t.groups[name] = arn
	}
	begin := &types.LiveTailSessionStart{
		SessionId: aws.String(s.NewID()), LogGroupIdentifiers: in.LogGroupIdentifiers,
		LogStreamNames:        in.LogStreamNames,
		LogStreamNamePrefixes: in.LogStreamNamePrefixes, LogEventFilterPattern: in.LogEventFilterPattern,
	}
	end := s.Now().Add(tailLife)
	return func(ctx context.Context, send func(string, any) error) error {
		defer s.tails.add(t)()
		tick := time.NewTicker(tailInterval)
		defer tick.Stop()
		if err := send("sessionStart", begin); err != nil {
			return err
		}
		return s.follow(ctx, t, end, tick.C, send)
	}, nil
}

// follow sends an update at every tick until ctx ends or the session is over.
func (s *Service) follow(ctx context.Context, t *tail, end time.Time, tick <-chan time.Time,
	send func(string, any) error) error {
	for s.Now().Before(end) {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
		if err := send("sessionUpdate", t.update()); err != nil {
			return err
		}
	}
	return &types.SessionTimeoutException{Message: aws.String("The session has been open for three hours.")}
}

// update takes what came since the last one.
func (t *tail) update() *types.LiveTailSessionUpdate {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &types.LiveTailSessionUpdate{SessionMetadata: &types.LiveTailSessionMetadata{Sampled: t.sampled},
		SessionResults: t.events}
	if out.SessionResults == nil {
		out.SessionResults = []types.LiveTailSessionLogEvent{}
	}
	t.events, t.sampled = nil, false
	return out
}
