package series

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"larder/internal/durable"
)

// maxFiles is how many files a day may have before its end without being merged.
const maxFiles = 12

// Maintain flushes, and then does what is due: it writes held samples to files, merges files and removes expired ones.
func (s *Store) Maintain() error {
	s.disk.Lock()
	defer s.disk.Unlock()
	if err := s.flush(); err != nil {
		return err
	}
	s.mu.RLock()
	due := s.held > s.config.MaxHeld || s.held > 0 && s.config.Now().Sub(s.cutAt) >= s.config.CutEvery
	s.mu.RUnlock()
	ended := s.evictionCutoff()
	if !due && ended == 0 {
		return nil
	}
	return errors.Join(s.cut(), s.expire(), s.mergeDays(), s.forget(ended))
}

// cut begins a new journal and turns the old one into files.
func (s *Store) cut() error {
	number := s.walSeq
	next, err := openJournal(s.path(journalName(number+1)), nil, s.config.Failed)
	if err != nil {
		return fmt.Errorf("cannot begin a journal of metrics: %w", err)
	}
	old := s.turn(next, number+1)
	// The catalog must know every series before a file has cells of it.
	if err := errors.Join(old.close(), s.flush()); err != nil {
		return err
	}
	return s.writeHeld(number)
}

// turn switches to another journal, and returns the old one.
func (s *Store) turn(next *journal, number uint64) (old *journal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old = s.wal
	s.wal, s.walSeq, s.cutAt = next, number, s.config.Now()
	s.fresh = nil // these rows go into the files, so not into the new journal
	s.hold()
	return old
}

// hold moves the rows that are to become files from fresh to cut.
func (s *Store) hold() {
	for _, h := range s.byID {
		if len(h.fresh.b) == 0 {
			continue
		}
		if len(h.cut) > 0 { // from a cut that failed
			h.cut = rejoin(h.cut, h.fresh.b)
		} else {
			h.cut = h.fresh.b
		}
		h.fresh = rows{}
	}
	s.held = 0
}

// rejoin encodes several lists of rows as one.
func rejoin(lots ...[]byte) []byte {
	var all rows
	for _, lot := range lots {
		for _, c := range (rows{b: lot}).cells(nil, -always, always) {
			all.add(c)
		}
	}
	return all.b
}

// heldRows returns the rows in cut, by series, and the days of their cells.
func (s *Store) heldRows() (held map[uint32][]byte, first, last uint32, days []day) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	held, first = map[uint32][]byte{}, ^uint32(0)
	of := map[day]bool{}
	var cells []Cell
	for id, h := range s.byID {
		if len(h.cut) == 0 {
			continue
		}
		held[id], first, last = h.cut, min(first, id), max(last, id)
		cells = rows{b: h.cut}.cells(cells[:0], -always, always)
		for _, c := range cells {
			of[dayOf(c.At)] = true
		}
	}
	return held, first, last, slices.Sorted(maps.Keys(of))
}

// writeHeld writes one file per day of the rows in cut, under the number of their journal. It then removes the journals
// up to that number.
func (s *Store) writeHeld(number uint64) error {
	held, first, last, days := s.heldRows()
	var made []*block
	for _, d := range days {
		b, err := writeBlock(s.config.Dir, blockName(d, number, false), first, last, func(id uint32) ([]Cell, error) {
			return tidy(rows{b: held[id]}.cells(nil, d.begin(), d.end())), nil
		})
		if err != nil {
			return errors.Join(fmt.Errorf("cannot write metrics: %w", err), s.remove(made))
		}
		made = append(made, b)
	}
	s.mu.Lock()
	s.blocks = append(s.blocks, made...)
	for id := range held {
		s.byID[id].cut = nil
	}
	s.mu.Unlock()
	return s.removeJournals(number)
}

func (s *Store) removeJournals(upTo uint64) error {
	names, err := s.journals()
	if err != nil {
		return err
	}
	for _, j := range names {
		if j.number <= upTo {
			if err := os.Remove(s.path(journalName(j.number))); err != nil {
				return err
			}
		}
	}
	return durable.SyncDir(s.config.Dir)
}

// expire removes the files of days that are past the retention.
func (s *Store) expire() error {
	oldest := s.config.Now().Unix() - Retention
	return errors.Join(s.drop(s.blocksOf(func(b *block) bool { return b.day.end() <= oldest })), s.expireLost(oldest))
}

func (s *Store) blocksOf(accept func(*block) bool) []*block {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(s.blocks), func(b *block) bool { return !accept(b) })
}

// drop stops using files and removes them.
func (s *Store) drop(gone []*block) error {
	s.mu.Lock()
	s.blocks = slices.DeleteFunc(s.blocks, func(b *block) bool { return slices.Contains(gone, b) })
	s.mu.Unlock()
	return s.remove(gone)
}

func (s *Store) remove(gone []*block) error {
	if len(gone) == 0 {
		return nil
	}
	var errs []error
	for _, b := range gone {
		errs = append(errs, b.close(), os.Remove(b.path))
	}
	return errors.Join(append(errs, durable.SyncDir(s.config.Dir))...)
}

// mergeDays merges the files of each day that is over, or that has many files, into one.
func (s *Store) mergeDays() error {
	byDay := map[day][]*block{}
	for _, b := range s.blocksOf(func(*block) bool { return true }) {
		byDay[b.day] = append(byDay[b.day], b)
	}
	var errs []error
	now := s.config.Now().Unix()
	for _, d := range slices.Sorted(maps.Keys(byDay)) {
		over := now >= d.end()+FineRetention && slices.ContainsFunc(byDay[d], func(b *block) bool { return !b.merged })
		if over || len(byDay[d]) > maxFiles {
			if err := s.merge(d, byDay[d], over); err != nil {
				errs = append(errs, fmt.Errorf("cannot merge the metrics of %s: %w", d, err))
			}
		}
	}
	return errors.Join(errs...)
}

// merge makes one file of a day's files, with whole minutes if the day is over.
func (s *Store) merge(d day, parts []*block, over bool) error {
	first, last, number := ^uint32(0), uint32(0), uint64(0)
	for _, b := range parts {
		first, last, number = min(first, b.first), max(last, b.first+b.n-1), max(number, b.number)
	}
	var cells []Cell
	var bad []*block
	whole, err := writeBlock(s.config.Dir, blockName(d, number, true), first, last, func(id uint32) ([]Cell, error) {
		cells = cells[:0]
		for _, b := range parts {
			var err error
			if cells, err = b.append(cells, id, -always, always); err != nil {
				s.reportDamage(b, err)
				bad = append(bad, b)
			}
		}
		cells = tidy(cells)
		if over {
			cells = Aggregate(cells, minute, 0, true)
		}
		return cells, nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.blocks = slices.DeleteFunc(s.blocks, func(b *block) bool { return slices.Contains(parts, b) })
	if whole != nil {
		s.blocks = append(s.blocks, whole)
	}
	s.mu.Unlock()
	return s.retire(parts, bad)
}

// retire removes merged files. A file with a damaged part is set aside instead; its readable cells are in the merged
// file.
func (s *Store) retire(parts, bad []*block) error {
	var errs []error
	parts = slices.DeleteFunc(parts, func(b *block) bool {
		if !slices.Contains(bad, b) {
			return false
		}
		s.lose(b.path)
		errs = append(errs, b.close(), s.setAside(b.path, errChunk))
		return true
	})
	return errors.Join(append(errs, s.remove(parts))...)
}

// forget drops the series that have no cell left, and those of the reserved namespace that ended before the time ended.
func (s *Store) forget(ended int64) error {
	oldest := floor(s.config.Now().Unix()-Retention, secondsOfDay)
	s.mu.Lock()
	var kept [][]byte
	gone := 0
	for id, h := range s.byID {
		if (h.last < oldest || h.own && h.last < ended) && len(h.fresh.b)+len(h.cut) == 0 {
			s.unlist(h)
			gone++
			continue
		}
		kept = append(kept, catalogRecord(id, h.key))
	}
	if gone == 0 {
		s.mu.Unlock()
		return nil
	}
	keys := s.keys
	s.keys = nil // they are among those kept
	s.mu.Unlock()
	err := s.rewriteCatalog(kept)
	if err != nil { // the catalog in use lacks them
		s.mu.Lock()
		s.keys = append(keys, s.keys...)
		s.mu.Unlock()
	}
	return err
}

// unlist removes one series from the maps.
func (s *Store) unlist(h *head) {
	delete(s.byID, h.id)
	if h.own {
		s.own--
	}
	base := h.base()
	s.byBase[base] = slices.DeleteFunc(s.byBase[base], func(o *head) bool { return o == h })
	if len(s.byBase[base]) == 0 {
		delete(s.byBase, base)
	}
}

func (s *Store) rewriteCatalog(records [][]byte) error {
	// A temporary catalog that a crash left is incomplete.
	temporary := s.path("catalog.tmp")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	next, err := openJournal(temporary, nil, s.config.Failed)
	if err != nil {
		return err
	}
	if err := next.append(records...); err != nil {
		return errors.Join(err, next.close())
	}
	if err := os.Rename(temporary, s.path("catalog")); err != nil {
		return errors.Join(err, next.close())
	}
	old := s.catalog
	s.catalog = next
	return errors.Join(old.close(), durable.SyncDir(s.config.Dir))
}
