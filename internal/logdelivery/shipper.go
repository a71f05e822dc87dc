// Package logdelivery delivers the slow log and the engine log of every node to the log groups that their replication
// group names.
//
// How far a log was delivered is kept in the log group, in one write with the events, so neither an engine that is
// killed nor one that is away for a while loses a record or delivers one twice.
package logdelivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"larder/internal/cache"
	"larder/internal/isolate"
	"larder/internal/node"
	"larder/internal/redisnode"
	"larder/internal/state"
	"larder/internal/store"
)

const (
	// pollTime is between two looks at a node's logs. A record is to be seen in its log group within about a second.
	pollTime = time.Second
	// checkTime is between two looks at log groups that took events the last time.
	checkTime = 5 * time.Second
	// answerTime is how long a node may take to answer. The logs of one that is busy are read at a later look.
	answerTime = 300 * time.Millisecond
	// lastTime is how long the rest of a node's logs may take when the node is about to be ended.
	lastTime = time.Second
)

// Config is what a shipper works with. Every field is needed.
type Config struct {
	Store       *store.Store
	Destination Destination
	EngineLogs  EngineLogs
	Logger      *slog.Logger
}

// Node is a running node of a replication group.
type Node struct {
	ID      string
	Process node.Process
	Redis   Redis
	// NewestSlow is the ID of the newest entry of the slow log when the node last answered the engine. It is -1 before
	// the first answer, and when there is no entry.
	NewestSlow int64
}

// Redis reads the slow log of a node.
type Redis interface {
	// NewestSlow returns the ID of the newest entry, and -1 when there is none.
	NewestSlow(ctx context.Context) (int64, error)
	// SlowLog returns the newest n entries.
	SlowLog(ctx context.Context, n int) (redisnode.SlowLog, error)
}

// Running returns the running nodes of a replication group, and never waits for one.
type Running func(group string) []Node

// Destination keeps records in log groups, each once.
type Destination interface {
	// Deliver keeps the records of each delivery together with its mark. They are durable when it returns.
	Deliver(group string, deliveries ...Delivery) error
	// Delivered returns the mark of a source, and 0 for a source that is not known. It fails when the log group takes
	// no records.
	Delivered(group, source string) (uint64, error)
}

// Delivery is some records of one source, for one log stream.
type Delivery struct {
	Stream string
	Events []Event
	// Source and Mark keep a record from being delivered twice. The marks of a source rise. A delivery whose mark is
	// not above the last one is known already. The mark 0 forgets the source.
	Source string
	Mark   uint64
}

// Event is a record of a log.
type Event struct {
	Time    time.Time
	Message string
}

// EngineLogs reads the engine logs of nodes, by node ID.
type EngineLogs interface {
	LogSize(node string) (int64, error)
	LogID(node string) (string, error)
	ReadLog(node string, from int64, p []byte) (begin int64, n int, err error)
}

// Shipper delivers logs.
type Shipper struct {
	Config

	guard  isolate.Guard
	mu     sync.Mutex
	routes map[string]*route // by replication group
	work   sync.WaitGroup
}

// New makes a shipper; Run starts it.
func New(c Config) *Shipper {
	return &Shipper{Config: c, routes: map[string]*route{}}
}

// Run delivers the logs of the running nodes until ctx ends. Drain and SlowLogGrew do nothing before: no log has been
// read that far.
func (s *Shipper) Run(ctx context.Context, running Running) error {
	defer s.work.Wait()
	changed := changes{groups: map[string]bool{}, some: make(chan struct{}, 1)}
	defer state.SubscribeGroups(s.Store, changed.add)()
	var known []string
	err := s.Store.View(func(tx *store.Tx) (err error) {
		known, err = state.ReplicationGroups.Keys(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot tell which logs are to be delivered: %w", err)
	}
	for {
		for _, id := range known {
			if err := s.reload(ctx, running, id); err != nil {
				return err
			}
		}
		select {
		case <-changed.some:
			known = changed.take()
		case <-ctx.Done():
			return nil
		}
	}
}

// changes are the groups that changed since they were taken.
type changes struct {
	mu     sync.Mutex
	groups map[string]bool
	some   chan struct{} // has something to receive where there are any
}

func (c *changes) add(group string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.groups[group] = true
	select {
	case c.some <- struct{}{}:
	default: // one is waiting already
	}
}

func (c *changes) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	groups := slices.Collect(maps.Keys(c.groups))
	clear(c.groups)
	return groups
}

// reload has a route for a group with deliveries, and ends that of a group that is gone. Where the record cannot be
// read, what was asked for last goes on.
func (s *Shipper) reload(ctx context.Context, running Running, id string) error {
	var g cache.Topology
	err := s.Store.View(func(tx *store.Tx) (err error) {
		g, err = state.Group(tx, id)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.routes[id]
	switch {
	case errors.Is(err, store.ErrNotFound) && r != nil:
		r.gone.Store(true)
		r.end()
		delete(s.routes, id)
	case errors.Is(err, store.ErrNotFound), store.IsUnreadable(err):
	case err != nil:
		return fmt.Errorf("cannot tell which logs of %s are to be delivered: %w", id, err)
	case r != nil:
		r.group.Store(&g)
	case len(g.LogDeliveries) > 0:
		s.begin(ctx, running, g)
	}
	return nil
}

// begin has a route for a group.
func (s *Shipper) begin(ctx context.Context, running Running, g cache.Topology) {
	r := newRoute(s, running, g)
	s.routes[g.ID] = r
	ctx, r.end = context.WithCancel(ctx)
	s.work.Go(func() { s.guard.Run(s.Logger, "the logs of "+g.ID, func() { r.run(ctx) }) })
}

// SlowLogGrew has a group's slow logs delivered without delay.
func (s *Shipper) SlowLogGrew(group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.routes[group]; r != nil {
		r.wakeUp()
	}
}

// Drain delivers what the logs of a node hold at this moment: before its process is ended on purpose, and before its
// files are removed.
func (s *Shipper) Drain(ctx context.Context, group, node string) {
	s.mu.Lock()
	r := s.routes[group]
	s.mu.Unlock()
	if r == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastTime)
	defer cancel()
	s.shipLast(ctx, r, func(m cache.Member) bool { return m.ID == node })
}

func (s *Shipper) shipLast(ctx context.Context, r *route, some func(cache.Member) bool) {
	g := r.group.Load()
	err := s.guard.Do("the logs of "+g.ID, func() error { r.ship(ctx, g, some, true); return nil })
	if err != nil {
		s.Logger.Error("cannot deliver the rest of a group's logs", "group", g.ID, "error", err)
	}
}

// DrainAll delivers what the logs of all nodes hold at this moment.
func (s *Shipper) DrainAll(ctx context.Context) {
	s.mu.Lock()
	routes := maps.Clone(s.routes)
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, lastTime)
	defer cancel()
	var all sync.WaitGroup
	for _, r := range routes {
		all.Go(func() {
			s.guard.Run(s.Logger, "the logs of a group", func() { s.shipLast(ctx, r, everyMember) })
		})
	}
	all.Wait()
}
