package notifier

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/cache"
	"larder/internal/event"
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
		n := event.Notification{Topic: topic, Name: "ElastiCache:Event", Source: string(rune('a' + i)),
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
	err = n.outbox().Drain(t.Context())
	_, panicked := errors.AsType[*isolate.PanicError](err)
	if panicked != panics || !panics && !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	want := []string{`good{"ElastiCache:Event":"b"}`, `good{"ElastiCache:Event":"d"}`}
	if !slices.Equal(published, want) || len(tried) != 3 {
		t.Errorf("published %q of %q, want %q", published, tried, want)
	}
	broken, published = nil, nil
	if err := n.outbox().Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{`bad{"ElastiCache:Event":"a"}`, `bad{"ElastiCache:Event":"c"}`}; !slices.Equal(published,
		want) {
		t.Errorf("published later %q, want %q", published, want)
	}
}

// TestATopicThatForbidsBecomesInactive: the refusal of a topic's policy or key turns the group's notifications off, and
// that alone; other groups' go on.
func TestATopicThatForbidsBecomesInactive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, topic string // the group's now
		refusal     error
		off         bool
	}{
		{"policy", "topic", &types.AuthorizationErrorException{}, true},
		{"key's policy", "topic", &types.KMSAccessDeniedException{}, true},
		{"key disabled", "topic", &types.KMSDisabledException{}, true},
		{"key pending deletion", "topic", &types.KMSInvalidStateException{}, true},
		{"key gone", "topic", &types.KMSNotFoundException{}, true},
		{"topic gone", "topic", &types.NotFoundException{}, false},
		{"another topic by now", "another", &types.AuthorizationErrorException{}, false},
		{"told", "topic", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := offAfter(t, c.topic, c.refusal); got != c.off {
				t.Errorf("the notifications are off: %t, want %t", got, c.off)
			}
		})
	}
}

// offAfter publishes one event of a group, which is refused, and tells whether its notifications are off then.
func offAfter(t *testing.T, topic string, refusal error) bool {
	s, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mine := cache.ReplicationGroup{ID: "mine", NotificationTopicARN: "topic"}
	other := cache.ReplicationGroup{ID: "other", NotificationTopicARN: "topic"}
	var off, otherOff bool
	var waiting []event.Notification
	n := &Notifier{Store: s, Logger: slog.New(slog.DiscardHandler),
		Publish: func(_, _, _ string, also func(*store.Tx) error) error {
			if refusal != nil {
				return refusal
			}
			return s.Update(also)
		}}
	err = errors.Join(s.Update(func(tx *store.Tx) error {
		told := state.AddNotification(tx, mine, "ElastiCache:FailoverComplete", "mine-001", time.Unix(1, 0))
		mine.NotificationTopicARN = topic
		return errors.Join(told, state.ReplicationGroups.Put(tx, mine.ID, mine),
			state.ReplicationGroups.Put(tx, other.ID, other))
	}), n.outbox().Drain(t.Context()), s.View(func(tx *store.Tx) error {
		is, err := state.ReplicationGroups.Get(tx, mine.ID)
		others, errOther := state.ReplicationGroups.Get(tx, other.ID)
		off, otherOff = is.NotificationsOff, others.NotificationsOff
		var errList error
		waiting, errList = state.Notifications.List(tx)
		return errors.Join(err, errOther, errList)
	}))
	if err != nil || otherOff || len(waiting) > 0 {
		t.Errorf("got %v; the other group's are off: %t; left waiting: %v", err, otherOff, waiting)
	}
	return off
}

// TestAFormerRow: what an earlier larder left to be told is told, once.
func TestAFormerRow(t *testing.T) {
	t.Parallel()
	s, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const row = `{"Date":"2026-03-04T05:06:07.000000005Z","Topic":"topic","Name":"ElastiCache:FailoverComplete",` +
		`"Source":"mine-001","Group":"mine"}`
	raw := store.Table[json.RawMessage](state.Notifications)
	if err := s.Update(func(tx *store.Tx) error {
		return raw.Put(tx, "1772600767000000005", json.RawMessage(row))
	}); err != nil {
		t.Fatal(err)
	}
	var published []string
	n := &Notifier{Store: s, Logger: slog.New(slog.DiscardHandler),
		Publish: func(topic, _, body string, also func(*store.Tx) error) error {
			published = append(published, topic+body)
			return s.Update(also)
		}}
	for range 2 {
		if err := n.outbox().Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if want := []string{`topic{"ElastiCache:FailoverComplete":"mine-001"}`}; !slices.Equal(published, want) {
		t.Errorf("published %q, want %q", published, want)
	}
}
