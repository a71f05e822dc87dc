package chaos

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// disk is what holds the state directory, and can be made to have no room left.
type disk interface {
	fill(engine int) error
	free(engine int) error
	close() error
	String() string
}

// newDisk mounts a small file system of its own on the directory where that is permitted, as it is to root.
func newDisk(dir string) (disk, error) {
	const size = "size=256m,mode=700"
	err := unix.Mount("chaos", dir, "tmpfs", 0, size)
	switch {
	case err == nil:
		return mounted(dir), nil
	case errors.Is(err, unix.EPERM):
		return limited{}, nil
	}
	return nil, fmt.Errorf("cannot mount a file system on %s: %w", dir, err)
}

// mounted is a small file system.
type mounted string

func (m mounted) String() string  { return "a tmpfs on the state directory, filled by a file" }
func (m mounted) ballast() string { return filepath.Join(string(m), "ballast") }

func (m mounted) fill(int) error {
	f, err := os.Create(m.ballast())
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for size := len(block); size >= 1; {
		if _, err := f.Write(block[:size]); err != nil && !errors.Is(err, unix.ENOSPC) {
			return err
		} else if err != nil {
			size /= 2
		}
	}
	return nil
}

func (m mounted) free(int) error { return os.Remove(m.ballast()) }

func (m mounted) close() error {
	if err := unix.Unmount(string(m), unix.MNT_DETACH); err != nil {
		return fmt.Errorf("cannot unmount %s: %w", m, err)
	}
	return nil
}

// limited stands in where nothing may be mounted: the engine may not write any file beyond its first page. It says
// EFBIG where a full disk says ENOSPC.
type limited struct{}

func (limited) String() string {
	return "no permission to mount: a limit on the size of what larder writes (RLIMIT_FSIZE)"
}

func (limited) fill(engine int) error { return setLimit(engine, unix.RLIMIT_FSIZE, 4096) }
func (limited) free(engine int) error { return setLimit(engine, unix.RLIMIT_FSIZE, unix.RLIM_INFINITY) }
func (limited) close() error          { return nil }

// setLimit changes a process's soft limit.
func setLimit(pid, resource int, soft uint64) error {
	var l unix.Rlimit
	if err := unix.Prlimit(pid, resource, nil, &l); err != nil {
		return fmt.Errorf("cannot read a limit of process %d: %w", pid, err)
	}
	l.Cur = min(soft, l.Max)
	if err := unix.Prlimit(pid, resource, &l, nil); err != nil {
		return fmt.Errorf("cannot set a limit of process %d: %w", pid, err)
	}
	return nil
}
