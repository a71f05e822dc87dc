package store

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// reserveSize is for some ten transactions on a disk that is full, in bytes. Most write a few pages, and not all of
	// them anew.
	reserveSize = 1 << 20
	// reserveSlice is what is given up at a time, lest whoever fills the disk takes the rest too.
	reserveSlice = 128 << 10
)

// reserve is a file that does nothing but take room, to be given up when there is no other.
type reserve struct {
	mu      sync.Mutex
	file    *os.File
	size    int64
	failure error // of the last attempt to take room; told when there is none left
}

// openReserve takes room, as far as there is any: a store on a full disk has to open.
func openReserve(path string) *reserve {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return &reserve{failure: err}
	}
	r := &reserve{file: f}
	if had, err := f.Stat(); err == nil { // what an earlier run kept, or has left of it
		r.size = min(had.Size(), reserveSize) / reserveSlice * reserveSlice
	}
	r.fill()
	return r
}

// fill takes what is missing, when there is room for all of it.
func (r *reserve) fill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil || r.size == reserveSize {
		return
	}
	err := unix.Fallocate(int(r.file.Fd()), 0, 0, reserveSize)
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = r.file.WriteAt(make([]byte, reserveSize), 0)
	}
	if err == nil {
		r.size, r.failure = reserveSize, nil
		return
	}
	r.failure = errors.Join(err, r.file.Truncate(r.size)) // a file system may keep what it had found
}

// yield gives some of it up; false says that there is none left, and the error why.
func (r *reserve) yield() (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size == 0 && r.failure != nil {
		return false, fmt.Errorf("cannot reserve disk space: %w", r.failure)
	} else if r.size == 0 {
		return false, nil
	}
	r.size -= reserveSlice
	if err := r.file.Truncate(r.size); err != nil {
		return false, fmt.Errorf("cannot give up reserved disk space: %w", err)
	}
	// Some file systems let nobody have freed blocks before that is on the disk.
	return true, r.file.Sync()
}

func (r *reserve) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
