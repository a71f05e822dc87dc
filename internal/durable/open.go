package durable

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotPlain says that a path leads to something else than a plain file: a directory, a pipe, a socket or a device.
var ErrNotPlain = errors.New("it is not a plain file")

// Open opens a plain file with the flags of os.OpenFile; what it makes only its owner may use. It waits for nobody: a
// pipe that lies in the file's place would have an engine wait for ever for who writes into it.
func Open(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, flags|unix.O_NONBLOCK, 0o600)
	if errors.Is(err, unix.ENXIO) ||
		errors.Is(err, unix.EISDIR) { // a pipe, a socket or a device without another end; a directory
		return nil, &fs.PathError{Op: "open", Path: path, Err: ErrNotPlain}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotPlain}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
