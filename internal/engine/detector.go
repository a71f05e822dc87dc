package engine

import (
	"sync"
	"time"

	"larder/internal/node"
)

const (
	// answerTime is how long a node may take to answer a probe. A node that takes longer gets a full check, which is all
	// that a busy machine costs.
	answerTime = 250 * time.Millisecond
	// silentTime is how long a node may take that did not answer the last probe.
	silentTime = 50 * time.Millisecond
	// stillTime is how long the main thread of a node that does not answer may stand still. An idle redis-server works
	// ten times a second.
	stillTime = 500 * time.Millisecond
	// sampleInterval is between two quick checks of a process. An idle redis-server has worked in between.
	sampleInterval = 200 * time.Millisecond
	// relaySilence is how long a relay may not answer. It is never busy, but may have to wait for a processor.
	relaySilence = 5 * time.Second
	// DefaultBusyLimit is for how long a node may be busy.
	DefaultBusyLimit = 15 * time.Second
)

// detector is a liveness detector. It tells a process that hangs from one that is busy: neither answers, but the busy
// one uses a processor, or waits for one. Its methods may be called from several goroutines.
type detector struct {
	process process

	mu           sync.Mutex
	idle         bool      // it may do nothing until somebody sends it something
	lastAnswer   time.Time // the last time, or the last time that it could not be asked
	lastProgress time.Time // the last time that its main thread was seen to have worked, or to want to
	lastActivity time.Time // the last time that any of its threads was
	stopped      time.Time // since when; zero when it is not
	cpu          time.Duration
	allCPU       time.Duration
}

// process is what a detector needs of a node.Process.
type process interface {
	CPU() (time.Duration, error)
	AllCPU() (time.Duration, error)
	SchedulerSample() (node.SchedulerSample, error)
}

func newDetector(p process, idle bool, now time.Time) *detector {
	return &detector{process: p, idle: idle, lastAnswer: now, lastProgress: now, lastActivity: now}
}

// recordAnswer records when a process answered, which it cannot do without having worked.
func (v *detector) recordAnswer(at time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lastAnswer = at
	v.lastProgress, v.lastActivity = latest(v.lastProgress, at), latest(v.lastActivity, at)
	if at.After(v.stopped) {
		v.stopped = time.Time{}
	}
}

// allowIdle says whether the process may do nothing until somebody sends it something.
func (v *detector) allowIdle(may bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.idle = may
}

// reset records that the process could not be probed, through no fault of its own.
func (v *detector) reset(at time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lastAnswer = at
}

// quickCheck looks for the cheapest sign of life: processor time of any thread. It samples the scheduler only when
// there is none. A main thread that stands still while another thread works is found by fullCheck.
func (v *detector) quickCheck(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	used, err := v.process.AllCPU()
	switch {
	case err != nil:
		v.lastActivity = now
		return
	case used != v.allCPU:
		v.allCPU, v.lastActivity = used, now
		return
	}
	v.checkScheduler(now, v.lastActivity)
}

// fullCheck looks for processor time of the main thread. It samples the scheduler only when there is none.
func (v *detector) fullCheck(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if used, err := v.process.CPU(); err == nil && used != v.cpu {
		v.cpu, v.lastProgress, v.lastActivity, v.stopped = used, now, now, time.Time{}
		return
	}
	v.checkScheduler(now, now)
}

// checkScheduler takes a scheduler sample of the process. If its main thread has worked since the last sample, it did
// so at worked at the latest. A sample that fails counts as work: that a process ended is seen elsewhere.
func (v *detector) checkScheduler(now, worked time.Time) {
	p, err := v.process.SchedulerSample()
	switch {
	case err != nil:
		v.lastProgress, v.lastActivity, v.stopped = now, now, time.Time{}
		return
	case p.Runnable:
		v.lastProgress, v.lastActivity = now, now
	case p.CPU != v.cpu:
		v.lastProgress = latest(v.lastProgress, worked)
	}
	v.cpu = p.CPU
	switch {
	case !p.Stopped:
		v.stopped = time.Time{}
	case v.stopped.IsZero():
		v.stopped = now
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// suspect tells whether a process is worth a probe: it did nothing between two quick checks, which are a little less
// than sampleInterval apart.
func (v *detector) suspect(now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.stopped.IsZero() || !v.idle && now.Sub(v.lastActivity) >= sampleInterval*3/4
}

// hung tells whether a process that does not answer does nothing either. A process that may be idle hangs only when it
// is stopped.
func (v *detector) hung(now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.stopped.IsZero() && now.Sub(v.stopped) >= answerTime || !v.idle && now.Sub(v.lastProgress) >= stillTime
}

// silence is for how long a process has not answered.
func (v *detector) silence(now time.Time) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return now.Sub(v.lastAnswer)
}
