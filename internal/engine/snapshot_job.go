package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync/atomic"

	"larder/internal/cache"
	"larder/internal/plan"
	"larder/internal/redisnode"
	"larder/internal/snapshot"
	"larder/internal/state"
	"larder/internal/store"
)

// snapshotJob copies the data of a node into a snapshot, or of a snapshot into a node. Large data take long, so it runs
// beside the group's plans, which go on: a primary that dies meanwhile is replaced.
type snapshotJob struct {
	member string
	load   bool
	done   chan struct{}
	// copied of total bytes have arrived; total is 0 when it is not known. Others read both.
	copied, total atomic.Int64
	// The fields below are set when the job is done.
	err    error
	result snapshotResult
}

// snapshotResult is what a job says of the snapshot that it made.
type snapshotResult struct {
	snapshot.Sealed
	cacheSize int64
}

// beginSnapshotJobs begins those of a plan's steps that are snapshot jobs, and returns the others. Its context is the
// one that the group runs in: that of a step would end too soon.
func (r *shardRunner) beginSnapshotJobs(ctx context.Context, shard *cache.Shard, steps []plan.Step) []plan.Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s plan.Step) bool {
		kind := stepKinds[s.Kind]
		if kind.job == nil {
			return false
		}
		t, node := &snapshotJob{member: s.Member, load: kind.loads, done: make(chan struct{})}, r.nodes[s.Member]
		r.log.Debug("step", "kind", s.Kind, "node", s.Member)
		r.job = t
		r.copying.Store(t)
		r.watch.Go(func() {
			t.err = r.guarded(func() error { return kind.job(r, ctx, shard, t, node) })
			close(t.done)
			r.wakeUp()
		})
		return true
	})
}

// endSnapshotJob records the result of a job that is done. Ended says that one was.
func (r *shardRunner) endSnapshotJob(shard *cache.Shard) (ended bool, err error) {
	t := r.job
	if t == nil {
		return false, nil
	}
	select {
	case <-t.done:
	default:
		return false, nil
	}
	r.job = nil
	r.copying.Store(nil)
	r.noteCut(t.err)
	deleting := shard.Group.Status == cache.Deleting
	switch {
	case errors.Is(t.err, context.Canceled): // the engine ends; the next one begins again
		return true, nil
	case t.load && deleting:
		return true, nil // nobody wants the data any more
	case t.load && t.err != nil:
		r.failures.record(snapshotWork, t.err)
		return true, t.err
	case t.err != nil && deleting:
		r.failures.record(snapshotWork, t.err)
		// Data that somebody asked to keep are not given up: the group stays as it is, and the next plan tries again.
		return true, fmt.Errorf("the final snapshot %s could not be taken yet, and the group is kept until it is: %v",
			shard.Group.Snapshot.Name, shown(t.err))
	case redisnode.IsCut(t.err) && r.cuts < maxCuts && r.runs(t.member):
		r.cuts++ // a client ended the connection, and cannot do so again: the next plan takes the snapshot anew
		return true, nil
	case t.err != nil:
		r.cuts = 0
		return true, r.failSnapshot(t.err)
	}
	r.cuts = 0
	r.failures.record(snapshotWork, nil)
	r.succeed()
	if t.load {
		return true, r.sayRestored(shard, t.member)
	}
	return true, r.recordSnapshot(t)
}

// maxCuts is how often a snapshot is begun again after a client ended its connection (CLIENT KILL TYPE replica).
const maxCuts = 3

// runs tells whether a node's process runs.
func (r *shardRunner) runs(member string) bool {
	m := r.nodes[member]
	return m != nil && !m.exited()
}

// take copies a node's data into a snapshot. A node does not say in advance how many bytes they are.
func (r *shardRunner) take(ctx context.Context, shard *cache.Shard, t *snapshotJob, from *member) error {
	name := shard.Group.Snapshot.Name
	var s cache.Snapshot
	err := r.e.Store.View(func(tx *store.Tx) (err error) {
		s, err = state.Snapshots.Get(tx, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot find the record of the snapshot %s: %v", name, err)
	}
	memory, err := from.redis.Memory(ctx)
	if err != nil {
		return err
	}
	sealed, err := r.e.Snapshots.Write(name, s.KMSKeyID,
		func(w io.Writer) (int64, error) {
			return from.redis.Dump(ctx, countedWriter{w, &t.copied})
		})
	t.result = snapshotResult{sealed, memory.Used}
	return err
}

// load fills a node with the data of the snapshot that the group is made of.
func (r *shardRunner) load(ctx context.Context, shard *cache.Shard, t *snapshotJob, into *member) error {
	var s cache.Snapshot
	err := r.e.Store.View(func(tx *store.Tx) (err error) {
		s, err = state.Snapshots.Get(tx, shard.Group.Restore)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot find the record of the snapshot %s: %v", shard.Group.Restore, err)
	}
	limit, err := r.roomFor(s, shard)
	if err != nil {
		return err
	}
	t.total.Store(s.Size)
	data := redisnode.DataSet{Size: s.Size, Limit: limit, Open: func() (io.ReadCloser, error) {
		t.copied.Store(0) // the node may ask for them again
		from, err := r.e.Snapshots.Open(s.Name, sealed(s))
		if err != nil {
			return nil, err
		}
		return countedReader{from, &t.copied}, nil
	}}
	if _, data.Password, err = r.passwords(); err != nil {
		return err
	}
	if shard.Group.TransitEncryption {
		if data.TLS, err = r.feedTLS(); err != nil {
			return err
		}
	}
	if err := r.guarded(func() error { return into.redis.Load(ctx, data) }); err != nil {
		// The node has a part of the data only: it is ended, and starts again, empty.
		return errors.Join(fmt.Errorf("cannot restore the snapshot %s: %w", s.Name, err),
			into.end(context.WithoutCancel(ctx), 0))
	}
	return nil
}

// roomFor returns how much memory the snapshot's data may take, in bytes. It returns 0 when the node has as much as the
// data had: with less than they need, a node would silently evict some of them.
func (r *shardRunner) roomFor(s cache.Snapshot, shard *cache.Shard) (int64, error) {
	has, err := r.askedMemory(shard)
	if err != nil {
		return 0, err
	}
	switch had := r.e.NodeTypes[s.NodeType].MaxMemory; {
	case has >= had && had > 0:
		return 0, nil
	case s.CacheSize > has:
		return 0, fmt.Errorf("cannot restore the snapshot %s: its data took %d bytes, and a node of type %s "+
			"has %d for "+
			"them, without what its parameters reserve: choose a larger CacheNodeType, or reserve less",
			s.Name, s.CacheSize, shard.Group.NodeType, has)
	}
	return has, nil
}

// feedTLS is the certificate that larder shows to a node that loads a snapshot.
func (r *shardRunner) feedTLS() (*tls.Config, error) {
	certificate, key, err := r.e.Authority.Issue(r.e.Now(), "larder", nil, []netip.Addr{redisnode.FeedAddress})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, err
}
