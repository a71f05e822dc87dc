package engine_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestANeighbourOnTheReaderEndpointIsNamed: with several replicas it is the relay that cannot listen.
func TestANeighbourOnTheReaderEndpointIsNamed(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	w.create("g", 3, nil)
	rg := must(w.get("g"))(t)
	at := netip.AddrPortFrom(rg.ReaderAddress, uint16(rg.Group.Port))
	neighbour := must(net.Listen("tcp", at.String()))(t)
	defer neighbour.Close()
	w.config.Listener = func(of netip.AddrPort) (pid int, name string) {
		if of == at {
			return 1, "process 1 (mallory)"
		}
		return 0, ""
	}
	w.start()
	w.eventually("the neighbour is named", func() bool {
		text, _ := w.engine.LastError("g")
		return strings.Contains(text, "process 1 (mallory) listens on "+at.String())
	})
	if err := neighbour.Close(); err != nil {
		t.Fatal(err)
	}
	w.awaitAvailable("g")
}

// TestAHeldEndpointIsTriedEverMoreRarely: while another process holds an endpoint's address, the engine neither spins
// nor fills its log, whatever else of the group succeeds meanwhile.
func TestAHeldEndpointIsTriedEverMoreRarely(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		members int
		reader  bool
		lost    []string
	}{
		{"the only node's", 1, false, []string{"g-001"}},
		{"of a new primary", 2, false, []string{"g-001"}},
		{"of a replica", 2, true, []string{"g-001", "g-002"}},
		{"of the relay", 3, true, []string{"g.reader"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testHeldEndpoint(t, c.members, c.reader, c.lost)
		})
	}
}

// tries is a log that keeps when the engine said that it cannot bring a group to where it should be.
type tries struct {
	slog.Handler
	mu     sync.Mutex
	times  []time.Time
	errors []string // of those that everybody sees
}

func (*tries) Enabled(context.Context, slog.Level) bool { return true }

func (h *tries) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h *tries) Handle(_ context.Context, r slog.Record) error {
	if !strings.HasPrefix(r.Message, "cannot bring the group") {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.times = append(h.times, r.Time)
	if r.Level >= slog.LevelInfo {
		r.Attrs(func(a slog.Attr) bool { h.errors = append(h.errors, a.String()); return true })
	}
	return nil
}

func (h *tries) seen() (times []time.Time, lines []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.times), slices.DeleteFunc(slices.Clone(h.errors),
		func(a string) bool { return strings.HasPrefix(a, "failures=") })
}

func testHeldEndpoint(t *testing.T, members int, reader bool, lost []string) {
	w := newFixture(t)
	w.create("g", members, nil)
	rg := w.awaitAvailable("g")
	w.stop()
	for _, p := range must(w.runtime.Adopt(t.Context()))(t) {
		if slices.Contains(lost, p.ID()) {
			if err := p.Stop(t.Context(), 0); err != nil {
				t.Error(err)
			}
		}
	}
	w.runtime.Close()
	at := rg.PrimaryAddress
	if reader {
		at = rg.ReaderAddress
	}
	neighbour, err := net.Listen("tcp", netip.AddrPortFrom(at, uint16(rg.Group.Port)).String())
	log := &tries{}
	w.config.Logger = slog.New(log)
	w.start()
	if err != nil {
		t.Fatal(err)
	}
	defer neighbour.Close()
	const enough = 6 // the pauses between them are 50 ms, and then twice as long each
	w.eventually("it has been tried some times", func() bool {
		times, _ := log.seen()
		return len(times) >= enough
	})
	times, lines := log.seen()
	if took := times[enough-1].Sub(times[0]); took < time.Second {
		t.Errorf("%d tries took %s", enough, took)
	}
	told := map[string]bool{}
	for _, line := range lines {
		told[line] = true
	}
	if len(lines) == 0 || len(told) < len(lines) || len(lines) > 2 {
		t.Errorf("the log has %d lines for %d tries: %q", len(lines), len(times), lines)
	}
	if err := neighbour.Close(); err != nil {
		t.Fatal(err)
	}
	w.awaitAvailable("g")
}
