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
	until int64 // no event of it is later, in milliseconds since 1970
}

// maxAhead is by how much an event's time may be later than its arrival.
const maxAhead = 2 * time.Hour

// setAside takes a damaged file out of the way of the others.
func (g *group) setAside(path string, why error) error {
	if err := os.Rename(path, path+damagedSuffix); err != nil {
		return errors.Join(why, err)
	}
	g.aside(path+damagedSuffix, why)
	return nil
}

// aside says that a file was set aside, and notes it.
func (g *group) aside(path string, why error) {
	g.logger.Error("set a damaged file of log events aside", "group", g.id, "file", path, "error", why)
	if err := g.recall(path); err != nil {
		g.logger.Error("cannot look at a damaged file of log events", "group", g.id, "error", err)
	}
}

// recall notes a file that was set aside. It was not written to any more after its last event came.
func (g *group) recall(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	g.asides = slices.DeleteFunc(g.asides, func(a aside) bool { return a.path == path })
	g.asides = append(g.asides, aside{path, info.Size(), info.ModTime().Add(maxAhead).UnixMilli()})
	return nil
}

// missing tells whether a file that was set aside, and is still there, can have held events of a time or later.
func (g *group) missing(from int64) bool {
	g.forgetAsides()
	return slices.ContainsFunc(g.asides, func(a aside) bool { return a.until >= from })
}

// forgetAsides forgets files that somebody removed.
func (g *group) forgetAsides() {
	g.asides = slices.DeleteFunc(g.asides, func(a aside) bool {
		_, err := os.Lstat(a.path)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// expireAsides removes the files that were set aside and have no event later than a time.
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

// skip says, once, that a part of a file cannot be read.
func (g *group) skip(path string, err error) {
	if _, again := g.told.LoadOrStore(err.Error(), path); !again {
		g.logger.Error("skipped damaged log events: the others are read", "group", g.id, "error", err)
	}
}

// Damaged lists the files of each group, by its id, of which events were found that cannot be read. A damaged part of
// a file is found when it is read.
func (s *Store) Damaged() map[string][]string {
	all := map[string][]string{}
	for _, g := range s.all() {
		if files := g.damaged(); len(files) > 0 {
			all[g.id] = files
		}
	}
	return all
}

// damaged lists the names of the group's files of which events cannot be read.
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
