package notifier

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/isolate"
	"larder/internal/state"
	"larder/internal/store"
)

// TestATopicThatFailsKeepsNoOtherWaiting: its own events wait, in their order, and those of other topics are published,
// whether it fails or panics.
func TestATopicThatFailsKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{false, true} {
		t.Run(fmt.Sprintf("panics %t", panics), func(t *testing.T) { failingTopic(t, panics) })
	}
}

func failingTopic(t *testing.T, panics bool) {
	s, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, topic := range []string{"bad", "good", "bad", "good"} {
		n := cache.Notification{Topic: topic, Name: "ElastiCache:Event", Source: string(rune('a' + i)),
			Date: time.Unix(int64(i+1), 0)}
		if err := s.Update(func(tx *store.Tx) error {
			return state.Notifications.Put(tx, state.NotificationKey(n),
				n)
		}); err != nil {
			t.Fatal(err)
		}
	}
	broken := errors.New("broken")
	var published, tried []string
	n := &Notifier{Store: s, Logger: slog.New(slog.DiscardHandler),
		Publish: func(topic, _, body string, also func(*store.Tx) error) error {
			tried = append(tried, topic+body)
			if topic == "bad" && broken != nil && panics {
				panic(broken)
			}
			if topic == "bad" && broken != nil {
				return broken
			}
			published = append(published, topic+body)
			return s.Update(also)
		}}
	err = n.publishAll(t.Context())
	_, panicked := errors.AsType[*isolate.PanicError](err)
	if panicked != panics || !panics && !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	want := []string{`good{"ElastiCache:Event":"b"}`, `good{"ElastiCache:Event":"d"}`}
	if !slices.Equal(published, want) || len(tried) != 3 {
		t.Errorf("published %q of %q, want %q", published, tried, want)
	}
	broken, published = nil, nil
	if err := n.publishAll(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{`bad{"ElastiCache:Event":"a"}`, `bad{"ElastiCache:Event":"c"}`}; !slices.Equal(published,
		want) {
		t.Errorf("published later %q, want %q", published, want)
	}
}
