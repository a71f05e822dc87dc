package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/snapshot"
	"larder/internal/state"
	"larder/internal/store"
)

// recordSnapshot makes a snapshot available.
func (r *shardRunner) recordSnapshot(t *snapshotJob) error {
	return r.endSnapshot(t.member, func(s *cache.Snapshot) (event.Kind, error) {
		s.Taken, s.CacheSize, s.Size, s.DataKey = r.e.Now(), t.result.cacheSize, t.result.Size, t.result.DataKey
		return event.SnapshotSucceeded, s.Fire(cache.Taken)
	})
}

// failSnapshot gives a snapshot up, and says why.
func (r *shardRunner) failSnapshot(cause error) error {
	r.log.Error("a snapshot failed", "error", cause)
	return r.endSnapshot("", func(s *cache.Snapshot) (event.Kind, error) {
		s.Reason = shown(cause).Error()
		return event.SnapshotFailed, s.Fire(cache.TakingFailed)
	})
}

// errNoData is why a final snapshot is given up.
var errNoData = errors.New("no node was left that had the data")

// endSnapshot ends what the group was doing for a snapshot, which was taken of that member, in one transaction with the
// snapshot's own change.
func (r *shardRunner) endSnapshot(member string, change func(*cache.Snapshot) (outcome event.Kind, err error)) error {
	return r.update(func(tx *store.Tx, shard *cache.Shard) error {
		name := shard.Group.Snapshot.Name
		s, err := state.Snapshots.Get(tx, name)
		switch gone := store.IsUnreadable(err) || errors.Is(err, store.ErrNotFound); {
		case gone && shard.Group.Status == cache.Deleting && member != "":
			// Data that somebody asked to keep are not given up.
			return fmt.Errorf("cannot find the record of the final snapshot %s, and the group is kept: %v", name, err)
		case gone: // nobody can use what was taken, and the group goes on
			return r.dropSnapshot(tx, shard, err)
		case err != nil:
			return err
		}
		if m := shard.Member(member); m != nil {
			s.From(*m)
		}
		outcome, err := change(&s)
		if err != nil {
			return err
		}
		shard.Group.Snapshot = nil
		if shard.Group.Status, err = cache.Transition(shard.Group.Status, cache.SnapshotEnded); err != nil {
			return err
		}
		of, id := "cache cluster", s.Member
		if s.ByGroup {
			of, id = "replication group", s.Group
		}
		err = r.e.notice(tx, outcome, s.Member, name, of, id)
		return errors.Join(err, state.Snapshots.Put(tx, name, s))
	})
}

// dropSnapshot ends what the group was doing for a snapshot whose record cannot be read, or was deleted for that.
func (r *shardRunner) dropSnapshot(tx *store.Tx, shard *cache.Shard, cause error) (err error) {
	name := shard.Group.Snapshot.Name
	r.log.Error("a snapshot failed", "snapshot", name, "error", cause)
	shard.Group.Snapshot = nil
	if shard.Group.Status, err = cache.Transition(shard.Group.Status, cache.SnapshotEnded); err != nil {
		return err
	}
	return r.e.notice(tx, event.SnapshotRecordLost, r.groupID, name, r.groupID)
}

// release says that a group is not being made of a snapshot any more.
func (e *Engine) release(tx *store.Tx, rg *cache.ReplicationGroup) error {
	name := rg.Restore
	if name == "" {
		return nil
	}
	rg.Restore = ""
	groups, err := state.ReplicationGroups.All(tx)
	if store.IsUnreadable(err) { // which group may need it
		return nil
	}
	if err != nil {
		return err
	}
	for _, other := range groups {
		if other.ID != rg.ID && other.Restore == name {
			return nil
		}
	}
	s, err := state.Snapshots.Get(tx, name)
	if store.IsUnreadable(err) || errors.Is(err, store.ErrNotFound) { // there is nothing to say it in
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(s.Fire(cache.RestoreEnded), state.Snapshots.Put(tx, name, s))
}

// cleanSnapshots removes what an engine that was killed left half written. The file of a snapshot whose record cannot
// be read stays. What goes wrong is logged: nothing else waits for it.
func (e *Engine) cleanSnapshots() {
	var known []string
	damaged := false
	err := e.Store.View(func(tx *store.Tx) (err error) {
		_, err = state.Snapshots.All(tx)
		damaged = err != nil // it may have been the record of any file
		known, err = state.Snapshots.Keys(tx)
		return err
	})
	if err != nil {
		e.Logger.Error("cannot tell which files of snapshots are left over: none is removed", "error", err)
		return
	}
	cleaned, err := e.Snapshots.Sweep(func(name string) bool { return damaged || slices.Contains(known, name) })
	for _, name := range cleaned {
		e.Logger.Warn("removed what was left of a snapshot", "file", name)
	}
	if err != nil {
		e.Logger.Error("cannot remove all that is left of snapshots", "error", err)
	}
}

// sealed is what it takes to open a snapshot's file.
func sealed(s cache.Snapshot) snapshot.Sealed {
	return snapshot.Sealed{DataKey: s.DataKey, KMSKey: s.KMSKeyID, Size: s.Size}
}

// CheckSnapshot says why no group can be made of a snapshot: its file is gone or damaged. See snapshot.Vault.
func (e *Engine) CheckSnapshot(s cache.Snapshot) error { return e.Snapshots.Check(s.Name, sealed(s)) }

// UnlockSnapshot says why a snapshot's KMS key cannot be used now.
func (e *Engine) UnlockSnapshot(s cache.Snapshot) error {
	if s.KMSKeyID == "" {
		return nil
	}
	return e.Snapshots.Unlock(s.Name, sealed(s))
}

// dropSnapshots removes snapshots that were deleted, files first, until ctx ends.
func (e *Engine) dropSnapshots(ctx context.Context) {
	var failures failures
	e.Store.WatchAndRetry(ctx, string(state.Snapshots), func() <-chan time.Time {
		if err := e.dropDeleted(); err != nil {
			e.Logger.Log(ctx, failures.level(err), "cannot delete a snapshot: larder goes on trying, and writes this once",
				"error", err)
			return time.After(lastRetry)
		}
		failures.forget()
		return nil
	})
}

func (e *Engine) dropDeleted() error {
	var all []cache.Snapshot
	err := e.Store.View(func(tx *store.Tx) (err error) {
		all, err = state.Snapshots.List(tx)
		return err
	})
	for _, s := range all {
		if s.Status != cache.SnapshotDeleting {
			continue
		}
		err = errors.Join(err, e.guard.Do("the snapshot "+s.Name, func() error { return e.dropSnapshot(s.Name) }))
	}
	return err
}

// dropSnapshot removes a deleted snapshot's files, and then its record.
func (e *Engine) dropSnapshot(name string) error {
	if err := e.Snapshots.Remove(name); err != nil {
		return err
	}
	return e.Store.Update(func(tx *store.Tx) error { return state.Snapshots.Delete(tx, name) })
}
