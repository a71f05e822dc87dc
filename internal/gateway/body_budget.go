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
	// stallTime is how long the next smallBody bytes of a body may take while others wait for room. A client that has
	// its body ready takes milliseconds, and some hundreds of them on a machine that is overloaded.
	stallTime = time.Second
	// roomTime is how long a body waits for room. The server's own bound on a body's time is longer.
	roomTime = 8 * time.Second
	// givenWay is how long the client of a body that gave way waits for its answer, so that it cannot take the room
	// again at once.
	givenWay = time.Second
)

// bodyBudget bounds what bodies take beyond the first smallBody bytes of each. Where there is no room, bodies wait for
// it, the first come first. A body gives way to them whose signature is not verified and which has stalled: that of a
// client that holds the secret comes without a pause.
type bodyBudget struct {
	most int64 // bytes

	mu         sync.Mutex
	held       int64
	unverified []*heldBody   // the one that has waited the longest for its next bytes first
	queue      []*heldBody   // waiting for room
	changed    chan struct{} // closed when the queue, or what is held, has changed; nil before anybody waits
}

// heldBody is a body that is being read, or has been.
type heldBody struct {
	of      *bodyBudget
	giveUp  func()    // ends reading; called with the lock held
	counted int64     // bytes
	came    time.Time // when the last smallBody bytes had come
	gone    bool      // it gave way
}

// begin holds a body of which nothing has been read.
func (b *bodyBudget) begin(giveUp func()) *heldBody {
	h := &heldBody{of: b, giveUp: giveUp, came: time.Now()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unverified = append(b.unverified, h)
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
	b.queue = append(b.queue, h)
	defer b.leave(h)
	for {
		switch next := b.queue[0]; {
		case h.gone || ctx.Err() != nil:
			return errBodies(b.most)
		case next == h && b.held+extra <= b.most:
			b.held += extra
			h.counted += extra
			h.came = time.Now()
			return nil
		case next == h && b.evict():
			continue
		}
		b.wait(ctx)
	}
}

// evict has the body give way that has stalled the longest. Where every body that holds room waits for more, none would
// ever move: there the one gives way that began to wait last. A verified body does not wait: its room is free when it
// has been answered.
func (b *bodyBudget) evict() bool {
	verified := b.held
	for _, h := range b.unverified {
		verified -= h.counted
	}
	moving := verified > 0
	for _, h := range b.unverified {
		switch {
		case h.counted == 0 || slices.Contains(b.queue, h):
		case time.Since(h.came) >= stallTime:
			b.drop(h)
			return true
		default:
			moving = true
		}
	}
	for _, h := range slices.Backward(b.queue[1:]) {
		if !moving && h.counted > 0 {
			b.drop(h)
			return true
		}
	}
	return false
}

// wait returns when something has changed, or may have: a body can have stalled meanwhile.
func (b *bodyBudget) wait(ctx context.Context) {
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	changed := b.changed
	b.mu.Unlock()
	defer b.mu.Lock()
	timer := time.NewTimer(stallTime / 10)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// tell wakes those who wait.
func (b *bodyBudget) tell() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

func (b *bodyBudget) leave(h *heldBody) {
	b.queue = slices.DeleteFunc(b.queue, func(o *heldBody) bool { return o == h })
	b.tell()
}

// moved says that another smallBody bytes came.
func (h *heldBody) moved() {
	b := h.of
	b.mu.Lock()
	defer b.mu.Unlock()
	h.came = time.Now()
	if i := slices.Index(b.unverified, h); i >= 0 {
		b.unverified = append(slices.Delete(b.unverified, i, i+1), h)
	}
}

// drop has a body give way.
func (b *bodyBudget) drop(h *heldBody) {
	b.free(h)
	h.gone = true
	h.giveUp()
}

// free takes back what a body is counted with.
func (b *bodyBudget) free(h *heldBody) {
	b.held -= h.counted
	h.counted = 0
	b.unverified = slices.DeleteFunc(b.unverified, func(o *heldBody) bool { return o == h })
	b.tell()
}

// verified keeps the body, if it has not given way.
func (h *heldBody) verified() error {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	if h.gone {
		return errBodies(h.of.most)
	}
	h.of.unverified = slices.DeleteFunc(h.of.unverified, func(o *heldBody) bool { return o == h })
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
	return unavailable("larder holds %d bytes of large request bodies at most at one time, and there was no room for this one in time: try again", most)
}

// budgetOf is the budget of the listener that a request came by: what clients of the port do is nothing to larder's own
// commands, which use a unix socket.
func (g *Gateway) budgetOf(r *http.Request) *bodyBudget {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(interface{ Network() string }); ok &&
		local.Network() == "unix" {
		return &g.ownBodies
	}
	return &g.bodies
}
