package logstore_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"larder/internal/logstore"
)

// TestRestoreKeepsTheJournal removes the directory while the store has it open. Events in files that are not open are
// lost, and logged. The journal's events, the marks, and later events must be there when the store is opened again.
func TestRestoreKeepsTheJournal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	log := &strings.Builder{}
	s, err := logstore.Open(logstore.Config{Dir: dir, Keys: keys{}, MaxBytes: 1 << 40,
		Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	batch := func(mark uint64, message string) logstore.Batch {
		return logstore.Batch{Events: []logstore.Event{event(1, int64(mark), message)}, Source: "node", Mark: mark}
	}
	appendAll(t, s, "g", batch(1, "old"))
	if err := s.Append("g", "arn:2",
		batch(2, "in the journal")); err != nil { // another key: the events before become a segment
		t.Fatal(err)
	}
	intact := func(want bool) {
		t.Helper()
		if got, err := s.Intact(); got != want || err != nil {
			t.Errorf("intact is %t, want %t: %v", got, want, err)
		}
	}
	intact(true)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	intact(false)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Restore(); err != nil {
		t.Fatal(err)
	}
	intact(true)
	if n := strings.Count(log.String(), "log events are lost"); n != 1 || !strings.Contains(log.String(), "group=g") {
		t.Errorf("lost events are told %d times: %s", n, log)
	}
	for _, b := range []logstore.Batch{batch(2, "again"), batch(3, "new")} {
		if err := s.Append("g", "arn:2", b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, keys{})
	defer s.Close()
	var got []string
	for _, e := range all(t, s, "g", logstore.Query{}) {
		got = append(got, e.Message)
	}
	if want := "in the journal, new"; strings.Join(got, ", ") != want {
		t.Errorf("there are %q, want %s", got, want)
	}
}
