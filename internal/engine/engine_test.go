package engine_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/endpoint"
	"larder/internal/engine"
	"larder/internal/loopback"
	"larder/internal/node"
	"larder/internal/node/process"
	"larder/internal/operation"
	"larder/internal/pki"
	"larder/internal/redisnode"
	"larder/internal/relay"
	"larder/internal/seal"
	"larder/internal/snapshot"
	"larder/internal/state"
	"larder/internal/store"
	"larder/internal/testkit"
)

// relayArgument makes the test binary the relay's process.
const relayArgument = "-larder-relay"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == relayArgument {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := relay.Serve(ctx, os.Stdin, node.Socket, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	testkit.Leakless(m)
}

// fixture is an engine with a store of its own.
type fixture struct {
	t       *testing.T
	config  engine.Config
	runtime *process.Runtime
	block   *loopback.Block
	engine  *engine.Engine
	stop    func()
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	s := must(store.Open(filepath.Join(dir, "larder.db")))(t)
	t.Cleanup(func() { s.Close() })
	versions, found, err := redisnode.Discover(t.Context(), os.Getenv("PATH"))
	if err != nil || len(versions) == 0 {
		t.Fatalf("redis-server 7.0 or later is needed: found %v: %v", found, err)
	}
	runtime := &process.Runtime{Dir: filepath.Join(dir, "nodes")}
	level := slog.LevelInfo
	out := io.Discard
	if testing.Verbose() {
		level, out = slog.LevelDebug, os.Stderr
	}
	w := &fixture{t: t, runtime: runtime, config: engine.Config{
		Store: s, Nodes: runtime,
		Sealer:    must(seal.Open(filepath.Join(dir, "master.key")))(t),
		Authority: must(pki.NewAuthority(time.Now()))(t),
		Versions:  versions, NodeTypes: must(catalog.LoadNodeTypes())(t), Families: must(catalog.LoadFamilies())(t),
		Snapshots: &snapshot.Vault{Dir: filepath.Join(dir, "snapshots"),
			Sealer: must(seal.Open(filepath.Join(dir, "master.key")))(t)},
		Relay:  []string{must(os.Executable())(t), relayArgument},
		Logger: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level})), Now: time.Now,
	}}
	w.block = must(loopback.Claim(netip.Prefix{}, rand.IntN))(t)
	t.Cleanup(func() { w.block.Close() })
	t.Cleanup(w.destroy)
	w.start()
	return w
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// start runs an engine; stop ends it and leaves the nodes, as a crash would.
func (w *fixture) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	e := engine.New(w.config)
	if err := e.Adopt(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.engine = e
	go func() { done <- e.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
		w.runtime.Close()
	})
}

func (w *fixture) destroy() {
	w.stop()
	left, err := w.runtime.Adopt(context.Background())
	if err != nil {
		w.t.Error(err)
	}
	for _, p := range left {
		if err := p.Stop(context.Background(), 0); err != nil {
			w.t.Error(err)
		}
	}
	w.runtime.Close()
}

const token = "a-token-of-at-least-16-characters"

// patience is how long something may take that takes a second on a machine that does nothing else.
const patience = time.Minute

var zeroTime time.Time

// create asks for a group as the API does.
func (w *fixture) create(id string, members int, change func(*cache.Shard)) {
	w.t.Helper()
	addrs := must(endpoint.Allocate(w.block.Prefix, nil, members+2))(w.t)
	group := cache.ReplicationGroup{
		ID: id, ARN: "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:" + id, Status: cache.Creating,
		EngineVersion: w.config.Versions[0].Version, NodeType: "cache.t3.micro", Port: 6379,
		ParameterGroup:    catalog.DefaultParameterGroup,
		AutomaticFailover: members > 1, TransitEncryption: true,
		AuthTokens: [][]byte{w.config.Sealer.Seal(state.AuthTokenAAD(id), []byte(token))},
	}
	rg := cache.Shard{GroupID: id, ID: cache.FirstShard, Group: &group, PrimaryAddress: addrs[0], ReaderAddress: addrs[1]}
	for i, addr := range addrs[2:] {
		rg.Members = append(rg.Members,
			cache.Member{ID: cache.MemberID(id, i+1), Zone: "us-east-1a", Address: addr, Status: cache.MemberCreating})
	}
	rg.SetPrimary(rg.Members[0].ID)
	if change != nil {
		change(&rg)
	}
	w.put(rg)
}

func (w *fixture) put(rg cache.Shard) {
	w.t.Helper()
	if err := w.config.Store.Update(func(tx *store.Tx) error {
		return state.PutShard(tx, rg, operation.Origin{By: asker, At: time.Now()})
	}); err != nil {
		w.t.Fatal(err)
	}
}

// change changes a group's records, whatever the engine writes into it meanwhile.
func (w *fixture) change(id string, change func(*cache.Shard)) {
	w.t.Helper()
	err := w.config.Store.Update(func(tx *store.Tx) error {
		rg, err := state.Group(tx, id)
		if err != nil {
			return err
		}
		change(rg.Only())
		return state.PutGroup(tx, rg, operation.Origin{By: asker, At: time.Now()})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// delete asks for the end of a group.
func (w *fixture) delete(id string) {
	w.t.Helper()
	w.change(id, func(rg *cache.Shard) { rg.Group.Status = cache.Deleting })
}

// get reads the shard of a group, which is a zero one of a zero group where there is none. It checks the operations
// that go with what it reads.
func (w *fixture) get(id string) (shard cache.Shard, err error) {
	shard.Group = &cache.ReplicationGroup{}
	err = w.config.Store.View(func(tx *store.Tx) error {
		rg, err := state.Group(tx, id)
		if err == nil {
			shard = *rg.Only()
			w.checkOperations(tx, rg)
		}
		return err
	})
	return shard, err
}

// await waits until the group's record fulfils a condition.
func (w *fixture) await(id, what string, condition func(cache.Shard, error) bool) cache.Shard {
	w.t.Helper()
	changed := make(chan struct{}, 1)
	cancel := state.SubscribeGroups(w.config.Store, func(string) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	defer cancel()
	deadline := time.After(patience)
	for {
		rg, err := w.get(id)
		if condition(rg, err) {
			return rg
		}
		select {
		case <-changed:
		case <-deadline:
			w.t.Fatalf("%s: still not %s: %+v, %v", id, what, rg, err)
		}
	}
}

func (w *fixture) awaitAvailable(id string) cache.Shard {
	w.t.Helper()
	return w.await(id, "available",
		func(rg cache.Shard, err error) bool { return err == nil && rg.Group.Status == cache.Available })
}

// client connects as an application does. It waits for an answer for as long as a node may be late on a busy machine: a
// command that it gave up would be sent again, on another connection.
func (w *fixture) client(addr netip.Addr) *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: netip.AddrPortFrom(addr, 6379).String(), Password: token, TLSConfig: w.tls(), PoolSize: 1,
		ReadTimeout: 2 * patience,
	})
	w.t.Cleanup(func() { c.Close() })
	return c
}
