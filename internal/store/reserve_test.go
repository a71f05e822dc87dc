package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"larder/internal/store"
	"larder/internal/testkit"
)

// TestUpdateReservedOnAFullDisk tests that UpdateReserved succeeds on a full disk where Update fails, and that the
// reserve is allocated again afterwards.
func TestUpdateReservedOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	testkit.SmallDisk(t, dir, "4m")
	path := filepath.Join(dir, "larder.db")
	s := open(t, path)
	big := func(n int) func(tx *store.Tx) error { // each takes pages that the file does not have yet
		return func(tx *store.Tx) error {
			return texts.Put(tx, string(make([]byte, n+1)), string(make([]byte, 10_000)))
		}
	}
	update(t, s, big(0))
	ballast := filepath.Join(dir, "ballast")
	testkit.FillDisk(t, ballast)
	n := 1
	for ; n < 100; n++ {
		if err := s.Update(big(n)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("a full disk shows as %v", err)
			}
			break
		}
	}
	for range 5 {
		testkit.FillDisk(t, ballast) // another process takes what was released
		if err := s.UpdateReserved(big(n)); err != nil {
			t.Fatalf("record %d: %v", n, err)
		}
		n++
	}
	var err error
	for last := n + 1000; n < last && err == nil; n++ {
		testkit.FillDisk(t, ballast)
		err = s.UpdateReserved(big(n))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("when the reserve is used up: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first finds room, and keeps some of it for the next
		if err := s.UpdateReserved(big(n)); err != nil {
			t.Errorf("when there is room again: %v", err)
		}
		testkit.FillDisk(t, ballast)
		n++
	}
	if err := s.UpdateReserved(func(*store.Tx) error { return syscall.ENOSPC }); err != syscall.ENOSPC {
		t.Errorf("a refusal of the transaction's own is told as %v", err)
	}
}

const texts = store.Table[string]("texts")
