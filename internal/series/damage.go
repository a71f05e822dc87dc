package series

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// DamageError reports that some of the requested cells cannot be read. The others are returned with it.
type DamageError struct{ Err error }

func (e *DamageError) Error() string { return fmt.Sprintf("some samples cannot be read: %v", e.Err) }

// Unwrap returns the reason.
func (e *DamageError) Unwrap() error { return e.Err }

// Damaged splits an error of Cells in two: damage, with which Cells still returned cells, and any other failure.
func Damaged(err error) (damage *DamageError, failure error) {
	if errors.As(err, &damage) {
		return damage, nil
	}
	return nil, err
}

// damage records what is known to be lost. The zero value is ready for use.
type damage struct {
	reported sync.Map // paths of the files that were reported to Failed

	mu   sync.Mutex
	days map[day][]string // the days of the files that are set aside, and the names that the files had
}

// lose records that a file of cells is not used, so that its day lacks some cells.
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

// reportDamage tells Failed that a part of a file cannot be read. It does so once for each file, even if many parts are
// damaged.
func (s *Store) reportDamage(b *block, why error) {
	if _, again := s.lost.reported.LoadOrStore(b.path, true); !again {
		s.config.Failed(fmt.Errorf("some samples of %s are lost, and the others are read: %w", filepath.Base(b.path),
			why))
	}
}

// Lost reports whether a file was set aside of a day that has times from (inclusive) to (exclusive), in seconds since
// 1970. If so, any series may lack cells in that time.
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

// expireLost removes the files that were set aside and whose day ended at or before oldest.
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
