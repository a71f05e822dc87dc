package monitor

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"larder/internal/cachemetric"
)

// read takes a reading of a node, when it is its turn. Where the server does not answer, it is the process's part, with
// an error and without Info. Where only the errors that the server counts cannot be read, there is Info, and the error.
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

// readProcess takes the part of a reading that needs no answer of the server.
func (m *Monitor) readProcess(n Node) (r cachemetric.Reading, err error) {
	at := m.config.Now()
	pulse, err := n.Process.SchedulerSample()
	if err != nil {
		return r, err
	}
	usage, err := n.Process.Usage()
	if err != nil {
		return r, err
	}
	return cachemetric.Reading{At: at, CPU: usage.CPU, MainCPU: pulse.CPU, Resident: usage.Resident,
		Swapped: usage.Swapped}, nil
}

// denials fills in what the server denied, of one that does not count it itself. Where that cannot be read it is what
// it was: the next reading tells the rest.
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

// carry has the errors that the server counts, and that could not be read, be what they were.
func (m *Monitor) carry(w *watched, info map[string]string) {
	for name, count := range w.last.Info {
		if _, read := info[name]; !read && strings.HasPrefix(name, "errorstat_") {
			info[name] = count
		}
	}
}

// missed logs what a reading lacks, once until a reading lacks nothing.
func (m *Monitor) missed(w *watched, failure error) {
	if failure != nil && w.missing == nil {
		m.config.Logger.Warn("some of a node's metrics cannot be read", "group", w.Group, "node", w.ID, "error",
			failure)
	}
	w.missing = failure
}
