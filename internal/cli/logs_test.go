package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

func TestSince(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"10m": now.Add(-10 * time.Minute), "90s": now.Add(-90 * time.Second), "2d": now.AddDate(0, 0, -2), "0d": now,
		"1h30m":                     now.Add(-90 * time.Minute),
		"2026-03-01T00:00:00Z":      time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		"2026-03-01T00:00:00+02:00": time.Date(2026, 2, 28, 22, 0, 0, 0, time.UTC),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "10", "-10m", "-1d", "99999999d", "yesterday", "2026-03-01"} {
		if got, err := parseSince(text, now); err == nil || !strings.Contains(err.Error(), "--since") {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}

func TestWhichLogsAreWanted(t *testing.T) {
	slow, engine := ectypes.LogTypeSlowLog, ectypes.LogTypeEngineLog
	for _, c := range []struct {
		w            logsWanted
		slow, engine bool
	}{
		{logsWanted{}, true, true}, {logsWanted{slow: true}, true, false}, {logsWanted{engine: true}, false, true},
		{logsWanted{slow: true, engine: true}, true, true},
	} {
		if c.w.wants(slow) != c.slow || c.w.wants(engine) != c.engine {
			t.Errorf("%+v: slow %v, engine %v", c.w, c.w.wants(slow), c.w.wants(engine))
		}
	}
}

func TestALineOfLogs(t *testing.T) {
	at := time.Date(2026, 11, 23, 13, 14, 40, 513e6, time.UTC)
	const record = `{"CacheClusterId":"g-001","CacheNodeId":"0001","LogLevel":"WARNING","Role":"M","Time":"23 Nov 2026 ` +
		`13:14:40.513 UTC","Message":"out of memory"}`
	const text = "g-001/0001:M 23 Nov 2026 13:14:40.513 UTC # out of memory"
	for _, message := range []string{record, text} {
		l := logLine{Time: at, Message: message}.spans()
		if got, want := l.draw(0, false), "2026-11-23T13:14:40.513Z  "+text; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if got, want := l.draw(0,
			true), "\x1b[32m2026-11-23T13:14:40.513Z\x1b[0m  \x1b[33m"+text+"\x1b[0m"; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

// logBook is a log group that answers FilterLogEvents.
type logBook []types.FilteredLogEvent

func (j *logBook) add(stream string, at time.Time, message string) {
	*j = append(*j, types.FilteredLogEvent{EventId: new(fmt.Sprint(len(*j))), LogStreamName: &stream,
		Timestamp: new(at.UnixMilli()), Message: &message})
}

func (j *logBook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct{ StartTime int64 }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	events := []map[string]any{}
	for _, e := range *j {
		if *e.Timestamp >= asked.StartTime {
			events = append(events, map[string]any{"eventId": *e.EventId, "logStreamName": *e.LogStreamName,
				"timestamp": *e.Timestamp, "message": *e.Message})
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	json.NewEncoder(w).Encode(map[string]any{"events": events})
}

// After the engine was away nodes' logs come one after the other, each with all that was logged meanwhile: what comes
// later is shown too, though it is older than what was shown.
func TestFollowedLogsAfterAnOutage(t *testing.T) {
	var group logBook
	server := httptest.NewServer(&group)
	defer server.Close()
	c := clientOf(server)
	now := noon
	none := func(string) { t.Error("events are missing") }
	r := newLogReader("g", now.Add(-10*time.Minute), func() time.Time { return now }, none)
	deliveries := slowLogTo("logs")
	var shown []string
	look := func() {
		t.Helper()
		if err := r.read(t.Context(), c, deliveries,
			func(l logLine) error { shown = append(shown, l.Message); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	const one, two = "elasticache/redis/g-001/0001/slow-log", "elasticache/redis/g-002/0001/slow-log"
	group.add(one, now, "before")
	look()
	away := now
	now = now.Add(10 * time.Minute)
	r.missed()
	group.add(one, now, "one's newest")
	look()
	now = now.Add(time.Second)
	group.add(two, away.Add(time.Second), "two's oldest")
	look()
	look()
	if want := []string{"before", "one's newest", "two's oldest"}; !slices.Equal(shown, want) {
		t.Errorf("shown are %q, want %q", shown, want)
	}
	now = now.Add(2 * lateness)
	group.add(one, now, "later")
	look()
	if !r.since.Equal(now.Add(-lateness)) {
		t.Errorf("it goes on looking from %s on", r.since)
	}
}

func clientOf(server *httptest.Server) *client {
	return &client{config: aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}}
}

func slowLogTo(group string) []ectypes.LogDeliveryConfiguration {
	to := &ectypes.CloudWatchLogsDestinationDetails{LogGroup: &group}
	return []ectypes.LogDeliveryConfiguration{{
		LogType: ectypes.LogTypeSlowLog, DestinationDetails: &ectypes.DestinationDetails{CloudWatchLogsDetails: to},
	}}
}

// TestLogsTellOfDamageOnce: however often a log group is read, it is said once that some of its events cannot be read.
func TestLogsTellOfDamageOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprint(w, `{"events":[],"searchedLogStreams":[{"logStreamName":"s","searchedCompletely":false}]}`)
	}))
	defer server.Close()
	c := clientOf(server)
	var told []string
	r := newLogReader("g", noon, time.Now, func(group string) { told = append(told, group) })
	deliveries := slowLogTo("logs")
	for range 3 {
		if err := r.read(t.Context(), c, deliveries, func(logLine) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(told, []string{"logs"}) {
		t.Errorf("it is told of %q", told)
	}
}
