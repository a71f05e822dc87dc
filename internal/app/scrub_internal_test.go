package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestScrubber reads all kinds, one after the other, no faster than its rate, again and again, whatever fails in one of
// them; it ends in the middle of one.
func TestScrubber(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var waits []time.Duration
	var did, told []string
	rounds := 0
	s := &scrubber{
		region: "here", failed: func(err error) { told = append(told, err.Error()) },
		after: func(d time.Duration) <-chan time.Time {
			waits = append(waits, d)
			past := make(chan time.Time, 1)
			past <- time.Time{}
			return past
		},
		passes: []pass{
			{"logs", func(pace func(int) error) error {
				did = append(did, "logs")
				for range 1024 { // 3 MiB
					if err := pace(3 << 10); err != nil {
						return err
					}
				}
				return nil
			}},
			{"metrics", func(func(int) error) error { return errors.New("they are gone") }},
			{"nothing", func(func(int) error) error { panic("none") }},
			{"snapshots", func(pace func(int) error) error {
				did = append(did, "snapshots")
				if rounds++; rounds == 2 {
					cancel()
				}
				if err := pace(100 << 20); err != nil {
					return fmt.Errorf("ended: %w", err)
				}
				return nil
			}},
		},
	}
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
	if want := []string{"logs", "snapshots", "logs", "snapshots"}; !slices.Equal(did, want) {
		t.Errorf("it did %v", did)
	}
	if len(told) != 4 || told[0] != "cannot look for damage in all metrics of here: they are gone" || told[0] != told[2] {
		t.Errorf("told: %q", told)
	}
	if waits[0] != scrubFirst || !slices.Contains(waits[1:], scrubEvery) {
		t.Errorf("it waits %v", waits)
	}
	var total time.Duration
	next := slices.Index(waits, scrubEvery)
	for _, d := range waits[1:next] {
		total += d
	}
	if want := 103 * time.Second; total < want-time.Second || total > want {
		t.Errorf("for 103 MiB it takes %s", total)
	}
}

// TestScrubberEndsWhileItWaits: nothing is read then.
func TestScrubberEndsWhileItWaits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := &scrubber{
		after:  func(time.Duration) <-chan time.Time { cancel(); return nil },
		failed: func(err error) { t.Error(err) },
		passes: []pass{{"logs", func(func(int) error) error { t.Error("it reads"); return nil }}},
	}
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
}
