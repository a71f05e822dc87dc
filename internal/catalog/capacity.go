package catalog

import (
	"fmt"
	"strconv"
)

// NodeMemory is how much a node uses of what counts for eviction, and may use, in bytes. A limit of 0 is none.
type NodeMemory struct{ Used, Limit int64 }

// Overfull returns the largest limit among the nodes that hold more than limit and would be given less room than they
// have, all in bytes. It is 0 where every node may be given that limit: a primary over its limit evicts, or takes no
// writes.
func Overfull(nodes []NodeMemory, limit int64) (keep int64) {
	for _, n := range nodes {
		switch {
		case n.Used <= limit:
		case n.Limit == 0:
			keep = max(keep, n.Used)
		case n.Limit > limit:
			keep = max(keep, n.Limit)
		}
	}
	return keep
}

// Fit tells whether each node's data are within limit, in bytes.
func Fit(nodes []NodeMemory, limit int64) bool {
	for _, n := range nodes {
		if n.Used > limit {
			return false
		}
	}
	return true
}

// MaxMemory is how many bytes of data a node may hold.
func (d Directives) MaxMemory() (int64, error) {
	n, err := strconv.ParseInt(d.Live["maxmemory"], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("maxmemory: %w", err)
	}
	return n, nil
}

// KeepMemory has nodes hold that many bytes of data at least; 0 changes nothing.
func (d Directives) KeepMemory(least int64) error {
	limit, err := d.MaxMemory()
	if err == nil && least > limit {
		d.Live["maxmemory"] = strconv.FormatInt(least, 10)
	}
	return err
}
