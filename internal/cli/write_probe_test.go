package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The probe tells the longest time in which no write succeeded, and nothing where writes do not begin again.
func TestWriteProbe(t *testing.T) {
	for name, c := range map[string]struct {
		fails func(since time.Duration) bool
		least time.Duration // 0: nothing is known
	}{
		"one gap": {func(d time.Duration) bool { return d > 100*time.Millisecond && d < 400*time.Millisecond },
			300 * time.Millisecond},
		"two gaps": {func(d time.Duration) bool {
			return d > 100*time.Millisecond && d < 150*time.Millisecond || d > 500*time.Millisecond && d < 900*time.Millisecond
		}, 400 * time.Millisecond},
		"over the end": {func(d time.Duration) bool { return d > 800*time.Millisecond && d < 2*time.Second },
			1200 * time.Millisecond},
		"they do not go on":   {func(d time.Duration) bool { return d > 500*time.Millisecond }, 0},
		"none ever succeeded": {func(time.Duration) bool { return true }, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			p := newWriteProbe(func(context.Context) error {
				if c.fails(time.Since(begin)) {
					return errors.New("READONLY")
				}
				return nil
			})
			go p.run(t.Context())
			time.Sleep(time.Second)
			got := p.stop()
			if (got == nil) != (c.least == 0) || got != nil &&
				(*got < c.least.Seconds() || *got > c.least.Seconds()+0.01) {
				t.Errorf("%s: got %v, want %v", name, got, c.least)
			}
		})
	}
}

func TestFailoverSaysHowLongWritesStopped(t *testing.T) {
	for want, c := range map[string]struct {
		r   failoverReport
		why error
	}{
		"for 0.25 s at the longest":       {failoverReport{Stopped: new(0.25)}, nil},
		"not known: REDISCLI_AUTH unset.": {failoverReport{}, errors.New("REDISCLI_AUTH unset")},
		"not known: none succeeded":       {failoverReport{}, nil},
	} {
		if got := c.r.stopped(c.why); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
