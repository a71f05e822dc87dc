package engine

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"larder/internal/redisnode"
)

// probe asks a node for its state. It stays open when the answer does not come in time: a busy node has time for one
// answer between two commands, and for no more.
type probe struct {
	sent     time.Time
	done     chan struct{} // closed when the answer is there
	answered time.Time
	state    redisnode.State
	err      error
}

// sendProbe asks a node for its state, unless it has yet to answer an earlier probe. An answer that came after the last
// look at the node only proves that it has worked. It is too old for anything else.
func (r *shardRunner) sendProbe(m *member) {
	if m.pending != nil {
		select {
		case <-m.pending.done:
			m.record(m.pending)
		default:
			return
		}
	}
	m.pending = &probe{sent: r.e.Steady(), done: make(chan struct{})}
	m.probes <- m.pending
}

// runProbes sends probes to a node, one at a time, until the channel is closed.
func (r *shardRunner) runProbes(ctx context.Context, m *member) {
	for q := range m.probes {
		q.err = r.guarded(func() (err error) {
			q.state, err = m.redis.AwaitState(ctx)
			return err
		})
		q.answered = r.e.Steady()
		close(q.done)
	}
}

var errNoAnswer = errors.New("the node does not answer in time")

// answer waits at most so long for the answer to the open probe.
func (m *member) answer(ctx context.Context, most time.Duration) (redisnode.State, error) {
	q := m.pending
	select {
	case <-q.done:
	default: // as a rule one of a group's nodes has to be waited for, and the others have answered then
		late := time.NewTimer(most)
		defer late.Stop()
		select {
		case <-q.done:
		case <-late.C:
			return redisnode.State{}, errNoAnswer
		case <-ctx.Done():
			return redisnode.State{}, ctx.Err()
		}
	}
	m.record(q)
	return q.state, q.err
}

// record takes in when a probe was answered. A node that has run a script for ScriptLimit answers at once that it is
// busy. If it said nothing for as long before, this is another script, which began ScriptLimit ago.
func (m *member) record(q *probe) {
	switch {
	case q.err == nil:
		m.detector.recordAnswer(q.answered)
		m.began, m.scriptKilledAt, m.held = q.answered, time.Time{}, false
	case redisnode.IsRefusal(q.err): // it is not busy with anything
		m.began, m.scriptKilledAt = q.answered, time.Time{}
	case isShortage(q.err), isFault(q.err): // what it has done meanwhile is not known
		m.detector.reset(q.answered)
		m.began, m.scriptKilledAt = q.answered, time.Time{}
	case redisnode.IsBusy(q.err) && q.answered.Sub(m.said) >= redisnode.ScriptLimit:
		m.began, m.scriptKilledAt = q.answered.Add(-redisnode.ScriptLimit), time.Time{}
	}
	m.pending, m.said = nil, q.answered
}

// isShortage tells whether a process could not be probed because larder, or the machine, has no descriptor or no memory
// left for a connection. Such an error says nothing of the process. Source: socket(2), open(2).
func isShortage(err error) bool {
	lacks := []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS}
	return slices.ContainsFunc(lacks, func(l error) bool { return errors.Is(err, l) })
}

// isCutOff tells whether nobody can connect to a process: its socket is gone, is not its own, or cannot be got at. Such
// an error says nothing of the process, and does not pass by itself. A process that hangs or is busy keeps its socket:
// the kernel takes connections for it. Source: connect(2), open(2).
func isCutOff(err error) bool {
	ways := []error{syscall.ENOENT, syscall.ENOTDIR, syscall.ECONNREFUSED, syscall.EACCES, syscall.EIO, syscall.ESTALE,
		syscall.ENOTCONN}
	return slices.ContainsFunc(ways, func(w error) bool { return errors.Is(err, w) })
}

// busy is how long the node has run its current command at most, measured from the open probe or from its last reply.
func (m *member) busy(now time.Time) time.Duration {
	if m.pending != nil {
		return now.Sub(m.pending.sent)
	}
	return now.Sub(m.began)
}
