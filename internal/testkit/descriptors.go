package testkit

import (
	"testing"

	"golang.org/x/sys/unix"
)

// LimitDescriptors lets this process open no file whose number is beyond a limit, until restore. What is open stays so.
// The limit is the whole process's: a test that sets it has no others beside it.
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
