package logstore_test

import (
	"errors"
	"testing"

	"larder/internal/isolate"
	"larder/internal/logstore"
)

// TestAPanicInAQueryIsItsError tests a panic in the goroutines that read parts of a log in parallel. Nothing else
// recovers it there.
func TestAPanicInAQueryIsItsError(t *testing.T) {
	s := open(t, t.TempDir(), keys{})
	defer s.Close()
	fill(t, s, "g", 1000, "message %d")
	_, err := s.Query("g", logstore.Query{
		From: logstore.First, To: logstore.Last, Streams: streams, Match: func([]byte) bool { panic("injected") },
	})
	if _, is := errors.AsType[*isolate.PanicError](err); !is {
		t.Errorf("got %v", err)
	}
	if got := all(t, s, "g", logstore.Query{}); len(got) != 1000 {
		t.Errorf("%d events are read afterwards", len(got))
	}
}
