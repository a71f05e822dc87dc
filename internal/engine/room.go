package engine

import (
	"time"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/redisnode"
	"larder/internal/store"
)

// fullEvery is between two events that say that a node has no room for another client. It may have some now and then.
const fullEvery = 10 * time.Minute

// noteRoom records whether a node has room for another client. A node without room turns clients away while all else is
// well, which nobody would see otherwise: the log and the event list say so.
func (r *shardRunner) noteRoom(m *member, s redisnode.State) {
	before := m.full
	if m.full = 0; s.Connections >= s.MaxConnections {
		m.full = s.Connections
	}
	switch id, now := m.process.ID(), r.e.Steady(); {
	case m.full == 0 && before > 0:
		r.log.Info("a node has room for clients again", "node", id, "connections", s.Connections, "most",
			s.MaxConnections)
	case m.full > 0 && before == 0:
		r.log.Warn("a node has as many connections as it may have: it turns new clients away", "node", id,
			"connections", s.Connections)
		if !m.warned.IsZero() && now.Sub(m.warned) < fullEvery {
			return
		}
		m.warned = now
		err := r.update(func(tx *store.Tx, _ *cache.Shard) error {
			return r.e.notice(tx, event.NodeFull, id, nodeID, s.Connections)
		})
		if err != nil {
			r.log.Error("cannot write an event", "node", id, "error", err)
		}
	}
}
