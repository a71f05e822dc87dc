package engine

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"larder/internal/cache"
	"larder/internal/node"
	"larder/internal/plan"
	"larder/internal/redisnode"
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

// dying is a process that is gone when exited is closed, and until then does not answer.
type dying struct {
	node.Process
	exited chan struct{}
}

func (d dying) Exited() <-chan struct{} { return d.exited }

func (d dying) Dial(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAVerificationEndsWithThePrimary: it waits for answers, and a failover would have to wait for it.
func TestAVerificationEndsWithThePrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Config{Logger: slog.New(slog.DiscardHandler)})
		r := newShardRunner(e, "g", cache.FirstShard, func() {})
		p := dying{exited: make(chan struct{})}
		r.nodes["g-001"] = &member{process: p, redis: redisnode.Connect(p.Dial, ""),
			detector: newDetector(&sampled{}, false, e.Steady())}
		defer time.Sleep(time.Minute) // the client's own attempt to connect ends later
		defer r.nodes["g-001"].redis.Close()
		rg := &cache.Shard{Group: &cache.ReplicationGroup{ID: "g"}, Members: []cache.Member{{ID: "g-001"}, {ID: "g-002"}}}
		rg.SetPrimary("g-001")
		begin := time.Now()
		time.AfterFunc(100*time.Millisecond, func() { close(p.exited) })
		if err := r.runSteps(t.Context(), plan.Desired{Shard: rg}, []plan.Step{{Kind: plan.Verify}}); err == nil {
			t.Error("verified")
		}
		if took := time.Since(begin); took != 100*time.Millisecond {
			t.Errorf("it ended after %s", took)
		}
	})
}

// TestAStepThatFailsEndsNoOther: the others go on, and are waited for.
func TestAStepThatFailsEndsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Config{Logger: slog.New(slog.DiscardHandler)})
		r := newShardRunner(e, "g", cache.FirstShard, func() {})
		r.nodes["g-002"] = &member{process: lingering{}, detector: newDetector(&sampled{}, false, e.Steady())}
		begin := time.Now()
		rg := &cache.Shard{Group: &cache.ReplicationGroup{ID: "g"}, Members: []cache.Member{{ID: "g-001"}, {ID: "g-002"}}}
		rg.SetPrimary("g-001")
		err := r.runSteps(t.Context(), plan.Desired{Shard: rg},
			[]plan.Step{{Kind: plan.Refuse, Reason: "refused"}, {Kind: plan.Fence, Member: "g-002"}})
		if err == nil || err.Error() != "refused" {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("the other step was over after %s", took)
		}
	})
}
