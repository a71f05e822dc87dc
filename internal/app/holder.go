package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/store"
)

// orphanPatience is how long a state file may be held by what a killed engine left: a process that it was starting
// keeps the engine's files open until it has become another program.
const orphanPatience = 3 * time.Second

// hold locks the state directory itself, which no living engine may hold: every file in it may be replaced. Closing the
// file lets go.
func (h Home) hold() (*os.File, error) {
	dir, err := os.Open(string(h))
	if err != nil {
		return nil, fmt.Errorf("cannot use the state directory: %w; choose another with LARDER_HOME", err)
	}
	err = h.patiently(func() error {
		err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return store.ErrLocked
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

// openState opens the state file.
func (h Home) openState() (s *store.Store, err error) {
	err = h.patiently(func() error { // an engine of a larder that locked nothing else may hold it
		s, err = store.Open(h.stateFile())
		return err
	})
	return s, err
}

// patiently takes what another process holds, once what a killed engine left has let go of it.
func (h Home) patiently(take func() error) error {
	for end := time.Now().Add(orphanPatience); ; time.Sleep(10 * time.Millisecond) {
		err := take()
		if !errors.Is(err, store.ErrLocked) {
			return err
		}
		owner, serves := h.owner()
		if serves || time.Now().After(end) {
			return fmt.Errorf("another larder runs on the state directory %s%s: stop it with `larder down`, or give "+
				"this one a directory of its own with LARDER_HOME", h, processText(owner))
		}
	}
}

// owner is the process that holds the state directory, 0 where it is not known, and whether that is an engine that has
// written its info file. The file alone does not tell: the id of an engine that is gone may be another process's.
func (h Home) owner() (pid int, serves bool) {
	pid, held, err := h.Holder()
	if err != nil || !held {
		return 0, false
	}
	i, err := h.ReadInfo()
	return pid, err == nil && pid == i.PID
}

// Holder tells whether a process holds the state directory, as an engine does for as long as it runs, and which; 0 is
// one that may not be looked at. A statedir.StorageError is of the file system.
func (h Home) Holder() (pid int, held bool, err error) {
	for _, path := range []string{string(h),
		h.stateFile()} { // the second is all that the engines of older larders hold
		file, err := answered(h, "finding out whether an engine holds it",
			func() (os.FileInfo, error) { return lockedFile(path) })
		if err != nil {
			return 0, false, err
		}
		if file == nil {
			continue
		}
		held = true
		if pid, err = holding(file); err != nil || pid != 0 {
			return pid, held, err
		}
	}
	return 0, held, nil
}

// lockedFile describes a file that a process has locked; nil is one that nobody has, or that is not there.
func lockedFile(path string) (os.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // opening a pipe would wait for a writer
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); {
	case err == nil:
		return nil, nil
	case !errors.Is(err, unix.EWOULDBLOCK):
		return nil, fmt.Errorf("cannot tell whether an engine holds %s: %w", path, err)
	}
	return f.Stat()
}

// holding finds another process that has locked a file; 0 where it may not be looked at.
func holding(file os.FileInfo) (pid int, err error) {
	dirs, err := filepath.Glob("/proc/[0-9]*/fd")
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(strings.Split(dir, "/")[2])
		if err != nil || pid == os.Getpid() {
			continue
		}
		if locked, err := hasLocked(pid, file); err == nil &&
			locked { // what cannot be looked at is another user's, or gone
			return pid, nil
		}
	}
	return 0, nil
}

// hasLocked tells whether a process has a file open that it, or one that it comes from, has locked with flock. Many may
// have a file open that they have not locked. Source: proc(5), /proc/PID/fdinfo.
func hasLocked(pid int, file os.FileInfo) (bool, error) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	open, err := os.ReadDir(dir + "fd")
	if err != nil {
		return false, err
	}
	for _, fd := range open {
		if same, err := leadsTo(dir+"fd/"+fd.Name(), file); err != nil || !same {
			continue
		}
		info, err := os.ReadFile(dir + "fdinfo/" + fd.Name())
		if err == nil && bytes.Contains(info, []byte("FLOCK")) && bytes.Contains(info, []byte("WRITE")) {
			return true, nil
		}
	}
	return false, nil
}

// leadsTo tells whether what a descriptor in /proc leads to is a file. It asks no file system: that of another file may
// hang.
func leadsTo(descriptor string, file os.FileInfo) (bool, error) {
	var other unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, descriptor, unix.AT_STATX_DONT_SYNC, unix.STATX_INO, &other); err != nil {
		return false, err
	}
	own := file.Sys().(*syscall.Stat_t)
	return other.Ino == own.Ino && unix.Mkdev(other.Dev_major, other.Dev_minor) == own.Dev, nil
}

// runs tells whether there is such a process. One that has ended and is not buried yet has an id, and runs no more. The
// command line would not tell: it is empty for a moment while a process becomes another program, too.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, found := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:],
		[]byte(" ")) // the name before it may hold anything
	return found && !bytes.HasPrefix(state, []byte("Z")) && !bytes.HasPrefix(state, []byte("X"))
}

func processText(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
