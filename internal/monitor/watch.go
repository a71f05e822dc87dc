package monitor

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"larder/internal/cachemetric"
)

// watched is a node that is read again and again. What is not of its own goroutine alone is under the monitor's lock.
type watched struct {
	Node
	stop    context.CancelFunc
	denials cachemetric.Denials // of the goroutine
	missing error               // of the goroutine: what the last reading lacks, for what reason

	last    cachemetric.Reading
	process cachemetric.Reading // the process's part, which may be of a later look that the server did not answer
	data    []cachemetric.Datum
	err     error
}

// firstPair is the time between a node's first two readings: long enough to tell a rate, short enough for data to be
// there when somebody asks after the start.
const firstPair = 2 * time.Second

// watch reads a node until ctx ends. Its first reading is what later ones count from: a node that has run for long is
// not published as if it had all happened within an interval.
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

// next is when a node is to be read again.
func (m *Monitor) next(w *watched) time.Time {
	now := m.config.Now()
	switch {
	case w.last.At.IsZero():
		return now.Add(lookEvery)
	case w.data == nil:
		return now.Add(min(firstPair, m.config.Interval))
	}
	return due(now.Add(m.config.Interval/8), m.config.Interval, w.ID)
}

// due is the next time after now at which a node has its turn: in every interval the same, between 70 and 95 % of it.
func due(now time.Time, interval time.Duration, id string) time.Time {
	h := fnv.New32a()
	h.Write([]byte(id))
	turn := now.Truncate(interval).Add(interval*70/100 + interval/4*time.Duration(h.Sum32()%1024)/1024)
	if !turn.After(now) {
		turn = turn.Add(interval)
	}
	return turn
}

// round reads a node and keeps what comes of it. Of a reading that fails what the server alone can tell is missing, and
// the next covers its time too; what is seen of a hung process from outside is there all the same, as it is on AWS.
func (m *Monitor) round(ctx context.Context, w *watched) {
	r, err := m.read(ctx, w.Node, cachemetric.Sections())
	if r.Info != nil {
		if err != nil {
			m.carry(w, r.Info)
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

// failed keeps what there is of a reading that failed.
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

// publish keeps a node's metrics. It needs the monitor's lock.
func (m *Monitor) publish(w *watched, r cachemetric.Reading, data []cachemetric.Datum) {
	m.keep(samples(w.Node, r, data, m.config.Interval))
	m.keep(m.total.add(r.At, data))
}

// derive gives the metrics of the time since the last reading: all of them, or those of the process alone.
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
