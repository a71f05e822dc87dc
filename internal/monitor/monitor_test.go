package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"larder/internal/cachemetric"
	"larder/internal/node"
	"larder/internal/series"
	"larder/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Leakless(m) }

// server is a node whose answers the test sets.
type server struct {
	mu   sync.Mutex
	info map[string]string
	log  []map[string]string
	hung bool
	cpu  time.Duration
}

func newServer(lines ...string) *server {
	s := &server{info: map[string]string{"run_id": "a", "role": "master", "master_replid": "s",
		"master_repl_offset": "0"}}
	s.say(lines...)
	return s
}

func (s *server) say(lines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		s.info[name] = value
	}
}

func (s *server) hang(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hung = yes
}

func (s *server) Info(ctx context.Context, _ ...string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hung {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return nil, ctx.Err()
	}
	return maps.Clone(s.info), nil
}

func (s *server) AccessLog(context.Context) ([]map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log), nil
}

// deny adds an entry to the log of denied access.
func (s *server) deny(reason, count string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, map[string]string{"reason": reason, "context": "toplevel", "object": "o", "username": "app",
		"count": count})
}

// burn adds to the processor time of the process.
func (s *server) burn(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cpu += d
}

func (s *server) SchedulerSample() (node.SchedulerSample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return node.SchedulerSample{CPU: s.cpu}, nil
}

func (s *server) Usage() (node.Usage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return node.Usage{CPU: s.cpu, Resident: 1 << 20}, nil
}

// ward is a monitor with the nodes that it reads and the samples that it stores.
type ward struct {
	*testing.T
	*Monitor
	mu    sync.Mutex
	nodes []Node
	kept  []series.Sample
	log   bytes.Buffer
}

func newWard(t *testing.T, interval time.Duration) *ward {
	w := &ward{T: t}
	m, err := New(Config{
		Members: func() []Node {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.nodes)
		},
		Size: func(string) (cachemetric.Node, error) { return cachemetric.Node{VCPU: 1, Memory: 4 << 20}, nil },
		Keep: func(all ...series.Sample) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.kept = append(w.kept, all...)
			return nil
		},
		Interval: interval, Now: time.Now, After: time.After, Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Monitor = m
	return w
}

// setNodes replaces the running nodes.
func (w *ward) setNodes(nodes ...Node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes = nodes
}

func one(id string, s *server) Node {
	return Node{Group: "g", ID: id, Process: s, Redis: s, Lag: func() time.Duration { return 0 }}
}

// start runs the monitor until the end of the test.
func (w *ward) start() {
	ctx, stop := context.WithCancel(w.Context())
	done := make(chan error)
	go func() { done <- w.Monitor.Run(ctx) }()
	w.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.Error(err)
		}
	})
}

// cells returns the stored values of a metric as "time=value", with the time in seconds since the start of the test's
// clock. A set of n values is "time=sum/n".
func (w *ward) cells(metric string, dimensions ...string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, s := range w.kept {
		var have []string
		for _, d := range s.Dimensions {
			have = append(have, d.Name+"="+d.Value)
		}
		if s.Name == metric && slices.Equal(have, dimensions) {
			text := fmt.Sprintf("%d=%g", s.At-epoch, s.Sum)
			if s.Count > 1 {
				text += fmt.Sprintf("/%g", s.Count)
			}
			out = append(out, text)
		}
	}
	return strings.Join(out, " ")
}

// epoch is when the clock of a synctest bubble starts: 2000-01-01, a whole minute.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// wait advances the clock.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *ward) want(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %s, want %s", what, got, want)
	}
}

func TestMetricsOfANode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, time.Minute)
		s := newServer("keyspace_misses:1000000", "connected_clients:3")
		w.setNodes(one("g-001", s))
		w.start()
		wait(time.Second)
		s.say("keyspace_misses:1000004")
		wait(3 * time.Second)
		// Only what happened after the start counts.
		w.want("soon after the start", w.cells("CacheMisses", "CacheClusterId=g-001"), "0=4")
		s.say("keyspace_misses:1000010")
		wait(time.Minute)
		s.say("keyspace_misses:1000030")
		wait(time.Minute)
		for _, set := range [][]string{{"CacheClusterId=g-001"}, {"CacheClusterId=g-001", "CacheNodeId=0001"},
			{"ReplicationGroupId=g"}} {
			w.want(fmt.Sprint(set), w.cells("CacheMisses", set...), "0=4 0=6 60=20")
		}
		w.want("the group's primary", w.cells("EngineCPUUtilization", "ReplicationGroupId=g", "Role=Primary"),
			"0=0 0=0 60=0")
		w.want("all nodes", w.cells("CurrConnections"), "0=6/2 60=3")
		latest := w.Latest()
		if len(latest) != 1 || latest[0].ID != "g-001" || latest[0].Reading.Info["connected_clients"] != "3" ||
			len(latest[0].Data) == 0 || latest[0].Err != nil {
			t.Errorf("the latest is %+v", latest)
		}
	})
}

// TestPercentilesOfAllNodes: metrics without dimensions have percentiles if there are no more nodes than a cell stores
// values.
func TestPercentilesOfAllNodes(t *testing.T) {
	for n, want := range map[int]float64{1: 1, 4: 3, maxKnown: maxKnown * 3 / 4, maxKnown + 1: 0} {
		all := total{interval: time.Minute}
		for i := range n {
			all.add(time.Unix(epoch, 0), []cachemetric.Datum{{Name: "CurrConnections", Unit: "Count",
				Value: float64(i + 1)}})
		}
		kept := all.rest()
		p75, err := series.ParseStatistic("p75")
		if err != nil || len(kept) != 1 || kept[0].Count != float64(n) {
			t.Fatalf("%d nodes: kept %+v, %v", n, kept, err)
		}
		if got, known := p75.Of(kept[0].Cell); got != want || known != (want > 0) {
			t.Errorf("%d nodes: p75 is %g, %v; want %g", n, got, known, want)
		}
	}
}

func TestShortIntervalsAreFine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, 5*time.Second)
		s := newServer("connected_clients:3")
		w.setNodes(one("g-001", s))
		w.start()
		wait(16 * time.Second)
		w.want("connections", w.cells("CurrConnections", "CacheClusterId=g-001"), "0=3 0=3 5=3 10=3")
		for _, s := range w.kept {
			if !s.Fine {
				t.Fatalf("%+v is not fine", s)
			}
		}
	})
}

// TestAHungNodeStallsNobody: a node that hangs has only the samples of its process, and does not delay others. Once it
// answers again, its counters include the missed time.
func TestAHungNodeStallsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, 10*time.Second)
		stuck, well := newServer("keyspace_misses:0"), newServer("keyspace_misses:0")
		nodes := []Node{one("g-001", stuck), one("g-002", well)}
		for i := range 2 * atOnce {
			hung := newServer()
			hung.hang(true)
			nodes = append(nodes, one(fmt.Sprintf("h-%03d", i), hung))
		}
		w.setNodes(nodes...)
		w.start()
		wait(9900 * time.Millisecond)
		stuck.hang(true)
		stuck.burn(5 * time.Second)
		stuck.say("keyspace_misses:5")
		wait(20 * time.Second)
		w.want("the hung node", w.cells("CacheMisses", "CacheClusterId=g-001"), "0=0 0=0")
		w.want("the other", w.cells("CacheMisses", "CacheClusterId=g-002"), "0=0 0=0 10=0 20=0")
		if l := w.Latest()[0]; !errors.Is(l.Err, context.DeadlineExceeded) || l.Reading.At.IsZero() {
			t.Errorf("the hung node's latest: %+v", l)
		}
		if n := strings.Count(w.log.String(), "node=g-001"); n != 1 {
			t.Errorf("the log tells of it %d times", n)
		}
		w.want("by role", w.cells("EngineCPUUtilization", "ReplicationGroupId=g", "Role=Primary"),
			strings.TrimSpace(strings.Repeat("0=0 ",
				4))+" 10=0 10=50 20=0") // the second sample is stored when the wait for the answer ends
		stuck.hang(false)
		stuck.burn(10 * time.Second)
		wait(10 * time.Second)
		w.want("after it went on", w.cells("CacheMisses", "CacheClusterId=g-001"), "0=0 0=0 30=5")
		for _, metric := range []string{"CPUUtilization", "EngineCPUUtilization"} {
			w.want(metric, w.cells(metric, "CacheClusterId=g-001"), "0=0 0=0 10=50 20=0 30=100")
		}
		w.want("memory", w.cells("FreeableMemory", "CacheClusterId=g-001"),
			"0=3.145728e+06 0=3.145728e+06 10=3.145728e+06 20=3.145728e+06 30=3.145728e+06")
	})
}

func TestAnotherProcessIsAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, 10*time.Second)
		w.setNodes(one("g-001", newServer("keyspace_misses:100")))
		w.start()
		wait(5 * time.Second)
		w.setNodes(one("g-001", newServer("run_id:b", "uptime_in_seconds:3", "keyspace_misses:7")))
		wait(8 * time.Second)
		w.want("the new one's", w.cells("CacheMisses", "CacheClusterId=g-001"), "0=0 0=0")
		w.setNodes()
		wait(2 * time.Second)
		if l := w.Latest(); len(l) > 0 {
			t.Errorf("after it is gone: %+v", l)
		}
	})
}

// TestLagIsOfTheReading: a replica's lag is read after it has answered.
func TestLagIsOfTheReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, time.Minute)
		replica := one("g-002", newServer("role:slave", "slave_repl_offset:100", "master_link_status:up"))
		var lag atomic.Int64
		replica.Lag = func() time.Duration { return time.Duration(lag.Load()) * time.Second }
		w.setNodes(replica)
		w.start()
		for _, seconds := range []int64{0, 7, 67} {
			lag.Store(seconds)
			wait(time.Minute)
		}
		w.want("lag", w.cells("ReplicationLag", "CacheClusterId=g-002"), "0=0 0=0 60=7 120=67")
	})
}

func TestDeniedAccessOfAServerThatDoesNotCountIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, time.Minute)
		s := newServer("errorstat_WRONGPASS:count=5", "errorstat_NOPERM:count=2")
		s.deny("command", "2")
		w.setNodes(one("g-001", s))
		w.start()
		wait(time.Second)
		s.deny("key", "1")
		s.say("errorstat_WRONGPASS:count=8", "errorstat_NOPERM:count=3")
		wait(2 * time.Second)
		for metric, want := range map[string]string{"AuthenticationFailures": "0=3",
			"CommandAuthorizationFailures": "0=0", "KeyAuthorizationFailures": "0=1",
			"ChannelAuthorizationFailures": "0=0"} {
			w.want(metric, w.cells(metric, "CacheClusterId=g-001"), want)
		}
	})
}

// TestDueProperty: each node is read once an interval, in its last third and before its end.
func TestDueProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, time.Minute}).Draw(t, "interval")
		now := time.Unix(0, rapid.Int64Range(0, int64(time.Hour)*24*365*50).Draw(t, "now")).UTC()
		id := rapid.String().Draw(t, "id")
		turn := due(now, interval, id)
		in := turn.Sub(turn.Truncate(interval))
		if !turn.After(now) || turn.Sub(now) > interval || in < interval*70/100 || in >= interval*95/100 {
			t.Fatalf("after %s comes %s, %s into its interval", now, turn, in)
		}
		if again := due(turn, interval, id); again.Sub(turn) != interval {
			t.Fatalf("the next turn is %s later", again.Sub(turn))
		}
	})
}

func TestCheckInterval(t *testing.T) {
	for d, ok := range map[time.Duration]bool{
		time.Second: true, 5 * time.Second: true, 20 * time.Second: true, time.Minute: true,
		0: false, -time.Second: false, 500 * time.Millisecond: false, 7 * time.Second: false, 90 * time.Second: false,
		1500 * time.Millisecond: false,
	} {
		if err := CheckInterval(d); (err == nil) != ok {
			t.Errorf("%s: %v", d, err)
		}
	}
}

// TestTotalAfterTheClockWasSetBack: the totals of an interval are published when it is over, even if it ends because
// the clock was set back.
func TestTotalAfterTheClockWasSetBack(t *testing.T) {
	all := total{interval: time.Minute}
	at := func(seconds int64) time.Time { return time.Unix(epoch+seconds, 0) }
	datum := []cachemetric.Datum{{Name: "CurrConnections", Unit: "Count", Value: 3}}
	var kept []series.Sample
	kept = append(kept, all.add(at(3650), datum)...)
	for now := int64(0); now <= 120; now += 30 { // one hour earlier
		kept = append(kept, all.past(at(now))...)
		if now%60 == 30 {
			kept = append(kept, all.add(at(now), datum)...)
		}
	}
	var got []string
	for _, s := range kept {
		got = append(got, fmt.Sprintf("%d=%g/%g", s.At-epoch, s.Sum, s.Count))
	}
	if want := []string{"3600=3/1", "0=3/1", "60=3/1"}; !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
}
