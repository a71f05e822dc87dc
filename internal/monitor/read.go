package monitor

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"larder/internal/cachemetric"
)

// read takes a reading of a node, when it is its turn.
func (m *Monitor) read(ctx context.Context, n Node, sections []string) (cachemetric.Reading, error) {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return cachemetric.Reading{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	info, err := n.Redis.Info(ctx, sections...)
	at := m.config.Now()
	if err != nil {
		return cachemetric.Reading{}, fmt.Errorf("cannot read the node %s: %w", n.ID, err)
	}
	pulse, err := n.Process.Pulse()
	if err != nil {
		return cachemetric.Reading{}, err
	}
	usage, err := n.Process.Usage()
	if err != nil {
		return cachemetric.Reading{}, err
	}
	r := cachemetric.Reading{At: at, Info: info, CPU: usage.CPU, MainCPU: pulse.CPU, Resident: usage.Resident, Swapped: usage.Swapped}
	r.Lag, err = m.lag(n.Group, r)
	return r, err
}

// lag is how late a replica is. A primary's own reading is a mark too: one that is slow to answer may have no other.
func (m *Monitor) lag(group string, r cachemetric.Reading) (lag time.Duration, err error) {
	role := r.Info["role"]
	field := map[string]string{"master": "master_repl_offset", "slave": "slave_repl_offset"}[role]
	if field == "" {
		return 0, nil
	}
	offset, err := strconv.ParseInt(r.Info[field], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("cannot read the node's %s: %w", field, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.sent[group]
	switch {
	case p == nil:
	case role == "slave":
		lag = p.Lag(r.At, offset)
	default:
		p.Note(r.At, r.Info["master_replid"], offset)
	}
	return lag, nil
}

// denials fills in what the server denied, of one that does not count it itself.
func (m *Monitor) denials(ctx context.Context, w *watched, info map[string]string) error {
	if !cachemetric.Lacks(info) {
		return nil
	}
	if w.denials.Stale(info) {
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		entries, err := w.Redis.AccessLog(ctx)
		if err != nil {
			return fmt.Errorf("cannot read the node %s: %w", w.ID, err)
		}
		var log []cachemetric.Denial
		for _, e := range entries {
			count, err := strconv.ParseFloat(e["count"], 64)
			if err != nil {
				return fmt.Errorf("cannot read the node %s's log of denied access: %w", w.ID, err)
			}
			log = append(log, cachemetric.Denial{Reason: e["reason"], Context: e["context"], Object: e["object"], User: e["username"], Count: count})
		}
		w.denials.Note(info, log)
	}
	w.denials.Fill(info)
	return nil
}
