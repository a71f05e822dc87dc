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

// describe adds to an identified process what its directories and limits are. An error that isGone knows says that it
// ended meanwhile.
func describe(f Facts, id Identity) (Process, error) {
	p := Process{
		PID: f.PID, Parent: f.Parent, Start: f.Start, Identity: id, Foreign: f.Foreign,
		Stopped: f.State == 'T' || f.State == 't', Replaced: strings.HasSuffix(f.Executable, deletedSuffix),
	}
	var errRoot, errLimit error
	p.Root, errRoot = root(f.PID)
	p.Descriptors, errLimit = descriptors(f.PID)
	at, errPlace := statedir.Answer(p.State, "looking at it", func() (placed, error) { return p.place(f) })
	errPlace = statedir.Storage(p.State, errPlace)
	p.StateNumber, p.Lost = at.number, at.lost
	if p.Lost != "" && p.Mark != "" && !f.deleted(p.State) {
		p.State = p.markedState() // of what was unmounted the kernel tells the path below its mount point
		p.Lost = p.State
	}
	stat, errGone := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.PID))
	if errGone != nil {
		return p, errGone
	}
	now, err := parseStat(stat)
	if err == nil && (now.Start != f.Start || now.State == 'Z') {
		return p, unix.ESRCH // what was read may be another's, or of one that was ending
	}
	return p, errors.Join(err, errRoot, errLimit, errPlace)
}

// deleted tells whether a state directory, or what the process works in, was deleted.
func (f Facts) deleted(state string) bool {
	return strings.HasSuffix(f.Dir, deletedSuffix) || slices.Contains(f.Files, state+deletedSuffix)
}

// markedState is the state directory by the process's mark.
func (p Process) markedState() string {
	if p.ID == "" {
		return p.Mark
	}
	return stateOf(filepath.Dir(filepath.Dir(p.Mark)))
}

// root leads to the files that a process sees; it is empty where this one sees the same.
func root(pid int) (string, error) {
	own, err := os.Readlink("/proc/self/ns/mnt")
	other, errOther := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err := errors.Join(err, errOther); err != nil || own == other {
		return "", err
	}
	return fmt.Sprintf("/proc/%d/root", pid), nil
}

// descriptors is the hard limit on a process's open files.
func descriptors(pid int) (uint64, error) {
	var limit unix.Rlimit
	err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &limit)
	return limit.Max, err
}

// placed is which state directory a process has, by number, and which of its directories its path does not lead to any
// more.
type placed struct{ number, lost string }

// place looks at the state directory of a process, which may hang.
func (p Process) place(f Facts) (placed, error) {
	at := p.Root + p.State
	path, errPath := os.Stat(at)
	if errPath != nil && !isMissing(errPath) {
		return placed{}, fmt.Errorf("cannot tell whether its state directory is there: %w", errPath)
	}
	held, err := p.heldState(f)
	switch {
	case err != nil:
		return placed{}, err
	case held == nil: // an engine of an older larder, which held the store alone
		same, err := p.holdsStore(f, filepath.Join(at, storeName))
		if err != nil || !same || errPath != nil {
			return placed{lost: p.State}, err
		}
		return placed{number: fileNumber(path)}, nil
	case errPath != nil || !os.SameFile(held, path):
		return placed{fileNumber(held), p.State}, nil
	case p.ID != "" && strings.HasSuffix(f.Dir, deletedSuffix):
		return placed{fileNumber(held), undeleted(f.Dir)}, nil
	}
	return placed{number: fileNumber(held)}, nil
}

// heldState looks at the state directory through what a process has open, also when no path leads there; nil for an
// engine that has only the store open.
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

// holdsStore tells whether an engine has the store open that is at that path now.
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

// descriptor is the path of one of the files that a process has open.
func (f Facts) descriptor(i int) string { return fmt.Sprintf("/proc/%d/fd/%s", f.PID, f.numbers[i]) }

// isMissing tells whether an error says that there is nothing at a path.
func isMissing(err error) bool { return isGone(err) || errors.Is(err, unix.ENOTDIR) }

// fileNumber names a file by its device and inode.
func fileNumber(info os.FileInfo) string {
	st := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}
