package statedir

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// StorageError says that the file system below a state directory fails, as opposed to what is in the directory.
type StorageError struct {
	Dir   string
	Mount Mount // the zero Mount where it is not known
	Err   error
	next  string
}

func (e *StorageError) Error() string {
	return fmt.Sprintf("cannot use the state directory %s%s: %v\nnext: %s", e.Dir, e.Mount, e.Err, e.next)
}

// Unwrap returns the reason.
func (e *StorageError) Unwrap() error { return e.Err }

// Storage makes a StorageError of an error that is the file system's, and returns any other as it is.
func Storage(dir string, err error) error {
	var known *StorageError
	next := Next(err)
	if next == "" || errors.As(err, &known) {
		return err
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo") // without it the error lacks a name
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

// storage are the errors that are a file system's own, and what to do about each.
var storage = []struct {
	err  error
	next string
}{
	{unix.ENOTCONN, nextMount}, // the server of a FUSE file system has ended
	{unix.ECONNABORTED, nextMount},
	{unix.ESTALE, nextMount}, // a file server knows the directory no more
	{unix.EIO, nextDisk},
	{unix.EUCLEAN, nextRepair},
	{unix.EBADMSG, nextRepair},
	{unix.EROFS, nextWrite},
	{unix.ETIMEDOUT, nextServer}, // a file server does not answer one that may not wait for ever
	{unix.EHOSTDOWN, nextServer},
	{unix.EHOSTUNREACH, nextServer},
	{unix.ENETUNREACH, nextServer},
}

// Next says what to do about an error of a file system; empty where the error is none of those.
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

// Mount is a file system that is mounted.
type Mount struct{ Point, Type, Source string }

// String names it in brackets, with a space before them; it is empty for the zero Mount.
func (m Mount) String() string {
	if m.Point == "" {
		return ""
	}
	return fmt.Sprintf(" (on %s, which is %s of type %s)", m.Point, m.Source, m.Type)
}

// mountOf finds the file system that has a path among those in a mountinfo, by names alone: looking at the path could
// hang. Source: proc_pid_mountinfo(5).
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
		if inside && len(at) >= len(found.Point) { // of several at one point the last covers the others
			found = Mount{at, source[0], unescape(source[1])}
		}
	}
	return found
}

// unescape reads what the kernel wrote in octal: blanks and backslashes in names.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
