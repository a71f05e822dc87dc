package engine_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/endpoint"
	"larder/internal/store"
)

// TestAnotherEngineFinishesWhatOneBegan: it ends at a moment of its own in each round, and the next one goes on.
func TestAnotherEngineFinishesWhatOneBegan(t *testing.T) {
	t.Parallel()
	spare := func(w *fixture) cache.Member {
		return cache.Member{
			ID: "g-004", Zone: "us-east-1b", Address: must(endpoint.Allocate(w.block.Prefix, nil, 40))(w.t)[30],
			Role: cache.Replica, Status: cache.MemberCreating,
		}
	}
	for name, c := range map[string]struct {
		begin func(*fixture)
		ended func(cache.Shard, error) bool
	}{
		"a failover": {
			func(w *fixture) { w.signal("g-001", syscall.SIGKILL) },
			func(rg cache.Shard, err error) bool {
				return err == nil && rg.Group.Status == cache.Available && rg.Primary().ID != "g-001"
			}},
		"a scale-out": {
			func(w *fixture) {
				w.modify("g", func(rg *cache.Shard) { rg.Members = append(rg.Members, spare(w)) })
			},
			func(rg cache.Shard, err error) bool {
				return err == nil && rg.Group.Status == cache.Available && len(rg.Members) == 4
			}},
		"a promotion": {
			func(w *fixture) { w.modify("g", func(rg *cache.Shard) { rg.Promote = "g-003" }) },
			func(rg cache.Shard, err error) bool {
				return err == nil && rg.Group.Status == cache.Available && rg.Primary().ID == "g-003"
			}},
		"a delete": {
			func(w *fixture) { w.delete("g") },
			func(_ cache.Shard, err error) bool { return errors.Is(err, store.ErrNotFound) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			for _, after := range []time.Duration{0, 3 * time.Millisecond, 10 * time.Millisecond,
				30 * time.Millisecond} {
				w.create("g", 3, nil)
				w.awaitAvailable("g")
				c.begin(w)
				time.Sleep(after) // where in the work that falls is chance; that it is finished is not
				w.stop()
				w.start()
				w.await("g", "finished", c.ended)
				if name == "a delete" {
					continue
				}
				rg := must(w.get("g"))(t)
				if took := w.outage(rg.PrimaryAddress,
					func() {}); took > 10*time.Second { // a pause that is left lasts for twenty, or for good
					t.Errorf("ended after %s: afterwards writes hang for %s", after, took)
				}
				w.delete("g")
				w.await("g", "gone", func(_ cache.Shard,
					err error) bool {
					return errors.Is(err, store.ErrNotFound)
				})
			}
		})
	}
}
