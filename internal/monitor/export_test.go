package monitor

import (
	"slices"
	"strings"

	"larder/internal/cachemetric"
)

// NodeReading is the result of the last readings of a node.
type NodeReading struct {
	Group, ID string
	// Reading is the last successful reading, with the fields of INFO in cachemetric.Sections. Its At is zero if none has
	// succeeded.
	Reading cachemetric.Reading
	// Data are the metrics of the time between that reading and the previous one; nil after the first reading. Do not
	// modify them.
	Data []cachemetric.Datum
	// Err is why the last attempt failed, or nil.
	Err error
}

// Latest returns the last reading of each running node, ordered by id. It sends nothing to the nodes.
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
