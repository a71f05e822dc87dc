package engine_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/operation"
	"larder/internal/redisnode"
	"larder/internal/state"
	"larder/internal/store"
)

// Sizes of node types that a test can fill: of these, the default parameters reserve a quarter.
const (
	large = 64 << 20
	small = 8 << 20
)

// newSmallFixture has a cache.t3.small of 64 MiB and a cache.t3.micro of 8 MiB.
func newSmallFixture(t *testing.T) *fixture {
	w := newFixture(t)
	for name, size := range map[string]int64{"cache.t3.small": large, "cache.t3.micro": small} {
		nodeType := w.config.NodeTypes[name]
		nodeType.MaxMemory = size
		w.config.NodeTypes[name] = nodeType
	}
	return w
}

// parameters makes the parameter group "custom" have those values.
func (w *fixture) parameters(values map[string]string) {
	w.t.Helper()
	custom := cache.ParameterGroup{Name: "custom", Family: catalog.Family, Values: values}
	err := w.config.Store.Update(func(tx *store.Tx) error { return state.ParameterGroups.Put(tx, "custom", custom) })
	if err != nil {
		w.t.Fatal(err)
	}
	w.engine.ReconfigureAll()
}

// keys is how many keys fillMegabytes sets, of 64 KiB each: 12 MiB together.
const keys = 192

func fillMegabytes(t *testing.T, c *redis.Client) {
	t.Helper()
	value := strings.Repeat("v", 64<<10)
	for i := range keys {
		if err := c.Set(t.Context(), "k"+strconv.Itoa(i), value, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// wantAll checks that every key that fillMegabytes has set is there, that more can be written, and how much the primary
// may hold.
func (w *fixture) wantAll(when string, c *redis.Client, limit int64) {
	w.t.Helper()
	if err := c.Set(w.t.Context(), "more", when, 0).Err(); err != nil {
		w.t.Errorf("%s, a write answers %v", when, err)
	}
	if n := must(c.DBSize(w.t.Context()).Result())(w.t); n != keys+1 {
		w.t.Errorf("%s, %d keys are there, want %d", when, n, keys+1)
	}
	info := redisnode.Fields(must(c.Info(w.t.Context(), "memory").Result())(w.t))
	if got := info["maxmemory"]; got != strconv.FormatInt(limit, 10) {
		w.t.Errorf("%s, maxmemory is %s, want %d", when, got, limit)
	}
}

const tooSmall = "Failed to scale down to cache node type Replication Group [g] because the node has " +
	"insufficient memory. " +
	"Please select a different node type or reduce current memory usage and retry"

// TestANodeTypeThatCannotHoldTheDataIsGivenUp: also when the change has waited for the maintenance window. Once the
// data are fewer, the same change is made.
func TestANodeTypeThatCannotHoldTheDataIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		policy   string
		members  int
		deferred bool
	}{{"allkeys-lru", 2, false}, {"volatile-lru", 1, true}} {
		t.Run(test.policy, func(t *testing.T) {
			t.Parallel()
			w := newSmallFixture(t)
			now := time.Now().UTC()
			w.parameters(map[string]string{"maxmemory-policy": test.policy})
			w.create("g", test.members, func(rg *cache.Shard) {
				rg.Group.NodeType, rg.Group.ParameterGroup = "cache.t3.small", "custom"
				rg.Group.MaintenanceWindow = strings.ToLower(now.Add(-time.Hour).Format("Mon:15:04") +
					now.Add(time.Hour).Format("-Mon:15:04"))
			})
			rg := w.awaitAvailable("g")
			c := w.client(rg.PrimaryAddress)
			fillMegabytes(t, c)
			change := cache.Deferred{NodeType: "cache.t3.micro"}
			ask := func(said string) cache.Shard {
				t.Helper()
				before := w.noticed(said)
				w.modify("g", func(rg *cache.Shard) {
					if rg.Group.Deferred = &change; !test.deferred {
						rg.Apply(change)
					}
				})
				return w.await("g", "said to be over: "+said, func(rg cache.Shard, err error) bool {
					return err == nil && rg.Group.Status == cache.Available && w.noticed(said) > before
				})
			}
			rg = ask(tooSmall)
			if rg.Group.NodeType != "cache.t3.small" || rg.Group.Scaling != "" || rg.Group.Deferred != nil ||
				rg.Members[0].Spec != rg.Group.Spec() {
				t.Errorf("the group is %+v", rg)
			}
			if o := w.operations("g")[0]; o.Kind != operation.Scale || o.Operation.Outcome != operation.Failed ||
				o.Operation.Reason != tooSmall || o.To != "cache.t3.micro" {
				t.Errorf("the operation is %+v", o)
			}
			w.wantAll("after the change was given up", c, large*3/4)
			if w.noticed("Failed applying modification to cache node type to cache.t3.micro.") != 1 {
				t.Error("no event says which node type could not be had")
			}
			if err := c.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Wait(t.Context(), test.members-1, patience).Result(); err != nil || int(n) < test.members-1 {
				t.Fatalf("%d replicas are empty too: %v", n, err)
			}
			rg = ask("Succeeded applying modification to cache node type to cache.t3.micro.")
			if rg.Group.NodeType != "cache.t3.micro" {
				t.Errorf("the group is %+v", rg)
			}
			if o := w.operations("g")[0]; o.Kind != operation.Scale || o.Operation.Outcome != operation.Succeeded {
				t.Errorf("the operation is %+v", o)
			}
		})
	}
}

// TestAReserveThatLeavesNoRoomForTheDataWaits: as a change of the group's parameters, and as another parameter group.
// The other parameters are set; the limit is when the data fit. A node that starts meanwhile has the limit that the
// others keep.
func TestAReserveThatLeavesNoRoomForTheDataWaits(t *testing.T) {
	t.Parallel()
	w := newSmallFixture(t)
	w.parameters(map[string]string{"maxmemory-policy": "allkeys-lru"})
	w.create("g", 2, func(rg *cache.Shard) { rg.Group.NodeType, rg.Group.ParameterGroup = "cache.t3.small", "custom" })
	rg := w.awaitAvailable("g")
	c := w.client(rg.PrimaryAddress)
	fillMegabytes(t, c)
	w.parameters(map[string]string{"maxmemory-policy": "allkeys-lru", "reserved-memory-percent": "90",
		"timeout": "300"})
	w.eventually("the other parameter is set",
		func() bool { return w.noticed("Updated parameter timeout to 300") == 2 })
	w.wantAll("with a larger reserve", c, large*3/4)
	w.eventually("the replica has all", func() bool { return c.Wait(t.Context(), 1, time.Second).Val() == 1 })
	w.kill("g-001")
	rg = w.await("g", "failed over and available", func(rg cache.Shard, err error) bool {
		return err == nil && rg.Group.Status == cache.Available && rg.Primary().ID == "g-002"
	})
	w.wantAll("after a failover", c, large*3/4)
	w.modify("g", func(rg *cache.Shard) { rg.Promote = "g-001" })
	w.await("g", "moved back", func(rg cache.Shard, err error) bool {
		return err == nil && rg.Group.Status == cache.Available && rg.Primary().ID == "g-001"
	})
	w.wantAll("on the node that was started meanwhile", c, large*3/4)
	kept := "The nodes of replication group g keep a maxmemory of 50331648 bytes, because their data do not fit in " +
		"the 6710886 that " +
		"their parameters leave. Please reserve less memory, select a larger node type or reduce current memory usage"
	if n := w.noticed(kept); n != 1 {
		t.Errorf("%d events say that the reserve is not made", n)
	}
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	w.eventually("the reserve is made", func() bool { return w.noticed("Updated parameter maxmemory to 6710886") == 2 })
}
