package testkit

import (
	"testing"

	"golang.org/x/sys/unix"
)

// LimitDescriptors forbids this process to open a file with a descriptor of most or higher, until restore is called.
// Open files stay open. The limit applies to the whole process, so no other test may run in parallel.
func LimitDescriptors(t *testing.T, most uint64) (restore func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	set := func(most uint64) {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: most, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
	}
	set(most)
	return func() { set(limit.Cur) }
}
