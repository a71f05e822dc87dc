package app

import (
	"cmp"
	"errors"
	"fmt"

	"larder/internal/engine"
	"larder/internal/logdelivery"
	"larder/internal/seal"
	"larder/internal/series"
	"larder/internal/services/kms"
	"larder/internal/services/logs"
)

// maxLogBytes bounds what all log events take on disk, compressed and sealed; the oldest go first.
const maxLogBytes = 1 << 30

// logKeys wraps the data keys of log events: with a log group's KMS key, or with the installation's own. The first byte
// of what it wrapped says which.
type logKeys struct {
	keys   kms.Client
	sealer *seal.Sealer
}

const (
	byInstallation = iota
	byKMS
)

func logAAD(group string) string { return "log-group/" + group + "/data-key" }

func logContext(group string) map[string]string { return map[string]string{"larder:log-group": group} }

// Wrap implements logstore.Keys.
func (k logKeys) Wrap(arn, group string, dataKey []byte) ([]byte, error) {
	if arn == "" {
		return append([]byte{byInstallation}, k.sealer.Seal(logAAD(group), dataKey)...), nil
	}
	wrapped, err := k.keys.Wrap(arn, dataKey, logContext(group))
	return append([]byte{byKMS}, wrapped...), err
}

// Unwrap implements logstore.Keys.
func (k logKeys) Unwrap(group string, wrapped []byte) ([]byte, error) {
	if len(wrapped) == 0 || wrapped[0] > byKMS {
		return nil, errors.New("a data key of log events is wrapped in an unknown way")
	}
	if wrapped[0] == byInstallation {
		return k.sealer.Open(logAAD(group), wrapped[1:])
	}
	return k.keys.Unwrap(wrapped[1:], logContext(group))
}

// filtered keeps what metric filters make among the metrics, on the disk. A value that there is no room for is logged.
func filtered(metrics *series.Store, failed func(error)) func([]logs.Datum) {
	return func(made []logs.Datum) {
		for _, d := range made {
			key := series.Key{Namespace: d.Namespace, Name: d.Metric, Unit: cmp.Or(d.Unit, "None")}
			for name, value := range d.Dimensions {
				key.Dimensions = append(key.Dimensions, series.Dimension{Name: name, Value: value})
			}
			if err := metrics.Add(series.Sample{Key: key, Cell: series.Single(d.Time.Unix(), d.Value)}); err != nil {
				failed(fmt.Errorf("cannot keep %g of the metric filters' metric %s: %w", d.Value, d.Metric, err))
			}
		}
		if err := metrics.Flush(); err != nil {
			failed(err)
		}
	}
}

// destination has logs delivered to CloudWatch's log groups.
type destination struct{ *logs.Service }

// Deliver implements logdelivery.Destination.
func (d destination) Deliver(group string, deliveries ...logdelivery.Delivery) error {
	var own []logs.Delivery
	for _, from := range deliveries {
		to := logs.Delivery{Stream: from.Stream, Source: from.Source, Mark: from.Mark}
		for _, e := range from.Events {
			to.Events = append(to.Events, logs.Event(e))
		}
		own = append(own, to)
	}
	return d.Service.Deliver(group, own...)
}

// logged returns the nodes that an engine runs, as the shipper of their logs takes them.
func logged(e *engine.Engine) logdelivery.Running {
	return func(group string) []logdelivery.Node {
		var all []logdelivery.Node
		for _, n := range e.Running(group) {
			all = append(all, logdelivery.Node{ID: n.ID, Process: n.Process, Redis: n.Redis, NewestSlow: n.NewestSlow()})
		}
		return all
	}
}
