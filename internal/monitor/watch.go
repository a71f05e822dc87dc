package monitor

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"larder/internal/cachemetric"
)

// watched is a node that is read regularly. The monitor's lock protects all fields but those of the node's own
// goroutine.
type watched struct {
	Node
	stop    context.CancelFunc
	denials cachemetric.Denials // used by the node's goroutine only
	missing error               // used by the node's goroutine only: why the last reading was incomplete

	last    cachemetric.Reading
	process cachemetric.Reading // the process's part; it may be newer, if the server did not answer
	data    []cachemetric.Datum
	err     error
}

// firstPair is the time between a node's first two readings. It is long enough for a rate, and short enough for users
// who look right after the start.
const firstPair = 2 * time.Second

// watch reads a node until ctx ends. Its first reading is the base of later ones: what a node did before is not
// published.
func (m *Monitor) watch(ctx context.Context, w *watched) {
	defer w.stop()
	for {
		if err := m.guard.Do("the node "+w.ID, func() error { m.round(ctx, w); return nil }); err != nil {
			m.config.Logger.Error("cannot keep a node's metrics", "group", w.Group, "node", w.ID, "error", err)
		}
		select {
		case <-m.config.After(m.next(w).Sub(m.config.Now())):
		case <-ctx.Done():
			return
		}
	}
}

// next returns when a node must be read again.
func (m *Monitor) next(w *watched) time.Time {
	now := m.config.Now()
	switch {
	case w.last.At.IsZero():
		return now.Add(checkEvery)
	case w.data == nil:
		return now.Add(min(firstPair, m.config.Interval))
	}
	return due(now.Add(m.config.Interval/8), m.config.Interval, w.ID)
}

// due returns the next time after now at which a node is read: at the same point of every interval, between 70 and 95 %
// of it.
func due(now time.Time, interval time.Duration, id string) time.Time {
	h := fnv.New32a()
	h.Write([]byte(id))
	turn := now.Truncate(interval).Add(interval*70/100 + interval/4*time.Duration(h.Sum32()%1024)/1024)
	if !turn.After(now) {
		turn = turn.Add(interval)
	}
	return turn
}

// round reads a node and stores its metrics. When a reading fails, server metrics are skipped until the next one, which
// covers the missed time. Process metrics are still published, as on AWS.
func (m *Monitor) round(ctx context.Context, w *watched) {
	r, err := m.read(ctx, w.Node, cachemetric.Sections())
	if r.Info != nil {
		if err != nil {
			m.keepErrors(w, r.Info)
		}
		m.missed(w, errors.Join(err, m.denials(ctx, w, r.Info)))
		err = nil
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		m.failed(w, r, err)
		return
	}
	data, err := m.derive(w, r, true)
	m.mu.Lock()
	defer m.mu.Unlock()
	w.last, w.process, w.data, w.err = r, r, data, err
	m.publish(w, r, data)
}

// failed stores what was read although the reading failed.
func (m *Monitor) failed(w *watched, r cachemetric.Reading, failure error) {
	if w.err == nil {
		m.config.Logger.Warn("a node's metrics cannot be read", "group", w.Group, "node", w.ID, "error", failure)
	}
	var data []cachemetric.Datum
	var err error
	if !r.At.IsZero() {
		r.Info = w.last.Info // for the node's role
		data, err = m.derive(w, r, false)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	w.err = errors.Join(failure, err)
	if len(data) > 0 {
		w.process = r
		m.publish(w, r, data)
	}
}

// publish stores a node's metrics. The caller holds the monitor's lock.
func (m *Monitor) publish(w *watched, r cachemetric.Reading, data []cachemetric.Datum) {
	m.keep(samples(w.Node, r, data, m.config.Interval))
	m.keep(m.total.add(r.At, data))
}

// derive computes the metrics of the time since the last reading: all of them, or only those of the process.
func (m *Monitor) derive(w *watched, r cachemetric.Reading, all bool) ([]cachemetric.Datum, error) {
	if w.last.At.IsZero() {
		return nil, nil
	}
	size, err := m.config.Size(w.Group)
	if err != nil {
		err = fmt.Errorf("cannot tell how large the nodes of %s are: %w", w.Group, err)
		m.config.Logger.Error("a node's metrics cannot be kept", "group", w.Group, "node", w.ID, "error", err)
		return nil, err
	}
	if !all {
		return cachemetric.DeriveProcess(w.process, r, size), nil
	}
	before := w.process
	before.Info = w.last.Info
	return cachemetric.Derive(before, r, size, m.table), nil
}
