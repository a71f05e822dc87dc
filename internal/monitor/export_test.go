package monitor

import (
	"slices"
	"strings"

	"larder/internal/cachemetric"
)

// NodeReading is what was last read of a node.
type NodeReading struct {
	Group, ID string
	// Reading is the last that succeeded, with the fields of INFO in cachemetric.Sections. At is zero where none has.
	Reading cachemetric.Reading
	// Data are the metrics of the time between that reading and the one before it; nothing for the first. To be read
	// only.
	Data []cachemetric.Datum
	// Err is why the last attempt failed; nil when it did not.
	Err error
}

// Latest is what was last read of each running node, in the order of their ids. It asks no node.
func (m *Monitor) Latest() []NodeReading {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []NodeReading
	for _, w := range m.watched {
		all = append(all, NodeReading{w.Group, w.ID, w.last, w.data, w.err})
	}
	slices.SortFunc(all, func(a, b NodeReading) int { return strings.Compare(a.ID, b.ID) })
	return all
}
