package engine

import (
	"errors"
	"fmt"
	"slices"

	"larder/internal/cache"
	"larder/internal/seal"
	"larder/internal/state"
	"larder/internal/store"
)

// ScrubSnapshots reads all snapshots, and keeps in mind which cannot be restored: see DamagedSnapshots. Pace is told
// how many bytes are read next, and may wait; its error ends the scrub. A snapshot whose KMS key was deleted is not
// damaged.
func (e *Engine) ScrubSnapshots(pace func(bytes int) error) error {
	for _, s := range e.readableSnapshots() {
		ended := false
		err := e.Snapshots.Verify(s.Name, sealed(s), func(n int) error {
			err := pace(n)
			ended = err != nil
			return err
		})
		switch {
		case ended:
			return err
		case err == nil || errors.Is(err, seal.ErrNoKey) || !e.restorable(s): // or it was deleted meanwhile
			e.unrestorable.Delete(string(s.DataKey))
		default:
			if _, again := e.unrestorable.Swap(string(s.DataKey), err); !again {
				e.Logger.Error("a snapshot is damaged: no group can be made of it", "snapshot", s.Name, "error", err)
			}
		}
	}
	return nil
}

// DamagedSnapshots says of each snapshot that was found damaged why, by its name. What is deleted by now is not among
// them.
func (e *Engine) DamagedSnapshots() (all []string) {
	for _, s := range e.readableSnapshots() {
		if why, damaged := e.unrestorable.Load(string(s.DataKey)); damaged {
			all = append(all, fmt.Sprintf("%s: %v", s.Name, why))
		}
	}
	slices.Sort(all)
	return all
}

// restorable tells whether a snapshot is still one that a group may be made of.
func (e *Engine) restorable(s cache.Snapshot) bool {
	return slices.ContainsFunc(e.readableSnapshots(),
		func(now cache.Snapshot) bool { return string(now.DataKey) == string(s.DataKey) })
}

// readableSnapshots are those that a group may be made of, as far as their records can be read.
func (e *Engine) readableSnapshots() (all []cache.Snapshot) {
	err := e.Store.View(func(tx *store.Tx) (err error) {
		all, err = state.Snapshots.List(tx)
		return err
	})
	if err != nil {
		e.Logger.Error("cannot list the snapshots", "error", err)
	}
	return slices.DeleteFunc(all, func(s cache.Snapshot) bool {
		return s.Status != cache.SnapshotAvailable && s.Status != cache.SnapshotRestoring
	})
}
