package event_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"larder/internal/event"
)

// TestEveryKindIsTold: in the event list, to topics, or both, with the words that its text asks for.
func TestEveryKindIsTold(t *testing.T) {
	t.Parallel()
	texts := map[event.Entry]event.Kind{}
	for _, kind := range event.Kinds() {
		e := kind.Entry()
		if e.SourceType != event.SourceGroup && e.SourceType != event.SourceCluster {
			t.Errorf("%s happens to %q", kind, e.SourceType)
		}
		if e.Text == "" && e.Topic == "" || e.Topic != "" && !strings.HasPrefix(e.Topic, "ElastiCache:") {
			t.Errorf("%s is told nobody, or under the name %q", kind, e.Topic)
		}
		if other, is := texts[e]; is && e.Text != "" {
			t.Errorf("%s and %s are told alike", kind, other)
		}
		texts[e] = kind
		words := strings.Count(e.Text, "%s")
		numbers := strings.Count(e.Text, "%d")
		if strings.Count(e.Text, "%") != words+numbers {
			t.Errorf("%s has another verb: %q", kind, e.Text)
		}
	}
	if n := len(event.Kinds()); n < 25 || !slices.IsSorted(event.Kinds()) {
		t.Errorf("there are %d kinds, sorted: %t", n, slices.IsSorted(event.Kinds()))
	}
}

func TestLostWith(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   event.Notice
		want string
	}{
		{event.New(event.AllDataLost, time.Time{}, "shop-001", "0001"), "without data"},
		{event.New(event.DataRestored, time.Time{}, "shop-001", "0001", "copy"), "with the data of snapshot copy"},
		{event.New(event.NodeRestarted, time.Time{}, "shop-001", "0001"), ""},
		{event.New(event.MemberPromoted, time.Time{}, "shop-001", "shop-001", "shop-002"), ""},
	} {
		if with, lost := event.LostWith(c.of.Message); with != c.want || lost != (c.want != "") {
			t.Errorf("%q: %q, %t", c.of.Message, with, lost)
		}
	}
}

func TestFailoverTurned(t *testing.T) {
	t.Parallel()
	for _, was := range []bool{false, true} {
		for _, is := range []bool{false, true} {
			kind, changed := event.FailoverTurned(was, is)
			if changed != (was != is) || changed && (kind == event.FailoverTurnedOn) != is {
				t.Errorf("%t, then %t: %s, %t", was, is, kind, changed)
			}
		}
	}
}
