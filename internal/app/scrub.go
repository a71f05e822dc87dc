package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"larder/internal/isolate"
	"larder/internal/services/larder"
)

// A disk loses what nobody reads, and nobody knows. Each region reads all of its files, slowly, once in a while.
const (
	scrubFirst = 10 * time.Minute // after the region was opened: a start has other things to do
	scrubEvery = 24 * time.Hour   // from the end of one to the next
	scrubRate  = 1 << 20          // bytes a second
	scrubPiece = 64 << 10         // bytes that are read at once, about
)

// pass reads what there is of a kind, and notes what is damaged. Pace is told how many bytes are read next, and waits.
type pass struct {
	of  string
	run func(pace func(bytes int) error) error
}

// scrubber reads the files that nobody reads.
type scrubber struct {
	region string
	passes []pass
	after  func(time.Duration) <-chan time.Time
	failed func(error)

	guard isolate.Guard
	owed  int // bytes that were read and not waited for
}

func (in *installation) newScrubber(r *region) *scrubber {
	return &scrubber{region: r.name, after: in.clock().After, failed: in.failed("the search for damage"), passes: []pass{
		{"log events", r.events.Scrub}, {"metrics", r.metrics.Scrub}, {"snapshots", r.engine.ScrubSnapshots},
	}}
}

// Run scrubs until ctx ends.
func (s *scrubber) Run(ctx context.Context) error {
	for wait := scrubFirst; s.rest(ctx, wait) == nil; wait = scrubEvery {
		for _, p := range s.passes {
			err := s.guard.Do("the "+p.of, func() error {
				return p.run(func(n int) error { return s.pace(ctx, n) })
			})
			if err != nil && !errors.Is(err, ctx.Err()) {
				s.failed(fmt.Errorf("cannot look for damage in all %s of %s: %w", p.of, s.region, err))
			}
		}
	}
	return nil
}

// pace keeps the scrub to its rate.
func (s *scrubber) pace(ctx context.Context, bytes int) error {
	if s.owed += bytes; s.owed < scrubPiece {
		return ctx.Err()
	}
	wait := time.Duration(s.owed) * time.Second / scrubRate
	s.owed = 0
	return s.rest(ctx, wait)
}

func (s *scrubber) rest(ctx context.Context, wait time.Duration) error {
	select {
	case <-s.after(wait):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// damagedFiles are what was found of the region's files, by a scrub or by who reads them.
func (r *region) damagedFiles() (all larder.DamagedFiles, err error) {
	all.Logs, err = r.logGroups.Damaged()
	all.Metrics, all.Snapshots = r.metrics.DamagedFiles(), r.engine.DamagedSnapshots()
	return all, err
}
