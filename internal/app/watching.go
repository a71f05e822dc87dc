package app

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/cache"
	"larder/internal/engine"
	"larder/internal/exporter"
	"larder/internal/services/cloudwatch"
)

// running are the nodes that an engine runs, for who reads what they count.
func running(e *engine.Engine) func() []exporter.Node {
	return func() []exporter.Node {
		var all []exporter.Node
		for _, n := range e.Roster() {
			all = append(all, exporter.Node{Group: n.Group, ID: n.ID, Redis: n.Redis})
		}
		return all
	}
}

// observed is what the engine's last look at a group saw.
func observed(e *engine.Engine) func(group string) cache.Observed {
	return func(group string) cache.Observed { return e.Report(group).Observed }
}

// alarmStates are the states of all alarms.
func alarmStates(s *cloudwatch.Service) func() ([]exporter.Alarm, error) {
	return func() ([]exporter.Alarm, error) {
		definitions, err := s.Alarms()
		var all []exporter.Alarm
		for _, d := range definitions {
			switch {
			case d.Composite != nil:
				all = append(all, exporter.Alarm{Name: aws.ToString(d.Composite.AlarmName), State: string(d.Composite.StateValue)})
			case d.Metric != nil:
				all = append(all, exporter.Alarm{Name: aws.ToString(d.Metric.AlarmName), State: string(d.Metric.StateValue)})
			}
		}
		return all, err
	}
}
