package engine_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
	"larder/internal/redisnode"
	"larder/internal/state"
)

const nextToken = "another-token-of-at-least-16-characters"

// says is what a node answers a client with that token.
func (w *fixture) says(addr netip.Addr, token string) string {
	c := redis.NewClient(&redis.Options{
		Addr: netip.AddrPortFrom(addr, 6379).String(), Password: token, TLSConfig: w.tls(), MaxRetries: -1,
		ReadTimeout: patience,
	})
	defer c.Close()
	pong, err := c.Ping(w.t.Context()).Result()
	if err != nil {
		return strings.Fields(err.Error())[0]
	}
	return pong
}

// TestWhatIsNotRecordedIsNotTrue: an engine ends between the start of nodes and the record of it, and the token changes
// before the next one begins, or the record is that of other processes. The group is available only when every node
// takes the new token and no other.
func TestWhatIsNotRecordedIsNotTrue(t *testing.T) {
	t.Parallel()
	unrecorded := func(m *cache.Member) {
		m.Spec, m.Access, m.Parameters, m.BootParameters = "", "", "", ""
	}
	for name, c := range map[string]struct {
		members int
		before  func(*cache.Shard)
	}{
		"a group that was being created": {3, func(rg *cache.Shard) {
			rg.Group.Status = cache.Creating
			for i := range rg.Members {
				unrecorded(&rg.Members[i])
			}
		}},
		"a group that reads available": {2, func(rg *cache.Shard) {
			for i := range rg.Members {
				unrecorded(&rg.Members[i])
			}
		}},
		"a replica that was being added": {3, func(rg *cache.Shard) {
			rg.Group.Status = cache.Modifying
			unrecorded(&rg.Members[2])
		}},
		"a node alone": {1, func(rg *cache.Shard) { unrecorded(&rg.Members[0]) }},
		"another process's record": {2, func(rg *cache.Shard) {
			rg.Group.Status = cache.Modifying // as it is while a node is replaced
			for i := range rg.Members {
				rg.Members[i].Access = cache.AccessFingerprint(rg.Group.AuthTokens)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.create("g", c.members, nil)
			w.awaitAvailable("g")
			w.stop()
			w.change("g", func(rg *cache.Shard) {
				rg.Group.AuthTokens = [][]byte{w.config.Sealer.Seal(state.AuthTokenAAD("g"), []byte(nextToken))}
				c.before(rg)
			})
			w.start()
			rg := w.await("g", "available and known", func(rg cache.Shard, err error) bool {
				if err != nil || rg.Group.Status != cache.Available {
					return false
				}
				for _, m := range rg.Members {
					if m.Spec != rg.Group.Spec() || m.Access != cache.AccessFingerprint(rg.Group.AuthTokens) {
						return false
					}
				}
				return true
			})
			for _, addr := range rg.Addresses() {
				if old, now := w.says(addr, token), w.says(addr, nextToken); old != "WRONGPASS" || now != "PONG" {
					t.Errorf("%s answers %s to the revoked token, and %s to the group's", addr, old, now)
				}
			}
		})
	}
}

// TestAnotherTokenIsFound: whatever gave a node other tokens than are recorded, no engine calls the group available
// before they are gone.
func TestAnotherTokenIsFound(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	w.admin("g-002", func(n *redisnode.Node) error { return n.SetTokens(t.Context(), []string{token, nextToken}) })
	w.modify("g", func(rg *cache.Shard) { rg.Members[1].Replacement = cache.Rebooting })
	w.awaitAvailable("g")
	w.admin("g-001", func(n *redisnode.Node) error { return n.SetTokens(t.Context(), []string{nextToken}) })
	w.modify("g", func(rg *cache.Shard) { rg.Members[1].Replacement = cache.Rebooting })
	w.awaitAvailable("g")
	for _, m := range rg.Members {
		if old, now := w.says(m.Address, nextToken), w.says(m.Address, token); old != "WRONGPASS" || now != "PONG" {
			t.Errorf("%s answers %s to a token that is not the group's, and %s to that", m.ID, old, now)
		}
	}
}
