package store_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"larder/internal/store"
)

// TestForget tests that only an unreadable record is deleted, that a copy is kept first, and that the state is intact
// afterwards.
func TestForget(t *testing.T) {
	t.Parallel()
	path := three(t)
	flip(t, path, "things", "b", 1)
	s := open(t, path)
	tables := []store.Checker{things}
	var kept []byte
	keep := func(record []byte) error { kept = record; return nil }
	full := errors.New("the disk is full")
	for name, c := range map[string]struct {
		table, key string
		keep       func([]byte) error
		want       error
	}{
		"can be read":   {"things", "a", keep, store.ErrReadable},
		"no such row":   {"things", "d", keep, store.ErrNotFound},
		"no such table": {"others", "b", keep, store.ErrNotFound},
		"no copy":       {"things", "b", func([]byte) error { return full }, full},
	} {
		if _, err := s.Forget(tables, c.table, c.key, c.keep, nil); !errors.Is(err, c.want) || kept != nil {
			t.Errorf("%s: %v, and kept is %q", name, err, kept)
		}
	}
	damage, err := s.Forget(tables, "things", "b", keep, nil)
	if err != nil || damage.Key != "b" || !bytes.Contains(kept, []byte(`"Name":"b"`)) {
		t.Errorf("of %v the copy is %q: %v", damage, kept, err)
	}
	if left, err := s.Unreadable(); err != nil || len(left) != 0 {
		t.Errorf("%v is still told of: %v", left, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	err = s.View(func(tx *store.Tx) error {
		keys, err := things.Keys(tx)
		if !slices.Equal(keys, []string{"a", "c"}) {
			t.Errorf("there are %v", keys)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestForgetWhatAReaderNeeds tests that a row can be forgotten when only GetValid finds it unreadable.
func TestForgetWhatAReaderNeeds(t *testing.T) {
	t.Parallel()
	s := open(t, three(t))
	err := s.View(func(tx *store.Tx) error {
		_, err := things.GetValid(tx, "b", func(named) error { return errors.New("its secret cannot be opened") })
		return err
	})
	if !store.IsUnreadable(err) {
		t.Fatal(err)
	}
	damage, err := s.Forget([]store.Checker{things}, "things", "b", func([]byte) error { return nil }, nil)
	if err != nil || damage == nil {
		t.Errorf("%v, %v", damage, err)
	}
}
