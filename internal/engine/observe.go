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

// observe probes every running process for its state, all at once: one that hangs delays the others by answerTime at
// most.
func (r *shardRunner) observe(ctx context.Context, shard *cache.Shard) plan.Observed {
	r.dropExited(ctx, shard.Group.Status)
	o := plan.Observed{
		Nodes: map[string]plan.NodeState{}, Verified: r.verified,
		Transferring: r.job != nil, Loading: r.job != nil && r.job.load,
	}
	var relay sync.WaitGroup
	if r.relay != nil {
		relay.Go(func() {
			o.Relay = relayState(r.relay.relays)
			if err := r.guarded(func() error { o.Relay = r.probeRelay(ctx); return nil }); err != nil {
				r.log.Error("cannot ask the group's relay", "error", err)
			}
		})
	}
	begin := time.Now()
	for _, m := range shard.Members {
		if running := r.nodes[m.ID]; running != nil {
			r.sendProbe(running)
		}
	}
	for _, m := range shard.Members {
		if running := r.nodes[m.ID]; running != nil {
			o.Nodes[m.ID] = r.collect(ctx, shard, running, begin)
		}
	}
	relay.Wait()
	r.endKills(ctx, shard, o.Nodes)
	r.cleanAll(ctx, shard, o.Nodes)
	r.measureLag(shard, o.Nodes)
	r.publishReport(o)
	return o
}

// collect takes in a node's answer to a probe. The liveness detector judges a node that does not answer in time.
func (r *shardRunner) collect(ctx context.Context, shard *cache.Shard, m *member, begin time.Time) plan.NodeState {
	patience := answerTime
	if m.silent { // the others do not wait for it again
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
		r.log.Error("cannot probe a node: it is left alone", "node", m.process.ID(), "error", err)
	case isShortage(err):
		r.log.Error("a node cannot be probed until larder has descriptors and memory again: it is left alone", "node",
			m.process.ID(), "error", err)
	}
	m.stranger, m.cutOff = redisnode.IsStranger(err), isCutOff(err)
	r.noteCut(err)
	if m.silent = err != nil; m.silent {
		m.detector.fullCheck(now)
		silence := m.detector.silence(now)
		timedOut := r.timedOut(ctx, m, now)
		suspended := timedOut && r.suspended(m)
		return plan.NodeState{
			Running: true, Hung: m.detector.hung(now), TimedOut: timedOut, Suspended: suspended, Held: suspended && m.held,
			Lag: silence, Refuses: redisnode.IsRefusal(err),
			CutOff: m.cutOff,
		}
	}
	if m.seen.newestSlow.Swap(s.NewestSlow) != s.NewestSlow && r.e.SlowLogGrew != nil {
		r.e.SlowLogGrew(r.groupID)
	}
	m.detector.allowIdle(!s.Primary && !s.LinkUp)
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

// timedOut tells whether a node that does not answer has had the time that a busy one has. It first ends the script
// that the node may be busy with, as ElastiCache does. A node that is left alone all the same may come to a script
// later: its scripts are ended, too.
func (r *shardRunner) timedOut(ctx context.Context, m *member, now time.Time) bool {
	if m.busy(now) <= r.e.busyLimit() {
		return false
	}
	if m.cutOff { // nor can it be told anything
		return true
	}
	switch first := m.scriptKilledAt.IsZero(); {
	case first:
		m.scriptKilledAt, m.lastScriptKill = now, now
		r.endScript(ctx, m, slog.LevelWarn)
	case now.Sub(m.lastScriptKill) >= redisnode.ScriptLimit:
		m.lastScriptKill = now
		r.endScript(ctx, m, slog.LevelDebug)
	}
	return now.Sub(m.scriptKilledAt) > 2*answerTime
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

// suspended tells whether something outside keeps a node from running. If that cannot be seen, the node is taken for
// one that hangs.
func (r *shardRunner) suspended(m *member) bool {
	suspended, err := m.process.Suspended()
	if err != nil {
		r.log.Warn("it cannot be seen whether a node that does not answer is suspended", "node", m.process.ID(),
			"error", err)
	}
	return suspended
}

// cleanAll cleans the primary last: its writes go on when no other node has clients left that would not see them.
func (r *shardRunner) cleanAll(ctx context.Context, shard *cache.Shard, nodes map[string]plan.NodeState) {
	primary := shard.Primary().ID
	for _, first := range []bool{true, false} {
		for id, s := range nodes {
			if s.Answers && (id != primary) == first {
				r.clean(ctx, shard, r.nodes[id], s)
			}
		}
	}
}

// clean brings a node that an earlier engine left to this engine's rules. It ends what that engine left behind if it
// died in the middle of a move: clients at an endpoint that the node has given up, and held writes. An old primary that
// has yet to follow the new one keeps its writes held: nobody would ever see them.
func (r *shardRunner) clean(ctx context.Context, shard *cache.Shard, m *member, s plan.NodeState) {
	if m.cleaned {
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
		r.log.Log(ctx, m.cleanFailures.level(err), "cannot end what an earlier engine left on a node: larder goes on "+
			"trying, and writes this once", "node", m.process.ID(), "error", err)
	}
	if err == nil {
		m.cleanFailures.forget()
	}
	m.cleaned = err == nil && settled
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

// relayState is what a relay said of itself. A relay that an earlier larder started does not say whether it spreads
// connections: it does if it has backends.
func relayState(s relay.Status) endpoint.Relay {
	return endpoint.Relay{Running: true, Spreads: s.Spreads || len(s.Backends) > 0, Backends: s.Backends,
		Fronts: s.Fronts}
}

// probeRelay asks the relay what it does. A relay answers at once: one that does not in time hangs if it is stopped, or
// has been silent for long.
func (r *shardRunner) probeRelay(ctx context.Context) endpoint.Relay {
	m := r.relay
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	status, err := m.control.Status(ctx)
	now := r.e.Steady()
	if err != nil {
		m.detector.fullCheck(now)
		if isShortage(err) {
			m.detector.reset(now)
		}
		if !m.silent {
			r.log.Warn("the group's relay does not answer", "error", err)
		}
		m.silent = true
		last := relayState(m.relays)
		last.Hung = m.detector.hung(now) || m.detector.silence(now) > relaySilence
		return last
	}
	m.detector.recordAnswer(now)
	m.relays, m.silent = status, false
	return relayState(status)
}

// dropExited forgets processes that are gone.
func (r *shardRunner) dropExited(ctx context.Context, status cache.Status) {
	for id, m := range r.nodes {
		if m.exited() {
			r.log.Log(ctx, m.lossLevel(status), "a node is gone", "node", id, "last_words", m.process.LastWords())
			m.redis.Close() // every connection is broken already
			close(m.probes)
			r.e.running.remove(r.groupID, id)
			r.e.detectors.remove(m.detector)
			delete(r.nodes, id)
			r.verified = false
		}
	}
	if r.relay != nil && r.relay.exited() {
		r.log.Log(ctx, r.relay.lossLevel(status), "the group's relay is gone",
			"last_words", r.relay.process.LastWords())
		r.e.detectors.remove(r.relay.detector)
		r.relay = nil
		r.verified = false
	}
}

// lossLevel is the log level of the end of a process: debug if the engine ended it, or its group is being deleted.
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

// adopt takes over a process that runs already, or that was just started and recorded. It wakes the runner when the
// process ends.
func (r *shardRunner) adopt(ctx context.Context, p node.Process, recorded bool) {
	reader := strings.HasSuffix(p.ID(), cache.RelaySuffix)
	now := r.e.Steady()
	m := &member{process: p, detector: newDetector(p, reader, now), said: now, began: now, knowsTokens: recorded,
		knowsParameters: recorded}
	m.seen.newestSlow.Store(-1)
	r.e.detectors.add(m.detector, r)
	if reader {
		m.control = relay.Client{Dial: p.Dial}
		r.relay = m
	} else {
		admin, _, err := r.passwords()
		if err != nil {
			r.log.Error("cannot read the passwords of a node", "node", p.ID(), "error", err)
		}
		m.redis, m.probes = redisnode.Connect(p.Dial, admin), make(chan *probe, 1)
		r.nodes[p.ID()] = m
		r.background(&r.watch, func() { r.runProbes(ctx, m) })
		r.e.running.add(Node{Group: r.groupID, ID: p.ID(), Process: p, Redis: redisnode.Connect(p.Dial, admin),
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
