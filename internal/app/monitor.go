package app

import (
	"time"

	"larder/internal/cachemetric"
	"larder/internal/catalog"
	"larder/internal/engine"
	"larder/internal/monitor"
	"larder/internal/series"
	"larder/internal/state"
	"larder/internal/store"
)

// reservedSeries is how many of the 100,000 series that there may be are the nodes' own, whatever a user's program
// sends: those of some hundreds of nodes.
const reservedSeries = 50_000

func (o Options) openSeries(home Home, now func() time.Time) (*series.Store, error) {
	return series.Open(series.Config{
		Dir: home.metrics(), Now: now, Failed: o.failed("metrics"), ReservedFor: monitor.Namespace,
		Reserved: reservedSeries,
	})
}

// watched are the running nodes as the monitor takes them.
func watched(e *engine.Engine) func() []monitor.Node {
	return func() []monitor.Node {
		var nodes []monitor.Node
		for _, n := range e.RunningNodes() {
			nodes = append(nodes, monitor.Node{Group: n.Group, ID: n.ID, Process: n.Process, Redis: n.Redis, Lag: n.Lag})
		}
		return nodes
	}
}

// sizes tells what the nodes of a group may use.
func sizes(s *store.Store, types catalog.NodeTypes) func(group string) (cachemetric.Node, error) {
	return func(group string) (cachemetric.Node, error) {
		var size cachemetric.Node
		err := s.View(func(tx *store.Tx) error {
			rg, err := state.ReplicationGroups.Get(tx, group)
			t := types[rg.NodeType]
			size = cachemetric.Node{VCPU: t.VCPU, Memory: int64(t.MemoryGiB * (1 << 30))}
			return err
		})
		return size, err
	}
}

// newMonitor makes the monitor of an engine's nodes.
func (o Options) newMonitor(
	e *engine.Engine, s *store.Store, types catalog.NodeTypes, metrics *series.Store,
) (*monitor.Monitor, error) {
	interval := o.MetricsInterval
	if interval == 0 {
		interval = monitor.DefaultInterval
	}
	return monitor.New(monitor.Config{
		Members: watched(e), Size: sizes(s, types), Keep: metrics.Add, Interval: interval,
		Now: o.clock().Now, After: o.clock().After, Logger: o.Logger,
	})
}
