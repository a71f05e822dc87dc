package series

import (
	"maps"
	"path/filepath"
	"slices"
)

// Scrub reads all cells in files and records damage: see DamagedFiles. Without it, damage is found only when a cell is
// read. Scrub calls pace with the number of bytes that it reads next; pace may wait, and its error ends the scrub.
func (s *Store) Scrub(pace func(bytes int) error) error {
	s.mu.RLock()
	blocks := slices.Clone(s.blocks)
	s.mu.RUnlock()
	for _, b := range blocks {
		each := int(b.offsets/max(int64(b.n), 1)) + 1 // average bytes per series
		for i := range b.n {
			if err := pace(each); err != nil {
				return err
			}
			if !s.check(b, b.first+i) {
				break
			}
		}
	}
	return nil
}

// check reads the cells of one series in a file. It returns false if the file is no longer in use.
func (s *Store) check(b *block, id uint32) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !slices.Contains(s.blocks, b) {
		return false
	}
	if _, err := b.append(nil, id, -always, always); err != nil {
		s.reportDamage(b, err)
	}
	return true
}

// DamagedFiles names the files with samples that were found unreadable, and the files that were set aside. A damaged
// part of a file is found when it is read.
func (s *Store) DamagedFiles() []string {
	names := map[string]bool{}
	s.mu.RLock()
	for _, b := range s.blocks {
		if _, reported := s.lost.reported.Load(b.path); reported {
			names[filepath.Base(b.path)] = true
		}
	}
	s.mu.RUnlock()
	s.lost.mu.Lock()
	defer s.lost.mu.Unlock()
	for _, bases := range s.lost.days {
		for _, base := range bases {
			names[base+damaged] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
