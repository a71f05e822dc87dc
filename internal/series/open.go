package series

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Open opens the samples in a directory, and creates the directory if necessary. It completes or undoes what a crash
// interrupted. A damaged file is set aside and reported to Failed; everything else stays usable.
func Open(c Config) (s *Store, err error) {
	s = &Store{config: c.withDefaults(), byBase: map[string][]*head{}, byID: map[uint32]*head{}}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the directory of the metrics: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("cannot open the metrics in %s: %w", c.Dir, err), s.closeFiles())
		}
	}()
	if err = s.openCatalog(); err != nil {
		return s, err
	}
	if err = s.openBlocks(); err != nil {
		return s, err
	}
	return s, s.openJournals()
}

// openCatalog reads the catalog. If a record has several series, it rewrites the catalog with one series per record,
// because a damaged bit costs a whole record.
func (s *Store) openCatalog() (err error) {
	largest := 0
	s.catalog, err = openJournal(s.path("catalog"), func(record []byte) error {
		n, err := s.readCatalog(record)
		largest = max(largest, n)
		return err
	}, s.config.Failed)
	if err != nil {
		if err = s.setAside(s.path("catalog"), err); err != nil {
			return err
		}
		s.catalog, err = openJournal(s.path("catalog"), nil, s.config.Failed)
		return err
	}
	if largest < 2 {
		return nil
	}
	var all [][]byte
	for id, h := range s.byID {
		all = append(all, catalogRecord(id, h.key))
	}
	if err := s.rewriteCatalog(all); err != nil {
		s.config.Failed(fmt.Errorf("cannot write the catalog of the metrics anew: %w", err)) // the old catalog is still valid
	}
	return nil
}

func (s *Store) path(name string) string { return filepath.Join(s.config.Dir, name) }

// files lists the paths whose names match a pattern, in order.
func (s *Store) files(pattern string) (paths []string, err error) {
	entries, err := os.ReadDir(s.config.Dir)
	for _, e := range entries {
		if match, _ := filepath.Match(pattern, e.Name()); match { // the patterns are well formed
			paths = append(paths, s.path(e.Name()))
		}
	}
	return paths, err
}

// damaged ends the name of a file that was set aside.
const damaged = ".damaged"

// setAside renames a file that cannot be used, and reports why. Files that were set aside before stay.
func (s *Store) setAside(path string, why error) error {
	aside := path + damaged
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s.%d%s", path, n, damaged)
	}
	if err := os.Rename(path, aside); err != nil {
		return errors.Join(why, err)
	}
	s.config.Failed(fmt.Errorf("%s is set aside as %s: %w", path, filepath.Base(aside), why))
	return nil
}

// readCatalog adds the series of a record, and returns their number. If two series have the same key, the first one was
// forgotten but could not be removed from the catalog.
func (s *Store) readCatalog(record []byte) (n int, err error) {
	for r := (&reader{b: record}); len(r.b) > 0; n++ {
		id, key := uint32(r.uvarint()), r.text()
		k, err := decodeKey(key)
		if r.failed || err != nil || len(k.Unit) > maxUnit {
			s.config.Failed(fmt.Errorf("%s has a damaged record: the rest of it is skipped", s.path("catalog")))
			return n, nil
		}
		if s.byID[id] != nil {
			continue
		}
		if forgotten := s.known(k); forgotten != nil {
			s.unlist(forgotten)
		}
		s.addSeries(id, key, k)
	}
	return n, nil
}

// openBlocks opens the files of cells. It removes those that a merged file replaced, which a crash can leave behind.
func (s *Store) openBlocks() error {
	names, err := s.files("*.cells*")
	if err != nil {
		return err
	}
	for _, name := range names {
		switch filepath.Ext(name) {
		case damaged:
			s.lose(name)
			continue
		case ".tmp":
			if err := os.Remove(name); err != nil {
				s.config.Failed(err)
			}
			continue
		}
		b, err := openBlock(name)
		if err != nil {
			s.lose(name)
			if err := s.setAside(name, err); err != nil {
				s.config.Failed(err) // the other files are used without it
			}
			continue
		}
		if b.repaired {
			s.config.Failed(fmt.Errorf("the end of %s is lost: %w; a copy in it says the same, and is used", name,
				errBlock))
		}
		s.blocks = append(s.blocks, b)
	}
	var replaced []*block
	for _, b := range s.blocks {
		if slices.ContainsFunc(s.blocks, b.replacedBy) {
			replaced = append(replaced, b)
		}
	}
	if err := s.drop(replaced); err != nil {
		s.config.Failed(err)
	}
	for _, b := range s.blocks {
		s.nextID = max(s.nextID, b.first+b.n)
		if err := b.series(func(id uint32) { s.seen(id, b.most) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *block) replacedBy(o *block) bool {
	return o.merged && o != b && o.day == b.day && (b.number < o.number || b.number == o.number && !b.merged)
}

// seen records that a series has cells in a file whose newest cell has the time last.
func (s *Store) seen(id uint32, last int64) {
	if h := s.byID[id]; h != nil {
		h.last = max(h.last, last)
	}
}

func journalName(number uint64) string { return fmt.Sprintf("journal-%010d", number) }

type journalFile struct {
	path   string
	number uint64
}

// journals lists the journals, oldest first.
func (s *Store) journals() ([]journalFile, error) {
	names, err := s.files("journal-*")
	if err != nil {
		return nil, err
	}
	var found []journalFile
	for _, name := range names {
		j := journalFile{path: name}
		_, err := fmt.Sscanf(filepath.Base(name), "journal-%d", &j.number)
		if err == nil && filepath.Base(name) == journalName(j.number) { // other files were set aside, or are not larder's
			found = append(found, j)
		}
	}
	return found, nil
}

// openJournals reads the samples that are not in files of cells yet. All journals but the last one become files now.
func (s *Store) openJournals() error {
	found, err := s.journals()
	if err != nil {
		return err
	}
	s.cutAt = s.config.Now()
	for i, j := range found {
		wal, err := openJournal(j.path, func(record []byte) error { return s.readJournal(record, j) }, s.config.Failed)
		if err != nil {
			if err := s.setAside(j.path, err); err != nil {
				return err
			}
			s.walSeq = j.number
			continue
		}
		if i == len(found)-1 {
			s.wal, s.walSeq = wal, j.number
			return nil
		}
		s.hold()
		if err := errors.Join(wal.close(), s.writeHeld(j.number)); err != nil {
			s.config.Failed(err) // the next cut tries again
		}
	}
	s.walSeq = max(s.walSeq, s.lastNumber()) + 1
	s.wal, err = openJournal(s.path(journalName(s.walSeq)), nil, s.config.Failed)
	return err
}

func (s *Store) lastNumber() (last uint64) {
	for _, b := range s.blocks {
		last = max(last, b.number)
	}
	return last
}

// readJournal adds the rows of a flush. It skips rows of days for which a cut, interrupted by a crash, has already made
// the file. It also skips rows of series that a damaged catalog does not have; their numbers are not used again.
func (s *Store) readJournal(record []byte, j journalFile) error {
	r, unknown := &reader{b: record}, 0
	for len(r.b) > 0 {
		id := uint32(r.uvarint())
		c := r.row(&rows{})
		if r.failed {
			s.config.Failed(fmt.Errorf("%s has a damaged record: the rest of it is skipped", j.path))
			break
		}
		h := s.byID[id]
		if h == nil {
			s.nextID = max(s.nextID, id+1)
			unknown++
			continue
		}
		written := func(b *block) bool { return b.day == dayOf(c.At) && b.number >= j.number }
		if !slices.ContainsFunc(s.blocks, written) {
			s.keep(h, c)
		}
	}
	if unknown > 0 {
		s.config.Failed(fmt.Errorf("%s has %d samples of metrics that the catalog does not know: they are skipped",
			j.path, unknown))
	}
	return nil
}

// Flush makes durable what was added.
func (s *Store) Flush() error {
	s.disk.Lock()
	defer s.disk.Unlock()
	return s.flush()
}

// flush writes new keys before the rows that refer to them.
func (s *Store) flush() error {
	s.mu.Lock()
	keys, fresh := s.keys, s.fresh
	s.keys, s.fresh = nil, nil
	s.mu.Unlock()
	var err error
	if len(keys) > 0 {
		err = s.catalog.append(keys...)
	}
	if err == nil {
		keys = nil
		if len(fresh) > 0 {
			err = s.wal.append(fresh)
		}
	}
	if err != nil { // the next flush tries again
		s.mu.Lock()
		s.keys, s.fresh = append(keys, s.keys...), append(fresh, s.fresh...)
		s.mu.Unlock()
		return fmt.Errorf("cannot write the metrics: %w", err)
	}
	return nil
}

// Run flushes and maintains the files until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(s.config.FlushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.guard.Do("the metrics", s.Maintain); err != nil {
				s.config.Failed(err)
			}
		}
	}
}

// Close flushes and closes the files.
func (s *Store) Close() error { return errors.Join(s.Flush(), s.closeFiles()) }

func (s *Store) closeFiles() error {
	var errs []error
	for _, j := range []*journal{s.catalog, s.wal} {
		if j != nil {
			errs = append(errs, j.close())
		}
	}
	for _, b := range s.blocks {
		errs = append(errs, b.close())
	}
	return errors.Join(errs...)
}
