package engine_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"larder/internal/cache"
	"larder/internal/endpoint"
	"larder/internal/engine"
	"larder/internal/operation"
	"larder/internal/redisnode"
	"larder/internal/state"
	"larder/internal/store"
)

// modify changes a group's record as the API does, and leaves it modifying.
func (w *fixture) modify(id string, change func(*cache.Shard)) {
	w.t.Helper()
	err := w.config.Store.Update(func(tx *store.Tx) error {
		rg, err := state.Group(tx, id)
		if err != nil {
			return err
		}
		if rg.Status, err = cache.Transition(rg.Status, cache.ModifyAsked); err != nil {
			return err
		}
		before, by := rg.Clone(), operation.Origin{By: asker, At: time.Now()}
		change(rg.Only())
		for _, o := range operation.Asked(before, rg, "") {
			if err := state.BeginOperation(tx, o, by); err != nil {
				return err
			}
		}
		return state.PutGroup(tx, rg, by)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// writers keep setting keys through the primary endpoint and remember what was acknowledged.
type writers struct {
	stop context.CancelFunc
	done sync.WaitGroup
	mu   sync.Mutex
	acks map[string]string
}

// write starts n writers, and returns when each has had a write acknowledged.
func (w *fixture) write(rg cache.Shard, n int) *writers {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	ws := &writers{stop: cancel, acks: map[string]string{}}
	var writing sync.WaitGroup
	for i := range n {
		client := w.client(rg.PrimaryAddress)
		writing.Add(1)
		ws.done.Go(func() {
			begin := sync.OnceFunc(writing.Done)
			defer begin()
			for n := 0; ctx.Err() == nil; n++ {
				key, value := fmt.Sprintf("w%d-%d", i, n), fmt.Sprint(n)
				if client.Set(ctx, key, value, 0).Err() == nil {
					ws.mu.Lock()
					ws.acks[key] = value
					ws.mu.Unlock()
					begin()
				}
			}
		})
	}
	writing.Wait()
	return ws
}

// missing stops the writers and counts the acknowledged writes that the primary endpoint does not have.
func (ws *writers) missing(t *testing.T, c *redis.Client) int {
	t.Helper()
	ws.stop()
	ws.done.Wait()
	if len(ws.acks) == 0 {
		t.Errorf("no write was acknowledged")
	}
	lost := 0
	for key, value := range ws.acks {
		if got, err := c.Get(t.Context(), key).Result(); err != nil || got != value {
			lost++
		}
	}
	return lost
}

func TestANodeTypeChangeReplacesEveryNodeAndLosesNothing(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 3, nil)
	rg := w.awaitAvailable("g")
	before, err := w.runtime.PIDs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ws := w.write(rg, 8)
	w.modify("g", func(rg *cache.Shard) { rg.Apply(cache.Deferred{NodeType: "cache.t3.small"}) })
	rg = w.awaitAvailable("g")
	if lost := ws.missing(t, w.client(rg.PrimaryAddress)); lost > 0 {
		t.Errorf("%d acknowledged writes are missing", lost)
	}
	after, err := w.runtime.PIDs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range rg.Members {
		if m.Spec != rg.Group.Spec() || after[m.ID] == before[m.ID] {
			t.Errorf("%s is %q in process %d, which was %d", m.ID, m.Spec, after[m.ID], before[m.ID])
		}
	}
	if w.noticed("Succeeded applying modification to cache node type to cache.t3.small.") != 1 {
		t.Error("the event list does not say that the node type was changed")
	}
	info, err := w.client(rg.PrimaryAddress).Info(t.Context(), "memory").Result()
	if err != nil || !strings.Contains(info, "maxmemory:1103269724\r\n") { // 1471026299 bytes less a quarter
		t.Errorf("the new primary's limit is not that of cache.t3.small: %v %s", err, info)
	}
}

func TestTheOneNodeOfAGroupIsResizedAsItRuns(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, nil)
	rg := w.awaitAvailable("g")
	c := w.client(rg.PrimaryAddress)
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	w.modify("g", func(rg *cache.Shard) { rg.Apply(cache.Deferred{NodeType: "cache.t3.medium"}) })
	rg = w.awaitAvailable("g")
	if v, err := c.Get(t.Context(), "k").Result(); v != "v" || err != nil {
		t.Errorf("after the change the key is %q, %v", v, err)
	}
	if rg.Members[0].Spec != rg.Group.Spec() {
		t.Errorf("the node is %q", rg.Members[0].Spec)
	}
}

func TestAPlannedPromotionLosesNothing(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	ws := w.write(rg, 8)
	for _, to := range []string{"g-002", "g-001", "g-002"} {
		w.modify("g", func(rg *cache.Shard) { rg.Promote = to })
		if rg = w.awaitAvailable("g"); rg.Primary().ID != to || rg.Promote != "" {
			t.Fatalf("the primary is %s, want %s", rg.Primary().ID, to)
		}
	}
	if lost := ws.missing(t, w.client(rg.PrimaryAddress)); lost > 0 {
		t.Errorf("%d acknowledged writes are missing", lost)
	}
}

// TestNoClientEndsAPlannedMovesPause: CLIENT UNPAUSE is refused, before a move, in it and after.
func TestNoClientEndsAPlannedMovesPause(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	rules := func(m cache.Member) []string { // of the clients' user
		list := w.send(m.ID, "ACL", "LIST").([]any)
		return slices.Sorted(slices.Values(strings.Fields(list[0].(string))))
	}
	before := rules(rg.Members[0])
	ws := w.write(rg, 8)
	ctx, cancel := context.WithCancel(t.Context())
	var unpausing errgroup.Group
	for _, m := range rg.Members { // on the members' own addresses, which are cut off only when the role has moved
		c := w.client(m.Address)
		unpausing.Go(func() error {
			for ctx.Err() == nil {
				if err := c.ClientUnpause(ctx).Err(); err == nil || redis.HasErrorPrefix(err, "ERR") {
					return fmt.Errorf("CLIENT UNPAUSE answers %w", err)
				}
			}
			return nil
		})
	}
	for _, to := range []string{"g-002", "g-001", "g-002", "g-001"} {
		w.modify("g", func(rg *cache.Shard) { rg.Promote = to })
		rg = w.awaitAvailable("g")
	}
	cancel()
	if err := unpausing.Wait(); err != nil {
		t.Error(err)
	}
	if lost := ws.missing(t, w.client(rg.PrimaryAddress)); lost > 0 {
		t.Errorf("%d acknowledged writes are missing", lost)
	}
	for _, m := range rg.Members {
		if err := w.client(m.Address).ClientUnpause(t.Context()).Err(); !redis.HasErrorPrefix(err, "NOPERM") {
			t.Errorf("CLIENT UNPAUSE after the moves, on %s: %v", m.ID, err)
		}
		if diff := cmp.Diff(before, rules(m)); diff != "" {
			t.Errorf("the clients' user on %s, before the moves and after:\n%s", m.ID, diff)
		}
	}
}

// TestWhoIsCutOffFindsTheNewPrimary: clients dial again the moment that they are cut off, and one that is refused then,
// on every connection of its pool, makes a pause that is longer than the move.
func TestWhoIsCutOffFindsTheNewPrimary(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	endpoint := netip.AddrPortFrom(rg.PrimaryAddress, uint16(rg.Group.Port)).String()
	for _, to := range []string{"g-002", "g-001", "g-002"} {
		var clients errgroup.Group
		for range 4 {
			c := must(tls.Dial("tcp", endpoint, w.tls()))(t)
			clients.Go(func() error {
				defer c.Close()
				if _, err := c.Read(make([]byte,
					1)); err == nil { // nothing was asked: it returns when the connection is cut
					return errors.New("an answer to nothing")
				}
				again, err := tls.Dial("tcp", endpoint, w.tls())
				if err != nil {
					return err
				}
				return again.Close()
			})
		}
		w.modify("g", func(rg *cache.Shard) { rg.Promote = to })
		w.awaitAvailable("g")
		if err := clients.Wait(); err != nil {
			t.Errorf("when %s became primary: %v", to, err)
		}
	}
}

func TestReplicasComeAndGo(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	spare := must(endpoint.Allocate(w.block.Prefix, nil, 40))(t)
	ws := w.write(rg, 4)
	for n := 3; n <= 5; n++ { // from a reader that is the replica itself to a relay, and on
		w.modify("g", func(rg *cache.Shard) {
			rg.Members = append(rg.Members, cache.Member{
				ID: cache.MemberID("g", n), Zone: "us-east-1b", Address: spare[20+n], Role: cache.Replica,
				Status: cache.MemberCreating,
			})
		})
		w.awaitAvailable("g")
		w.readable(rg, n-1)
	}
	for n := 5; n >= 3; n-- {
		w.modify("g", func(rg *cache.Shard) { rg.Member(cache.MemberID("g", n)).Removing = true })
		now := w.awaitAvailable("g")
		if len(now.Members) != n-1 {
			t.Fatalf("%d members are left, want %d", len(now.Members), n-1)
		}
		w.readable(rg, n-2)
	}
	if lost := ws.missing(t, w.client(rg.PrimaryAddress)); lost > 0 {
		t.Errorf("%d acknowledged writes are missing", lost)
	}
}

// readable checks that the reader endpoint answers, from a replica, and that the primary has that many.
func (w *fixture) readable(rg cache.Shard, replicas int) {
	w.t.Helper()
	c := w.client(rg.ReaderAddress)
	if info, err := c.Info(w.t.Context(), "replication").Result(); err != nil || !strings.Contains(info, "role:slave") {
		w.t.Errorf("the reader endpoint answers %v, %s", err, info)
	}
	if n, err := w.client(rg.PrimaryAddress).Do(w.t.Context(), "WAIT", replicas,
		patience.Milliseconds()).Int(); err != nil || n != replicas {
		w.t.Errorf("%d replicas have the last write, want %d: %v", n, replicas, err)
	}
}

func TestTokensRotate(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 3, nil)
	rg := w.awaitAvailable("g")
	const next = "another-token-of-16-characters"
	sealed := w.config.Sealer.Seal(state.AuthTokenAAD("g"), []byte(next))
	works := func(password string) bool {
		c := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("%s:6379", rg.PrimaryAddress), Password: password,
			TLSConfig: w.tls(), MaxRetries: -1})
		defer c.Close()
		return c.Ping(t.Context()).Err() == nil
	}
	open := w.client(rg.PrimaryAddress)
	id := must(open.ClientID(t.Context()).Result())(t)

	w.modify("g", func(rg *cache.Shard) { rg.Group.AuthTokens = append(rg.Group.AuthTokens, sealed) })
	w.awaitAvailable("g")
	if !works(token) || !works(next) {
		t.Errorf("while rotating, the old token works: %v, the new one: %v", works(token), works(next))
	}
	w.modify("g", func(rg *cache.Shard) { rg.Group.AuthTokens = [][]byte{sealed} })
	w.awaitAvailable("g")
	if works(token) || !works(next) {
		t.Errorf("after rotating, the old token works: %v, the new one: %v", works(token), works(next))
	}
	if now := must(open.ClientID(t.Context()).Result())(t); now != id {
		t.Error("the rotation closed a connection")
	}
	// A node that comes back takes the new token, and no other.
	w.kill("g-003")
	w.awaitRecovering(1)
	w.awaitAvailable("g")
}

// A replica that does not keep up is no candidate: clients' writes are not held back to wait for it.
func TestALaggingCandidateHoldsNothingBack(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	w.awaitAvailable("g")
	w.stop()
	defer w.start()
	w.admin("g-002", func(candidate *redisnode.Node) error { return candidate.Promote(t.Context()) })
	w.admin("g-001", func(old *redisnode.Node) error {
		w.admin("g-002", func(candidate *redisnode.Node) error {
			if err := engine.HoldWrites(t.Context(), old, candidate); err == nil {
				t.Error("no error")
			}
			return nil
		})
		info, err := old.Info(t.Context(), "commandstats")
		if calls, paused := info["cmdstat_client|pause"]; paused {
			t.Errorf("writes were held: %s", calls)
		}
		return err
	})
}
