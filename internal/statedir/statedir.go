// Package statedir makes sure that a state directory and everything in it belong to the user that larder runs as, and
// that no other user can read or change them. It corrects modes, and refuses what only a person can decide.
package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// The modes of what is in a state directory, independent of the umask. Other users may read only certificates, which
// clients must trust.
const (
	dirMode    = 0o700
	fileMode   = 0o600
	publicMode = 0o644
	othersMay  = 0o077
)

// public are the files that everybody may read.
var public = map[string]bool{"ca.pem": true, "ca-bundle.pem": true}

// A Checker secures state directories. New returns one for this process. Every field is required.
type Checker struct {
	UID, GID int // of the user that larder runs as
	// Chmod changes the mode of a file. Its path follows no link.
	Chmod func(path string, mode fs.FileMode) error
}

// New returns the checker for this process's user.
func New() Checker { return Checker{UID: os.Geteuid(), GID: os.Getegid(), Chmod: os.Chmod} }

// Refusal says why a state directory is not used, and what to do.
type Refusal struct{ What, Next string }

func (r *Refusal) Error() string { return r.What + "\nnext: " + r.Next }

const chooseAnother = "choose a directory of its own for larder with LARDER_HOME"

// Secure creates a state directory if there is none, and makes sure that it and everything that larder keeps in it
// belong to this user alone. It returns what it corrected, and a *Refusal for what it must not correct. It changes
// nothing through a link.
func (c Checker) Secure(dir string) (Mended, error) {
	m := Mended{Dir: dir}
	real, err := c.resolve(dir)
	if err != nil {
		return m, err
	}
	if err := c.checkParents(filepath.Dir(real)); err != nil {
		return m, err
	}
	if err := c.create(real); err != nil {
		return m, err
	}
	if err := c.checkDirectory(location{real, real}); err != nil {
		return m, err
	}
	w := walk{Checker: c, location: location{real, real}, stopAtRefusal: true, mended: Mended{Dir: dir}}
	err = w.visit("", true)
	return w.mended, err
}

// Mend does the same for a directory that an engine holds open, wherever its path leads now. Messages name it dir. Mend
// continues after a refusal, and returns all refusals and errors.
func (c Checker) Mend(held *os.File, dir string) (Mended, error) {
	at := location{fmt.Sprintf("/proc/self/fd/%d/.", held.Fd()), dir}
	if err := c.checkDirectory(at); err != nil {
		return Mended{Dir: dir}, err
	}
	w := walk{Checker: c, location: at, mended: Mended{Dir: dir}}
	err := w.visit("", true)
	return w.mended, errors.Join(append(w.refused, err)...)
}

// Inspection describes what Secure would do.
type Inspection struct {
	Modes   string  // the modes that it would correct, in words; empty if all are good
	Refused []error // what it would refuse, each a *Refusal
}

// Look returns what Secure would do with a directory, if it exists. It changes nothing, so it cannot find out whether
// the file system keeps modes.
func (c Checker) Look(dir string) (found Inspection, err error) {
	w := walk{Checker: c, lookOnly: true}
	real, err := c.resolve(dir)
	w.location = location{real, real}
	if err == nil {
		err = w.keep(c.checkParents(filepath.Dir(real)))
	}
	if err == nil {
		err = c.checkDirectory(w.location)
	}
	if err == nil { // otherwise what is in it may be another user's
		err = w.visit("", true)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	err = w.keep(err)
	return Inspection{few(words(w.mended.Files, "should be")), w.refused}, err
}

// location is a state directory: the path that leads to it, and its path in messages.
type location struct{ path, shown string }

// resolve returns the path without links. If dir itself is a link, resolve follows it only if this user or root created
// it.
func (c Checker) resolve(dir string) (string, error) {
	if info, err := lstat(dir); err == nil && info.Mode&unix.S_IFMT == unix.S_IFLNK && !c.trusts(info.Uid) {
		target, _ := os.Readlink(dir) // for the message only
		return "", &Refusal{fmt.Sprintf("the state directory %s is a link to %s that user %d made, and larder "+
			"runs as user %d", dir, target, info.Uid, c.UID), chooseAnother}
	}
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		parent, err := filepath.EvalSymlinks(filepath.Dir(dir))
		if errors.Is(err, fs.ErrNotExist) {
			parent, err = c.resolve(filepath.Dir(dir))
		}
		return filepath.Join(parent, filepath.Base(dir)), err
	}
	return real, err
}

// trusts reports whether a user is this one or root, who can do anything anyway.
func (c Checker) trusts(uid uint32) bool { return int(uid) == c.UID || uid == 0 }

// create creates the directory and those above it that are missing. It sets their modes explicitly, because a umask
// could make them narrower or wider.
func (c Checker) create(dir string) error {
	err := os.Mkdir(dir, dirMode)
	if errors.Is(err, fs.ErrNotExist) {
		if err := c.create(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, dirMode)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.Chmod(dir, dirMode)
}

// checkDirectory refuses a directory that larder must not change.
func (c Checker) checkDirectory(at location) error {
	dir := at.shown
	info, err := lstat(at.path)
	if err != nil {
		return err
	}
	if info.Mode&unix.S_IFMT != unix.S_IFDIR {
		return &Refusal{fmt.Sprintf("the state directory %s is %s", dir, kind(info.Mode)), chooseAnother}
	}
	if int(info.Uid) != c.UID {
		return c.foreignOwner("the state directory "+dir, info.Uid)
	}
	entries, err := os.ReadDir(at.path)
	if errors.Is(err, fs.ErrPermission) &&
		info.Mode&dirMode != dirMode { // created under a umask that removed this user's own permissions
		err = nil
	}
	if err != nil {
		return fmt.Errorf("cannot look into the state directory: %w", err)
	}
	own, others := classify(entries)
	switch {
	case info.Mode&unix.S_ISVTX != 0:
		return &Refusal{fmt.Sprintf("the state directory %s is one that users share (mode %s)", dir, octal(info.Mode)),
			chooseAnother}
	case len(others) > 0 && !own:
		return &Refusal{fmt.Sprintf("the state directory %s holds %s, and nothing of larder", dir, few(others)),
			chooseAnother}
	case len(others) > 0 && info.Mode&othersMay != 0:
		return &Refusal{
			fmt.Sprintf("the state directory %s may be read by others (mode %s), and holds %s, which is not "+
				"larder's, so larder leaves its mode", dir, octal(info.Mode), few(others)),
			fmt.Sprintf("`chmod 700 %s`, or %s", dir, chooseAnother),
		}
	}
	return nil
}

func (c Checker) foreignOwner(what string, uid uint32) error {
	return &Refusal{
		fmt.Sprintf("%s belongs to user %d, and larder runs as user %d: whoever owns it can read and change what "+
			"larder keeps", what, uid, c.UID),
		"run larder as that user, or choose another directory with LARDER_HOME",
	}
}

// The names that larder uses in a state directory. A file whose name begins with one of these is larder's too: a
// temporary file, or a copy that somebody keeps there. Only a state directory has names in identifying; names such as
// logs and mail are common.
var (
	identifying = []string{"larder.db", "master.key", "engine."}
	files       = append([]string{"ca.pem", "ca-bundle.pem", "probe-"}, identifying...)
	directories = []string{"nodes", "snapshots", "logs", "metrics", "mail", "regions", "forgotten"}
)

// kept reports whether larder keeps something of that name in a state directory.
func kept(name string) bool {
	return slices.Contains(directories, name) || begins(name, files)
}

func begins(name string, list []string) bool {
	name = strings.TrimPrefix(name, ".")
	return slices.ContainsFunc(list, func(l string) bool { return strings.HasPrefix(name, l) })
}

// classify reports whether a directory is a state directory, and which of its entries are not larder's.
func classify(entries []fs.DirEntry) (own bool, others []string) {
	own = slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return begins(e.Name(), identifying) })
	for _, e := range entries {
		if e.Name() != "lost+found" && (!own || !kept(e.Name())) { // every ext4 file system has lost+found
			others = append(others, e.Name())
		}
	}
	return own, others
}

// few names the first of many.
func few(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
