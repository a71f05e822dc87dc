package engine

import (
	"cmp"
	"fmt"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/state"
	"larder/internal/store"
)

// restoreSource names the snapshot that the group begins with when no node has its data any more: the newest one that
// was taken of it, or the one that it began with. An older snapshot that can be restored is better than a newer one
// that is damaged. If all are damaged it is the newest, which the group waits for. It is empty if there is none, or if
// lost data are to stay lost.
func (r *shardRunner) restoreSource(tx *store.Tx, shard *cache.Shard) (string, error) {
	switch {
	case !r.e.RestoreLost:
		return "", nil
	case shard.Group.Restore != "":
		return shard.Group.Restore, nil
	}
	all, err := state.Snapshots.All(tx)
	if err != nil { // the one that cannot be read may be the newest
		return "", err
	}
	var newest, intact cache.Snapshot
	for _, s := range all {
		// One of an earlier group of that name is not the group's.
		if s.Group != shard.Group.ID || !s.Taken.After(shard.Group.Created) || !r.fits(s, shard) {
			continue
		}
		if s.Taken.After(newest.Taken) {
			newest = s
		}
		if s.Taken.After(intact.Taken) && r.intact(s) {
			intact = s
		}
	}
	return cmp.Or(intact.Name, newest.Name), nil
}

// intact tells whether a snapshot's file can be restored.
func (r *shardRunner) intact(s cache.Snapshot) bool {
	err := r.e.CheckSnapshot(s)
	if err != nil {
		r.log.Error("a snapshot of the group's lost data cannot be restored", "snapshot", s.Name, "error", err)
	}
	return err == nil
}

// fits tells whether the group, as it is now, may be made of a snapshot.
func (r *shardRunner) fits(s cache.Snapshot, shard *cache.Shard) bool {
	_, err := r.roomFor(s, shard)
	return err == nil && s.RestorableBy(shard.Group.EngineVersion, shard.Group.Server()) &&
		s.Fire(cache.RestoreAsked) == nil
}

// beginRestore records that the group is made of a snapshot.
func (r *shardRunner) beginRestore(name string) error {
	return r.update(func(tx *store.Tx, shard *cache.Shard) error {
		s, err := state.Snapshots.Get(tx, name)
		if err != nil {
			return fmt.Errorf("cannot find the record of the snapshot %s: %v", name,
				err) // not as of a group that is gone
		}
		if err := s.Fire(cache.RestoreAsked); err != nil {
			return err
		}
		shard.Group.Restore = name
		return state.Snapshots.Put(tx, name, s)
	})
}

// sayRestored writes into the event list that a group which had data before has those of a snapshot.
func (r *shardRunner) sayRestored(shard *cache.Shard, member string) error {
	if shard.Group.Status == cache.Creating {
		return nil
	}
	return r.update(func(tx *store.Tx, shard *cache.Shard) error {
		return r.e.notice(tx, event.DataRestored, member, nodeID, shard.Group.Restore)
	})
}
