package engine_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"larder/internal/cache"
)

// TestAMemberThatCannotStartHoldsNothingUp: the others follow the new primary, and the reader endpoint is served.
func TestAMemberThatCannotStartHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("g", 3, nil)
	w.awaitAvailable("g")
	// The executable of its next process is written beside its log, where there is a directory now.
	mark := filepath.Join(w.runtime.Dir, "g-001", "executable")
	if err := os.Remove(mark); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(mark, 0o700); err != nil {
		t.Fatal(err)
	}
	w.signal("g-001", syscall.SIGKILL)
	begin := time.Now()
	for {
		now := must(w.get("g"))(t)
		o := w.engine.Report("g").Observed
		p := now.Primary()
		synced := 0
		for _, m := range now.Members {
			if cache.InSync(&now, o, m.ID) {
				synced++
			}
		}
		if p.ID != "g-001" && synced == 1 && len(o.Relay.Backends) == 1 && o.Relay.Backends[0] != p.Address {
			break
		}
		if time.Since(begin) > 3*time.Second { // measured: 0.6 s, and up to 6.1 s where the failure ended the other steps
			t.Fatalf("after %s: primary %s, %+v", time.Since(begin), p.ID, o)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := os.Remove(mark); err != nil {
		t.Fatal(err)
	}
	w.awaitAvailable("g")
}
