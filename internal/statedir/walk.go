package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Mended is what Secure corrected.
type Mended struct {
	Dir   string
	Files []Change
}

// Change is the change of one file, by its path in the directory. The path is empty for the directory itself.
type Change struct {
	Path    string
	Was, Is uint32 // permission bits
}

// String describes the changes in one line; empty if nothing was corrected.
func (m Mended) String() string {
	if len(m.Files) == 0 {
		return ""
	}
	return fmt.Sprintf("the state directory %s holds secrets, and its modes let other users at them or this one not; "+
		"mended: %s", m.Dir, few(words(m.Files, "now")))
}

// words describes each change: the mode that the file had, and the one that it has now or should have.
func words(changes []Change, is string) (all []string) {
	for _, f := range changes {
		path := f.Path
		if path == "" {
			path = "the directory itself"
		}
		all = append(all, fmt.Sprintf("%s (mode %s, %s %s)", path, octal(f.Was), is, octal(f.Is)))
	}
	return all
}

// walk visits a state directory.
type walk struct {
	Checker
	location
	lookOnly      bool // change nothing; mended then says what would be changed
	stopAtRefusal bool
	mended        Mended
	refused       []error
}

// keep collects a refusal, unless it should stop the walk, and returns every other error.
func (w *walk) keep(err error) error {
	var refusal *Refusal
	if w.stopAtRefusal || !errors.As(err, &refusal) {
		return err
	}
	w.refused = append(w.refused, err)
	return nil
}

// visit checks and corrects a file of the state directory, and if it is a directory, what is in it. At the top it
// ignores what is not larder's.
func (w *walk) visit(name string, top bool) error {
	path, shown := w.path+"/"+name, filepath.Join(w.shown, name)
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) { // nodes' files come and go
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot look at %s: %w", shown, err)
	}
	defer unix.Close(fd)
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return fmt.Errorf("cannot look at %s: %w", shown, err)
	}
	if err := w.checkFile(shown, path, info); err != nil {
		return w.keep(err)
	}
	if err := w.keep(w.mend(fd, shown, name, info)); err != nil || info.Mode&unix.S_IFMT != unix.S_IFDIR {
		return err
	}
	entries, err := os.ReadDir(path)
	// Secure would correct its mode first
	if errors.Is(err, fs.ErrPermission) && w.lookOnly && info.Mode&dirMode != dirMode {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot look into the state directory: %w", err)
	}
	for _, e := range entries {
		if top && !kept(e.Name()) {
			continue
		}
		if err := w.visit(filepath.Join(name, e.Name()), false); err != nil {
			return err
		}
	}
	return nil
}

// checkFile refuses what larder does not create. Through a link or a second name larder would change another file, and
// opening a pipe blocks.
func (c Checker) checkFile(shown, path string, info unix.Stat_t) error {
	next := fmt.Sprintf("see who put it there, and remove it or put a file or directory of larder's there: `ls -l %s`",
		shown)
	switch info.Mode & unix.S_IFMT {
	case unix.S_IFDIR, unix.S_IFSOCK:
	case unix.S_IFREG:
		if info.Nlink > 1 && info.Mode&othersMay != 0 && !public[filepath.Base(path)] {
			return &Refusal{fmt.Sprintf("%s may be read by others (mode %s) and has a second name elsewhere, "+
				"whose mode would change too", shown, octal(info.Mode)), next}
		}
	case unix.S_IFLNK:
		target, _ := os.Readlink(path) // for the message only
		return &Refusal{fmt.Sprintf("%s is a link to %s: larder keeps its state in the state directory itself, "+
			"and follows no link there", shown, target), next}
	default:
		return &Refusal{fmt.Sprintf("%s is %s, which larder did not make", shown, kind(info.Mode)), next}
	}
	if int(info.Uid) != c.UID {
		return c.foreignOwner(shown, info.Uid)
	}
	return nil
}

// mend sets the mode of an open file, unless its mode is good already.
func (w *walk) mend(fd int, shown, name string, info unix.Stat_t) error {
	want, good := wanted(name, info.Mode)
	if good {
		return nil
	}
	if w.lookOnly {
		w.mended.Files = append(w.mended.Files, Change{name, info.Mode & 0o7777, want})
		return nil
	}
	err := w.Chmod("/proc/self/fd/"+strconv.Itoa(fd), fs.FileMode(want))
	var now unix.Stat_t
	if errStat := unix.Fstat(fd, &now); errStat != nil {
		return fmt.Errorf("cannot look at %s: %w", shown, errStat)
	}
	if _, good = wanted(name, now.Mode); !good {
		what := fmt.Sprintf("%s may be read or changed by others (mode %s), and ", shown, octal(now.Mode))
		if err != nil {
			what += fmt.Sprintf("its mode cannot be changed: %v", err)
		} else {
			what += "stays so whatever larder does: its file system keeps no modes"
		}
		return &Refusal{what,
			"choose a directory on a file system of this machine's own, such as ext4, xfs, btrfs or tmpfs, with " +
				"LARDER_HOME"}
	}
	w.mended.Files = append(w.mended.Files, Change{name, info.Mode & 0o7777, now.Mode & 0o7777})
	return nil
}

// wanted returns the mode that a file should have, and whether its current mode is as good: no other user may do
// anything, and its owner may read.
func wanted(name string, mode uint32) (want uint32, good bool) {
	switch {
	case mode&unix.S_IFMT == unix.S_IFDIR:
		return dirMode, mode&(othersMay|dirMode) == dirMode
	case public[name]:
		return publicMode, mode&(publicMode|0o133) == publicMode
	}
	return fileMode, mode&othersMay == 0 && mode&0o400 != 0
}

func lstat(path string) (info unix.Stat_t, err error) { return info, unix.Lstat(path, &info) }

func octal(mode uint32) string { return fmt.Sprintf("%04o", mode&0o7777) }

// kind describes a file that is not a directory.
func kind(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return "a pipe"
	case unix.S_IFCHR, unix.S_IFBLK:
		return "a device"
	case unix.S_IFSOCK:
		return "a socket"
	case unix.S_IFREG:
		return "a file"
	case unix.S_IFLNK:
		return "a link that leads nowhere"
	}
	return "no directory"
}
