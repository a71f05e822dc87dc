package engine

import (
	"syscall"
	"testing"
	"time"

	"larder/internal/node"
)

// pulsing is a process with that pulse, or with none that can be taken.
type pulsing struct {
	pulse  node.Pulse
	others time.Duration // the other threads' CPU time
	err    error
}

func (p *pulsing) CPU() (time.Duration, error)    { return p.pulse.CPU, p.err }
func (p *pulsing) AllCPU() (time.Duration, error) { return p.pulse.CPU + p.others, p.err }
func (p *pulsing) Pulse() (node.Pulse, error)     { return p.pulse, p.err }

// TestVigilWithoutAPulse: what cannot be looked at is not said to hang.
func TestVigilWithoutAPulse(t *testing.T) {
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	v := newVigil(&pulsing{err: syscall.ENOMEM}, false, begin)
	for at := time.Duration(0); at < time.Minute; at += pulseTime {
		if v.look(begin.Add(at)); v.hung(begin.Add(at)) {
			t.Fatalf("after %s it is said to hang", at)
		}
	}
}

// TestVigil: what is seen of a process every 100 ms, and what is made of it when it does not answer.
func TestVigil(t *testing.T) {
	works := func(i int) node.Pulse { return node.Pulse{CPU: time.Duration(i) * time.Millisecond} }
	for name, c := range map[string]struct {
		pulse          func(i int) node.Pulse
		doubtful, hung time.Duration // from when on; 0 for never
		others         time.Duration // another thread's CPU time in 100 ms
	}{
		"works":                 {works, 0, 0, 0},
		"waits for a processor": {func(int) node.Pulse { return node.Pulse{Runnable: true} }, 0, 0, 0},
		"stands still":          {func(int) node.Pulse { return node.Pulse{} }, pulseTime, stillTime, 0},
		"is stopped": {func(int) node.Pulse { return node.Pulse{Stopped: true} }, 100 * time.Millisecond,
			100*time.Millisecond + answerTime, 0},
		"is stopped now and then": {func(i int) node.Pulse {
			return node.Pulse{Stopped: i%2 == 0,
				CPU: works(i).CPU}
		}, 0, 0, 0},
		"another thread works":      {func(int) node.Pulse { return node.Pulse{} }, 0, stillTime, time.Millisecond},
		"works once in 300 ms only": {func(i int) node.Pulse { return works(i / 3) }, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			var p pulsing
			v := newVigil(&p, false, begin)
			for i := 1; i <= 20; i++ {
				at := time.Duration(i) * 100 * time.Millisecond
				p.pulse = c.pulse(i)
				p.others += c.others
				v.glance(begin.Add(at))
				v.look(begin.Add(at))
				if (c.doubtful > 0 || c.others > 0) &&
					v.doubtful(begin.Add(at)) != (c.doubtful > 0 && at >= c.doubtful) {
					t.Errorf("after %s it is said to be doubtful: %v", at, v.doubtful(begin.Add(at)))
				}
				if v.hung(begin.Add(at)) != (c.hung > 0 && at >= c.hung) {
					t.Errorf("after %s it is said to hang: %v", at, v.hung(begin.Add(at)))
				}
			}
			if v.silence(begin.Add(time.Minute)) != time.Minute {
				t.Error("pulses are taken for answers")
			}
		})
	}
}

// TestGlances: of a process that works every 100 ms until it stands still, or is stopped, nothing is said before its
// time, and not long after it.
func TestGlances(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		for end := time.Second; end < time.Second+pulseTime; end += 10 * time.Millisecond {
			begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			var p pulsing
			v := newVigil(&p, false, begin)
			var asked, told time.Duration
			for at := 10 * time.Millisecond; at < 4*time.Second && told == 0; at += 10 * time.Millisecond {
				now := begin.Add(at)
				if at <= end && (end-at)%(100*time.Millisecond) == 0 {
					p.pulse.CPU += time.Millisecond
				}
				p.pulse.Stopped = stopped && at > end
				if at%pulseTime == 0 {
					v.glance(now)
				}
				if asked == 0 && v.doubtful(now) {
					asked = at
				}
				if asked > 0 && at >= asked+answerTime {
					if v.look(now); v.hung(now) {
						told = at
					}
				}
			}
			least, most := stillTime, 2*pulseTime+stillTime
			if stopped {
				least, most = answerTime, 2*pulseTime+answerTime
			}
			if told < end+least || told > end+most {
				t.Errorf("still from %s on, it is said to hang after %s, and doubtful after %s", end, told, asked)
			}
		}
	}
}
