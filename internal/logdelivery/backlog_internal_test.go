package logdelivery

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"larder/internal/cache"
	"larder/internal/cachelog"
	"larder/internal/redisnode"
)

// TestBacklogThatComesTooSlowly: of a node that cannot give its whole slow log in time, what it can give is delivered,
// and what is left out is told.
func TestBacklogThatComesTooSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const newest, able = 9_999, 300
		get := func(ctx context.Context, n int) (redisnode.SlowLog, error) {
			if n > able {
				<-ctx.Done()
				return redisnode.SlowLog{}, ctx.Err()
			}
			log := redisnode.SlowLog{Run: "r", Newest: newest, Oldest: newest - int64(n) + 1, Read: n}
			for id := log.Oldest; id <= newest; id++ {
				log.Entries = append(log.Entries, cachelog.Slow{ID: id, Time: time.Now()})
			}
			return log, nil
		}
		track, to := &slowTrack{sink: sink{newMemory(), "stream", "n-001"}, last: -1}, cache.LogDelivery{Name: "group"}
		for tries := 1; ; tries++ {
			log, skipped, err := track.read(t.Context(), to, readAhead, get)
			if err == nil {
				if log.Read <= able/2 || skipped != newest+1-int64(log.Read) {
					t.Errorf("%d are read, %d skipped", log.Read, skipped)
				}
				break
			}
			if tries == 10 {
				t.Fatal(err)
			}
		}
		if track.limit != 0 {
			t.Errorf("later reads are bounded by %d", track.limit)
		}
	})
}

// TestLogThatCannotBeRead: a node whose log cannot be read for long makes its delivery fail, until it can again.
func TestLogThatCannotBeRead(t *testing.T) {
	r := newRoute(&Shipper{Config: Config{Logger: slog.New(slog.DiscardHandler)}}, nil,
		cache.Topology{ReplicationGroup: &cache.ReplicationGroup{}})
	log := trackKey{"n-001", cachelog.SlowLog}
	look := func(err error) error {
		unread := map[string]error{}
		r.outcome(t.Context(), log, err, map[string]error{}, unread)
		return unread[log.logType]
	}
	busy := errors.New("it is busy")
	for i := range maxUnread + 2 {
		if got := look(busy); (got != nil) != (i >= maxUnread-1) || got != nil &&
			reason(cache.LogDelivery{}, got) != "Cannot read the log of the node n-001: it is busy" {
			t.Errorf("after %d: %v", i+1, got)
		}
	}
	if got := errors.Join(look(skippedError{3}), look(busy)); got != nil {
		t.Errorf("after it was read: %v", got)
	}
}
