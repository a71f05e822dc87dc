// Package durable writes files and names that a crash leaves whole.
package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile writes a file that only its owner may read, and has its content on the disk before it gets its name: a
// crash leaves the old file or the new one, never half.
func WriteFile(path string, data []byte) error { return WriteFileMode(path, data, 0o600) }

// WriteFileMode writes a file as WriteFile does, with a mode that does not depend on the umask. A link at path is
// replaced, not followed.
func WriteFileMode(path string, data []byte, mode fs.FileMode) error {
	return write(path, bytes.NewReader(data), mode)
}

// WriteFrom is WriteFile of what it reads.
func WriteFrom(path string, data io.Reader) error { return write(path, data, 0o600) }

func write(path string, data io.Reader, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after a success there is nothing of that name
	_, err = io.Copy(f, data)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// SyncDir makes the names in a directory durable: what was created, renamed and removed there.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Named tells whether path leads to an open file.
func Named(f *os.File, path string) (bool, error) {
	own, err := f.Stat()
	if err != nil {
		return false, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(own, info), err
}

// Restore makes an open file whose name was removed anew at path, and returns the new one, open to be read and written.
// The offset of that is its end. The old one stays open. Nobody may write to either meanwhile.
func Restore(f *os.File, path string) (*os.File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := WriteFrom(path, io.NewSectionReader(f, 0, info.Size())); err != nil {
		return nil, err
	}
	again, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if _, err := again.Seek(0, io.SeekEnd); err != nil {
		return nil, errors.Join(err, again.Close())
	}
	return again, nil
}
