package cache_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
)

var update = flag.Bool("update", false, "write the golden files")

func TestEveryEventIsHandledInEveryStatus(t *testing.T) {
	for _, s := range cache.Statuses {
		for _, e := range cache.Events {
			next, err := cache.Transition(s, e)
			switch {
			case err != nil && strings.HasPrefix(err.Error(), "no transition"):
				t.Errorf("%s, %s: missing in the table", s, e)
			case err != nil && next != s:
				t.Errorf("%s, %s: refused, and yet the status becomes %s", s, e, next)
			case err != nil && e != cache.ModifyAsked && e != cache.DeleteAsked && e != cache.SnapshotAsked:
				t.Errorf("%s, %s: only a request can be refused: %v", s, e, err)
			case err == nil && e == cache.DeleteAsked && next != cache.Deleting:
				t.Errorf("%s, %s: becomes %s", s, e, next)
			case err == nil && (e == cache.ModifyAsked || e == cache.SnapshotAsked) && s != cache.Available:
				t.Errorf("%s, %s: only an available group can be changed or backed up", s, e)
			case e == cache.SnapshotEnded && (next == cache.Snapshotting || next != s && s != cache.Snapshotting):
				t.Errorf("%s, %s: becomes %s", s, e, next)
			case next != s && (s == cache.Deleting || s == cache.CreateFailed && e != cache.DeleteAsked):
				t.Errorf("%s, %s: a final status becomes %s", s, e, next)
			}
		}
	}
}

func TestUnknownEventsAreErrors(t *testing.T) {
	for _, c := range []struct {
		s cache.Status
		e cache.Event
	}{{"unheard of", cache.Converged}, {cache.Available, "unheard of"}} {
		if next, err := cache.Transition(c.s, c.e); err == nil || next != c.s {
			t.Errorf("%s, %s: becomes %s, %v", c.s, c.e, next, err)
		}
	}
}

func TestServingStatuses(t *testing.T) {
	want := map[cache.Status]bool{cache.Available: true, cache.Modifying: true, cache.Snapshotting: true}
	for _, s := range cache.Statuses {
		if s.Serving() != want[s] {
			t.Errorf("%s: serving is %v", s, s.Serving())
		}
	}
}

// TestLifecyclePageIsCurrent compares the page with the table; -update writes it.
func TestLifecyclePageIsCurrent(t *testing.T) {
	const page = "../../docs/LIFECYCLE.md"
	want := "# The life of a replication group\n\n" +
		"Drawn from the table in `internal/cache/lifecycle.go` (`go test ./internal/cache -update`); events that leave " +
		"the status as it is are left out.\n\n" +
		"```mermaid\n" + cache.Diagram() + "```\n"
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not current; run go test ./internal/cache -update (-want +got):\n%s", page, diff)
	}
}
