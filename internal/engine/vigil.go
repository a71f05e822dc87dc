package engine

import (
	"sync"
	"time"

	"larder/internal/node"
)

const (
	// answerTime is how long a node may take to tell its state. One that takes longer is looked at more closely; a busy
	// machine costs nothing but that.
	answerTime = 250 * time.Millisecond
	// silentTime is how long one may take that did not the last time.
	silentTime = 50 * time.Millisecond
	// stillTime is how long a main thread that does not answer may stand still. An idle redis-server works ten times a
	// second.
	stillTime = 500 * time.Millisecond
	// pulseTime is between two looks at the processes' pulses. An idle redis-server has worked in between.
	pulseTime = 200 * time.Millisecond
	// relaySilence is how long a relay may not answer. It has nothing to be busy with, and may have to wait for a
	// processor.
	relaySilence = 5 * time.Second
	// DefaultBusyLimit is for how long a node may be busy.
	DefaultBusyLimit = 15 * time.Second
)

// vigil tells a process that hangs from one that is busy. Both do not answer; the busy one uses a processor, or waits
// for one. Its methods may be called from several goroutines.
type vigil struct {
	process process

	mu         sync.Mutex
	idle       bool      // it may do nothing for as long as nobody sends it something
	answered   time.Time // the last time, or the last time that it could not be asked
	progressed time.Time // the last time that its main thread was seen to have worked, or to want to
	stirred    time.Time // the last time that any of its threads was
	stopped    time.Time // since when; zero when it is not
	cpu        time.Duration
	allCPU     time.Duration
}

// process is what a vigil sees of a node.Process.
type process interface {
	CPU() (time.Duration, error)
	AllCPU() (time.Duration, error)
	Pulse() (node.Pulse, error)
}

func newVigil(p process, idle bool, now time.Time) *vigil {
	return &vigil{process: p, idle: idle, answered: now, progressed: now, stirred: now}
}

// answers takes in when a process has answered. Who does has worked.
func (v *vigil) answers(at time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answered = at
	v.progressed, v.stirred = later(v.progressed, at), later(v.stirred, at)
	if at.After(v.stopped) {
		v.stopped = time.Time{}
	}
}

// mayIdle says whether the process may do nothing for as long as nobody sends it something.
func (v *vigil) mayIdle(may bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.idle = may
}

// excuse takes in that a process could not be asked.
func (v *vigil) excuse(at time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answered = at
}

// glance looks for what is cheap to see: any thread that has worked. Only where none has it takes the pulse. It is told
// from look so that a main thread that stands still while another works is found, if not at once.
func (v *vigil) glance(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	used, err := v.process.AllCPU()
	switch {
	case err != nil:
		v.stirred = now
		return
	case used != v.allCPU:
		v.allCPU, v.stirred = used, now
		return
	}
	v.examine(now, v.stirred)
}

// look takes the process's pulse, where it is not seen for less that its main thread works.
func (v *vigil) look(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if used, err := v.process.CPU(); err == nil && used != v.cpu {
		v.cpu, v.progressed, v.stirred, v.stopped = used, now, now, time.Time{}
		return
	}
	v.examine(now, now)
}

// examine takes the pulse of a process whose main thread, when it has worked since the last time, did so at worked at
// the latest. Where that fails nothing is known against it: that a process ended is seen elsewhere.
func (v *vigil) examine(now, worked time.Time) {
	p, err := v.process.Pulse()
	switch {
	case err != nil:
		v.progressed, v.stirred, v.stopped = now, now, time.Time{}
		return
	case p.Runnable:
		v.progressed, v.stirred = now, now
	case p.CPU != v.cpu:
		v.progressed = later(v.progressed, worked)
	}
	v.cpu = p.CPU
	switch {
	case !p.Stopped:
		v.stopped = time.Time{}
	case v.stopped.IsZero():
		v.stopped = now
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// doubtful tells whether a process is worth a question: it did nothing between two glances, which are not quite
// pulseTime apart.
func (v *vigil) doubtful(now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.stopped.IsZero() || !v.idle && now.Sub(v.stirred) >= pulseTime*3/4
}

// hung tells whether a process that does not answer does nothing either. One that may be idle is told by its being
// stopped.
func (v *vigil) hung(now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.stopped.IsZero() && now.Sub(v.stopped) >= answerTime || !v.idle && now.Sub(v.progressed) >= stillTime
}

// silence is since when a process has not answered.
func (v *vigil) silence(now time.Time) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return now.Sub(v.answered)
}
