package engine

import (
	"slices"

	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

// ReplaceDetached replaces nodes that nobody can connect to any more because their directories were removed: the next
// engine could not reach them. Replicas are replaced first. Then the primary switches over through the connections that
// are still open, and no data are lost. The only node of a group has the only data: it is left alone, and Logger says
// so.
func (e *Engine) ReplaceDetached(ids []string) error {
	var alone []string
	err := e.Store.UpdateReserved(func(tx *store.Tx) error {
		alone = nil
		groups, err := state.AllGroups(tx)
		if err != nil {
			return err
		}
		for _, rg := range groups {
			marked := false
			for shard, m := range rg.Members() {
				switch {
				case !slices.Contains(ids, m.ID) || m.Replacement != "":
				case len(shard.Members) == 1:
					alone = append(alone, m.ID)
				default:
					m.Replacement, marked = cache.Detached, true
				}
			}
			if !marked {
				continue
			}
			if rg.Status == cache.Available {
				if rg.Status, err = cache.Transition(rg.Status, cache.Diverged); err != nil {
					return err
				}
			}
			if err := state.PutGroup(tx, rg, e.origin()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range alone {
		e.Logger.Error("a node's directory was removed, and it alone has its group's data: it goes on; the next "+
			"engine could not reach it. Copy the data, then give it a new process: aws elasticache reboot-cache-cluster",
			"node", id)
	}
	return nil
}
