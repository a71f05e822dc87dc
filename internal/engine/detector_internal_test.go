package engine

import (
	"syscall"
	"testing"
	"time"

	"larder/internal/node"
)

// sampled is a process with that scheduler sample, or with none that can be taken.
type sampled struct {
	sample node.SchedulerSample
	others time.Duration // the other threads' CPU time
	err    error
}

func (p *sampled) CPU() (time.Duration, error)                    { return p.sample.CPU, p.err }
func (p *sampled) AllCPU() (time.Duration, error)                 { return p.sample.CPU + p.others, p.err }
func (p *sampled) SchedulerSample() (node.SchedulerSample, error) { return p.sample, p.err }

// TestDetectorWithoutASample: what cannot be looked at is not said to hang.
func TestDetectorWithoutASample(t *testing.T) {
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	v := newDetector(&sampled{err: syscall.ENOMEM}, false, begin)
	for at := time.Duration(0); at < time.Minute; at += sampleInterval {
		if v.fullCheck(begin.Add(at)); v.hung(begin.Add(at)) {
			t.Fatalf("after %s it is said to hang", at)
		}
	}
}

// TestDetector: what is seen of a process every 100 ms, and what is made of it when it does not answer.
func TestDetector(t *testing.T) {
	works := func(i int) node.SchedulerSample {
		return node.SchedulerSample{CPU: time.Duration(i) * time.Millisecond}
	}
	always := func(s node.SchedulerSample) func(int) node.SchedulerSample {
		return func(int) node.SchedulerSample { return s }
	}
	for name, c := range map[string]struct {
		sample        func(i int) node.SchedulerSample
		suspect, hung time.Duration // from when on; 0 for never
		others        time.Duration // another thread's CPU time in 100 ms
	}{
		"works":                 {works, 0, 0, 0},
		"waits for a processor": {always(node.SchedulerSample{Runnable: true}), 0, 0, 0},
		"stands still":          {always(node.SchedulerSample{}), sampleInterval, stillTime, 0},
		"is stopped": {always(node.SchedulerSample{Stopped: true}), 100 * time.Millisecond,
			100*time.Millisecond + answerTime, 0},
		"is stopped now and then": {func(i int) node.SchedulerSample {
			return node.SchedulerSample{Stopped: i%2 == 0, CPU: works(i).CPU}
		}, 0, 0, 0},
		"another thread works":      {always(node.SchedulerSample{}), 0, stillTime, time.Millisecond},
		"works once in 300 ms only": {func(i int) node.SchedulerSample { return works(i / 3) }, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			var p sampled
			v := newDetector(&p, false, begin)
			for i := 1; i <= 20; i++ {
				at := time.Duration(i) * 100 * time.Millisecond
				p.sample = c.sample(i)
				p.others += c.others
				v.quickCheck(begin.Add(at))
				v.fullCheck(begin.Add(at))
				if (c.suspect > 0 || c.others > 0) &&
					v.suspect(begin.Add(at)) != (c.suspect > 0 && at >= c.suspect) {
					t.Errorf("after %s it is said to be suspect: %v", at, v.suspect(begin.Add(at)))
				}
				if v.hung(begin.Add(at)) != (c.hung > 0 && at >= c.hung) {
					t.Errorf("after %s it is said to hang: %v", at, v.hung(begin.Add(at)))
				}
			}
			if v.silence(begin.Add(time.Minute)) != time.Minute {
				t.Error("samples are taken for answers")
			}
		})
	}
}

// TestQuickChecks: of a process that works every 100 ms until it stands still, or is stopped, nothing is said before
// its time, and not long after it.
func TestQuickChecks(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		for end := time.Second; end < time.Second+sampleInterval; end += 10 * time.Millisecond {
			begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			var p sampled
			v := newDetector(&p, false, begin)
			var asked, told time.Duration
			for at := 10 * time.Millisecond; at < 4*time.Second && told == 0; at += 10 * time.Millisecond {
				now := begin.Add(at)
				if at <= end && (end-at)%(100*time.Millisecond) == 0 {
					p.sample.CPU += time.Millisecond
				}
				p.sample.Stopped = stopped && at > end
				if at%sampleInterval == 0 {
					v.quickCheck(now)
				}
				if asked == 0 && v.suspect(now) {
					asked = at
				}
				if asked > 0 && at >= asked+answerTime {
					if v.fullCheck(now); v.hung(now) {
						told = at
					}
				}
			}
			least, most := stillTime, 2*sampleInterval+stillTime
			if stopped {
				least, most = answerTime, 2*sampleInterval+answerTime
			}
			if told < end+least || told > end+most {
				t.Errorf("still from %s on, it is said to hang after %s, and suspect after %s", end, told, asked)
			}
		}
	}
}
