package plan

import "larder/internal/cache"

// GroupStep is one thing to do about a group as a whole, when each of its shards is as desired.
type GroupStep string

// Every step of a group. All are idempotent.
const (
	Settle   GroupStep = "settle"   // record that what was asked for is done
	Maintain GroupStep = "maintain" // make what waited for the maintenance window the desired state
	Forget   GroupStep = "forget"   // nothing is left running: remove the group's files and records
)

// GroupObserved is what is known of a group as a whole.
type GroupObserved struct {
	Settled    map[string]bool // by shard id: nothing is left to do about it, see Shard
	WindowOpen bool            // the time is in the group's maintenance window
}

// Group returns the next step for a group as a whole, as far as can be seen now. It waits for every shard; no shard
// waits for it.
func Group(t cache.Topology, o GroupObserved) (step GroupStep, due bool) {
	for _, s := range t.Shards {
		if !o.Settled[s.ID] {
			return "", false
		}
	}
	switch {
	case t.Status == cache.Deleting:
		return Forget, true
	case t.Status == cache.CreateFailed:
		return "", false
	case t.Status == cache.Creating, t.Status == cache.Modifying, t.Restore != "":
		return Settle, true
	case t.Status == cache.Available && t.Deferred != nil && o.WindowOpen:
		return Maintain, true
	}
	return "", false
}
