package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"larder/internal/durable"
)

// Intact reports whether the groups' directories, and the files that are being written, still have their names. It does
// not wait: a group that is being written to counts as intact.
func (s *Store) Intact() (bool, error) {
	for _, g := range s.all() {
		if intact, err := g.intact(); !intact || err != nil {
			return false, err
		}
	}
	return true, nil
}

// Restore creates the directories and files again that were removed while the store had them open. Events are lost only
// if their file was not open; Logger gets the names of these files.
func (s *Store) Restore() error {
	var errs []error
	for _, g := range s.all() {
		errs = append(errs, g.restore())
	}
	if err := errors.Join(append(errs, durable.SyncDir(s.config.Dir))...); err != nil {
		return fmt.Errorf("cannot write the log events in %s anew: %w", s.config.Dir, err)
	}
	return nil
}

// all returns the current groups.
func (s *Store) all() []*group {
	s.mu.Lock()
	defer s.mu.Unlock()
	groups := make([]*group, 0, len(s.groups))
	for _, g := range s.groups {
		groups = append(groups, g)
	}
	return groups
}

func (g *group) intact() (bool, error) {
	if !g.mu.TryRLock() {
		return true, nil
	}
	defer g.mu.RUnlock()
	switch {
	case g.dropped:
		return true, nil
	case g.journal != nil:
		return durable.Named(g.journal.file, g.journal.path)
	}
	_, err := os.Stat(g.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// restore creates the group's directory and journal again, and forgets the files that are gone.
func (g *group) restore() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dropped {
		return nil
	}
	if err := os.Mkdir(g.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	lost := func(path string) bool {
		_, err := os.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return false
		}
		g.logger.Error("log events are lost: their file was removed", "group", g.id, "file", filepath.Base(path))
		return true
	}
	g.segments = slices.DeleteFunc(g.segments, func(s *segment) bool { return lost(s.path) })
	g.broken = slices.DeleteFunc(g.broken, func(n uint64) bool { return lost(fileName(g.dir, n, segmentSuffix)) })
	g.pending = slices.DeleteFunc(g.pending, func(n uint64) bool { return lost(fileName(g.dir, n, journalSuffix)) })
	j := g.journal
	if j == nil {
		return nil
	}
	if named, err := durable.Named(j.file, j.path); named || err != nil {
		return err
	}
	again, err := durable.Restore(j.file, j.path)
	if err != nil {
		return err
	}
	old := j.file
	j.file = again
	return old.Close()
}
