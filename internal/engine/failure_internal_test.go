package engine

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"larder/internal/plan"
)

// TestOnlySuccessOfWhatFailedResetsThePause has steps fail and succeed by turns.
func TestOnlySuccessOfWhatFailedResetsThePause(t *testing.T) {
	serve, follow := plan.Step{Kind: plan.Serve, Member: "g-001"}, plan.Step{Kind: plan.Follow, Member: "g-002"}
	again := plan.Step{Kind: plan.Serve, Member: "g-001", DataLost: true}
	failed := errors.New("no")
	type ran struct {
		step plan.Step
		err  error
	}
	for name, c := range map[string]struct {
		steps   []ran
		reached bool
		want    int // failures in the end
	}{
		"by turns":             {[]ran{{serve, failed}, {follow, nil}, {serve, failed}, {follow, nil}}, false, 2},
		"it succeeds":          {[]ran{{serve, failed}, {follow, nil}, {serve, failed}, {again, nil}}, false, 0},
		"one of two succeeds":  {[]ran{{serve, failed}, {follow, failed}, {serve, nil}}, false, 2},
		"both succeed":         {[]ran{{serve, failed}, {follow, failed}, {serve, nil}, {follow, nil}}, false, 0},
		"no longer needed":     {[]ran{{serve, failed}, {follow, nil}}, true, 0},
		"another node's fails": {[]ran{{follow, failed}, {plan.Step{Kind: plan.Follow, Member: "g-003"}, nil}}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := shardRunner{log: slog.New(slog.NewTextHandler(io.Discard, nil))}
			for _, p := range c.steps {
				r.failures.record(workOf(p.step), p.err)
				if p.err != nil {
					r.failures.add(p.err)
				} else {
					r.succeed()
				}
			}
			if c.reached {
				r.failures.open = nil
				r.succeed()
			}
			if r.failures.count != c.want || (r.failures.last.Load() == nil) != (c.want == 0) {
				t.Errorf("%d failures are counted, want %d", r.failures.count, c.want)
			}
			if want := min(firstRetry<<c.want, lastRetry); r.failures.pause() != want {
				t.Errorf("the pause is %s, want %s", r.failures.pause(), want)
			}
		})
	}
}

// TestAFailureIsToldOnce: until the work succeeds, and with another process id or port in it too.
func TestAFailureIsToldOnce(t *testing.T) {
	var f failures
	for i, want := range []bool{true, false, false} {
		if got := f.news(fmt.Errorf("process %d has %s", i, time.Second)); got != want {
			t.Errorf("try %d: news is %t, want %t", i, got, want)
		}
	}
	if !f.news(errors.New("something else")) {
		t.Error("another error is no news")
	}
	for i := range 10 * maxTold {
		f.news(errors.New(string(rune('a' + i))))
	}
	if len(f.told) > maxTold {
		t.Errorf("%d failures are remembered, want at most %d", len(f.told), maxTold)
	}
}
