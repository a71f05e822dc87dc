package engine

import (
	"time"

	"larder/internal/node"
)

const (
	// answerTime is how long a node may take to tell its state. One that takes longer is looked at more closely; a busy machine
	// costs nothing but that.
	answerTime = 250 * time.Millisecond
	// silentTime is how long one may take that did not the last time.
	silentTime = 50 * time.Millisecond
	// stillTime is how long a main thread that does not answer may stand still. An idle redis-server works ten times a second.
	stillTime = 500 * time.Millisecond
	// pulseTime is between two looks at the pulses of a settled group's nodes.
	pulseTime = 250 * time.Millisecond
	// relaySilence is how long a relay may not answer. It has nothing to be busy with.
	relaySilence = 2 * time.Second
	// DefaultBusyLimit is for how long a node may be busy.
	DefaultBusyLimit = 15 * time.Second
)

// vigil tells a process that hangs from one that is busy. Both do not answer; the busy one uses a processor, or waits for one.
type vigil struct {
	answered   time.Time // the last time
	progressed time.Time // the last time that it was seen to have worked, or to want to
	stopped    time.Time // since when; zero when it is not
	cpu        time.Duration
}

func newVigil(now time.Time) vigil { return vigil{answered: now, progressed: now} }

// answers takes in an answer. Who gives one has worked.
func (v *vigil) answers(now time.Time) { v.answered, v.progressed, v.stopped = now, now, time.Time{} }

// see takes in a pulse.
func (v *vigil) see(p node.Pulse, now time.Time) {
	if p.Runnable || p.CPU != v.cpu {
		v.progressed = now
	}
	v.cpu = p.CPU
	switch {
	case !p.Stopped:
		v.stopped = time.Time{}
	case v.stopped.IsZero():
		v.stopped = now
	}
}

// doubtful tells whether a process is worth a question: it did nothing between two looks.
func (v *vigil) doubtful(now time.Time) bool {
	return !v.stopped.IsZero() || now.Sub(v.progressed) >= pulseTime
}

// hung tells whether a process that does not answer does nothing either.
func (v *vigil) hung(now time.Time) bool {
	return !v.stopped.IsZero() && now.Sub(v.stopped) >= answerTime || now.Sub(v.progressed) >= stillTime
}

// silence is since when a process has not answered.
func (v *vigil) silence(now time.Time) time.Duration { return now.Sub(v.answered) }

// look takes the process's pulse. One that is gone has none: that it ended is seen elsewhere.
func (m *member) look(now time.Time) {
	if p, err := m.process.Pulse(); err == nil {
		m.vigil.see(p, now)
	}
}

// doubtful tells whether a node, or the relay, has stopped to work since the last look.
func (g *group) doubtful() bool {
	now, doubt := g.e.Steady(), false
	for _, m := range g.nodes {
		m.look(now)
		doubt = doubt || m.vigil.doubtful(now)
	}
	if g.relay != nil { // it works only when it has something to do, and hangs only when it is stopped
		g.relay.look(now)
		doubt = doubt || !g.relay.vigil.stopped.IsZero()
	}
	return doubt
}
