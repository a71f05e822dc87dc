package engine

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"larder/internal/node"
	"larder/internal/redisnode"
)

// Node is a running member, for those that watch nodes.
type Node struct {
	Group, ID string // the replication group's, and the cache cluster's
	Process   node.Process
	// Redis is a connection apart from the engine's own, which so never waits for a watcher. It is closed when the process is gone,
	// or the engine has stopped.
	Redis *redisnode.Node
}

// roster is who runs, by id.
type roster struct {
	mu    sync.Mutex
	nodes map[string]Node
}

func (r *roster) enter(n Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nodes == nil {
		r.nodes = map[string]Node{}
	}
	r.nodes[n.ID] = n
}

func (r *roster) leave(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, there := r.nodes[id]
	delete(r.nodes, id)
	if !there {
		return nil
	}
	return n.Redis.Close()
}

// Roster returns the running members of every group, in the order of their ids. It never waits for a node.
func (e *Engine) Roster() []Node {
	e.running.mu.Lock()
	defer e.running.mu.Unlock()
	return slices.SortedFunc(maps.Values(e.running.nodes), func(a, b Node) int { return strings.Compare(a.ID, b.ID) })
}
