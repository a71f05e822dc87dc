package engine_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

// panicking is a log that panics once, when the engine says that it cannot bring a group to where it should be.
type panicking struct {
	slog.Handler
	done *atomic.Bool
}

func (h panicking) WithAttrs(attrs []slog.Attr) slog.Handler {
	return panicking{h.Handler.WithAttrs(attrs), h.done}
}

func (h panicking) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "cannot bring the group") && h.done.CompareAndSwap(false, true) {
		panic("injected into the log")
	}
	return h.Handler.Handle(ctx, r)
}

// TestAPanicOutsideOfALookEndsNoGroup: the group's goroutine begins anew, with the nodes that it had.
func TestAPanicOutsideOfALookEndsNoGroup(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	before := must(w.runtime.PIDs(t.Context()))(t)
	w.stop()
	var done atomic.Bool
	w.config.Logger = slog.New(panicking{w.config.Logger.Handler(), &done})
	for _, p := range must(w.runtime.Adopt(t.Context()))(t) {
		if p.ID() == "g-002" { // it has the reader endpoint
			if err := p.Stop(t.Context(), 0); err != nil {
				t.Error(err)
			}
		}
	}
	w.runtime.Close()
	neighbour, err := net.Listen("tcp", netip.AddrPortFrom(rg.ReaderAddress, uint16(rg.Group.Port)).String())
	w.start()
	if err != nil {
		t.Fatal(err)
	}
	defer neighbour.Close()
	w.eventually("the log panics", done.Load)
	if err := neighbour.Close(); err != nil {
		t.Fatal(err)
	}
	w.awaitAvailable("g")
	after := must(w.runtime.PIDs(t.Context()))(t)
	if after["g-001"] != before["g-001"] {
		t.Errorf("g-001 is process %d, and was %d", after["g-001"], before["g-001"])
	}
}
