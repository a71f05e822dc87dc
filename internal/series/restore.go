package series

import (
	"errors"
	"fmt"
	"os"

	"larder/internal/durable"
)

// Intact tells whether the files that are written to still have their names. While files are made it takes that for
// true, and does not wait.
func (s *Store) Intact() (bool, error) {
	if !s.disk.TryLock() {
		return true, nil
	}
	defer s.disk.Unlock()
	catalog, errCatalog := durable.Named(s.catalog.file, s.path("catalog"))
	wal, errWAL := durable.Named(s.wal.file, s.path(journalName(s.walSeq)))
	return catalog && wal, errors.Join(errCatalog, errWAL)
}

// Restore writes anew what was removed of the directory while the store has it open. Nothing is lost.
func (s *Store) Restore() error {
	s.disk.Lock()
	defer s.disk.Unlock()
	err := errors.Join(s.catalog.restore(s.path("catalog")), s.wal.restore(s.path(journalName(s.walSeq))))
	for _, b := range s.blocksOf(func(*block) bool { return true }) {
		err = errors.Join(err, b.restore())
	}
	if err = errors.Join(err, durable.SyncDir(s.config.Dir)); err != nil {
		return fmt.Errorf("cannot write the metrics in %s anew: %w", s.config.Dir, err)
	}
	return nil
}

func (j *journal) restore(path string) error {
	if named, err := durable.Named(j.file, path); named || err != nil {
		return err
	}
	again, err := durable.Restore(j.file, path)
	if err != nil {
		return err
	}
	old := j.file
	j.file = again
	return old.Close()
}

// restore gives a block its name back. The file that is open goes on to be read.
func (b *block) restore() error {
	if _, err := os.Stat(b.path); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	again, err := durable.Restore(b.file, b.path)
	if err != nil {
		return err
	}
	return again.Close()
}
