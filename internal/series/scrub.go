package series

import (
	"maps"
	"path/filepath"
	"slices"
)

// Scrub reads all cells that are in files, whether anybody asks for them or not, and notes what of them is damaged as a
// reader does: see DamagedFiles. Pace is told how many bytes are read next, and may wait; its error ends the scrub.
func (s *Store) Scrub(pace func(bytes int) error) error {
	s.mu.RLock()
	blocks := slices.Clone(s.blocks)
	s.mu.RUnlock()
	for _, b := range blocks {
		each := int(b.offsets/max(int64(b.n), 1)) + 1 // bytes of a series, about
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

// check reads the cells of one series in a file; false says that the file is not used any more.
func (s *Store) check(b *block, id uint32) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !slices.Contains(s.blocks, b) {
		return false
	}
	if _, err := b.append(nil, id, -always, always); err != nil {
		s.tell(b, err)
	}
	return true
}

// DamagedFiles names the files of which some samples were found that cannot be read, and those that were set aside. A
// damaged part of a file is found when it is read.
func (s *Store) DamagedFiles() []string {
	names := map[string]bool{}
	s.mu.RLock()
	for _, b := range s.blocks {
		if _, told := s.lost.told.Load(b.path); told {
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
