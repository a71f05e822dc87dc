package engine_test

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/operation"
	"larder/internal/redisnode"
	"larder/internal/state"
	"larder/internal/store"
)

func (w *fixture) tls() *tls.Config {
	return &tls.Config{RootCAs: w.config.Authority.Pool(), MinVersion: tls.VersionTLS12}
}

func TestGroupServesThroughItsEndpoints(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	for name, members := range map[string]int{"one": 1, "two": 2, "three": 3} {
		w.create(name, members, func(rg *cache.Shard) { shift(rg, members*20) })
	}
	for _, name := range []string{"one", "two", "three"} {
		rg := w.awaitAvailable(name)
		ctx := t.Context()
		primary, reader := w.client(rg.PrimaryAddress), w.client(rg.ReaderAddress)
		// The stream to a new replica may begin up to a second after its copy is complete. Until then it has
		// acknowledged nothing.
		for name, value := range redisnode.Fields(must(primary.Info(ctx, "replication").Result())(t)) {
			if strings.HasPrefix(name, "slave") && strings.Contains(value, "offset=0,") {
				t.Errorf("%s is available, and its stream has not begun: %s:%s", rg.GroupID, name, value)
			}
		}
		if err := primary.Set(ctx, "k", name, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if len(rg.Members) > 1 {
			if n, err := primary.Do(ctx, "WAIT", len(rg.Members)-1, patience.Milliseconds()).Int(); err != nil ||
				n != len(rg.Members)-1 {
				t.Fatalf("%s: %d replicas have the write, %v", name, n, err)
			}
			if err := reader.Set(ctx, "k", "x", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "READONLY") {
				t.Errorf("%s: a write through the reader endpoint answers %v, want READONLY", name, err)
			}
		}
		if got, err := reader.Get(ctx, "k").Result(); err != nil || got != name {
			t.Errorf("%s: the reader endpoint answers %q, %v", name, got, err)
		}
	}
}

// shift moves a group's addresses, so that several groups fit in one block.
func shift(rg *cache.Shard, by int) {
	move := func(a netip.Addr) netip.Addr {
		for range by {
			a = a.Next()
		}
		return a
	}
	rg.PrimaryAddress, rg.ReaderAddress = move(rg.PrimaryAddress), move(rg.ReaderAddress)
	for i := range rg.Members {
		rg.Members[i].Address = move(rg.Members[i].Address)
	}
}

func TestRestrictedCommandsAreRefusedToTheTokensUser(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, nil)
	rg := w.awaitAvailable("g")
	c := w.client(rg.PrimaryAddress)
	for _, command := range redisnode.Restricted {
		var args []any
		for _, word := range strings.Split(command, "|") {
			args = append(args, word)
		}
		if err := c.Do(t.Context(), args...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") &&
			!strings.Contains(err.Error(), "wrong number of arguments") {
			t.Errorf("%s answers %v", command, err)
		}
	}
	for _, command := range [][]any{{"CONFIG", "GET", "maxmemory"}, {"ACL", "SETUSER", "default", "on"},
		{"CLUSTER", "MEET", "127.0.0.1", "1"}, {"REPLICAOF", "NO", "ONE"}} {
		if err := c.Do(t.Context(), command...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v answers %v, want NOPERM", command, err)
		}
	}
}

func TestNodesOutliveTheEngineAndAreAdopted(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 3, nil)
	rg := w.awaitAvailable("g")
	primary, reader := w.client(rg.PrimaryAddress), w.client(rg.ReaderAddress)
	id := func() [2]int64 {
		a, err := primary.Do(t.Context(), "CLIENT", "ID").Int64()
		if err != nil {
			t.Fatal(err)
		}
		b, err := reader.Do(t.Context(), "CLIENT", "ID").Int64()
		if err != nil {
			t.Fatal(err)
		}
		return [2]int64{a, b}
	}
	before := id()
	w.stop()
	if got := id(); got != before {
		t.Errorf("connections broke when the engine stopped: %v, then %v", before, got)
	}
	w.start()
	// A change of parameters reaches the adopted nodes, so they are in the engine's hands again.
	w.setParameter("timeout", "300")
	w.await("g", "configured", func(rg cache.Shard, err error) bool {
		return w.noticed("Updated parameter timeout to 300") == 3
	})
	if got := id(); got != before {
		t.Errorf("connections broke when the engine came back: %v, then %v", before, got)
	}
}

func (w *fixture) setParameter(name, value string) {
	w.t.Helper()
	err := w.config.Store.Update(func(tx *store.Tx) error {
		if err := state.ParameterGroups.Put(tx, "custom",
			cache.ParameterGroup{Name: "custom", Family: catalog.Family,
				Values: map[string]string{name: value}}); err != nil {
			return err
		}
		rg, err := state.Group(tx, "g")
		if err != nil {
			return err
		}
		rg.ParameterGroup = "custom"
		return state.PutGroup(tx, rg, operation.Origin{At: time.Now()})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// awaitRecovering waits until it is said so often that a node is lost and comes back. The group says that it is
// available again only when it has; that it was not, which may be for a moment, a test could miss.
func (w *fixture) awaitRecovering(times int) {
	w.t.Helper()
	w.eventually("a lost node is recovered", func() bool { return w.noticed("Recovering cache nodes 0001") == times })
}

// noticed counts the notices of that text.
func (w *fixture) noticed(message string) int {
	n := 0
	err := w.config.Store.View(func(tx *store.Tx) error {
		notices, err := state.Notices(tx, zeroTime)
		for _, notice := range notices {
			if notice.Message == message {
				n++
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestAPrimaryThatDiesIsReplacedByAReplica(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 3, nil)
	rg := w.awaitAvailable("g")
	primary := w.client(rg.PrimaryAddress)
	if err := primary.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := primary.Do(t.Context(), "WAIT", 2, patience.Milliseconds()).Int(); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	w.kill(rg.Members[0].ID)
	rg = w.await("g", "failed over and available", func(rg cache.Shard, err error) bool {
		return rg.Group.Status == cache.Available && rg.Primary().ID != "g-001"
	})
	if got, err := primary.Get(t.Context(), "k").Result(); err != nil || got != "v" {
		t.Errorf("the primary endpoint answers %q, %v", got, err)
	}
	if err := primary.Set(t.Context(), "k", "w", 0).Err(); err != nil {
		t.Error(err)
	}
}

func TestWithoutFailoverAPrimaryComesBackWithItsReplicasData(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, func(rg *cache.Shard) { rg.Group.AutomaticFailover = false })
	rg := w.awaitAvailable("g")
	primary := w.client(rg.PrimaryAddress)
	if err := primary.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := primary.Do(t.Context(), "WAIT", 1, patience.Milliseconds()).Int(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	w.kill("g-001")
	w.awaitRecovering(1)
	rg = w.awaitAvailable("g")
	if rg.Primary().ID != "g-001" {
		t.Errorf("the primary is %s, want g-001", rg.Primary().ID)
	}
	if got, err := primary.Get(t.Context(), "k").Result(); err != nil || got != "v" {
		t.Errorf("the primary endpoint answers %q, %v", got, err)
	}
	for message, times := range map[string]int{
		"Recovering cache nodes 0001": 1, "Finished recovery for cache nodes 0001": 1,
		"Failover from primary node g-001 to replica node g-002 completed":                        0,
		"Cache node 0001 restarted without data: no other node of the replication group was left": 0,
	} {
		if n := w.noticed(message); n != times {
			t.Errorf("%q is said %d times, want %d", message, n, times)
		}
	}
}

// TestFailoverDoesNotNeedMultiAZ: the setting is about where nodes are put. The one in another zone takes over where
// there is a choice.
func TestFailoverDoesNotNeedMultiAZ(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 3, func(rg *cache.Shard) {
		rg.Group.MultiAZ, rg.Group.AutomaticFailover = false, true
		rg.Members[2].Zone = "us-east-1b"
	})
	rg := w.awaitAvailable("g")
	w.signal("g-001", syscall.SIGSTOP) // no replica is left with a write that the other lacks
	rg = w.awaitPrimary("g", "g-001")
	if rg.Primary().ID != "g-003" {
		t.Errorf("the primary is %s, in the zone of the lost one", rg.Primary().ID)
	}
	if m := rg.Member("g-001"); m.Role != cache.Replica || m.Zone != "us-east-1a" {
		t.Errorf("the lost node came back as %+v", m)
	}
	// One event is of the node, and one of the group.
	if n := w.noticed("Failover from primary node g-001 to replica node g-003 completed"); n != 2 {
		t.Errorf("the failover is said %d times", n)
	}
	w.eventually("the lost node is replaced", func() bool { return len(w.openOperations("g")) == 0 })
	ended := map[operation.Kind]string{operation.Failover: "g-001>g-003 g-003", operation.Replace: "> g-001"}
	for kind, what := range ended {
		if got := w.ended("g", kind); !slices.Equal(got, []string{what + " succeeded, by larder"}) {
			t.Errorf("the operations %s are %q", kind, got)
		}
	}
}

// kill ends one node by its own process id.
func (w *fixture) kill(id string) {
	w.t.Helper()
	left, err := w.runtime.Adopt(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range left {
		if p.ID() == id {
			if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
				w.t.Fatal(err)
			}
			return
		}
	}
	w.t.Fatalf("no process of %s", id)
}

func TestDeleteLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 3, nil)
	w.awaitAvailable("g")
	w.delete("g")
	w.await("g", "gone", func(_ cache.Shard, err error) bool { return errors.Is(err, store.ErrNotFound) })
	left, err := w.runtime.Adopt(t.Context())
	if err != nil || len(left) > 0 {
		t.Errorf("processes left: %v, %v", left, err)
	}
	entries, err := os.ReadDir(w.runtime.Dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("files left: %v, %v", entries, err)
	}
}
