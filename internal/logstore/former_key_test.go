package logstore_test

import (
	"errors"
	"fmt"
	"testing"

	"larder/internal/logstore"
	"larder/internal/seal"
)

// keyring holds keys, some of which were deleted.
type keyring struct {
	keys
	gone map[string]bool
}

// Unwrap implements logstore.Keys.
func (k keyring) Unwrap(group string, wrapped []byte) ([]byte, error) {
	for arn := range k.gone {
		if len(wrapped) > len(arn) && string(wrapped[:len(arn)+1]) == arn+"|" {
			return nil, fmt.Errorf("%s: %w", arn, seal.ErrNoKey)
		}
	}
	return k.keys.Unwrap(group, wrapped)
}

// TestAFormerKeyIsDeleted tests that only what a deleted former key sealed is missing. What another key seals is read
// and appended to, also after the store is opened again. If the deleted key is the group's current one, the group is
// closed.
func TestAFormerKeyIsDeleted(t *testing.T) {
	for name, reopen := range map[string]bool{"while it is open": false, "while it is closed": true} {
		t.Run(name, func(t *testing.T) {
			home, k := t.TempDir(), keyring{keys{map[string]bool{}}, map[string]bool{}}
			s := open(t, home, k)
			defer func() { s.Close() }()
			put := func(arn, message string, at int64) error {
				return s.Append("g", arn, logstore.Batch{Events: []logstore.Event{event(1, at, message)}})
			}
			// The first is in a segment by the time of the third, and the second in a journal.
			for at, arn := range []string{"arn:1", "arn:2"} {
				if err := put(arn, arn, int64(at+1)); err != nil {
					t.Fatal(err)
				}
			}
			k.gone["arn:1"], k.gone["arn:2"] = true, true
			if reopen {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, home, k)
			}
			query := logstore.Query{Streams: streams, To: logstore.Last, Key: "arn:2"}
			var locked *logstore.KeyError
			if _, err := s.Query("g", query); !errors.As(err, &locked) {
				t.Errorf("with the group's own key deleted, reading comes to %v", err)
			}
			query.Key = "arn:3"
			if _, err := s.Mark("g", "arn:3", "source"); err != nil {
				t.Errorf("with another key, a mark comes to %v", err)
			}
			for range 2 {
				if page, err := s.Query("g", query); err != nil || !page.Damaged || len(page.Events) != 0 {
					t.Errorf("before an event of another key: %+v, %v", page, err)
				}
			}
			if err := put("arn:3", "new", 3); err != nil {
				t.Fatalf("with another key, adding comes to %v", err)
			}
			page, err := s.Query("g", query)
			if err != nil || !page.Damaged || len(page.Events) != 1 || page.Events[0].Message != "new" {
				t.Errorf("with another key there are %+v, %v", page, err)
			}
			if len(s.Damaged()["g"]) == 0 {
				t.Error("nothing says that events are lost")
			}
		})
	}
}
