package engine

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"larder/internal/node"
	"larder/internal/redisnode"
)

// Node is a running member, for those that watch nodes.
type Node struct {
	Group, ID string // the replication group's, and the cache cluster's
	Process   node.Process
	// Redis is a connection apart from the engine's own, which so never waits for a watcher. It is closed when the
	// process is gone, or the engine has stopped.
	Redis *redisnode.Node

	seen *seen
}

// seen is what the engine saw of a node when it last answered, for those that watch nodes.
type seen struct {
	newestSlow atomic.Int64
	lag        atomic.Int64 // a time.Duration
}

// NewestSlow is the id of the slow log's newest entry as the engine saw it when the node last answered, -1 before that
// and without an entry. The engine looks at least once a second.
func (n Node) NewestSlow() int64 { return n.seen.newestSlow.Load() }

// Lag is for how long the node, a replica, had lacked something of the primary's when it last answered the engine; 0
// for a primary. The engine looks at least once a second.
func (n Node) Lag() time.Duration { return time.Duration(n.seen.lag.Load()) }

// registry is who runs, by replication group.
type registry struct {
	mu    sync.Mutex
	nodes map[string][]Node // in the order of their ids
}

func (r *registry) add(n Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nodes == nil {
		r.nodes = map[string][]Node{}
	}
	members := append(slices.Clone(r.nodes[n.Group]), n) // the old list may be in use
	slices.SortFunc(members, byID)
	r.nodes[n.Group] = members
}

func (r *registry) remove(group, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	members := r.nodes[group]
	at := slices.IndexFunc(members, func(n Node) bool { return n.ID == id })
	if at < 0 {
		return nil
	}
	gone := members[at]
	if r.nodes[group] = slices.Concat(members[:at], members[at+1:]); len(r.nodes[group]) == 0 {
		delete(r.nodes, group)
	}
	return gone.Redis.Close()
}

func byID(a, b Node) int { return strings.Compare(a.ID, b.ID) }

// RunningNodes returns the running members of every group, in the order of their ids. It never waits for a node.
func (e *Engine) RunningNodes() (all []Node) {
	e.running.mu.Lock()
	defer e.running.mu.Unlock()
	for _, members := range e.running.nodes {
		all = append(all, members...)
	}
	slices.SortFunc(all, byID)
	return all
}

// Running returns the running members of one group, in the order of their ids. The list is to be read only.
func (e *Engine) Running(group string) []Node {
	e.running.mu.Lock()
	defer e.running.mu.Unlock()
	return e.running.nodes[group]
}

func byShard(a, b *shardRunner) int { return strings.Compare(a.id, b.id) }
