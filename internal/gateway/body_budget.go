package gateway

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// smallBody is how much of each body is not counted, in bytes: nearly all requests of AWS clients are smaller. The
// bound on connections bounds this part.
const smallBody = 64 << 10

const (
	// holdTime is how long a body that is not verified keeps its room while others wait. A client that has its body
	// ready takes milliseconds, and some hundreds of them on a machine that is overloaded.
	holdTime = time.Second
	// roomTime is how long a body waits for room. The server's own bound on a body's time is longer.
	roomTime = 8 * time.Second
	// givenWay is how long the client of a body that gave way waits for its answer, so that it cannot take the room
	// again at once.
	givenWay = time.Second
)

// bodyBudget bounds what bodies take beyond the first smallBody bytes of each. Where there is no room, bodies wait for
// it, those of proven clients first, and else the first come first. A body gives way to those that wait whose signature
// is not verified and which has had its room for holdTime, however steadily it comes.
type bodyBudget struct {
	most int64 // bytes

	mu         sync.Mutex
	held       int64
	unverified map[*heldBody]struct{}
	queue      []*heldBody // waiting for room
}

// heldBody is a body that is being read, or has been.
type heldBody struct {
	of      *bodyBudget
	giveUp  func()        // ends reading; called with the lock held
	proven  bool          // an earlier request of its connection was verified
	counted int64         // bytes
	since   time.Time     // when it was given its room, and later by the time for which it waited for more
	waiting bool          // it is in the queue
	gone    bool          // it gave way
	changed chan struct{} // has one element when the body may go on, or has given way
}

// begin holds a body of which nothing has been read.
func (b *bodyBudget) begin(proven bool, giveUp func()) *heldBody {
	h := &heldBody{of: b, giveUp: giveUp, proven: proven, changed: make(chan struct{}, 1)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unverified == nil {
		b.unverified = map[*heldBody]struct{}{}
	}
	b.unverified[h] = struct{}{}
	return h
}

// grow makes room for that many bytes of the body in all, and waits for it. It fails when there is none for roomTime,
// or when the body has given way.
func (h *heldBody) grow(ctx context.Context, size int64) error {
	b := h.of
	b.mu.Lock()
	defer b.mu.Unlock()
	extra := max(size-smallBody, 0) - h.counted
	if extra <= 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, roomTime)
	defer cancel()
	b.join(h)
	defer b.leave(h, time.Now())
	for {
		patience := roomTime
		switch next := b.queue[0] == h; {
		case h.gone || ctx.Err() != nil:
			return errBodies(b.most)
		case next && b.held+extra <= b.most:
			b.held += extra
			h.counted += extra
			return nil
		case next:
			patience = b.evict()
		}
		h.wait(ctx, patience)
	}
}

// join puts a body at the end of the queue, or of its part of proven clients.
func (b *bodyBudget) join(h *heldBody) {
	at := slices.IndexFunc(b.queue, func(o *heldBody) bool { return h.proven && !o.proven })
	if at < 0 {
		at = len(b.queue)
	}
	b.queue = slices.Insert(b.queue, at, h)
	h.waiting = true
}

// leave takes a body out of the queue that came in at a time.
func (b *bodyBudget) leave(h *heldBody, came time.Time) {
	b.queue = slices.DeleteFunc(b.queue, func(o *heldBody) bool { return o == h })
	h.waiting = false
	if h.since.IsZero() {
		h.since = came
	}
	h.since = h.since.Add(time.Since(came))
	b.tell()
}

// evict has the body give way that has had its room the longest, if that is for holdTime, and returns how long it is
// until one has to otherwise. Where every body that holds room waits for more, none would ever move: there the one
// gives way whose turn is last. A verified body does not wait: its room is free when it has been answered.
func (b *bodyBudget) evict() time.Duration {
	verified := b.held
	var oldest *heldBody
	for h := range b.unverified {
		verified -= h.counted
		if h.counted > 0 && !h.waiting && (oldest == nil || h.since.Before(oldest.since)) {
			oldest = h
		}
	}
	if oldest != nil {
		left := holdTime - time.Since(oldest.since)
		if left <= 0 {
			b.drop(oldest)
		}
		return left
	}
	for _, h := range slices.Backward(b.queue[1:]) {
		if verified == 0 && h.counted > 0 {
			b.drop(h)
			return 0
		}
	}
	return roomTime
}

// wait returns when something has changed for the body, or after its patience.
func (h *heldBody) wait(ctx context.Context, patience time.Duration) {
	h.of.mu.Unlock()
	defer h.of.mu.Lock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-h.changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// wake has a body that waits look again.
func (h *heldBody) wake() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// tell wakes the body whose turn it is.
func (b *bodyBudget) tell() {
	if len(b.queue) > 0 {
		b.queue[0].wake()
	}
}

// drop has a body give way.
func (b *bodyBudget) drop(h *heldBody) {
	b.free(h)
	h.gone = true
	h.giveUp()
	h.wake()
}

// free takes back what a body is counted with.
func (b *bodyBudget) free(h *heldBody) {
	b.held -= h.counted
	h.counted = 0
	delete(b.unverified, h)
	b.tell()
}

// verified keeps the body, if it has not given way.
func (h *heldBody) verified() error {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	if h.gone {
		return errBodies(h.of.most)
	}
	delete(h.of.unverified, h)
	return nil
}

// lost tells whether the body has given way.
func (h *heldBody) lost() bool {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	return h.gone
}

func (h *heldBody) release() {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	h.of.free(h)
}

func errBodies(most int64) error {
	return unavailable("larder holds %d bytes of large request bodies at most at one time, and there was no room for "+
		"this one in time: try again", most)
}

// budgetOf is the budget of the listener that a request came by: what clients of the port do is nothing to larder's own
// commands, which use a unix socket.
func (g *Gateway) budgetOf(r *http.Request) *bodyBudget {
	if cameBySocket(r) {
		return &g.ownBodies
	}
	return &g.bodies
}
