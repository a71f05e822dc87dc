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

// broken is a process whose pulse cannot be taken without a panic.
type broken struct{ pulsing }

func (broken) CPU() (time.Duration, error) { panic("injected") }
func (broken) Pulse() (node.Pulse, error)  { panic("injected") }

// TestAPanicInAQuestionIsItsAnswer, and none to the next; the node is not taken for a silent one.
func TestAPanicInAQuestionIsItsAnswer(t *testing.T) {
	e := New(Config{Logger: slog.New(slog.DiscardHandler)})
	r := newShardRunner(e, "g", cache.FirstShard, func() {})
	now := e.Steady()
	m := &member{questions: make(chan *question, 1), began: now.Add(-time.Hour),
		vigil: newVigil(&pulsing{}, false, now.Add(-time.Hour))} // no connection: a nil pointer
	r.watch.Go(func() { r.putQuestions(t.Context(), m) })
	defer r.watch.Wait()
	defer close(m.questions)
	for range 2 {
		r.ask(m)
		if _, err := m.answer(t.Context(), time.Minute); !isFault(err) {
			t.Fatalf("the answer is %v", err)
		}
	}
	if now := e.Steady(); m.vigil.silence(now) > time.Minute || m.busy(now) > time.Minute {
		t.Errorf("it is silent for %s, and busy for %s", m.vigil.silence(now), m.busy(now))
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

// TestAPanicAtAPulseLeavesTheOthers: the other processes are looked at.
func TestAPanicAtAPulseLeavesTheOthers(t *testing.T) {
	e := New(Config{Logger: slog.New(slog.DiscardHandler)})
	ill, well := newShardRunner(e, "ill", cache.FirstShard, func() {}), newShardRunner(e, "well", cache.FirstShard, func() {})
	long := e.Steady().Add(-time.Hour)
	e.pulses.enter(newVigil(&broken{}, false, long), ill)
	e.pulses.enter(newVigil(&pulsing{}, false, long), well)
	e.lookAtPulses()
	select {
	case <-well.wakes:
	default:
		t.Error("the other group was not woken")
	}
}
