package statedir

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// StorageError reports that the file system of a state directory fails, not what is in the directory.
type StorageError struct {
	Dir   string
	Mount Mount // the zero Mount if it is not known
	Err   error
	next  string
}

func (e *StorageError) Error() string {
	return fmt.Sprintf("cannot use the state directory %s%s: %v\nnext: %s", e.Dir, e.Mount, e.Err, e.next)
}

// Unwrap returns the reason.
func (e *StorageError) Unwrap() error { return e.Err }

// Storage turns a file system's error into a StorageError, and returns any other error unchanged.
func Storage(dir string, err error) error {
	var known *StorageError
	next := Next(err)
	if next == "" || errors.As(err, &known) {
		return err
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo") // without it the error does not name the file system
	return &StorageError{dir, mountOf(string(mounts), dir), err, next}
}

// What to do, and what that costs.
const (
	nextGiveUp = "an engine that runs there, and its nodes, go on for as long as it is mounted. `umount -l` gives it " +
		"up: the engine then ends with its nodes, and the data in them are lost; copy these from their endpoints first"
	nextServer = "have its server answer again, and try again: a process that is stopped goes on with `kill -CONT`; " +
		nextGiveUp
	nextMount = "mount it again, or choose another directory with LARDER_HOME; " + nextGiveUp
	nextDisk  = "`dmesg` says what fails, a disk or what is behind a network. Copy what can be read, and use the copy " +
		"with LARDER_HOME; " + nextGiveUp
	nextRepair = "`dmesg` says what is wrong; unmount it and repair it with fsck. " + nextGiveUp
	nextWrite  = "`dmesg` says whether an error made it so; `mount -o remount,rw` makes it writable again, or choose " +
		"another directory with LARDER_HOME"
)

// storage lists the errors of a failing file system, and what to do about each.
var storage = []struct {
	err  error
	next string
}{
	{unix.ENOTCONN, nextMount}, // the server of a FUSE file system has ended
	{unix.ECONNABORTED, nextMount},
	{unix.ESTALE, nextMount}, // the file server does not know the directory any more
	{unix.EIO, nextDisk},
	{unix.EUCLEAN, nextRepair},
	{unix.EBADMSG, nextRepair},
	{unix.EROFS, nextWrite},
	{unix.ETIMEDOUT, nextServer}, // the file server does not respond, and the mount is soft
	{unix.EHOSTDOWN, nextServer},
	{unix.EHOSTUNREACH, nextServer},
	{unix.ENETUNREACH, nextServer},
}

// Next says what to do about an error of a file system; empty for any other error.
func Next(err error) string {
	var hang *HangError
	if errors.As(err, &hang) {
		return nextServer
	}
	for _, s := range storage {
		if errors.Is(err, s.err) {
			return s.next
		}
	}
	return ""
}

// Mount is a mounted file system.
type Mount struct{ Point, Type, Source string }

// String returns the mount in brackets, after a space; empty for the zero Mount.
func (m Mount) String() string {
	if m.Point == "" {
		return ""
	}
	return fmt.Sprintf(" (on %s, which is %s of type %s)", m.Point, m.Source, m.Type)
}

// mountOf finds the file system that contains path in a mountinfo. It compares only names, because accessing the path
// could hang. Source: proc_pid_mountinfo(5).
func mountOf(mountinfo, path string) (found Mount) {
	const point, sourceFields = 4, 2
	for line := range strings.Lines(mountinfo) {
		own, more, _ := strings.Cut(line, " - ")
		fields, source := strings.Fields(own), strings.Fields(more)
		if len(fields) <= point || len(source) < sourceFields {
			continue
		}
		at := unescape(fields[point])
		inside := path == at || strings.HasPrefix(path, strings.TrimSuffix(at, "/")+"/")
		if inside && len(at) >= len(found.Point) { // of several mounts at one point, the last one counts
			found = Mount{at, source[0], unescape(source[1])}
		}
	}
	return found
}

// unescape decodes the kernel's octal escapes for blanks and backslashes in names.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
