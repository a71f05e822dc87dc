// Package monitor reads the running nodes and stores the metrics that ElastiCache publishes about them.
//
// Every node has its own goroutine, so that a node that hangs loses only its own sample. The goroutine reads the node
// once per interval, late in it, so that the sample exists when the interval ends and alarms are evaluated. The names
// of the nodes spread the readings over that part of the interval.
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

// Node is a running node.
type Node struct {
	Group, ID string // id of the replication group, and of the cache cluster
	Process   Process
	Redis     Redis
	// Lag returns for how long the node, a replica, has lacked writes of its primary. The engine knows that without a
	// command to the node; two readings a minute apart cannot tell.
	Lag func() time.Duration
}

// Process is what a reading needs of a node's process; see node.Process. A node whose process changes is another node.
type Process interface {
	SchedulerSample() (node.SchedulerSample, error)
	Usage() (node.Usage, error)
}

// Redis is what a reading needs of a connection to a node; see redisnode.Node.
type Redis interface {
	Info(ctx context.Context, sections ...string) (map[string]string, error)
	AccessLog(ctx context.Context) ([]map[string]string, error)
}

// Config configures a Monitor. Every field is required.
type Config struct {
	Members func() []Node // returns the running nodes; it must not block
	// Size returns the limits of the nodes of a group.
	Size     func(group string) (cachemetric.Node, error)
	Keep     func(...series.Sample) error
	Interval time.Duration // between two readings of a node; see CheckInterval
	Now      func() time.Time
	After    func(time.Duration) <-chan time.Time // like time.After, by the clock of Now
	Logger   *slog.Logger
}

const (
	// answerTime is how long a node may take to answer.
	answerTime = time.Second
	// checkEvery is how often the monitor compares the members with the nodes that it watches.
	checkEvery = time.Second
	// atOnce is how many nodes are read at the same time.
	atOnce = 16
)

// Monitor reads nodes regularly.
type Monitor struct {
	config Config
	table  cachemetric.Commands
	guard  isolate.Guard
	slots  chan struct{} // as many as nodes may be read at the same time

	mu      sync.Mutex
	watched map[string]*watched // by id
	total   total
}

// New returns a monitor. Run starts it.
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

// Run reads the nodes until ctx ends.
func (m *Monitor) Run(ctx context.Context) error {
	var watchers sync.WaitGroup
	defer func() {
		watchers.Wait()
		m.keep(m.total.rest())
	}()
	for {
		if err := m.guard.Do("the list of the nodes", func() error { m.check(ctx, &watchers); return nil }); err != nil {
			m.config.Logger.Error("cannot tell which nodes' metrics to read", "error", err)
		}
		select {
		case <-m.config.After(checkEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// check starts a goroutine for each new node, and stops those of nodes that are gone.
func (m *Monitor) check(ctx context.Context, watchers *sync.WaitGroup) {
	members, now := m.config.Members(), m.config.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	here := map[string]Node{}
	for _, n := range members {
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

// unwatch makes the next check start again with a node.
func (m *Monitor) unwatch(w *watched) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.watched[w.ID] == w {
		delete(m.watched, w.ID)
	}
}
