package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"go.etcd.io/bbolt"

	"larder/internal/durable"
)

// Own reports whether the file at path is the one that the store has open.
func (s *Store) Own(path string) (bool, error) {
	s.restoring.Lock()
	defer s.restoring.Unlock()
	return durable.Named(s.content, path)
}

// Restore creates the state file at path again after it was removed. The new file is a copy of the removed one, which
// the store still has open, with all its changes. Transactions wait meanwhile, and none is lost.
func (s *Store) Restore(path string) error {
	s.restoring.Lock()
	defer s.restoring.Unlock()
	old := s.db.Load()
	still, err := old.Begin(true) // blocks writers until it ends
	if err != nil {
		return fmt.Errorf("cannot restore the state file: %w", err)
	}
	db, content, err := s.copied(path)
	if err == nil {
		s.db.Store(db)
	}
	err = errors.Join(err, still.Rollback())
	if db == nil {
		return fmt.Errorf("cannot restore the state file: %w", err)
	}
	err = errors.Join(err, old.Close(), s.content.Close())
	s.content = content
	return err
}

// copied makes a copy of the state file at path and opens it.
func (s *Store) copied(path string) (*bbolt.DB, *os.File, error) {
	info, err := s.content.Stat()
	if err != nil {
		return nil, nil, err
	}
	err = durable.WriteFrom(path, io.NewSectionReader(s.content, 0, info.Size()))
	if errors.Is(err, syscall.ENOSPC) {
		return nil, nil, fmt.Errorf("the disk that holds %s is full: free some space", filepath.Dir(s.path))
	}
	if err != nil {
		return nil, nil, err
	}
	content, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	db, err := openFile(path)
	if err != nil {
		return nil, nil, errors.Join(err, content.Close())
	}
	return db, content, nil
}

// begin begins a transaction on the current file. Restore may exchange the file while begin waits for another
// transaction to end; begin then tries again on the new file.
func (s *Store) begin(writable bool) (*bbolt.Tx, error) {
	for {
		db := s.db.Load()
		tx, err := db.Begin(writable)
		if s.db.Load() == db {
			return tx, err
		}
		if err == nil {
			if err := tx.Rollback(); err != nil {
				return nil, err
			}
		}
	}
}
