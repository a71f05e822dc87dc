package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// body is one that reads size bytes, step bytes every pace, and then waits for its end until it is told to give up.
func body(t *testing.T, b *bodyBudget, size, step int64, pace time.Duration) (*heldBody, <-chan error) {
	t.Helper()
	stop, cancel := context.WithCancel(t.Context())
	h := b.begin(false, cancel)
	done := make(chan error, 1)
	go func() {
		for had := int64(smallBody); had < size; {
			if err := h.grow(stop, min(had+step, size)); err != nil {
				done <- err
				return
			}
			had = min(had+step, size)
			time.Sleep(pace)
		}
		done <- nil
	}()
	t.Cleanup(cancel)
	return h, done
}

const mebi = 1 << 20

// TestABodyThatComesIsNeverGivenUp beside any number of others that stall, and begin anew when they have given way.
func TestABodyThatComesIsNeverGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		stalled int
		step    int64 // of the one that comes
		pace    time.Duration
	}{
		"in one piece":                  {stalled: 30, step: mebi},
		"slowly":                        {stalled: 30, step: mebi, pace: holdTime * 9 / 10},
		"in pieces":                     {stalled: 12, step: 128 << 10, pace: time.Millisecond},
		"in pieces, with hardly a room": {stalled: 1, step: 128 << 10, pace: holdTime / 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bodyBudget{most: 4 * mebi}
				for range c.stalled {
					body(t, b, mebi, mebi, 0)
				}
				synctest.Wait()
				begin := time.Now()
				h, done := body(t, b, mebi, c.step, c.pace)
				if err := <-done; err != nil {
					t.Fatalf("after %s: %v", time.Since(begin), err)
				}
				if err := h.verified(); err != nil {
					t.Fatal(err)
				}
				h.release()
			})
		})
	}
}

// trickle has clients of which each sends 64 KiB of a body of 1 MiB every 0.8 seconds, until the body gives way or the
// server's bound on its time ends it, and then begins anew.
func trickle(t *testing.T, b *bodyBudget, clients int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	one := func() {
		reading, giveUp := context.WithTimeout(ctx, 10*time.Second)
		defer giveUp()
		h := b.begin(false, giveUp)
		defer h.release()
		if err := h.grow(reading, mebi); err == nil {
			for reading.Err() == nil {
				time.Sleep(800 * time.Millisecond)
			}
		}
		if h.lost() {
			time.Sleep(givenWay)
		}
	}
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				one()
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// TestATrickleGivesWay: bodies that come slowly and never stall give way like those that stall.
func TestATrickleGivesWay(t *testing.T) {
	for name, c := range map[string]struct {
		clients int
		proven  bool
		within  time.Duration
	}{
		"a client's first request":         {clients: 250, within: 3 * holdTime},
		"a proven client's":                {clients: 250, proven: true, within: holdTime},
		"a proven client's, beside a host": {clients: 1000, proven: true, within: holdTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bodyBudget{most: 64 * mebi}
				defer trickle(t, b, c.clients)()
				for range 20 {
					time.Sleep(700 * time.Millisecond)
					begin := time.Now()
					h := b.begin(c.proven, func() {})
					err := h.grow(t.Context(), mebi)
					if err = errors.Join(err, h.verified()); err != nil || time.Since(begin) > c.within {
						t.Errorf("after %s: %v", time.Since(begin), err)
					}
					h.release()
				}
			})
		})
	}
}

// TestABurstOfBodiesIsReadInTurn: bodies that are more than the room, of clients that all send, wait for one another.
func TestABurstOfBodiesIsReadInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bodyBudget{most: 4 * mebi}
		errs := make(chan error)
		for range 200 {
			h, done := body(t, b, mebi, mebi, 20*time.Millisecond)
			go func() {
				err := <-done
				if err == nil {
					err = h.verified()
				}
				time.Sleep(10 * time.Millisecond) // its handling
				h.release()
				errs <- err
			}()
		}
		for range 200 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if b.held != 0 || len(b.queue)+len(b.unverified) != 0 {
			t.Errorf("%d bytes are held, %d bodies wait, %d are not verified", b.held, len(b.queue), len(b.unverified))
		}
	})
}

// TestBodiesThatAllWaitGoOn: where nobody can go on before another gives way, one does.
func TestBodiesThatAllWaitGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bodyBudget{most: 4 * mebi}
		gone, whole := 0, 0
		var all []<-chan error
		var held []*heldBody
		for range 20 {
			h, done := body(t, b, 2*mebi, 512<<10, time.Millisecond)
			held, all = append(held, h), append(all, done)
		}
		for i, done := range all {
			if err := <-done; err != nil {
				gone++
			} else {
				whole++
			}
			held[i].release()
		}
		if whole == 0 || gone == 0 {
			t.Errorf("%d bodies are whole, and %d gave way", whole, gone)
		}
	})
}

// TestVerifiedBodiesAreWaitedFor: bodies that have some of their room give none up while a request that is being
// answered holds the rest.
func TestVerifiedBodiesAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bodyBudget{most: 4 * mebi}
		answered, done := body(t, b, 2*mebi+smallBody, 2*mebi, 0)
		if err := errors.Join(<-done, answered.verified()); err != nil {
			t.Fatal(err)
		}
		var all []<-chan error
		for range 2 {
			_, done := body(t, b, 2*mebi+smallBody, mebi, time.Millisecond)
			all = append(all, done)
		}
		time.Sleep(roomTime / 2)
		answered.release()
		for i, done := range all {
			if err := <-done; err != nil {
				t.Errorf("body %d: %v", i, err)
			}
		}
	})
}

// TestWaitingForRoomEnds when verified bodies have it all.
func TestWaitingForRoomEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bodyBudget{most: 4 * mebi}
		for range 4 {
			h, done := body(t, b, mebi+smallBody, mebi, 0)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if err := h.verified(); err != nil {
				t.Fatal(err)
			}
		}
		begin := time.Now()
		_, done := body(t, b, mebi, mebi, 0)
		if err := <-done; err == nil || time.Since(begin) != roomTime {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
	})
}
