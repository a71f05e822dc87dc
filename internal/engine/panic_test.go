package engine_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"larder/internal/cache"
	"larder/internal/node"
	"larder/internal/snapshot"
)

// faulty is a runtime that panics in the goroutines that work for the group one: at the first start of its replica, and
// while broken at each connection to its relay. Its keys panic while broken.
type faulty struct {
	node.Runtime
	snapshot.Keys
	started, dialed atomic.Int32
	broken          atomic.Bool
}

func (f *faulty) Start(ctx context.Context, spec node.Spec) (node.Process, error) {
	if spec.ID == "one-002" && f.started.Add(1) == 1 {
		panic("injected into a start")
	}
	p, err := f.Runtime.Start(ctx, spec)
	if err == nil && spec.ID == "one"+cache.RelaySuffix {
		return faultyProcess{p, f}, nil
	}
	return p, err
}

func (f *faulty) Wrap(string, []byte, map[string]string) ([]byte, error) {
	if f.broken.Load() {
		panic("injected into a snapshot")
	}
	return nil, errors.New("no key is needed here")
}

type faultyProcess struct {
	node.Process
	of *faulty
}

func (p faultyProcess) Dial(ctx context.Context) (net.Conn, error) {
	if p.of.broken.Load() {
		p.of.dialed.Add(1)
		panic("injected into a probe to the relay")
	}
	return p.Process.Dial(ctx)
}

// TestAPanicEndsNothingElse: a panic in a goroutine of a group's steps, of its looks or of a transfer is a failure of
// that alone. The engine, other groups and the group itself go on.
func TestAPanicEndsNothingElse(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	f := &faulty{Runtime: w.runtime}
	w.config.Nodes = f
	w.config.Snapshots = &snapshot.Vault{Dir: w.config.Snapshots.Dir, Sealer: w.config.Sealer, Keys: f}
	w.start()
	w.create("one", 3, func(rg *cache.Shard) { rg.Group.KMSKeyID = "arn:aws:kms:us-east-1:000000000000:key/k" })
	w.create("two", 1, func(rg *cache.Shard) { shift(rg, 20) })
	w.awaitAvailable("one")
	if f.started.Load() < 2 {
		t.Errorf("the start that panicked was tried %d times", f.started.Load())
	}
	w.awaitAvailable("two")

	f.broken.Store(true)
	w.backup("one", "s", cache.SnapshotAsked)
	failed := w.awaitSnapshot("s", cache.SnapshotFailed)
	if !strings.Contains(failed.Reason, "injected into a snapshot") || strings.Contains(failed.Reason, "goroutine ") {
		t.Errorf("the snapshot failed because of %q", failed.Reason)
	}
	f.broken.Store(false)
	w.awaitAvailable("one")
	if f.dialed.Load() == 0 {
		t.Error("the relay was not asked meanwhile")
	}
	for _, id := range []string{"one", "two"} {
		rg, err := w.get(id)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.client(rg.PrimaryAddress).Set(t.Context(), "k", "v", 0).Err(); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	w.delete("one")
	w.await("one", "deleted", func(_ cache.Shard, err error) bool { return err != nil })
}
