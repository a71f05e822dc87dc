package engine

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"larder/internal/cache"
	"larder/internal/endpoint"
	"larder/internal/node"
	"larder/internal/pki"
	"larder/internal/plan"
	"larder/internal/redisnode"
	"larder/internal/relay"
)

// observe asks every running process for its state, side by side: one that hangs delays the others by answerTime at
// most.
func (r *shardRunner) observe(ctx context.Context, shard *cache.Shard) plan.Observed {
	r.dropExited(ctx, shard.Group.Status)
	o := plan.Observed{
		Nodes: map[string]plan.NodeState{}, Verified: r.verified,
		Transferring: r.transfer != nil, Loading: r.transfer != nil && r.transfer.load,
	}
	var relay sync.WaitGroup
	if r.relay != nil {
		relay.Go(func() {
			o.Relay = relayState(r.relay.relays)
			if err := r.guarded(func() error { o.Relay = r.askRelay(ctx); return nil }); err != nil {
				r.log.Error("cannot ask the group's relay", "error", err)
			}
		})
	}
	begin := time.Now()
	for _, m := range shard.Members {
		if running := r.nodes[m.ID]; running != nil {
			r.ask(running)
		}
	}
	for _, m := range shard.Members {
		if running := r.nodes[m.ID]; running != nil {
			o.Nodes[m.ID] = r.hear(ctx, shard, running, begin)
		}
	}
	relay.Wait()
	r.endKills(ctx, shard, o.Nodes)
	r.sweepAll(ctx, shard, o.Nodes)
	r.measureLag(shard, o.Nodes)
	r.tell(o)
	return o
}

// hear takes in a node's answer. One that does not give it in time is judged by its pulse.
func (r *shardRunner) hear(ctx context.Context, shard *cache.Shard, m *member, begin time.Time) plan.NodeState {
	patience := answerTime
	if m.silent { // it has had its time; the others shall not wait for it again
		patience = silentTime
	}
	s, err := m.answer(ctx, time.Until(begin.Add(patience)))
	now := r.e.Steady()
	switch {
	case m.silent:
	case redisnode.IsRefusal(err):
		r.log.Warn("a node works, and refuses to tell its state: it is left alone", "node", m.process.ID(), "error",
			err)
	case isFault(err):
		r.log.Error("cannot ask a node for its state: it is left alone", "node", m.process.ID(), "error", err)
	case isShortage(err):
		r.log.Error("a node cannot be asked for its state until larder has descriptors and memory again: it is left alone", "node", m.process.ID(), "error", err)
	}
	m.stranger, m.cutOff = redisnode.IsStranger(err), isCutOff(err)
	r.noteCut(err)
	if m.silent = err != nil; m.silent {
		m.vigil.look(now)
		silence := m.vigil.silence(now)
		overdue := r.overdue(ctx, m, now)
		suspended := overdue && r.suspended(m)
		return plan.NodeState{
			Running: true, Hung: m.vigil.hung(now), TimedOut: overdue, Suspended: suspended, Held: suspended && m.held,
			Lag: silence, Refuses: redisnode.IsRefusal(err),
			CutOff: m.cutOff,
		}
	}
	if m.seen.newestSlow.Swap(s.NewestSlow) != s.NewestSlow && r.e.SlowLogGrew != nil {
		r.e.SlowLogGrew(r.groupID)
	}
	m.vigil.mayIdle(!s.Primary && !s.LinkUp)
	r.noteRoom(m, s)
	role, ports := cache.Replica, shard.Group.Ports()
	if s.Primary {
		role = cache.Primary
	}
	return plan.NodeState{
		Running: true, Answers: true, Role: role,
		Serves: s.Serves, OtherPorts: len(s.Serves) > 0 && (s.Plain != ports.Plain || s.TLS != ports.TLS),
		Follows: s.Follows, InSync: s.LinkUp, Offset: s.Offset,
		History: plan.History{ID: s.Stream, Before: s.StreamBefore, Fork: s.Fork}, MinReplicas: s.MinReplicas,
		Uncertified: shard.Group.TransitEncryption && !pki.Fresh(r.issued.to(m.process.ID()), r.e.Now()),
		Full:        m.full, Unconfirmed: !m.knowsTokens || !m.knowsParameters,
	}
}

// overdue tells whether a node that does not answer has had the time that a busy one has. The script that it may be
// busy with is ended before that is said, as ElastiCache does. One that is left alone all the same may come to a script
// later.
func (r *shardRunner) overdue(ctx context.Context, m *member, now time.Time) bool {
	if m.busy(now) <= r.e.busyLimit() {
		return false
	}
	if m.cutOff { // nor can it be told anything
		return true
	}
	switch first := m.relieved.IsZero(); {
	case first:
		m.relieved, m.killed = now, now
		r.endScript(ctx, m, slog.LevelWarn)
	case now.Sub(m.killed) >= redisnode.ScriptLimit:
		m.killed = now
		r.endScript(ctx, m, slog.LevelDebug)
	}
	return now.Sub(m.relieved) > 2*answerTime
}

// endScript ends the script that a node may be busy with.
func (r *shardRunner) endScript(ctx context.Context, m *member, failure slog.Level) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	if err := m.redis.KillScript(ctx); err != nil {
		r.log.Log(ctx, failure, "a node is busy for too long, and not with a script that can be ended", "node",
			m.process.ID(), "error", err)
		return
	}
	r.log.Warn("ended a script that ran for too long", "node", m.process.ID(), "limit", r.e.busyLimit())
}

// suspended tells whether an overdue node is kept from running. Where that cannot be seen it is taken for one that
// hangs.
func (r *shardRunner) suspended(m *member) bool {
	suspended, err := m.process.Suspended()
	if err != nil {
		r.log.Warn("it cannot be seen whether a node that does not answer is suspended", "node", m.process.ID(),
			"error", err)
	}
	return suspended
}

// sweepAll sweeps the primary last: its writes go on when no other node has clients left who would not see them.
func (r *shardRunner) sweepAll(ctx context.Context, shard *cache.Shard, nodes map[string]plan.NodeState) {
	primary := shard.Primary().ID
	for _, first := range []bool{true, false} {
		for id, s := range nodes {
			if s.Answers && (id != primary) == first {
				r.sweep(ctx, shard, r.nodes[id], s)
			}
		}
	}
}

// sweep brings a node that an earlier engine left to this one's rules, and ends what that engine left behind when it
// died in the middle of a move: clients on an endpoint that the node has given up, and held writes. An old primary that
// has yet to follow the new one keeps its writes back: nobody would ever see them.
func (r *shardRunner) sweep(ctx context.Context, shard *cache.Shard, m *member, s plan.NodeState) {
	if m.swept {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err := errors.Join(r.limitMemory(shard, m), m.redis.Protect(ctx), r.endpoints(shard).CutStale(ctx, m.redis, s.Serves))
	if r.shield.until.IsZero() {
		err = errors.Join(err, m.redis.Unshield(ctx)) // an earlier engine may have withheld it
	}
	settled := s.Role == cache.Replica || shard.Primary().ID == m.process.ID()
	if err == nil && settled {
		err = m.redis.Unpause(ctx)
	}
	if err != nil {
		r.log.Log(ctx, m.sweeps.level(err), "cannot end what an earlier engine left on a node: larder goes on trying, "+
			"and writes this once", "node", m.process.ID(), "error", err)
	}
	if err == nil {
		m.sweeps.forget()
	}
	m.swept = err == nil && settled
}

// measureLag fills in for how long each replica has lacked something of the recorded primary's.
func (r *shardRunner) measureLag(shard *cache.Shard, nodes map[string]plan.NodeState) {
	now := r.e.Steady()
	if p := nodes[shard.Primary().ID]; p.Answers && p.Role == cache.Primary {
		r.offsets.record(now, p.History.ID, p.Offset)
	}
	for id, s := range nodes {
		if s.Answers && s.Role == cache.Replica {
			s.Lag = r.offsets.lag(now, s.History.ID, s.Offset)
			nodes[id] = s
		}
		if s.Answers {
			r.nodes[id].seen.lag.Store(int64(s.Lag)) // 0 for a primary
		}
	}
}

// relayState is what a relay that runs said of itself. One that an earlier larder started does not say whether it
// spreads connections: it does where it has backends.
func relayState(s relay.Status) endpoint.Relay {
	return endpoint.Relay{Running: true, Spreads: s.Spreads || len(s.Backends) > 0, Backends: s.Backends,
		Fronts: s.Fronts}
}

// askRelay asks the relay what it does. It answers at once, so that one that does not in time hangs when it is
// stopped, or has been silent for long.
func (r *shardRunner) askRelay(ctx context.Context) endpoint.Relay {
	m := r.relay
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	status, err := m.control.Status(ctx)
	now := r.e.Steady()
	if err != nil {
		m.vigil.look(now)
		if isShortage(err) {
			m.vigil.excuse(now)
		}
		if !m.silent {
			r.log.Warn("the group's relay does not answer", "error", err)
		}
		m.silent = true
		last := relayState(m.relays)
		last.Hung = m.vigil.hung(now) || m.vigil.silence(now) > relaySilence
		return last
	}
	m.vigil.answers(now)
	m.relays, m.silent = status, false
	return relayState(status)
}

// dropExited forgets processes that are gone.
func (r *shardRunner) dropExited(ctx context.Context, status cache.Status) {
	for id, m := range r.nodes {
		if m.exited() {
			r.log.Log(ctx, m.lossLevel(status), "a node is gone", "node", id, "last_words", m.process.LastWords())
			m.redis.Close() // every connection is broken already
			close(m.questions)
			r.e.running.leave(r.groupID, id)
			r.e.pulses.leave(m.vigil)
			delete(r.nodes, id)
			r.verified = false
		}
	}
	if r.relay != nil && r.relay.exited() {
		r.log.Log(ctx, r.relay.lossLevel(status), "the group's relay is gone",
			"last_words", r.relay.process.LastWords())
		r.e.pulses.leave(r.relay.vigil)
		r.relay = nil
		r.verified = false
	}
}

// lossLevel is how much it matters that the process is gone: one that the engine ended, or whose group is being
// deleted, is no loss.
func (m *member) lossLevel(status cache.Status) slog.Level {
	if m.ended.Load() || status == cache.Deleting {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// end ends the process, which is killed when it has not ended within grace.
func (m *member) end(ctx context.Context, grace time.Duration) error {
	m.ended.Store(true)
	return m.process.Stop(ctx, grace)
}

func (m *member) exited() bool {
	select {
	case <-m.process.Exited():
		return true
	default:
		return false
	}
}

// adopt takes over a process that runs already, or was just started and recorded, and has the group look when it ends.
func (r *shardRunner) adopt(ctx context.Context, p node.Process, recorded bool) {
	reader := strings.HasSuffix(p.ID(), cache.RelaySuffix)
	now := r.e.Steady()
	m := &member{process: p, vigil: newVigil(p, reader, now), said: now, began: now, knowsTokens: recorded,
		knowsParameters: recorded}
	m.seen.newestSlow.Store(-1)
	r.e.pulses.enter(m.vigil, r)
	if reader {
		m.control = relay.Client{Dial: p.Dial}
		r.relay = m
	} else {
		admin, _, err := r.passwords()
		if err != nil {
			r.log.Error("cannot read the passwords of a node", "node", p.ID(), "error", err)
		}
		m.redis, m.questions = redisnode.Connect(p.Dial, admin), make(chan *question, 1)
		r.nodes[p.ID()] = m
		r.background(&r.watch, func() { r.putQuestions(ctx, m) })
		r.e.running.enter(Node{Group: r.groupID, ID: p.ID(), Process: p, Redis: redisnode.Connect(p.Dial, admin),
			seen: &m.seen})
	}
	r.background(&r.watch, func() {
		select {
		case <-p.Exited():
			r.wakeUp()
		case <-ctx.Done():
		}
	})
}
