package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"larder/internal/durable"
)

// TestOpenTakesPlainFilesOnly, and does not wait for who writes into a pipe.
func TestOpenTakesPlainFilesOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, folder, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "folder"), filepath.Join(dir, "file")
	if err := errors.Join(unix.Mkfifo(pipe, 0o600), os.Mkdir(folder, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, folder, os.DevNull} {
		for _, flags := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_CREATE} {
			if f, err := durable.Open(path, flags); !errors.Is(err, durable.ErrNotPlain) {
				t.Errorf("%s with the flags %x is %v, %v", path, flags, f, err)
			}
		}
	}
	f, err := durable.Open(file, os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is made with %v, %v", info.Mode(), err)
	}
	if _, err := durable.Open(filepath.Join(dir, "none"), os.O_RDONLY); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
