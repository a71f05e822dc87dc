package testkit

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// leakPatience is how long goroutines may run after the last test. One of go-redis's sleeps for a second after its
// client is closed, and on a busy machine any may wait for a processor.
const leakPatience = 20 * time.Second

// Leakless runs a package's tests, for TestMain, and fails if goroutines are left.
func Leakless(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := leaked(); err != nil {
			fmt.Fprintf(os.Stderr, "goroutines stay after the tests: %v\n", err)
			code = 1
		}
	}
	os.Exit(code)
}

func leaked() error {
	for end := time.Now().Add(leakPatience); ; { // each Find waits half a second
		if err := goleak.Find(); err == nil || time.Now().After(end) {
			return err
		}
	}
}
