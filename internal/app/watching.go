package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/engine"
	"larder/internal/exporter"
	"larder/internal/isolate"
	"larder/internal/nodestats"
	"larder/internal/plan"
	"larder/internal/services/cloudwatch"
	"larder/internal/services/larder"
)

// running are the nodes that an engine runs, for who reads what they count.
func running(e *engine.Engine) func() []nodestats.Node {
	return func() []nodestats.Node {
		var all []nodestats.Node
		for _, n := range e.RunningNodes() {
			all = append(all, nodestats.Node{Group: n.Group, ID: n.ID, Redis: n.Redis})
		}
		return all
	}
}

// observed is what the engine's last look at a group saw.
func observed(e *engine.Engine) func(group string) plan.Observed {
	return func(group string) plan.Observed { return e.Report(group).Observed }
}

// dataSize asks a group's nodes how much memory their data take: the most of any that answers.
func dataSize(e *engine.Engine) func(context.Context, string) (int64, error) {
	return func(ctx context.Context, group string) (most int64, err error) {
		answered := false
		for _, n := range e.RunningNodes() {
			if n.Group != group {
				continue
			}
			memory, failure := n.Redis.Memory(ctx)
			if failure != nil {
				err = errors.Join(err, failure)
				continue
			}
			most, answered = max(most, memory.Used), true
		}
		if !answered {
			return 0, errors.Join(errors.New("no node answers"), err)
		}
		return most, nil
	}
}

// measure asks running nodes what they count.
func measure(e *engine.Engine, now func() time.Time) func(context.Context, string) map[string]larder.Reading {
	nodes := running(e)
	var guard isolate.Guard
	return func(ctx context.Context, group string) map[string]larder.Reading {
		asked := slices.DeleteFunc(nodes(), func(n nodestats.Node) bool { return group != "" && n.Group != group })
		all := map[string]larder.Reading{}
		for id, r := range nodestats.Read(ctx, &guard, asked, now) {
			if r.Err == nil {
				all[id] = reading(r)
			}
		}
		return all
	}
}

func reading(r nodestats.Reading) larder.Reading {
	return larder.Reading{
		At: r.At.UnixNano(), Commands: int64(r.Number("total_commands_processed")),
		Hits: int64(r.Number("keyspace_hits")), Misses: int64(r.Number("keyspace_misses")),
		Evictions: int64(r.Number("evicted_keys")),
		NetworkIn: int64(r.Number("total_net_input_bytes")), NetworkOut: int64(r.Number("total_net_output_bytes")),
		CPUSeconds: r.Number("used_cpu_sys") + r.Number("used_cpu_user"), Clients: int64(r.Number("connected_clients")),
		MemoryUsed: int64(r.Number("used_memory")), MemoryMax: int64(r.Number("maxmemory")),
	}
}

// alarmStates are the states of all alarms.
func alarmStates(s *cloudwatch.Service) func() ([]exporter.Alarm, error) {
	return func() ([]exporter.Alarm, error) {
		definitions, err := s.Alarms()
		var all []exporter.Alarm
		for _, d := range definitions {
			switch {
			case d.Composite != nil:
				all = append(all, exporter.Alarm{Name: aws.ToString(d.Composite.AlarmName),
					State: string(d.Composite.StateValue)})
			case d.Metric != nil:
				all = append(all, exporter.Alarm{Name: aws.ToString(d.Metric.AlarmName),
					State: string(d.Metric.StateValue)})
			}
		}
		return all, err
	}
}
