package series

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// DamageError says that some of the cells that were asked for cannot be read. Those that can came with it.
type DamageError struct{ Err error }

func (e *DamageError) Error() string { return fmt.Sprintf("some samples cannot be read: %v", e.Err) }

// Unwrap returns the reason.
func (e *DamageError) Unwrap() error { return e.Err }

// Damaged splits an error of Cells in two: the damage, which came with cells, and any other failure.
func Damaged(err error) (damage *DamageError, failure error) {
	if errors.As(err, &damage) {
		return damage, nil
	}
	return nil, err
}

// damage is what is known to be lost. The zero value is ready for use.
type damage struct {
	told sync.Map // paths of files that Failed was told of

	mu   sync.Mutex
	days map[day][]string // the days of the files that are set aside, and the names that the files had
}

// lose notes that a file of cells is not used: of its day some cells are missing.
func (s *Store) lose(path string) {
	name, _, _ := strings.Cut(filepath.Base(path), ".cells")
	b, ok := parseBlockName(name + ".cells")
	if !ok {
		return // not one of the files that larder writes
	}
	s.lost.mu.Lock()
	defer s.lost.mu.Unlock()
	if s.lost.days == nil {
		s.lost.days = map[day][]string{}
	}
	s.lost.days[b.day] = append(s.lost.days[b.day], name+".cells")
}

// tell tells Failed that a part of a file cannot be read: once of each file, of which many parts may be damaged.
func (s *Store) tell(b *block, why error) {
	if _, again := s.lost.told.LoadOrStore(b.path, true); !again {
		s.config.Failed(fmt.Errorf("some samples of %s are lost, and the others are read: %w", filepath.Base(b.path),
			why))
	}
}

// Lost tells whether a file is set aside of a day that has times from (inclusive) to (exclusive), in seconds since
// 1970: whatever series is asked for then may lack some cells.
func (s *Store) Lost(from, to int64) bool {
	s.lost.mu.Lock()
	defer s.lost.mu.Unlock()
	for of := range s.lost.days {
		if of.begin() < to && of.end() > from {
			return true
		}
	}
	return false
}

// expireLost removes the files that were set aside of days that ended by a time.
func (s *Store) expireLost(oldest int64) error {
	s.lost.mu.Lock()
	defer s.lost.mu.Unlock()
	var errs []error
	for of, bases := range s.lost.days {
		if of.end() > oldest {
			continue
		}
		delete(s.lost.days, of)
		for _, base := range bases {
			paths, err := s.files(base + "*" + damaged)
			errs = append(errs, err)
			for _, path := range paths {
				errs = append(errs, os.RemoveAll(path))
			}
		}
	}
	return errors.Join(errs...)
}
