package series

import (
	"errors"
	"fmt"
	"os"

	"larder/internal/durable"
)

// Intact reports whether the files that are being written still have their names. While files are being made it returns
// true, without waiting.
func (s *Store) Intact() (bool, error) {
	if !s.disk.TryLock() {
		return true, nil
	}
	defer s.disk.Unlock()
	catalog, errCatalog := durable.Named(s.catalog.file, s.path("catalog"))
	wal, errWAL := durable.Named(s.wal.file, s.path(journalName(s.walSeq)))
	return catalog && wal, errors.Join(errCatalog, errWAL)
}

// Restore writes the files again that were removed from the directory while the store had them open. Nothing is lost.
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

// restore writes a block's file again. Reads continue from the file that is open.
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
