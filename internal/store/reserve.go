package store

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// reserveSize is the reserve in bytes. It is enough for about ten transactions on a full disk: most write a few pages,
	// and some of these replace pages that the file already has.
	reserveSize = 1 << 20
	// reserveSlice is how many bytes are released at a time. A small slice is less likely to be taken by the process that
	// fills the disk.
	reserveSlice = 128 << 10
)

// reserve is a file that only occupies disk space, which is released when the disk is full.
type reserve struct {
	mu      sync.Mutex
	file    *os.File
	size    int64
	failure error // of the last attempt to allocate the space; reported when the reserve is used up
}

// openReserve allocates the reserve as far as the disk has room. It does not fail, because a store must open on a full
// disk.
func openReserve(path string) *reserve {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return &reserve{failure: err}
	}
	r := &reserve{file: f}
	if had, err := f.Stat(); err == nil { // what an earlier run left of its reserve
		r.size = min(had.Size(), reserveSize) / reserveSlice * reserveSlice
	}
	r.fill()
	return r
}

// fill allocates what is missing, when there is room for all of it.
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
	r.failure = errors.Join(err, r.file.Truncate(r.size)) // a file system may keep part of a failed allocation
}

// yield releases one slice. It returns false when nothing is left, with the error of the last attempt to allocate more.
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
	// Some file systems make freed blocks usable only after a sync.
	return true, r.file.Sync()
}

func (r *reserve) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
