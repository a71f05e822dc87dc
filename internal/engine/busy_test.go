package engine_test

import (
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
)

// once connects a client that waits for long, and does not repeat itself: it would occupy the next primary too.
func (w *fixture) once(addr netip.Addr) *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: netip.AddrPortFrom(addr, 6379).String(), Password: token, TLSConfig: w.tls(), MaxRetries: -1,
		ReadTimeout: 20 * time.Second,
	})
	w.t.Cleanup(func() { c.Close() })
	return c
}

// TestAPausedNodeThatAloneHasTheDataIsLeftAlone: a pause holds back everything, also what larder asks. Clients may not
// begin one; those of an older larder might.
func TestAPausedNodeThatAloneHasTheDataIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	w.config.BusyLimit = time.Second
	w.start()
	w.create("g", 1, nil)
	rg := w.awaitAvailable("g")
	c := w.client(rg.PrimaryAddress)
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	before := must(w.runtime.PIDs(t.Context()))(t)["g-001"]
	w.send("g-001", "CLIENT", "PAUSE", 5000, "ALL")
	if got, err := w.once(rg.PrimaryAddress).Get(t.Context(), "k").Result(); got != "v" {
		t.Errorf("the key is %q: %v", got, err)
	}
	if now := must(w.runtime.PIDs(t.Context()))(t)["g-001"]; now != before {
		t.Errorf("the process %d was replaced by %d", before, now)
	}
}

// busyScript runs for as many seconds as its argument says, and up to one less.
const busyScript = `local t = redis.call('TIME')[1] + ARGV[1] while tonumber(redis.call('TIME')[1]) < t do end return 1`

// TestANodeThatWorksIsNotEnded: one that alone has the data may work for longer than the limit, with a command that
// cannot be ended. It answers afterwards, and has them still.
func TestANodeThatWorksIsNotEnded(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	w.config.BusyLimit = time.Second
	w.start()
	w.create("g", 1, nil)
	rg := w.awaitAvailable("g")
	c := w.once(rg.PrimaryAddress)
	if err := c.Set(t.Context(), "kept", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	before := must(w.runtime.PIDs(t.Context()))(t)
	ended := make(chan error, 1)
	go func() { ended <- c.Do(t.Context(), "EVAL", "redis.call('SET', 'written', 1) "+busyScript, 0, 7).Err() }()
	w.eventually("it is timedOut", func() bool {
		s := w.engine.Report("g").Observed.Nodes["g-001"]
		return s.TimedOut && !s.Hung
	})
	if err := <-ended; err != nil {
		t.Errorf("the command answers %v", err)
	}
	if got := c.Get(t.Context(), "kept").Val(); got != "1" {
		t.Errorf("the key is %q", got)
	}
	if after := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, after) {
		t.Errorf("the processes were %v and are %v", before, after)
	}
}

// TestALongScriptIsNoFailover: a primary that works does not answer, and is left alone until the limit.
func TestALongScriptIsNoFailover(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	c := w.client(rg.PrimaryAddress)
	if err := c.Do(t.Context(), "EVAL", busyScript, 0, 3).Err(); err != nil {
		t.Errorf("the script answers %v", err)
	}
	now := must(w.get("g"))(t)
	if now.Primary().ID != "g-001" || now.Group.Status != cache.Available {
		t.Errorf("after it the group is %s, its primary %s", now.Group.Status, now.Primary().ID)
	}
	w.stop()
	w.config.BusyLimit = 3 * time.Second
	w.start()
	w.awaitAvailable("g")
	once := w.once(rg.PrimaryAddress)
	// One that has written cannot be ended alone, however late a busy machine comes to it.
	if err := once.Do(t.Context(), "EVAL", "redis.call('SET', 'written', 1) "+busyScript, 0, 60).Err(); err == nil {
		t.Error("a script over the limit was answered")
	}
	w.awaitPrimary("g", "g-001")
}

// TestScriptsOneAfterTheOther: a primary that runs scripts without a pause, each below the limit, is left alone. Those
// over five seconds make redis-server say that it is busy, and say nothing else to whoever asks meanwhile.
func TestScriptsOneAfterTheOther(t *testing.T) {
	for _, c := range []struct {
		seconds int // and up to one less
		limit   time.Duration
		scripts int
	}{{2, 4 * time.Second, 6}, {7, 10 * time.Second, 4}} {
		t.Run(fmt.Sprint(c.seconds), func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			w.stop()
			w.config.BusyLimit = c.limit
			w.start()
			w.create("g", 2, nil)
			rg := w.awaitAvailable("g")
			before := must(w.runtime.PIDs(t.Context()))(t)
			client := w.once(rg.PrimaryAddress)
			for i := range c.scripts {
				if err := client.Do(t.Context(), "EVAL", busyScript, 0, c.seconds).Err(); err != nil {
					t.Errorf("script %d answers %v", i, err)
				}
			}
			if after := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, after) {
				t.Errorf("the processes were %v and are %v", before, after)
			}
		})
	}
}

// TestAScriptOverTheLimitIsEnded: the node stays, with its data, where the script has written nothing.
func TestAScriptOverTheLimitIsEnded(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	w.config.BusyLimit = 6 * time.Second // redis-server listens to SCRIPT KILL from its fifth second on
	w.start()
	w.create("g", 1, nil)
	rg := w.awaitAvailable("g")
	c := w.once(rg.PrimaryAddress)
	if err := c.Set(t.Context(), "kept", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	before := must(w.runtime.PIDs(t.Context()))(t)
	if err := c.Do(t.Context(), "EVAL", busyScript, 0, 30).Err(); err == nil ||
		!strings.Contains(err.Error(), "SCRIPT KILL") {
		t.Errorf("the script answers %v", err)
	}
	if got := c.Get(t.Context(), "kept").Val(); got != "1" {
		t.Errorf("the key is %q", got)
	}
	if after := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, after) {
		t.Errorf("the processes were %v and are %v", before, after)
	}
}

// TestAClockJumpIsNoFailover: for how long a node has been busy is nothing that the wall clock tells.
func TestAClockJumpIsNoFailover(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	var offset atomic.Int64
	w.config.Now = func() time.Time { return time.Now().Round(0).Add(time.Duration(offset.Load())) }
	w.start()
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	before := must(w.runtime.PIDs(t.Context()))(t)
	for _, jump := range []time.Duration{time.Hour, 0, -time.Hour, 0} {
		ended := make(chan error, 1)
		c := w.client(rg.PrimaryAddress)
		// Long enough for a look, once a second, to begin and to end within it, also where the engine waits for a
		// processor.
		go func() { ended <- c.Do(t.Context(), "EVAL", busyScript, 0, 5).Err() }()
		w.awaitSilence("g-001")
		offset.Store(int64(jump))
		if err := <-ended; err != nil {
			t.Errorf("when the clock is off by %s, a script that runs meanwhile answers %v", jump, err)
		}
	}
	if now := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(now, before) {
		t.Errorf("the processes were %v and are %v", before, now)
	}
}

// awaitSilence waits until the engine has seen that a node does not answer.
func (w *fixture) awaitSilence(id string) {
	w.t.Helper()
	w.eventually(id+" does not answer", func() bool {
		s := w.engine.Report("g").Observed.Nodes[id]
		return s.Running && !s.Answers
	})
}
