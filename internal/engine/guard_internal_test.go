package engine

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/node"
	"larder/internal/plan"
)

// broken is a process whose scheduler sample cannot be taken without a panic.
type broken struct{ sampled }

func (broken) CPU() (time.Duration, error)                    { panic("injected") }
func (broken) SchedulerSample() (node.SchedulerSample, error) { panic("injected") }

// TestAPanicInAProbeIsItsAnswer, and none to the next; the node is not taken for a silent one.
func TestAPanicInAProbeIsItsAnswer(t *testing.T) {
	e := New(Config{Logger: slog.New(slog.DiscardHandler)})
	r := newShardRunner(e, "g", cache.FirstShard, func() {})
	now := e.Steady()
	m := &member{probes: make(chan *probe, 1), began: now.Add(-time.Hour),
		detector: newDetector(&sampled{}, false, now.Add(-time.Hour))} // no connection: a nil pointer
	r.watch.Go(func() { r.runProbes(t.Context(), m) })
	defer r.watch.Wait()
	defer close(m.probes)
	for range 2 {
		r.sendProbe(m)
		if _, err := m.answer(t.Context(), time.Minute); !isFault(err) {
			t.Fatalf("the answer is %v", err)
		}
	}
	if now := e.Steady(); m.detector.silence(now) > time.Minute || m.busy(now) > time.Minute {
		t.Errorf("it is silent for %s, and busy for %s", m.detector.silence(now), m.busy(now))
	}
}

// TestAPanicInAStepEndsNoOther: neither in a step itself nor in what a verification does side by side.
func TestAPanicInAStepEndsNoOther(t *testing.T) {
	r := newShardRunner(New(Config{Logger: slog.New(slog.DiscardHandler)}), "g", cache.FirstShard, func() {})
	rg := &cache.Shard{Group: &cache.ReplicationGroup{ID: "g", Port: 1}, Members: []cache.Member{{ID: "g-001"}}}
	rg.SetPrimary("g-001") // which has no process: a nil pointer
	for _, kind := range []plan.StepKind{plan.Verify, plan.Authorize, plan.Resume} {
		err := r.runSteps(t.Context(), plan.Desired{Shard: rg}, []plan.Step{
			{Kind: kind, Member: "g-001"}, {Kind: plan.SetBackends, Addresses: []netip.Addr{}},
		})
		if err == nil || kind != plan.Verify && !isFault(err) || isFault(shown(err)) { // a verification fails twice
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestAPanicAtASampleLeavesTheOthers: the other processes are looked at.
func TestAPanicAtASampleLeavesTheOthers(t *testing.T) {
	e := New(Config{Logger: slog.New(slog.DiscardHandler)})
	ill := newShardRunner(e, "ill", cache.FirstShard, func() {})
	well := newShardRunner(e, "well", cache.FirstShard, func() {})
	long := e.Steady().Add(-time.Hour)
	e.detectors.add(newDetector(&broken{}, false, long), ill)
	e.detectors.add(newDetector(&sampled{}, false, long), well)
	e.checkProcesses()
	select {
	case <-well.wakes:
	default:
		t.Error("the other group was not woken")
	}
}
