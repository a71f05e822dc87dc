package store_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/store"
)

// fill makes a state of some size at that path, and returns its rows.
func fill(t *testing.T, path string) map[string]string {
	t.Helper()
	s := open(t, path)
	want := map[string]string{}
	for i := range 40 {
		update(t, s, func(tx *store.Tx) error {
			key := fmt.Sprintf("key-%03d", i)
			want[key] = strings.Repeat(key, 1+i*7%60)
			if i%5 == 4 {
				gone := fmt.Sprintf("key-%03d", i-2)
				delete(want, gone)
				if err := texts.Delete(tx, gone); err != nil {
					return err
				}
			}
			return errors.Join(texts.Put(tx, key, want[key]), numbers.Put(tx, key, i))
		})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return want
}

// holds reads a whole state. It counts the rows that cannot be read.
func holds(s *store.Store) (got map[string]string, unreadable int, err error) {
	got = map[string]string{}
	err = s.View(func(tx *store.Tx) error {
		for i := range 40 {
			key := fmt.Sprintf("key-%03d", i)
			n, errNumber := numbers.Get(tx, key)
			text, errText := texts.Get(tx, key)
			for _, err := range []error{errNumber, errText} {
				switch {
				case store.IsUnreadable(err):
					unreadable++
				case err != nil && !errors.Is(err, store.ErrNotFound):
					return err
				}
			}
			if errNumber == nil && n != i {
				return fmt.Errorf("%s is %d", key, n)
			}
			if errText == nil {
				got[key] = text
			}
		}
		return nil
	})
	return got, unreadable, err
}

// agrees fails where a state holds a row that was not written, or lacks one without reporting it as unreadable.
func agrees(s *store.Store, want map[string]string) error {
	if err := s.Check(texts, numbers); err != nil {
		return err
	}
	bad, errBad := s.Unreadable()
	got, _, err := holds(s)
	if err := errors.Join(errBad, err); err != nil {
		return err
	}
	for key, text := range got {
		if want[key] != text {
			return fmt.Errorf("%s holds what was not written", key)
		}
	}
	if missing := len(want) - len(got); missing > len(bad) {
		return fmt.Errorf("it lacks %d texts, and tells of %v", missing, bad)
	}
	return nil
}

// TestADamagedStateIsSaid damages the file in any way. The file must either open with every row that was written,
// except those it reports as unreadable, or be refused as damaged.
func TestADamagedStateIsSaid(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "larder.db")
	want := fill(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	damages := map[string]func(*rapid.T, []byte) []byte{
		"a bit": func(t *rapid.T, b []byte) []byte {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			return b
		},
		"a head": func(t *rapid.T, b []byte) []byte { // the part of a page that has its kind and its number of elements
			at := page * rapid.IntRange(0, len(b)/page-1).Draw(t, "page")
			b[at+rapid.IntRange(0, 79).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			return b
		},
		"a page": func(t *rapid.T, b []byte) []byte {
			at := page * rapid.IntRange(0, len(b)/page-1).Draw(t, "page")
			clear(b[at : at+page])
			return b
		},
		"swapped pages": func(t *rapid.T, b []byte) []byte {
			from, to := page*rapid.IntRange(0, len(b)/page-1).Draw(t, "from"), page*rapid.IntRange(0,
				len(b)/page-1).Draw(t, "to")
			copy(b[to:to+page], b[from:from+page])
			return b
		},
		"the end": func(t *rapid.T, b []byte) []byte { return b[:rapid.IntRange(1, len(b)-1).Draw(t, "length")] },
		"the middle": func(t *rapid.T, b []byte) []byte {
			at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
			clear(b[at:])
			return b
		},
	}
	kinds := slices.Sorted(maps.Keys(damages))
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n))
		kind := rapid.SampledFrom(kinds).Draw(rt, "kind")
		if err := os.WriteFile(path, damages[kind](rt, slices.Clone(whole)), 0o600); err != nil {
			rt.Fatal(err)
		}
		defer os.Remove(path)
		defer os.Remove(path + ".reserve")
		s, err := store.Open(path)
		var damaged *store.DamageError
		if errors.As(err, &damaged) {
			return
		}
		if err != nil {
			rt.Fatalf("%v", err)
		}
		defer s.Close()
		if err := agrees(s, want); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestAStateThatIsDamagedWhileItIsOpen tests that a memory fault becomes an error of the transaction and does not end
// the process.
func TestAStateThatIsDamagedWhileItIsOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "larder.db")
	fill(t, path)
	s := open(t, path)
	if err := os.Truncate(path, 2*4096); err != nil {
		t.Fatal(err)
	}
	var damaged *store.DamageError
	if _, _, err := holds(s); !errors.As(err, &damaged) {
		t.Errorf("reading: %v", err)
	}
	if err := s.View(func(tx *store.Tx) error { _, err := texts.All(tx); return err }); !errors.As(err, &damaged) {
		t.Errorf("reading a table: %v", err)
	}
	for range 2 { // the first transaction drops the pages that bbolt has cached
		if err := s.Update(func(tx *store.Tx) error { return numbers.Put(tx, "a", 1) }); !errors.As(err, &damaged) {
			t.Errorf("writing: %v", err)
		}
	}
}
