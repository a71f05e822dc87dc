package engine_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
	"larder/internal/endpoint"
)

// withoutTLS makes a new group one that has neither TLS nor a token.
func withoutTLS(rg *cache.Shard) { rg.Group.TransitEncryption, rg.Group.AuthTokens = false, nil }

// without connects as a client without TLS and token does; with has TLS.
func (w *fixture) without(addr netip.Addr) *redis.Client { return w.tokenless(addr, false) }
func (w *fixture) with(addr netip.Addr) *redis.Client    { return w.tokenless(addr, true) }

func (w *fixture) tokenless(addr netip.Addr, secure bool) *redis.Client {
	o := &redis.Options{Addr: netip.AddrPortFrom(addr, 6379).String(), PoolSize: 1, MaxRetries: -1, DialerRetries: 1,
		ReadTimeout: patience}
	if secure {
		o.TLSConfig = w.tls()
	}
	c := redis.NewClient(o)
	w.t.Cleanup(func() { c.Close() })
	return c
}

// switchTransit switches a group's encryption in transit as the API does, and waits until the nodes have it.
func (w *fixture) switchTransit(id string, to cache.TransitMode) cache.Shard {
	w.t.Helper()
	w.modify(id, func(rg *cache.Shard) { rg.Group.SwitchTransit(to) })
	return w.await(id, "available in mode "+string(to), func(rg cache.Shard, err error) bool {
		return err == nil && rg.Group.Status == cache.Available && rg.Group.Transit() == to && rg.Group.TransitBefore == nil
	})
}

// migrating are writers who move to TLS and back, and remember what was acknowledged.
type migrating struct {
	writers
	client atomic.Pointer[redis.Client] // that they use now
}

func migrate(first *redis.Client, n int) *migrating {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	ws := &migrating{writers: writers{stop: cancel, acks: map[string]string{}}}
	ws.client.Store(first)
	for i := range n {
		ws.done.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				key, value := fmt.Sprintf("w%d-%d", i, n), fmt.Sprint(n)
				if ws.client.Load().Set(ctx, key, value, 0).Err() == nil {
					ws.mu.Lock()
					ws.acks[key] = value
					ws.mu.Unlock()
				}
				time.Sleep(time.Millisecond) // each write is looked for in the end
			}
		})
	}
	return ws
}

// held is a connection that is kept open and used all the time; it counts the failures.
type held struct {
	failures atomic.Int64
	stop     context.CancelFunc
	done     sync.WaitGroup
}

func hold(t *testing.T, c *redis.Client) *held {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	conn := c.Conn() // one connection, which is not replaced
	if err := conn.Ping(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	h := &held{stop: cancel}
	h.done.Go(func() {
		defer conn.Close()
		for ctx.Err() == nil {
			if err := conn.Ping(ctx).Err(); err != nil && ctx.Err() == nil {
				h.failures.Add(1)
			}
			time.Sleep(time.Millisecond)
		}
	})
	t.Cleanup(h.end)
	return h
}

func (h *held) end() {
	h.stop()
	h.done.Wait()
}

// wantClients looks which clients every address of the group takes.
func (w *fixture) wantClients(rg cache.Shard) {
	w.t.Helper()
	var clients sync.WaitGroup // a handshake that nobody answers takes seconds to fail
	for _, a := range rg.Reachable() {
		accepted := map[bool]bool{true: rg.Group.TransitEncryption, false: rg.Group.Transit() != cache.TransitRequired}
		for secure, want := range accepted {
			c := w.tokenless(a, secure)
			clients.Go(func() {
				if err := c.Ping(w.t.Context()).Err(); (err == nil) != want {
					w.t.Errorf("in mode %q, a client of %s with TLS: %t gets %v", rg.Group.Transit(), a, secure, err)
				}
			})
		}
	}
	clients.Wait()
}

// wantReplicas looks whether every replica follows the primary at the port of the group's mode.
func (w *fixture) wantReplicas(rg cache.Shard, client func(netip.Addr) *redis.Client) {
	w.t.Helper()
	for _, m := range rg.Members {
		if m.Role == cache.Primary {
			continue
		}
		info, err := client(m.Address).Info(w.t.Context(), "replication").Result()
		port := fmt.Sprintf("master_port:%d\r\n", rg.Group.ReplicationPort())
		for _, field := range []string{port, "master_link_status:up"} {
			if err != nil || !strings.Contains(info, field) {
				w.t.Errorf("in mode %q, %s does not have %q: %v\n%s", rg.Group.Transit(), m.ID, field, err, info)
			}
		}
	}
}

// fullCopies counts how often a replica had to copy the primary's data.
func fullCopies(t *testing.T, c *redis.Client) string {
	t.Helper()
	info := must(c.Info(t.Context(), "stats").Result())(t)
	_, after, _ := strings.Cut(info, "sync_full:")
	count, _, _ := strings.Cut(after, "\r\n")
	return count
}

func TestEncryptionInTransitIsSwitchedLive(t *testing.T) {
	t.Parallel()
	for members := 1; members <= 3; members++ {
		t.Run(fmt.Sprint(members), func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.create("g", members, withoutTLS)
			rg := w.awaitAvailable("g")
			before := must(w.runtime.PIDs(t.Context()))(t)
			plain, secure := w.without(rg.PrimaryAddress), w.with(rg.PrimaryAddress)
			copies := fullCopies(t, plain)
			ws := migrate(plain, 4)
			old := hold(t, w.without(rg.PrimaryAddress))

			rg = w.switchTransit("g", cache.TransitPreferred)
			w.wantClients(rg)
			w.wantReplicas(rg, w.with)
			if n := old.failures.Load(); n > 0 {
				t.Errorf("a connection from before failed %d times while TLS was made possible", n)
			}
			ws.client.Store(secure)
			w.stop()
			w.start() // another engine takes the nodes and the relay over
			rg = w.switchTransit("g", cache.TransitRequired)
			w.wantClients(rg)
			w.wantReplicas(rg, w.with)
			if old.failures.Load() == 0 {
				t.Error("a connection without TLS goes on where TLS is required")
			}
			old.end()

			rg = w.switchTransit("g", cache.TransitPreferred)
			w.wantClients(rg)
			ws.client.Store(plain)
			rg = w.switchTransit("g", cache.TransitOff)
			w.wantClients(rg)
			w.wantReplicas(rg, w.without)
			if lost := ws.missing(t, w.without(rg.PrimaryAddress)); lost > 0 {
				t.Errorf("%d acknowledged writes are missing", lost)
			}
			if now := fullCopies(t, w.without(rg.PrimaryAddress)); now != copies {
				t.Errorf("replicas copied the data %s times, and %s before the switches", now, copies)
			}
			after := must(w.runtime.PIDs(t.Context()))(t)
			for _, m := range rg.Members {
				if after[m.ID] != before[m.ID] {
					t.Errorf("%s got another process", m.ID)
				}
			}
			if relay := after["g"+cache.RelaySuffix]; (relay != 0) != (members > 2) {
				t.Errorf("the relay of %d members is process %d", members, relay)
			}
		})
	}
}

// TestAFailoverWhereClientsMayUseTLSOrNot: the endpoints lead to the new primary in both ways, and a relay that is gone
// is replaced.
func TestAFailoverWhereClientsMayUseTLSOrNot(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, func(rg *cache.Shard) { withoutTLS(rg); rg.Group.SetTransit(cache.TransitPreferred) })
	rg := w.awaitAvailable("g")
	w.wantClients(rg)
	if err := w.without(rg.PrimaryAddress).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	w.kill(rg.Primary().ID)
	rg = w.awaitPrimary("g", rg.Primary().ID)
	rg = w.awaitAvailable("g")
	for _, c := range []*redis.Client{w.without(rg.PrimaryAddress), w.with(rg.PrimaryAddress)} {
		if v, err := c.Get(t.Context(), "k").Result(); v != "v" || err != nil {
			t.Errorf("after the failover the key is %q, %v", v, err)
		}
	}
	gone := must(w.runtime.PIDs(t.Context()))(t)["g"+cache.RelaySuffix]
	w.kill("g" + cache.RelaySuffix)
	w.eventually("another relay", func() bool {
		now := must(w.runtime.PIDs(t.Context()))(t)["g"+cache.RelaySuffix]
		return now != 0 && now != gone
	})
	w.wantClients(w.awaitAvailable("g"))
	w.modify("g", func(rg *cache.Shard) { rg.Promote = rg.Members[0].ID })
	w.wantClients(w.awaitAvailable("g"))
}

// TestReplicasComeAndGoWhereClientsMayUseTLSOrNot: the reader endpoint's port passes from the relay's fronts to its
// spreading of connections, and back.
func TestReplicasComeAndGoWhereClientsMayUseTLSOrNot(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, func(rg *cache.Shard) { withoutTLS(rg); rg.Group.SetTransit(cache.TransitPreferred) })
	rg := w.awaitAvailable("g")
	ws := migrate(w.without(rg.PrimaryAddress), 2)
	spare := must(endpoint.Allocate(w.block.Prefix, nil, 40))(t)
	for n := 3; n <= 4; n++ {
		w.modify("g", func(rg *cache.Shard) {
			rg.Members = append(rg.Members, cache.Member{ID: cache.MemberID("g", n), Zone: "us-east-1b",
				Address: spare[20+n], Role: cache.Replica, Status: cache.MemberCreating})
		})
		w.wantClients(w.awaitAvailable("g"))
	}
	for n := 4; n >= 3; n-- {
		w.modify("g", func(rg *cache.Shard) { rg.Member(cache.MemberID("g", n)).Removing = true })
		w.wantClients(w.awaitAvailable("g"))
	}
	if lost := ws.missing(t, w.with(rg.PrimaryAddress)); lost > 0 {
		t.Errorf("%d acknowledged writes are missing", lost)
	}
}
