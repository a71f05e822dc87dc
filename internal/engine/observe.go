package engine

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"larder/internal/cache"
	"larder/internal/node"
	"larder/internal/redisnode"
	"larder/internal/relay"
)

// observe asks every running process for its state, side by side.
func (g *group) observe(ctx context.Context, rg *cache.ReplicationGroup) cache.Observed {
	g.dropExited(ctx, rg.Status)
	o := cache.Observed{Nodes: map[string]cache.NodeState{}, Verified: g.verified, Transferring: g.transfer != nil}
	var mu sync.Mutex
	var asked sync.WaitGroup
	for _, m := range rg.Members {
		running := g.nodes[m.ID]
		if running == nil {
			continue
		}
		asked.Go(func() {
			s := running.state(ctx)
			mu.Lock()
			defer mu.Unlock()
			o.Nodes[m.ID] = s
		})
	}
	if g.relay != nil {
		o.Relay.Running = true
		backends, err := g.relay.control.Backends(ctx)
		if err != nil {
			g.log.Warn("the reader endpoint's relay does not answer", "error", err)
		}
		o.Relay.Backends = backends
	}
	asked.Wait()
	return o
}

func (m *member) state(ctx context.Context) cache.NodeState {
	s, err := m.redis.State(ctx)
	if err != nil {
		return cache.NodeState{Running: true}
	}
	role := cache.Replica
	if s.Primary {
		role = cache.Primary
	}
	return cache.NodeState{
		Running: true, Answers: true, Role: role,
		Serves: s.Serves, Follows: s.Follows, InSync: s.LinkUp, Offset: s.Offset,
	}
}

// dropExited forgets processes that are gone. In a group that is being deleted nothing else is expected.
func (g *group) dropExited(ctx context.Context, status cache.Status) {
	level := slog.LevelWarn
	if status == cache.Deleting {
		level = slog.LevelDebug
	}
	for id, m := range g.nodes {
		if m.exited() {
			g.log.Log(ctx, level, "a node is gone", "node", id, "last_words", m.process.LastWords())
			m.redis.Close() // every connection is broken already
			delete(g.nodes, id)
			g.verified = false
		}
	}
	if g.relay != nil && g.relay.exited() {
		g.log.Log(ctx, level, "the reader endpoint's relay is gone", "last_words", g.relay.process.LastWords())
		g.relay = nil
		g.verified = false
	}
}

func (m *member) exited() bool {
	select {
	case <-m.process.Exited():
		return true
	default:
		return false
	}
}

// adopt takes over a process that runs already, or was just started, and has the group look when it ends.
func (g *group) adopt(ctx context.Context, p node.Process) {
	if strings.HasSuffix(p.ID(), relaySuffix) {
		g.relay = &member{process: p, control: relay.Client{Dial: p.Dial}}
	} else {
		admin, _, err := g.passwords()
		if err != nil {
			g.log.Error("cannot read the passwords of a node", "node", p.ID(), "error", err)
		}
		g.nodes[p.ID()] = &member{process: p, redis: redisnode.Connect(p.Dial, admin)}
	}
	g.watch.Go(func() {
		select {
		case <-p.Exited():
			g.wakeUp()
		case <-ctx.Done():
		}
	})
}
