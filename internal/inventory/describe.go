package inventory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"larder/internal/statedir"
)

// describe adds the directories and limits of an identified process. An error for which isGone is true says that the
// process has ended meanwhile.
func describe(f Facts, id Identity) (Process, error) {
	p := Process{
		PID: f.PID, Parent: f.Parent, Start: f.Start, Identity: id, Foreign: f.Foreign,
		Stopped: f.State == 'T' || f.State == 't', Replaced: strings.HasSuffix(f.Executable, deletedSuffix),
	}
	var errRoot, errLimit error
	p.Root, errRoot = root(f.PID)
	p.Descriptors, errLimit = descriptors(f.PID)
	at, errLocate := statedir.Answer(p.State, "looking at it", func() (location, error) { return p.locate(f) })
	errLocate = statedir.Storage(p.State, errLocate)
	p.StateNumber, p.Lost = at.number, at.lost
	if p.Lost != "" && p.Mark != "" && !f.deleted(p.State) {
		p.State = p.markedState() // after an unmount, the kernel reports only the path below the mount point
		p.Lost = p.State
	}
	stat, errGone := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.PID))
	if errGone != nil {
		return p, errGone
	}
	now, err := parseStat(stat)
	if err == nil && (now.Start != f.Start || now.State == 'Z') {
		return p, unix.ESRCH // what was read may be of another process, or of one that was ending
	}
	return p, errors.Join(err, errRoot, errLimit, errLocate)
}

// deleted reports whether a state directory, or the process's working directory, was deleted.
func (f Facts) deleted(state string) bool {
	return strings.HasSuffix(f.Dir, deletedSuffix) || slices.Contains(f.Files, state+deletedSuffix)
}

// markedState returns the state directory according to the process's mark.
func (p Process) markedState() string {
	if p.ID == "" {
		return p.Mark
	}
	return stateOf(filepath.Dir(filepath.Dir(p.Mark)))
}

// root returns the path under which a process's files can be accessed; empty if the process is in this mount namespace.
func root(pid int) (string, error) {
	own, err := os.Readlink("/proc/self/ns/mnt")
	other, errOther := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err := errors.Join(err, errOther); err != nil || own == other {
		return "", err
	}
	return fmt.Sprintf("/proc/%d/root", pid), nil
}

// descriptors returns the hard limit on a process's open files.
func descriptors(pid int) (uint64, error) {
	var limit unix.Rlimit
	err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &limit)
	return limit.Max, err
}

// location has the device and inode of a process's state directory, and the directory of the process that its path does
// not lead to any more; lost is empty if none is.
type location struct{ number, lost string }

// locate finds the state directory of a process. It may hang.
func (p Process) locate(f Facts) (location, error) {
	at := p.Root + p.State
	path, errPath := os.Stat(at)
	if errPath != nil && !isMissing(errPath) {
		return location{}, fmt.Errorf("cannot tell whether its state directory is there: %w", errPath)
	}
	held, err := p.heldState(f)
	switch {
	case err != nil:
		return location{}, err
	case held == nil: // an engine of an older larder, which had only the store open
		same, err := p.holdsStore(f, filepath.Join(at, storeName))
		if err != nil || !same || errPath != nil {
			return location{lost: p.State}, err
		}
		return location{number: fileNumber(path)}, nil
	case errPath != nil || !os.SameFile(held, path):
		return location{fileNumber(held), p.State}, nil
	case p.ID != "" && strings.HasSuffix(f.Dir, deletedSuffix):
		return location{fileNumber(held), undeleted(f.Dir)}, nil
	}
	return location{number: fileNumber(held)}, nil
}

// heldState returns the state directory that a process has open, even if no path leads there; nil for an engine that
// has only the store open.
func (p Process) heldState(f Facts) (os.FileInfo, error) {
	if p.ID != "" {
		return os.Stat(fmt.Sprintf("/proc/%d/cwd/../..", p.PID))
	}
	for i, link := range f.Files {
		if undeleted(link) != p.State {
			continue
		}
		info, err := os.Stat(f.descriptor(i))
		if err != nil && !isMissing(err) {
			return nil, err
		}
		if err == nil && info.IsDir() {
			return info, nil
		}
	}
	return nil, nil
}

// holdsStore reports whether an engine has the store open that is now at path.
func (p Process) holdsStore(f Facts, path string) (bool, error) {
	there, err := os.Stat(path)
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for i, link := range f.Files {
		if filepath.Base(undeleted(link)) != storeName {
			continue
		}
		if info, err := os.Stat(f.descriptor(i)); err == nil && os.SameFile(info, there) {
			return true, nil
		} else if err != nil && !isMissing(err) {
			return false, err
		}
	}
	return false, nil
}

// descriptor returns the path of one of the files that a process has open.
func (f Facts) descriptor(i int) string { return fmt.Sprintf("/proc/%d/fd/%s", f.PID, f.numbers[i]) }

// isMissing reports whether an error says that there is nothing at a path.
func isMissing(err error) bool { return isGone(err) || errors.Is(err, unix.ENOTDIR) }

// fileNumber identifies a file by its device and inode.
func fileNumber(info os.FileInfo) string {
	st := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}
