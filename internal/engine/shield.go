package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/plan"
	"larder/internal/redisnode"
	"larder/internal/store"
)

const (
	// shieldTime is for how long clients may not end connections (CLIENT KILL) after they held the engine up with it.
	shieldTime = time.Minute
	// killWindow is the time over which kills are counted, refused ones too. manyKills of them are no accident.
	killWindow = 10 * time.Second
	manyKills  = 5
)

// shield protects a group from clients that end connections again and again. They may end larder's own, without which
// it cannot manage a node, or replication's, without which no replica is in sync. A connection that is ended now and
// then is made again, and nobody loses anything. If it goes on, CLIENT KILL is withheld from clients for a while.
type shield struct {
	cut    bool      // an exchange of larder's was ended, and so was the next try of it
	until  time.Time // when clients may end connections again; zero where they may
	said   bool      // that they may not
	kills  int64     // of all nodes, when they were counted last
	window time.Time // when that was; zero where they are to be counted
}

// endKills withholds CLIENT KILL from clients that keep the engine from its work with it, and gives it back when they
// have stopped.
func (r *shardRunner) endKills(ctx context.Context, shard *cache.Shard, nodes map[string]plan.NodeState) {
	now := r.e.Steady()
	switch cut := r.shield.cut; {
	case cut || r.killed(ctx, shard, nodes, now):
		r.shield.cut = false
		r.raiseShield(ctx, shard, now)
	case !r.shield.until.IsZero() && now.After(r.shield.until):
		r.lowerShield(ctx, now)
	}
	for id, s := range nodes {
		s.KillsWithheld = !r.shield.until.IsZero()
		nodes[id] = s
	}
}

// noteCut records that a client ended one of the engine's connections, if err says so.
func (r *shardRunner) noteCut(err error) {
	r.shield.cut = r.shield.cut || redisnode.IsCut(err)
}

// killed tells whether a replica that had the data has no link, and clients have ended many connections lately.
func (r *shardRunner) killed(
	ctx context.Context, shard *cache.Shard, nodes map[string]plan.NodeState, now time.Time,
) bool {
	lacks := false
	for _, m := range shard.Members {
		s := nodes[m.ID]
		lacks = lacks || s.Answers && s.Role == cache.Replica && !s.InSync && s.Offset > 0
	}
	if !lacks || !r.shield.until.IsZero() {
		return false
	}
	return r.endedOften(ctx, now)
}

// endedOften tells whether clients ended connections often within killWindow. It counts anew when the last count is
// older.
func (r *shardRunner) endedOften(ctx context.Context, now time.Time) bool {
	kills, err := r.kills(ctx)
	if err != nil {
		r.log.Debug("cannot count how often clients ended connections", "error", err)
		return false
	}
	if r.shield.window.IsZero() || now.Sub(r.shield.window) > killWindow {
		r.shield.kills, r.shield.window = kills, now
		return false
	}
	return kills-r.shield.kills >= manyKills
}

// kills is how often CLIENT KILL was sent to the nodes.
func (r *shardRunner) kills(ctx context.Context) (sum int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	for _, m := range r.nodes {
		kills, failed := m.redis.Kills(ctx)
		sum, err = sum+kills, errors.Join(err, failed)
	}
	return sum, err
}

// raiseShield withholds CLIENT KILL on every node of the group: a client that ends connections on one node comes to the
// next. It does so for killWindow first, as a connection also ends when a process does.
func (r *shardRunner) raiseShield(ctx context.Context, shard *cache.Shard, now time.Time) {
	var all sync.WaitGroup
	var shielded atomic.Bool
	for _, m := range r.nodes {
		all.Go(func() {
			err := r.guarded(func() error { return r.shieldNode(ctx, m, shard.Group.Ports()) })
			if err != nil {
				r.log.Debug("cannot withhold CLIENT KILL", "node", m.process.ID(), "error", err)
				return
			}
			shielded.Store(true)
		})
	}
	all.Wait()
	if shielded.Load() {
		r.shield.window, r.shield.until = time.Time{}, latest(r.shield.until, now.Add(killWindow))
		r.endedOften(ctx, now)
	}
}

// shieldNode withholds CLIENT KILL on one node. If each of larder's connections is ended before it can send a command,
// it first ends the clients' connections from outside. The client that ends the others has to connect again, and larder
// is there before it.
func (r *shardRunner) shieldNode(ctx context.Context, m *member, ports cache.Ports) error {
	err := withhold(ctx, m)
	if redisnode.IsCut(err) {
		ended, failed := disconnect(m, ports)
		r.log.Warn("clients end every connection of larder's to a node at once: theirs were ended", "node",
			m.process.ID(), "connections", ended, "error", failed)
		err = withhold(ctx, m)
	}
	return err
}

// disconnect ends the connections that clients have made to a node.
func disconnect(m *member, ports cache.Ports) (ended int, err error) {
	for _, port := range ports.Each() {
		n, failed := m.process.Disconnect(port)
		ended, err = ended+n, errors.Join(err, failed)
	}
	return ended, err
}

func withhold(ctx context.Context, m *member) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return m.redis.Shield(ctx)
}

// lowerShield gives clients CLIENT KILL back, unless they still try to use it again and again. It says that once.
func (r *shardRunner) lowerShield(ctx context.Context, now time.Time) {
	kills, err := r.kills(ctx)
	if err != nil || kills-r.shield.kills >= manyKills {
		r.shield.kills, r.shield.until = kills, now.Add(shieldTime)
		if err == nil && !r.shield.said {
			r.shield.said = true
			r.sayShielded()
		}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	for id, m := range r.nodes {
		if err := m.redis.Unshield(ctx); err != nil {
			r.log.Warn("cannot give clients CLIENT KILL back yet", "node", id, "error", err)
			return
		}
	}
	r.shield = shield{}
	r.log.Info("clients may end connections (CLIENT KILL)")
}

// sayShielded writes into the log and the event list that CLIENT KILL is withheld.
func (r *shardRunner) sayShielded() {
	r.log.Warn("clients end connections again and again: CLIENT KILL is withheld from them", "for", shieldTime)
	err := r.update(func(tx *store.Tx, _ *cache.Shard) error {
		return r.e.notice(tx, event.ClientKillsWithheld, r.groupID, r.groupID)
	})
	if err != nil {
		r.log.Error("cannot write an event", "error", err)
	}
}
