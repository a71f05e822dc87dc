package series

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Open opens the samples in a directory, which it makes when it is not there. What a crash left half done is finished or undone.
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
	if s.catalog, err = openJournal(s.path("catalog"), s.readCatalog); err != nil {
		return s, err
	}
	if err = s.openBlocks(); err != nil {
		return s, err
	}
	return s, s.openJournals()
}

func (s *Store) path(name string) string { return filepath.Join(s.config.Dir, name) }

func (s *Store) readCatalog(record []byte) error {
	for r := (&reader{b: record}); len(r.b) > 0; {
		id, key := r.uvarint(), r.text()
		if r.failed {
			return errors.New("the catalog is damaged")
		}
		k, err := decodeKey(key)
		if err != nil {
			return err
		}
		s.addSeries(uint32(id), key, k.Unit)
	}
	return nil
}

// openBlocks opens the files of cells, without those that a merged one replaced before a crash could remove them.
func (s *Store) openBlocks() error {
	names, err := filepath.Glob(s.path("*.cells*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".tmp") {
			if err := os.Remove(name); err != nil {
				return err
			}
			continue
		}
		b, err := openBlock(name)
		if err != nil {
			return err
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
		return err
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

// seen notes that a series has cells in a file that goes up to a time.
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
	names, err := filepath.Glob(s.path("journal-*"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var found []journalFile
	for _, name := range names {
		j := journalFile{path: name}
		if _, err := fmt.Sscanf(filepath.Base(name), "journal-%d", &j.number); err != nil {
			return nil, fmt.Errorf("%s is not a journal: %w", name, err)
		}
		found = append(found, j)
	}
	return found, nil
}

// openJournals reads what was not cut into files. All journals but the last become files now.
func (s *Store) openJournals() error {
	found, err := s.journals()
	if err != nil {
		return err
	}
	s.cutAt = s.config.Now()
	for i, j := range found {
		wal, err := openJournal(j.path, func(record []byte) error { return s.readJournal(record, j.number) })
		if err != nil {
			return err
		}
		if i == len(found)-1 {
			s.wal, s.walSeq = wal, j.number
			return nil
		}
		s.hold()
		if err := errors.Join(wal.close(), s.writeHeld(j.number)); err != nil {
			return err
		}
	}
	s.walSeq = s.lastNumber() + 1
	s.wal, err = openJournal(s.path(journalName(s.walSeq)), nil)
	return err
}

func (s *Store) lastNumber() (last uint64) {
	for _, b := range s.blocks {
		last = max(last, b.number)
	}
	return last
}

// readJournal takes a flush's rows, without those of days that a crash in the middle of a cut has already made files.
func (s *Store) readJournal(record []byte, number uint64) error {
	r := &reader{b: record}
	for len(r.b) > 0 {
		h := s.byID[uint32(r.uvarint())]
		c := r.row(&rows{})
		if r.failed || h == nil {
			return errors.New("the journal is damaged")
		}
		written := func(b *block) bool { return b.day == dayOf(c.At) && b.number >= number }
		if !slices.ContainsFunc(s.blocks, written) {
			s.keep(h, c)
		}
	}
	return nil
}

// Flush makes what was added durable.
func (s *Store) Flush() error {
	s.disk.Lock()
	defer s.disk.Unlock()
	return s.flush()
}

// flush writes new keys before the rows that name them.
func (s *Store) flush() error {
	s.mu.Lock()
	keys, fresh := s.keys, s.fresh
	s.keys, s.fresh = nil, nil
	s.mu.Unlock()
	var err error
	if len(keys) > 0 {
		err = s.catalog.append(keys)
	}
	if err == nil {
		keys = nil
		if len(fresh) > 0 {
			err = s.wal.append(fresh)
		}
	}
	if err != nil { // it is tried again
		s.mu.Lock()
		s.keys, s.fresh = append(keys, s.keys...), append(fresh, s.fresh...)
		s.mu.Unlock()
		return fmt.Errorf("cannot write the metrics: %w", err)
	}
	return nil
}

// Run flushes and tends the files until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(s.config.FlushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.Tend(); err != nil {
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
