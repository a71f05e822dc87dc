package larder

import (
	"context"

	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

// MeasureNodesInput asks what nodes count of themselves.
type MeasureNodesInput struct {
	ReplicationGroupId string // empty: of every group
}

// MeasureNodesOutput tells what nodes count of themselves. Who asks twice knows how much there was between.
type MeasureNodesOutput struct{ Nodes []Measured }

// Measured is one member of a replication group and what it counts.
type Measured struct {
	Region             string
	ReplicationGroupId string
	CacheClusterId     string
	Zone               string
	Role               string
	PID                int32 // 0 when it does not run; another process counts from the start
	// for how long a replica has lacked something of its primary's; -1 when that is not known, or it is none
	LagSeconds float64
	Reading    *Reading
}

// Reading is what a node counted at one moment. There is none of a node that does not answer.
type Reading struct {
	At         int64 // nanoseconds since 1970
	Commands   int64
	Hits       int64
	Misses     int64
	Evictions  int64
	NetworkIn  int64 // bytes
	NetworkOut int64 // bytes
	CPUSeconds float64
	Clients    int64
	MemoryUsed int64 // bytes
	MemoryMax  int64 // bytes
}

func (s *Service) measureNodes(ctx context.Context, in *MeasureNodesInput) (*MeasureNodesOutput, error) {
	groups, err := s.named(in.ReplicationGroupId)
	if err != nil {
		return nil, err
	}
	pids, err := s.PIDs(ctx)
	if err != nil {
		return nil, err
	}
	readings := s.Measure(ctx, in.ReplicationGroupId)
	out := &MeasureNodesOutput{}
	for _, rg := range groups {
		observed := s.Observed(rg.ID)
		for _, m := range rg.Members() {
			measured := Measured{
				Region:             s.Engine.Region,
				ReplicationGroupId: rg.ID, CacheClusterId: m.ID, Zone: m.Zone, Role: string(m.Role),
				PID: int32(pids[m.ID]), LagSeconds: -1,
			}
			if seen := observed.Nodes[m.ID]; measured.PID != 0 && seen.Answers && seen.Role == cache.Replica {
				measured.LagSeconds = seen.Lag.Seconds()
			}
			if r, answered := readings[m.ID]; answered && measured.PID != 0 {
				measured.Reading = &r
			}
			out.Nodes = append(out.Nodes, measured)
		}
	}
	return out, nil
}

// named returns the group of that id, or all.
func (s *Service) named(id string) (groups []cache.Topology, err error) {
	if id != "" {
		rg, err := s.group(id)
		return []cache.Topology{rg}, err
	}
	err = s.Store.View(func(tx *store.Tx) (err error) {
		groups, err = state.Groups(tx)
		return err
	})
	return groups, err
}
