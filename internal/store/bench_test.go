package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"larder/internal/store"
)

// BenchmarkUpdate measures a transaction that changes one record of 2 KB, as a step of a group does.
func BenchmarkUpdate(b *testing.B) {
	s, err := store.Open(filepath.Join(b.TempDir(), "larder.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	row := strings.Repeat("x", 2000)
	for i := 0; b.Loop(); i++ {
		err := s.Update(func(tx *store.Tx) error { return texts.Put(tx, fmt.Sprint(i%100), row) })
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen measures opening a state of 16 MiB.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "larder.db")
	s, err := store.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	row := strings.Repeat("x", 4000)
	err = s.Update(func(tx *store.Tx) error {
		for i := range 3000 {
			if err := texts.Put(tx, fmt.Sprint(i), row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		if s, err = store.Open(path); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
