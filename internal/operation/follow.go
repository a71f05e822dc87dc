package operation

import (
	"slices"

	"larder/internal/cache"
)

// Follow tells how a group's operations change with its records: those of open that are over, each as it ended, and
// those that begin, which have yet to get their numbers. Operations in shards that the facts leave out stay as they
// are.
func Follow(open []Operation, f Facts, by Origin) (over, begun []Operation) {
	var left []Operation
	for _, o := range open {
		s := State{}
		if o.Shard == "" || f.ReplicationGroup == nil || hasShard(f.Topology, o.Shard) {
			s = o.Look(f)
		}
		if s.Outcome == "" {
			left = append(left, o)
		} else {
			over = append(over, o.End(s.Outcome, s.Reason, by.At))
		}
	}
	if f.ReplicationGroup == nil {
		return over, nil
	}
	for _, o := range Pending(f.Topology) {
		if !slices.ContainsFunc(left, func(other Operation) bool { return other.Covers(o) }) {
			o.By, o.Began = by.By, by.At
			begun = append(begun, o)
		}
	}
	return over, begun
}

func hasShard(t cache.Topology, id string) bool {
	return slices.ContainsFunc(t.Shards, func(s cache.Shard) bool { return s.ID == id })
}
