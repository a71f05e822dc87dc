package logs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"larder/internal/store"
)

// keepingInterval is how often what is past its time is deleted.
const keepingInterval = 10 * time.Second

// Run keeps the service's events until ctx ends: it deletes those past their time.
func (s *Service) Run(ctx context.Context, logger *slog.Logger) error {
	tick := time.NewTicker(keepingInterval)
	defer tick.Stop()
	for {
		if err := s.guard.Do("the log events", s.Keep); err != nil {
			logger.Error("cannot keep the log events in bounds", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Keep does what is due: events past their retention go, those of log groups that are gone, and the oldest when there
// are too many; metric filters that matched nothing in a minute get their default.
func (s *Service) Keep() error {
	var quiet []Datum
	s.quiet.end(s.Now(), func(d Datum) { quiet = append(quiet, d) })
	s.keepMetrics(quiet)
	known := map[string]time.Duration{}
	err := s.Store.View(func(tx *store.Tx) error {
		all, err := groups.List(tx)
		for _, g := range all {
			known[g.id()] = g.retention()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot list the log groups: %w", err)
	}
	return s.Events.Sweep(s.Now(), func(id string) (time.Duration, bool) {
		retention, ok := known[id]
		return retention, ok || s.isNew(id)
	})
}

// isNew tells whether there is a group of that id by now, or may be: one whose record cannot be read.
func (s *Service) isNew(id string) (found bool) {
	err := s.Store.View(func(tx *store.Tx) error {
		all, err := groups.All(tx)
		for _, g := range all {
			found = found || g.id() == id
		}
		return err
	})
	return found || err != nil
}
