package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

// recordSnapshot makes a snapshot available.
func (g *group) recordSnapshot(t *transfer) error {
	return g.endSnapshot(t.member, func(s *cache.Snapshot) (string, error) {
		s.Taken, s.CacheSize, s.Size, s.DataKey = g.e.Now(), t.taken.cacheSize, t.taken.Size, t.taken.DataKey
		return "succeeded", s.Fire(cache.Taken)
	})
}

// failSnapshot gives a snapshot up, and says why.
func (g *group) failSnapshot(cause error) error {
	g.log.Error("a snapshot failed", "error", cause)
	return g.endSnapshot("", func(s *cache.Snapshot) (string, error) {
		s.Reason = cause.Error()
		return "failed", s.Fire(cache.TakingFailed)
	})
}

// errNoData is why a final snapshot is given up.
var errNoData = errors.New("no node was left that had the data")

// endSnapshot ends what the group was doing for a snapshot, which was taken of that member, in one transaction with the snapshot's
// own change.
func (g *group) endSnapshot(member string, change func(*cache.Snapshot) (outcome string, err error)) error {
	return g.update(func(tx *store.Tx, rg *cache.ReplicationGroup) error {
		name := rg.Snapshot.Name
		s, err := state.Snapshots.Get(tx, name)
		if err != nil {
			return fmt.Errorf("cannot find the record of the snapshot %s: %v", name, err) // not as of a group that is gone
		}
		if m := rg.Member(member); m != nil {
			s.From(*m)
		}
		outcome, err := change(&s)
		if err != nil {
			return err
		}
		rg.Snapshot = nil
		if rg.Status, err = cache.Transition(rg.Status, cache.SnapshotEnded); err != nil {
			return err
		}
		of, id := "cache cluster", s.Member
		if s.ByGroup {
			of, id = "replication group", s.Group
		}
		err = g.notice(tx, cache.SourceCluster, s.Member, "Snapshot %s for snapshot with ID '%s' of %s with ID '%s'", outcome, name, of, id)
		return errors.Join(err, state.Snapshots.Put(tx, name, s))
	})
}

// release says that a group is not being made of a snapshot any more.
func (g *group) release(tx *store.Tx, rg *cache.ReplicationGroup) error {
	name := rg.Restore
	if name == "" {
		return nil
	}
	rg.Restore = ""
	groups, err := state.ReplicationGroups.All(tx)
	if err != nil {
		return err
	}
	for _, other := range groups {
		if other.ID != rg.ID && other.Restore == name {
			return nil
		}
	}
	s, err := state.Snapshots.Get(tx, name)
	if err != nil {
		return fmt.Errorf("cannot find the record of the snapshot %s: %v", name, err)
	}
	return errors.Join(s.Fire(cache.RestoreEnded), state.Snapshots.Put(tx, name, s))
}

// sweepSnapshots removes what an engine that was killed left half written.
func (e *Engine) sweepSnapshots() error {
	known := map[string]bool{}
	err := e.Store.View(func(tx *store.Tx) error {
		all, err := state.Snapshots.All(tx)
		for _, s := range all {
			known[s.Name] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	swept, err := e.Snapshots.Sweep(func(name string) bool { return known[name] })
	for _, name := range swept {
		e.Logger.Warn("removed what was left of a snapshot", "file", name)
	}
	return err
}

// dropSnapshots removes snapshots that were deleted, files first, until ctx ends.
func (e *Engine) dropSnapshots(ctx context.Context) {
	e.Store.Tend(ctx, string(state.Snapshots), func() <-chan time.Time {
		if err := e.dropDeleted(); err != nil {
			e.Logger.Error("cannot delete a snapshot", "error", err)
			return time.After(lastRetry)
		}
		return nil
	})
}

func (e *Engine) dropDeleted() error {
	var all []cache.Snapshot
	err := e.Store.View(func(tx *store.Tx) (err error) {
		all, err = state.Snapshots.All(tx)
		return err
	})
	for _, s := range all {
		if s.Status != cache.SnapshotDeleting {
			continue
		}
		if failed := e.Snapshots.Remove(s.Name); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		err = errors.Join(err, e.Store.Update(func(tx *store.Tx) error { return state.Snapshots.Delete(tx, s.Name) }))
	}
	return err
}
