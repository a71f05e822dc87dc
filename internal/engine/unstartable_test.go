package engine_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"larder/internal/cache"
	"larder/internal/plan"
)

// TestAMemberThatCannotStartHoldsNothingUp: the others follow the new primary, and the reader endpoint is served.
func TestAMemberThatCannotStartHoldsNothingUp(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 3, nil)
	w.awaitAvailable("g")
	restore := w.unstartable("g-001")
	w.signal("g-001", syscall.SIGKILL)
	w.eventually("the other replica follows, and is read from", func() bool {
		now := must(w.get("g"))(t)
		o := w.engine.Report("g").Observed
		p := now.Primary()
		synced := 0
		for _, m := range now.Members {
			if m.Role == cache.Replica && plan.InSync(&now, o, m.ID) {
				synced++
			}
		}
		return p.ID != "g-001" && synced == 1 && len(o.Relay.Backends) == 1 && o.Relay.Backends[0] != p.Address
	})
	restore()
	w.awaitAvailable("g")
}

// unstartable has every start of a member fail until restore: there is a directory in the place of its next process's
// log.
func (w *fixture) unstartable(id string) (restore func()) {
	w.t.Helper()
	mark := filepath.Join(w.runtime.Dir, id, "node.log")
	if err := os.Remove(mark); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Mkdir(mark, 0o700); err != nil {
		w.t.Fatal(err)
	}
	return func() {
		if err := os.Remove(mark); err != nil {
			w.t.Fatal(err)
		}
	}
}
