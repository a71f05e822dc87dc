package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
	"larder/internal/redisnode"
	"larder/internal/testkit"
)

// spin occupies a node for as many microseconds as its argument says.
const spin = `local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local e = now() + ARGV[1] while now() < e do end return 1`

// TestWhatAReplicaHasReceivedIsNotLost: the primary had sent it before it died, and the replica was busy and had yet to
// read it.
func TestWhatAReplicaHasReceivedIsNotLost(t *testing.T) {
	for name, change := range map[string]func(*cache.Shard){
		"failover":    nil,
		"no failover": func(rg *cache.Shard) { rg.Group.AutomaticFailover = false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.create("g", 2, change)
			rg := w.awaitAvailable("g")
			c, replica := w.client(rg.PrimaryAddress), w.client(rg.Member("g-002").Address)
			if err := replica.Ping(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			elements := make([]any, 20_000) // they take long to sort, on each node
			for i := range elements {
				elements[i] = fmt.Sprintf("%x", uint32(i)*2654435761)
			}
			if err := c.RPush(t.Context(), "list", elements...).Err(); err != nil {
				t.Fatal(err)
			}
			awaitOffsets(t, c, replica)
			busy := make(chan error, 1)
			go func() { busy <- replica.Do(t.Context(), "EVAL_RO", spin, 0, 1_000_000).Err() }()
			const writes = 10
			value := strings.Repeat("x",
				5<<10) // all of them fit into the replica's buffer, and not into one look at it
			for i := range writes {
				if err := errors.Join(c.Set(t.Context(), fmt.Sprint(i), value, 0).Err(),
					c.SortStore(t.Context(), "list", "sorted", &redis.Sort{Alpha: true}).Err()); err != nil {
					t.Fatal(err)
				}
			}
			w.signal("g-001", syscall.SIGKILL)
			if err := <-busy; err != nil {
				t.Fatal(err)
			}
			w.awaitRecovering(1)
			rg = w.awaitAvailable("g")
			if there := must(w.client(rg.PrimaryAddress).Exists(t.Context(), "0", "1", "2", "3", "4", "5", "6", "7",
				"8", "9").Result())(t); there != writes {
				t.Errorf("of %d acknowledged writes that the replica had received, %d are there", writes, there)
			}
		})
	}
}

// awaitOffsets waits until a replica has everything.
func awaitOffsets(t *testing.T, primary, replica *redis.Client) {
	t.Helper()
	offset := func(c *redis.Client) string {
		return redisnode.Fields(must(c.Info(t.Context(), "replication").Result())(t))["master_repl_offset"]
	}
	testkit.Within(t, patience, "the replica catches up", func() bool { return offset(primary) == offset(replica) })
}
