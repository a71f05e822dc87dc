package cli

import (
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dieAt has the cloud's engine die at the n-th transaction from now on: neither that nor a later one is kept, and
// nobody has an answer any more. died tells whether it has.
func (c *cloud) dieAt(n int64) (died func() bool) {
	var begun atomic.Int64
	died = func() bool { return begun.Load() >= n }
	c.store.Refuse(func() error {
		if begun.Add(1) >= n {
			return errDead
		}
		return nil
	})
	return died
}

// restart opens anew what the cloud has kept, as the next engine does.
func (r *trial) restart() {
	r.Helper()
	r.cloud.close()
	r.cloud = openCloud(r.T, r.cloud.dir)
}

// The engine dies at any of the transactions of a command: the same command then finishes, all is as if nothing had
// happened, and destroy finds all that was made.
func TestAnEngineThatDiesAtAnyTransaction(t *testing.T) {
	t.Parallel()
	first := fill(everything, "EMAILS", `critical_emails = ["a@example.com"]`,
		"REDIS", "num_cache_nodes = 2\nenabled_alarms = [\"cpu\"]")
	given := fill(everything, "REDIS", "num_cache_nodes = 2\nenabled_alarms = []\nauth_token = \"ABCDEFGHIJKLMNOPQRS\"")
	second := fill(everything, "EMAILS", `critical_emails = ["a@example.com"]`, "REDIS", changed)
	for _, c := range []struct {
		name      string
		reset     run // goes to its end, before
		disturbed run
		text      string // of the configuration that is up in the end
		each      int64  // of so many transactions one is tried
	}{
		{"up", takeDown, bringUp(first), first, 3},
		{"a change", bringUp(given), bringUp(second), second, 3},
		{"destroy", bringUp(first), takeDown, first, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
			none := r.census()
			r.must(bringUp(c.text))
			want := counts(r.census())
			for n := int64(1); ; n += c.each {
				r.must(c.reset)
				died := r.dieAt(n)
				w := &wire{cut: died}
				err := c.disturbed(r, w)
				if !died() {
					if err != nil || n < 20 {
						t.Errorf("after less than %d transactions: %v", n, err)
					}
					break
				}
				if err == nil {
					t.Errorf("transaction %d is lost, and the command does not notice", n)
				}
				last := w.names[len(w.names)-1]
				r.restart()
				if n%2 == 0 { // destroy finds what the command has made
					r.must(takeDown)
					if diff := cmp.Diff(none, r.census()); diff != "" {
						t.Fatalf("after %s (transaction %d), destroy leaves (-before +after):\n%s", last, n, diff)
					}
				}
				r.must(bringUp(c.text))
				r.whole(last, want)
			}
		})
	}
}
