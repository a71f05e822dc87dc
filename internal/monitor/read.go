package monitor

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"larder/internal/cachemetric"
)

// read reads a node when a slot is free. If the server does not answer, read returns the part of the process, without
// Info, and an error. If only the server's error counts cannot be read, read returns Info and an error.
func (m *Monitor) read(ctx context.Context, n Node, sections []string) (cachemetric.Reading, error) {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return cachemetric.Reading{}, ctx.Err()
	}
	r, err := m.readProcess(n)
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	info, err := n.Redis.Info(ctx, sections...)
	if info == nil {
		return r, fmt.Errorf("cannot read the node %s: %w", n.ID, err)
	}
	r.Info, r.Lag = info, n.Lag()
	return r, err
}

// readProcess reads the part that needs no answer of the server.
func (m *Monitor) readProcess(n Node) (r cachemetric.Reading, err error) {
	at := m.config.Now()
	sample, err := n.Process.SchedulerSample()
	if err != nil {
		return r, err
	}
	usage, err := n.Process.Usage()
	if err != nil {
		return r, err
	}
	return cachemetric.Reading{At: at, CPU: usage.CPU, MainCPU: sample.CPU, Resident: usage.Resident,
		Swapped: usage.Swapped}, nil
}

// denials adds what the server denied to info, for versions that do not count it. If that cannot be read, the count
// stays, and the next reading includes the difference.
func (m *Monitor) denials(ctx context.Context, w *watched, info map[string]string) (err error) {
	if !cachemetric.Lacks(info) {
		return nil
	}
	defer w.denials.Fill(info)
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
			log = append(log, cachemetric.Denial{Reason: e["reason"], Context: e["context"], Object: e["object"],
				User: e["username"], Count: count})
		}
		w.denials.Note(info, log)
	}
	return nil
}

// keepErrors copies the error counts of the last reading to info, because they could not be read.
func (m *Monitor) keepErrors(w *watched, info map[string]string) {
	for name, count := range w.last.Info {
		if _, read := info[name]; !read && strings.HasPrefix(name, "errorstat_") {
			info[name] = count
		}
	}
}

// missed logs what a reading lacks. It logs again only after a complete reading.
func (m *Monitor) missed(w *watched, failure error) {
	if failure != nil && w.missing == nil {
		m.config.Logger.Warn("some of a node's metrics cannot be read", "group", w.Group, "node", w.ID, "error",
			failure)
	}
	w.missing = failure
}
