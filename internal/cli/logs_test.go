package cli

import (
	"strings"
	"testing"
	"time"

	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

func TestSince(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"10m": now.Add(-10 * time.Minute), "90s": now.Add(-90 * time.Second), "2d": now.AddDate(0, 0, -2), "0d": now, "1h30m": now.Add(-90 * time.Minute),
		"2026-03-01T00:00:00Z": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "2026-03-01T00:00:00+02:00": time.Date(2026, 2, 28, 22, 0, 0, 0, time.UTC),
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
		{logsWanted{}, true, true}, {logsWanted{slow: true}, true, false}, {logsWanted{engine: true}, false, true}, {logsWanted{slow: true, engine: true}, true, true},
	} {
		if c.w.wants(slow) != c.slow || c.w.wants(engine) != c.engine {
			t.Errorf("%+v: slow %v, engine %v", c.w, c.w.wants(slow), c.w.wants(engine))
		}
	}
}

func TestALineOfLogs(t *testing.T) {
	at := time.Date(2026, 11, 23, 13, 14, 40, 513e6, time.UTC)
	const record = `{"CacheClusterId":"g-001","CacheNodeId":"0001","LogLevel":"WARNING","Role":"M","Time":"23 Nov 2026 13:14:40.513 UTC","Message":"out of memory"}`
	const text = "g-001/0001:M 23 Nov 2026 13:14:40.513 UTC # out of memory"
	for _, message := range []string{record, text} {
		l := logLine{Time: at, Message: message}.spans()
		if got, want := l.draw(0, false), "2026-11-23T13:14:40.513Z  "+text; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if got, want := l.draw(0, true), "\x1b[32m2026-11-23T13:14:40.513Z\x1b[0m  \x1b[33m"+text+"\x1b[0m"; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
