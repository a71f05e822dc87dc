package store_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"larder/internal/store"
)

// TestAWriteErrorSaysWhatToDo covers a full disk, a failing disk, and a disk that is gone.
func TestAWriteErrorSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for err, says := range map[error]string{
		unix.ENOSPC: "free some space", unix.EIO: "next: `dmesg`", unix.ENOTCONN: "next: mount it again",
		unix.EROFS: "remount,rw", unix.ENOENT: "no such file",
	} {
		got := (&store.WriteError{Dir: "/s", Err: err}).ErrorMessage()
		if !strings.Contains(got, says) || !strings.Contains(got, "/s") || !strings.Contains(got, "nothing was changed") {
			t.Errorf("of %v it says %q", err, got)
		}
	}
}
