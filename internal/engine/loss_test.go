package engine_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"larder/internal/cache"
)

// warnings keeps what the engine warns of.
type warnings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (w *warnings) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *warnings) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// TestOnlyALossIsAWarning: the engine ends nodes itself, which no one has to look into.
func TestOnlyALossIsAWarning(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	said := &warnings{}
	w.config.Logger = slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.start()
	w.create("g", 3, nil)
	w.awaitAvailable("g")
	w.modify("g", func(rg *cache.Shard) { rg.Apply(cache.Deferred{NodeType: "cache.t3.small"}) })
	w.awaitAvailable("g")
	for _, n := range []int{3, 2} { // with the last but one the relay goes too
		w.modify("g", func(rg *cache.Shard) {
			for i := range rg.Members {
				if m := &rg.Members[len(rg.Members)-1-i]; m.Role == cache.Replica {
					m.Removing = true
					break
				}
			}
		})
		if now := w.awaitAvailable("g"); len(now.Members) != n-1 {
			t.Fatalf("%d members are left, want %d", len(now.Members), n-1)
		}
	}
	if got := said.String(); strings.Contains(got, "is gone") {
		t.Errorf("the engine warns of what it did itself:\n%s", got)
	}
	rg := w.awaitAvailable("g")
	w.kill(rg.Primary().ID)
	w.await("g", "told as lost", func(cache.Shard, error) bool {
		return strings.Contains(said.String(), `"a node is gone"`)
	})
}
