package engine_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
	"larder/internal/redisnode"
	"larder/internal/snapshot"
	"larder/internal/state"
	"larder/internal/store"
)

var errDied = errors.New("the engine has died")

// fault is what befalls an engine at a transaction.
type fault string

const (
	death   fault = "dies"                  // and another begins
	failure fault = "cannot write for once" // and goes on
)

// befalls has a fault befall the engine at the n-th transaction after something is asked for. It tells whether it did
// before all was as asked for.
func (w *fixture) befalls(what fault, n int64, ask func(), until func() bool) (done bool) {
	w.t.Helper()
	var begun atomic.Int64
	befallen := make(chan struct{})
	ask()
	w.config.Store.Refuse(func() error {
		switch b := begun.Add(1); {
		case b < n || b > n && what == failure:
			return nil
		case b == n:
			close(befallen)
		}
		return errDied
	})
	defer w.config.Store.Refuse(nil)
	w.eventually("the engine "+string(what)+", or all is as asked for", func() bool {
		select {
		case <-befallen:
			done = true
		default:
		}
		return done || until()
	})
	if what == death {
		w.stop()
		w.config.Store.Refuse(nil)
		w.start()
	}
	return done
}

// tokensAre has a group take those tokens, of which an empty one stands for none.
func (w *fixture) tokensAre(id string, tokens ...string) {
	w.t.Helper()
	w.modify(id, func(rg *cache.Shard) {
		rg.Group.AuthTokens = nil
		for _, token := range tokens {
			sealed := []byte{}
			if token != "" {
				sealed = w.config.Sealer.Seal(state.AuthTokenAAD(id), []byte(token))
			}
			rg.Group.AuthTokens = append(rg.Group.AuthTokens, sealed)
		}
	})
}

// reaches checks that a client gets an answer at every address of a group with each of the tokens, or without one, and
// that every node takes these and no other.
func (w *fixture) reaches(rg cache.Shard, when string, tokens ...string) {
	w.t.Helper()
	for _, m := range rg.Members {
		w.admin(m.ID, func(n *redisnode.Node) error {
			takes, err := n.TakesTokens(w.t.Context(), tokens)
			if !takes {
				w.t.Errorf("%s: %s takes other tokens than the group's", when, m.ID)
			}
			return err
		})
	}
	if len(tokens) == 0 {
		tokens = []string{""}
	}
	for _, addr := range rg.Addresses() {
		for _, token := range tokens {
			o := &redis.Options{Addr: netip.AddrPortFrom(addr, uint16(rg.Group.Port)).String(), Password: token,
				MaxRetries: -1, ReadTimeout: patience}
			if rg.Group.TransitEncryption {
				o.TLSConfig = w.tls()
			}
			c := redis.NewClient(o)
			if err := errors.Join(c.Ping(w.t.Context()).Err(), c.Close()); err != nil {
				w.t.Errorf("%s: %s: %v", when, addr, err)
			}
		}
	}
}

// asked is something that is asked for, with what has to be so in the end.
type asked struct {
	made   func(*cache.Shard)                // of a group that is there before; nil: the group is what is asked for
	ask    func(w *fixture, try string)      // a try's name is its own
	tokens func(try string) []string         // that the group takes then; nil: the group is gone
	also   func(w *fixture, try string) bool // nil: nothing else
}

// requests are what is asked for, by name.
func requests() map[string]asked {
	one := func(string) []string { return []string{token} }
	none := func(string) []string { return []string{} }
	protected := func(*cache.Shard) {}
	plain := func(rg *cache.Shard) { rg.Group.TransitEncryption, rg.Group.AuthTokens = false, nil }
	open := func(rg *cache.Shard) { rg.Group.AuthTokens = nil }
	manual := func(rg *cache.Shard) { rg.Group.AutomaticFailover = false }
	other := func(rg *cache.Shard) string { // than the primary
		return rg.Members[slices.IndexFunc(rg.Members, func(m cache.Member) bool { return m.Role == cache.Replica })].ID
	}
	create := func(change func(*cache.Shard)) func(*fixture, string) {
		return func(w *fixture, _ string) { w.create("g", 2, change) }
	}
	tokens := func(before ...string) (func(*fixture, string), func(string) []string) {
		accepted := func(try string) []string { return append(slices.Clone(before), nextToken+try) }
		return func(w *fixture, try string) { w.tokensAre("g", accepted(try)...) }, accepted
	}
	saved := func(w *fixture, try string) bool {
		s, err := w.snapshot(try)
		return err == nil && s.Status == cache.SnapshotAvailable &&
			slices.Equal(strings.Fields(w.snapshotFiles()), []string{try}) &&
			w.config.Snapshots.Check(s.Name, snapshot.Sealed{DataKey: s.DataKey, Size: s.Size}) == nil
	}
	set, setTokens := tokens()
	rotate, rotateTokens := tokens(token)
	first, firstTokens := tokens("")
	return map[string]asked{
		"creation":                 {nil, create(protected), one, nil},
		"creation without TLS":     {nil, create(plain), none, nil},
		"creation without a token": {nil, create(open), none, nil},
		"SET":                      {protected, set, setTokens, nil},
		"ROTATE":                   {protected, rotate, rotateTokens, nil},
		"a first token":            {open, first, firstTokens, nil},
		"no token any more": {protected, func(w *fixture, _ string) {
			w.tokensAre("g", token)
			w.awaitAvailable("g")
			w.tokensAre("g")
		}, none, nil},
		"a parameter without TLS": {plain, func(w *fixture, try string) {
			w.setParameter("slowlog-max-len", "100"+strings.TrimPrefix(try, "try-"))
			w.modify("g", func(*cache.Shard) {})
		}, none, nil},
		"the primary's replacement": {protected, func(w *fixture, _ string) {
			w.modify("g", func(rg *cache.Shard) { rg.Member(rg.Primary().ID).Replacement = cache.Rebooting })
		}, one, nil},
		"a switchover": {manual, func(w *fixture, _ string) {
			w.modify("g", func(rg *cache.Shard) { rg.Promote = other(rg) })
		}, one, nil},
		"a failover that is tested": {protected, func(w *fixture, _ string) {
			w.modify("g", func(rg *cache.Shard) { rg.Primary().Replacement = cache.FailedOver })
		}, one, nil},
		"a node type": {protected, func(w *fixture, _ string) {
			w.modify("g", func(rg *cache.Shard) {
				next := cache.Deferred{NodeType: "cache.t3.small"}
				if rg.Group.NodeType == next.NodeType {
					next.NodeType = "cache.t3.micro"
				}
				rg.Apply(next)
			})
		}, one, nil},
		"a snapshot": {protected, func(w *fixture, try string) { w.backup("g", try, cache.SnapshotAsked) }, one, saved},
		"deletion with a snapshot": {protected,
			func(w *fixture, try string) { w.backup("g", try, cache.DeleteAsked) }, nil, saved},
		"deletion of a snapshot": {protected, func(w *fixture, try string) {
			w.backup("g", try, cache.SnapshotAsked)
			w.eventually("it is taken", func() bool { return saved(w, try) })
			w.awaitAvailable("g")
			w.changeSnapshot(try, func(s *cache.Snapshot) {
				if err := s.Fire(cache.SnapshotDeleteAsked); err != nil {
					w.t.Fatal(err)
				}
			})
		}, one, func(w *fixture, try string) bool {
			_, err := w.snapshot(try)
			return errors.Is(err, store.ErrNotFound) && w.snapshotFiles() == ""
		}},
	}
}

// TestAFaultAtAnyTransaction: of what is asked for, the engine dies at the n-th transaction, or cannot write it for
// once, for every n: what it did last happened, and is not recorded. All is brought to its end, whatever that was.
func TestAFaultAtAnyTransaction(t *testing.T) {
	t.Parallel()
	for name, request := range requests() {
		for _, what := range []fault{death, failure} {
			t.Run(name+", and the engine "+string(what), func(t *testing.T) {
				t.Parallel()
				w := newFixture(t)
				n := int64(1)
				for w.try(request, what, n) {
					n++
				}
				t.Logf("%d transactions", n-1)
			})
		}
	}
}

// try makes a request that a fault befalls at its n-th transaction, and checks how it ends. It tells whether the
// request has so many.
func (w *fixture) try(r asked, what fault, n int64) (befallen bool) {
	w.t.Helper()
	if _, err := w.get("g"); errors.Is(err, store.ErrNotFound) && r.made != nil {
		w.create("g", 2, r.made)
		w.awaitAvailable("g")
	}
	try := fmt.Sprint("try-", n)
	asAsked := func() bool {
		rg, err := w.get("g")
		ended := r.tokens == nil && errors.Is(err, store.ErrNotFound) ||
			r.tokens != nil && err == nil && rg.Group.Status == cache.Available
		return ended && (r.also == nil || r.also(w, try))
	}
	befallen = w.befalls(what, n, func() { r.ask(w, try) }, asAsked)
	w.eventually("all is as asked for", asAsked)
	w.checkEnded(try)
	if r.tokens == nil {
		if left := w.processes(); len(left) > 0 {
			w.t.Fatalf("%s: %v run on", try, left)
		}
	} else {
		w.reaches(must(w.get("g"))(w.t), try, r.tokens(try)...)
	}
	if _, err := w.snapshot(try); err == nil {
		w.forgetSnapshot(try)
	}
	if r.made == nil {
		w.delete("g")
		w.awaitGone("g")
	}
	return befallen
}

// forgetSnapshot deletes a snapshot as the API does, and waits until its file is gone.
func (w *fixture) forgetSnapshot(name string) {
	w.t.Helper()
	w.changeSnapshot(name, func(s *cache.Snapshot) {
		if err := s.Fire(cache.SnapshotDeleteAsked); err != nil {
			w.t.Fatal(err)
		}
	})
	w.eventually("the snapshot is gone", func() bool {
		_, err := w.snapshot(name)
		return errors.Is(err, store.ErrNotFound) && w.snapshotFiles() == ""
	})
}
