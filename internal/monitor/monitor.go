// Package monitor reads the running nodes and keeps what ElastiCache publishes about them.
//
// Every node has a goroutine of its own, so that one that hangs costs its own sample and nobody else's. It is read once
// per interval, late in it: what is there when the interval ends, and alarms are evaluated, is about that interval.
// Nodes are spread over that time by their names.
package monitor

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"larder/internal/cachemetric"
	"larder/internal/isolate"
	"larder/internal/node"
	"larder/internal/series"
)

// Node is a running one.
type Node struct {
	Group, ID string // the replication group's, and the cache cluster's
	Process   Process
	Redis     Redis
	// Lag is for how long the node, a replica, has lacked something of its primary's, as far as is known without asking
	// it: that cannot be told from two readings a minute apart.
	Lag func() time.Duration
}

// Process is what a reading needs of a node's process; see node.Process. A node with another process is another node.
type Process interface {
	SchedulerSample() (node.SchedulerSample, error)
	Usage() (node.Usage, error)
}

// Redis is what a reading needs of a connection to a node; see redisnode.Node.
type Redis interface {
	Info(ctx context.Context, sections ...string) (map[string]string, error)
	AccessLog(ctx context.Context) ([]map[string]string, error)
}

// Config says what to watch and where to keep it. Every field is needed.
type Config struct {
	Roster func() []Node // the running nodes; it must not wait for them
	// Size is what the nodes of a group may use.
	Size     func(group string) (cachemetric.Node, error)
	Keep     func(...series.Sample) error
	Interval time.Duration // between two readings of a node; see CheckInterval
	Now      func() time.Time
	After    func(time.Duration) <-chan time.Time // as time.After, by the clock of Now
	Logger   *slog.Logger
}

const (
	// answerTime is how long a node may take to answer.
	answerTime = time.Second
	// lookEvery is how often the roster is looked at.
	lookEvery = time.Second
	// atOnce is how many nodes are read at a time.
	atOnce = 16
)

// Monitor watches nodes.
type Monitor struct {
	config Config
	table  cachemetric.Commands
	guard  isolate.Guard
	slots  chan struct{} // as many as nodes may be read at a time

	mu      sync.Mutex
	watched map[string]*watched // by id
	total   total
}

// New makes a monitor; Run starts it.
func New(c Config) (*Monitor, error) {
	table, err := cachemetric.LoadCommands()
	if err != nil {
		return nil, err
	}
	return &Monitor{
		config: c, table: table, slots: make(chan struct{}, atOnce), watched: map[string]*watched{},
		total: total{interval: c.Interval},
	}, nil
}

// Run watches the nodes until ctx ends.
func (m *Monitor) Run(ctx context.Context) error {
	var watchers sync.WaitGroup
	defer func() {
		watchers.Wait()
		m.keep(m.total.rest())
	}()
	for {
		if err := m.guard.Do("the list of the nodes", func() error { m.look(ctx, &watchers); return nil }); err != nil {
			m.config.Logger.Error("cannot tell which nodes' metrics to read", "error", err)
		}
		select {
		case <-m.config.After(lookEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// look begins to watch who is new, and ends it for who is gone.
func (m *Monitor) look(ctx context.Context, watchers *sync.WaitGroup) {
	roster, now := m.config.Roster(), m.config.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	here := map[string]Node{}
	for _, n := range roster {
		here[n.ID] = n
	}
	for id, w := range m.watched {
		if n, ok := here[id]; !ok || n.Process != w.Process {
			w.stop()
			delete(m.watched, id)
		}
	}
	for id, n := range here {
		if m.watched[id] == nil {
			ctx, stop := context.WithCancel(ctx)
			w := &watched{Node: n, stop: stop}
			m.watched[id] = w
			watchers.Go(func() {
				if !m.guard.Run(m.config.Logger, "the node "+n.ID, func() { m.watch(ctx, w) }) {
					m.unwatch(w)
				}
			})
		}
	}
	m.keep(m.total.past(now))
}

// unwatch has the next look begin anew with a node.
func (m *Monitor) unwatch(w *watched) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.watched[w.ID] == w {
		delete(m.watched, w.ID)
	}
}
