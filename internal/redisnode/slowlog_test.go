package redisnode_test

import (
	"strings"
	"testing"

	"larder/internal/cachelog"
)

// TestSlowLog: the slow log has every command of clients with only the number of arguments, and no command of the
// engine.
func TestSlowLog(t *testing.T) {
	s := newField(t).serving(nil)
	if newest, err := s.NewestSlow(t.Context()); newest != -1 || err != nil {
		t.Fatalf("at first: %d, %v", newest, err)
	}
	if _, err := s.Configure(t.Context(), map[string]string{"slowlog-log-slower-than": "0"}); err != nil {
		t.Fatal(err)
	}
	c := s.client(s.config.Address, "", token)
	long := []any{"MSET"}
	for range 50 {
		long = append(long, "secret-key", "secret-value")
	}
	for _, command := range [][]any{{"SET", "secret", "secret"}, {"GET", "secret"}, long, {"DBSIZE"}} {
		if err := c.Do(t.Context(), command...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	log, err := s.SlowLog(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, e := range log.Entries {
		record := e.Record(cachelog.Source{CacheClusterID: "n", JSON: true})
		if strings.Contains(record, "secret") || i > 0 && log.Entries[i-1].ID >= e.ID || e.Time.IsZero() {
			t.Errorf("entry %d: %s", i, record)
		}
		if _, command, ok := strings.Cut(record, `"Command":"`); ok {
			command, _, _ = strings.Cut(command, `"`)
			got = append(got, command)
		}
	}
	want := "SET ... (2 more arguments)|GET ... (1 more arguments)|MSET ... (100 more arguments)|DBSIZE"
	if text := strings.Join(got, "|"); !strings.HasSuffix(text, want) || strings.Contains(text, "SLOWLOG") ||
		strings.Contains(text, "CONFIG") {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	newest, err := s.NewestSlow(t.Context())
	if err != nil || log.Oldest != 0 || log.Newest >= newest || len(log.Run) != 40 {
		t.Errorf("entries %d to %d of run %q, then %d, %v", log.Oldest, log.Newest, log.Run, newest, err)
	}
}
