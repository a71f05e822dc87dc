package engine

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"larder/internal/cache"
	"larder/internal/node"
)

// lingering is a process that takes a second to end, unless it is not waited for.
type lingering struct{ node.Process }

func (lingering) PID() int { return 1 }

func (lingering) Stop(ctx context.Context, _ time.Duration) error {
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestAStepThatFailsEndsNoOther: the others go on, and are waited for.
func TestAStepThatFailsEndsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Config{Logger: slog.New(slog.DiscardHandler)})
		g := newGroup(e, "g")
		g.nodes["g-002"] = &member{process: lingering{}, vigil: newVigil(&pulsing{}, false, e.Steady())}
		begin := time.Now()
		rg := &cache.ReplicationGroup{ID: "g", Members: []cache.Member{{ID: "g-001"}, {ID: "g-002"}}}
		rg.SetPrimary("g-001")
		err := g.runSteps(t.Context(), cache.Desired{Group: rg}, []cache.Step{{Kind: cache.Refuse, Reason: "refused"}, {Kind: cache.Fence, Member: "g-002"}})
		if err == nil || err.Error() != "refused" {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("the other step was over after %s", took)
		}
	})
}
