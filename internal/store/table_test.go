package store_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"

	"larder/internal/store"
)

func TestATableThatWasNeverWritten(t *testing.T) {
	s := newStore(t)
	err := s.View(func(tx *store.Tx) error {
		if _, err := numbers.Get(tx, "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get: %v", err)
		}
		rows, err := numbers.All(tx)
		if len(rows) > 0 {
			t.Errorf("All: %v", rows)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	update(t, s, func(tx *store.Tx) error { return numbers.Delete(tx, "a") })
}

func TestARowThatCannotBeReadIsNamed(t *testing.T) {
	s := newStore(t)
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(numbers.Put(tx, "a", 1), store.Table[string](numbers).Put(tx, "b", "no number"),
			numbers.Put(tx, "c", 3))
	})
	check := func(how string, err error) {
		if err == nil || !strings.Contains(err.Error(), `numbers "b"`) {
			t.Errorf("%s: %v", how, err)
		}
	}
	_, err := get(s, "b")
	check("Get", err)
	err = s.View(func(tx *store.Tx) error {
		_, err := numbers.All(tx)
		check("All", err)
		var read []int
		var bad []error
		for n, err := range numbers.From(tx, "") {
			if err != nil {
				bad = append(bad, err)
				continue
			}
			read = append(read, n)
		}
		if len(bad) != 1 || !slices.Equal(read, []int{1, 3}) {
			t.Errorf("From yields %v and %v, want the rows around the bad one, and its error", read, bad)
		}
		check("From", bad[0])
		if rows, err := numbers.List(tx); err != nil || !slices.Equal(rows, []int{1, 3}) {
			t.Errorf("List: %v, %v", rows, err)
		}
		if keys, err := numbers.Keys(tx); err != nil || !slices.Equal(keys, []string{"a", "b", "c"}) {
			t.Errorf("Keys: %v, %v", keys, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestARowThatCannotBeWritten(t *testing.T) {
	s := newStore(t)
	bad := store.Table[func()]("functions")
	if err := s.Update(func(tx *store.Tx) error { return bad.Put(tx, "a", func() {}) }); err == nil ||
		!strings.Contains(err.Error(), `functions "a"`) {
		t.Error(err)
	}
}

func TestFromMayEndEarly(t *testing.T) {
	s := newStore(t)
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(numbers.Put(tx, "a", 1), numbers.Put(tx, "b", 2))
	})
	err := s.View(func(tx *store.Tx) error {
		for n, err := range numbers.From(tx, "") {
			if n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
			break
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWriteErrors(t *testing.T) {
	s := newStore(t)
	s.Close()
	err := s.Update(func(*store.Tx) error { return nil })
	if _, ok := errors.AsType[*store.WriteError](err); !ok {
		t.Errorf("a write to a closed store: %v", err)
	}
	full := &store.WriteError{Dir: "home", Err: &os.PathError{Op: "write", Err: syscall.ENOSPC}}
	if !errors.Is(full, syscall.ENOSPC) || !strings.Contains(full.ErrorMessage(), "full") ||
		!strings.Contains(full.ErrorMessage(), "home") {
		t.Error(full.ErrorMessage())
	}
	if api, ok := errors.AsType[smithy.APIError](error(full)); !ok || api.ErrorCode() != "InternalFailure" ||
		api.ErrorFault() != smithy.FaultServer {
		t.Errorf("as an API error: %v", api)
	}
}

func TestEnds(t *testing.T) {
	s := newStore(t)
	ends := func(prefix, wantFirst, wantLast string) {
		t.Helper()
		err := s.View(func(tx *store.Tx) error {
			first, last, err := texts.Ends(tx, prefix)
			if first != wantFirst || last != wantLast {
				t.Errorf("%q: %q to %q, want %q to %q", prefix, first, last, wantFirst, wantLast)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ends("a/", "", "")
	err := s.Update(func(tx *store.Tx) error {
		var errs []error
		for _, key := range []string{"a/1", "a/2", "a/3", "b", "c/é"} {
			errs = append(errs, texts.Put(tx, key, "x"))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	ends("a/", "a/1", "a/3")
	ends("b", "b", "b")
	ends("c/", "c/é", "c/é")
	ends("0", "", "")
	ends("d", "", "")
}
