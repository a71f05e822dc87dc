package engine_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/testkit"
)

// flood has clients send a node the same command again and again, each so many of them at once, until it is stopped.
// One that is cut off comes back.
func (w *fixture) flood(at netip.Addr, clients, atOnce int, command ...string) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	send := func(words ...string) []byte {
		out := fmt.Appendf(nil, "*%d\r\n", len(words))
		for _, word := range words {
			out = fmt.Appendf(out, "$%d\r\n%s\r\n", len(word), word)
		}
		return out
	}
	burst := bytes.Repeat(send(command...), atOnce)
	var all sync.WaitGroup
	attack := func() error {
		dial := tls.Dialer{Config: w.tls()}
		conn, err := dial.DialContext(ctx, "tcp", netip.AddrPortFrom(at, 6379).String())
		if err != nil {
			return err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		if _, err := conn.Write(send("AUTH", token)); err != nil {
			return err
		}
		if atOnce > 1 {
			all.Go(func() { io.Copy(io.Discard, conn) })
		}
		answer := make([]byte, 1<<10)
		for {
			if _, err := conn.Write(burst); err != nil {
				return err
			}
			if atOnce == 1 {
				if _, err := conn.Read(answer); err != nil {
					return err
				}
			}
		}
	}
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				if attack() != nil && ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// TestClientsThatEndAllConnections hold nothing up, neither larder's nor replication's: a new token comes to every node
// meanwhile, the group becomes available, and no process is replaced.
func TestClientsThatEndAllConnections(t *testing.T) {
	t.Parallel()
	const next = "the-token-that-comes-after-it"
	for name, c := range map[string]struct {
		clients, atOnce int
		command         string
	}{
		"everybody, one after the other": {4, 1, "CLIENT KILL TYPE normal SKIPME no"},
		"all others":                     {1, 1, "CLIENT KILL TYPE normal"},
		"all others, many at once":       {1, 400, "CLIENT KILL TYPE normal"},
		"larder":                         {4, 400, "CLIENT KILL USER larder"},
		"replicas":                       {2, 1, "CLIENT KILL TYPE replica"},
		"primaries":                      {2, 1, "CLIENT KILL TYPE master"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.create("g", 2, nil)
			rg := w.awaitAvailable("g")
			before := must(w.runtime.PIDs(t.Context()))(t)
			var stops []func()
			for _, m := range rg.Members {
				stops = append(stops, w.flood(m.Address, c.clients, c.atOnce, strings.Fields(c.command)...))
			}
			w.modify("g", func(rg *cache.Shard) {
				rg.Group.AuthTokens = [][]byte{w.config.Sealer.Seal(state.AuthTokenAAD("g"), []byte(next))}
			})
			rg = w.awaitAvailable("g")
			for _, m := range rg.Members {
				if m.Access != cache.AccessFingerprint(rg.Group.AuthTokens) {
					t.Errorf("%s has another token", m.ID)
				}
			}
			for _, stop := range stops {
				stop()
			}
			if after := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, after) {
				t.Errorf("the processes were %v and are %v", before, after)
			}
		})
	}
}

// TestASnapshotIsMadeWhileClientsEndConnections: a node sends its data as to a replica, whose connection a client may
// end.
func TestASnapshotIsMadeWhileClientsEndConnections(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, nil)
	rg := w.awaitAvailable("g")
	fill(t, w.client(rg.PrimaryAddress), 50_000) // for long enough to be met by a kill
	stop := w.flood(rg.PrimaryAddress, 4, 1, strings.Fields("CLIENT KILL TYPE replica")...)
	defer stop()
	w.backup("g", "s", cache.SnapshotAsked)
	w.awaitSnapshot("s", cache.SnapshotAvailable)
}

// TestKillsAreWithheldForAWhile: from clients that end connections again and again, which an event says; they get
// CLIENT KILL back.
func TestKillsAreWithheldForAWhile(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, nil)
	rg := w.awaitAvailable("g")
	c := w.client(rg.PrimaryAddress)
	kill := func() error { return c.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err() }
	withheld := func() bool { return w.engine.Report("g").Observed.Nodes["g-001"].KillsWithheld }
	for range 20 { // now and then it is nobody's loss
		if err := c.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal").Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := kill(); err != nil || withheld() {
		t.Errorf("CLIENT KILL answers %v; withheld %t", err, withheld())
	}
	stop := w.flood(rg.PrimaryAddress, 2, 1, strings.Fields("CLIENT KILL USER larder")...)
	testkit.Within(t, patience, "CLIENT KILL is withheld", withheld)
	testkit.Within(t, patience, "an event says so", func() bool {
		return w.noticed("Clients of replication group g end connections again and again: CLIENT KILL is "+
			"withheld from them") == 1
	})
	stop()
	if err := kill(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
		t.Errorf("CLIENT KILL answers %v", err)
	}
	w.stop() // the next engine gives it back
	w.start()
	testkit.Within(t, patience, "clients may end connections", func() bool { return kill() == nil })
}
