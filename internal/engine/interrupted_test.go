package engine_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/redisnode"
	"larder/internal/state"
)

// checkNodes checks that each node takes the group's newest token and no other, and has a parameter's value.
func (w *fixture) checkNodes(rg cache.Shard, when, token, parameter, value string) {
	w.t.Helper()
	for _, m := range rg.Members {
		w.admin(m.ID, func(n *redisnode.Node) error {
			if takes, err := n.TakesTokens(w.t.Context(), []string{token}); err != nil || !takes {
				w.t.Errorf("%s: %s takes other tokens than the group's: %v", when, m.ID, err)
			}
			if has, err := n.Has(w.t.Context(), map[string]string{parameter: value}); err != nil || !has {
				w.t.Errorf("%s: %s has another %s than %s: %v", when, m.ID, parameter, value, err)
			}
			return nil
		})
		if got := w.says(m.Address, token); got != "PONG" {
			w.t.Errorf("%s: %s answers %s to the token", when, m.ID, got)
		}
	}
}

// TestChangesThatAnEngineEndsIn: the token and a parameter change beside something else, the engine ends at a moment of
// its own in each round, and the next one finds a newer token. When the group is available, every node has what was
// asked for last.
func TestChangesThatAnEngineEndsIn(t *testing.T) {
	t.Parallel()
	const parameter = "slowlog-max-len"
	for name, meanwhile := range map[string]func(w *fixture, rg *cache.Shard){
		"alone":             func(*fixture, *cache.Shard) {},
		"the primary dies":  func(w *fixture, rg *cache.Shard) { w.signal(rg.Primary().ID, syscall.SIGKILL) },
		"a node is renewed": func(_ *fixture, rg *cache.Shard) { rg.Members[1].Replacement = cache.Rebooting },
		"a planned move":    func(_ *fixture, rg *cache.Shard) { rg.Promote = rg.Members[1].ID },
		"a new node type":   func(_ *fixture, rg *cache.Shard) { rg.Group.NodeType = "cache.t3.small" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.create("g", 2, nil)
			w.awaitAvailable("g")
			for round, after := range []time.Duration{0, time.Millisecond, 4 * time.Millisecond, 15 * time.Millisecond,
				40 * time.Millisecond} {
				next := func(n int) (token, value string) {
					token, value = fmt.Sprintf("token-%d-%d-of-at-least-16", round, n), fmt.Sprint(1000+10*round+n)
					w.setParameter(parameter, value)
					w.change("g", func(rg *cache.Shard) {
						rg.Group.AuthTokens = [][]byte{w.config.Sealer.Seal(state.AuthTokenAAD("g"), []byte(token))}
						rg.Group.Status = cache.Modifying
					})
					return token, value
				}
				next(1)
				w.change("g", func(rg *cache.Shard) { meanwhile(w, rg) })
				time.Sleep(after) // where in the work that falls is chance
				w.stop()
				token, value := next(2)
				w.start()
				rg := w.awaitAvailable("g")
				w.checkNodes(rg, fmt.Sprintf("ended after %s", after), token, parameter, value)
			}
		})
	}
}
