package store_test

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"larder/internal/store"
)

// TestRestoreLosesNoTransaction removes and restores the file again and again while others write and read. The state
// that is opened next must have every change that was acknowledged.
func TestRestoreLosesNoTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "larder.db")
	s := open(t, path)
	const writers, writes = 4, 60
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range writes {
				key := strconv.Itoa(w) + "-" + strconv.Itoa(i)
				err := s.Update(func(tx *store.Tx) error { return numbers.Put(tx, key, i) })
				if err == nil {
					err = s.View(func(tx *store.Tx) error { _, err := numbers.Get(tx, key); return err })
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if own, err := s.Own(path); own || err != nil {
			t.Errorf("a file that was removed is the store's own: %t, %v", own, err)
		}
		if err := s.Restore(path); err != nil {
			t.Fatal(err)
		}
		if own, err := s.Own(path); !own || err != nil {
			t.Errorf("a file that was restored is not the store's own: %t, %v", own, err)
		}
	}
	all.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	err := again.View(func(tx *store.Tx) error {
		for w := range writers {
			for i := range writes {
				if n, err := numbers.Get(tx, strconv.Itoa(w)+"-"+strconv.Itoa(i)); n != i || err != nil {
					t.Errorf("writer %d's number %d is %d: %v", w, i, n, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestOwnKnowsAnothersFile tests that a file that only has the same name is not the store's.
func TestOwnKnowsAnothersFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "larder.db")
	s := open(t, path)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".copy", raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".copy", path); err != nil {
		t.Fatal(err)
	}
	if own, err := s.Own(path); own || err != nil {
		t.Errorf("a copy is the store's own: %t, %v", own, err)
	}
}

// TestRestoreThatFails tests that a failing Restore leaves the store as it was.
func TestRestoreThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "larder.db")
	s := open(t, path)
	if err := s.Restore(filepath.Join(filepath.Dir(path), "missing", "larder.db")); err == nil {
		t.Error("it is restored in a directory that is not there")
	}
	update(t, s, func(tx *store.Tx) error { return numbers.Put(tx, "k", 1) })
	if own, err := s.Own(path); !own || err != nil {
		t.Errorf("the file is the store's own: %t, %v", own, err)
	}
}
