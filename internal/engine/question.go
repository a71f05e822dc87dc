package engine

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"larder/internal/redisnode"
)

// question is one to a node for its state. It stays open when the answer does not come in time: a busy node has time
// for an answer between two commands, and for no more.
type question struct {
	asked    time.Time
	done     chan struct{} // closed when the answer is there
	answered time.Time
	state    redisnode.State
	err      error
}

// ask asks a node for its state, unless it owes an answer. One that came after the last look tells that the node has
// worked, and is too old for anything else.
func (r *shardRunner) ask(m *member) {
	if m.asked != nil {
		select {
		case <-m.asked.done:
			m.learn(m.asked)
		default:
			return
		}
	}
	m.asked = &question{asked: r.e.Steady(), done: make(chan struct{})}
	m.questions <- m.asked
}

// putQuestions puts the questions to a node, until they are closed. They come one at a time.
func (r *shardRunner) putQuestions(ctx context.Context, m *member) {
	for q := range m.questions {
		q.err = r.guarded(func() (err error) {
			q.state, err = m.redis.AwaitState(ctx)
			return err
		})
		q.answered = r.e.Steady()
		close(q.done)
	}
}

var errNoAnswer = errors.New("the node does not answer in time")

// answer waits at most so long for the answer to the question that was asked.
func (m *member) answer(ctx context.Context, most time.Duration) (redisnode.State, error) {
	q := m.asked
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
	m.learn(q)
	return q.state, q.err
}

// learn takes in when a question was answered. A node that has run a script for long says that it is busy, and that at
// once; where it said nothing for as long as a script may run before that, it is another script, which began that long
// ago.
func (m *member) learn(q *question) {
	switch {
	case q.err == nil:
		m.vigil.answers(q.answered)
		m.began, m.relieved, m.held = q.answered, time.Time{}, false
	case redisnode.IsRefusal(q.err): // it is not busy with anything
		m.began, m.relieved = q.answered, time.Time{}
	case isShortage(q.err), isFault(q.err): // what it has done meanwhile is not known
		m.vigil.excuse(q.answered)
		m.began, m.relieved = q.answered, time.Time{}
	case redisnode.IsBusy(q.err) && q.answered.Sub(m.said) >= redisnode.ScriptLimit:
		m.began, m.relieved = q.answered.Add(-redisnode.ScriptLimit), time.Time{}
	}
	m.asked, m.said = nil, q.answered
}

// isShortage tells whether a process could not be asked because larder, or the machine, has no descriptor or no memory
// left for a connection. That says nothing of the process. Source: socket(2), open(2).
func isShortage(err error) bool {
	lacks := []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS}
	return slices.ContainsFunc(lacks, func(l error) bool { return errors.Is(err, l) })
}

// isCutOff tells whether nobody can connect to a process: its socket is gone, is not its own, or cannot be got at. That
// says nothing of the process, and does not pass by itself. One that hangs or is busy has its socket: the kernel takes
// connections for it. Source: connect(2), open(2).
func isCutOff(err error) bool {
	ways := []error{syscall.ENOENT, syscall.ENOTDIR, syscall.ECONNREFUSED, syscall.EACCES, syscall.EIO, syscall.ESTALE,
		syscall.ENOTCONN}
	return slices.ContainsFunc(ways, func(w error) bool { return errors.Is(err, w) })
}

// busy is for how long a node that does not answer has been busy with the same command. When a question stays open that
// is one that the node has run since, at most: before, it would have said something.
func (m *member) busy(now time.Time) time.Duration {
	if m.asked != nil {
		return now.Sub(m.asked.asked)
	}
	return now.Sub(m.began)
}
