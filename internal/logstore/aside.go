package logstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// aside is a damaged file that was set aside.
type aside struct {
	path  string
	size  int64
	until int64 // no event in it is later, in milliseconds since 1970
}

// maxAhead is how much later than its arrival an event's time may be.
const maxAhead = 2 * time.Hour

// setAside renames a damaged file, so that the others can be used without it.
func (g *group) setAside(path string, why error) error {
	if err := os.Rename(path, path+damagedSuffix); err != nil {
		return errors.Join(why, err)
	}
	g.aside(path+damagedSuffix, why)
	return nil
}

// aside logs and records that a file was set aside.
func (g *group) aside(path string, why error) {
	g.logger.Error("set a damaged file of log events aside", "group", g.id, "file", path, "error", why)
	if err := g.recall(path); err != nil {
		g.logger.Error("cannot look at a damaged file of log events", "group", g.id, "error", err)
	}
}

// recall records a file that was set aside. Its modification time is at or after the arrival of its last event.
func (g *group) recall(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	g.asides = slices.DeleteFunc(g.asides, func(a aside) bool { return a.path == path })
	g.asides = append(g.asides, aside{path, info.Size(), info.ModTime().Add(maxAhead).UnixMilli()})
	return nil
}

// missing reports whether a file that was set aside, and still exists, may contain events at or after from.
func (g *group) missing(from int64) bool {
	g.forgetAsides()
	return slices.ContainsFunc(g.asides, func(a aside) bool { return a.until >= from })
}

// forgetAsides forgets the files that somebody removed.
func (g *group) forgetAsides() {
	g.asides = slices.DeleteFunc(g.asides, func(a aside) bool {
		_, err := os.Lstat(a.path)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// expireAsides removes the files that were set aside and have no event at or after before.
func (g *group) expireAsides(before int64) error {
	var errs []error
	g.asides = slices.DeleteFunc(g.asides, func(a aside) bool {
		if a.until >= before {
			return false
		}
		err := os.RemoveAll(a.path)
		errs = append(errs, err)
		return err == nil
	})
	return errors.Join(errs...)
}

// skip logs that a part of a file cannot be read. It logs each part once.
func (g *group) skip(path string, err error) {
	if _, again := g.told.LoadOrStore(err.Error(), path); !again {
		g.logger.Error("skipped damaged log events: the others are read", "group", g.id, "error", err)
	}
}

// Damaged lists, by group id, the names of files with events that were found unreadable. A damaged part of a file is
// found when it is read.
func (s *Store) Damaged() map[string][]string {
	all := map[string][]string{}
	for _, g := range s.all() {
		if files := g.damaged(); len(files) > 0 {
			all[g.id] = files
		}
	}
	return all
}

// damaged lists the names of the group's files with unreadable events.
func (g *group) damaged() (files []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forgetAsides()
	for _, a := range g.asides {
		files = append(files, a.path)
	}
	g.told.Range(func(_, path any) bool {
		own := func(s *segment) bool { return s.path == path }
		if g.journal != nil && g.journal.path == path || slices.ContainsFunc(g.segments, own) {
			files = append(files, path.(string))
		}
		return true
	})
	for i, path := range files {
		files[i] = filepath.Base(path)
	}
	slices.Sort(files)
	return slices.Compact(files)
}
