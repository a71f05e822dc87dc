package logdelivery

import (
	"errors"

	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

// report records, where it is news, whether a group's logs can be delivered.
func (r *route) report(g *cache.Topology, failures map[string]error) {
	news := map[string]cache.LogDelivery{}
	for _, d := range g.LogDeliveries {
		seen := d
		seen.Status, seen.Message = cache.LogsActive, ""
		if err := failures[d.LogType]; err != nil {
			seen.Status, seen.Message = cache.LogsFailing, reason(d, err)
		}
		if seen != d {
			news[d.LogType] = seen
		}
	}
	if len(news) == 0 {
		return
	}
	err := r.Store.Update(func(tx *store.Tx) error {
		now, err := state.ReplicationGroups.Get(tx, g.ID)
		if err != nil {
			return err
		}
		for i, d := range now.LogDeliveries {
			if seen, ok := news[d.LogType]; ok && seen.Name == d.Name &&
				seen.Format == d.Format { // it was not changed meanwhile
				now.LogDeliveries[i].Status, now.LogDeliveries[i].Message = seen.Status, seen.Message
				r.Logger.Info("log delivery", "group", g.ID, "log", d.LogType, "status", seen.Status, "message",
					seen.Message)
			}
		}
		return state.ReplicationGroups.Put(tx, g.ID, now)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) { // a group that is gone has no deliveries any more
		r.Logger.Error("cannot record whether logs are delivered", "group", g.ID, "error", err)
	}
}
