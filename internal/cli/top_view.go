package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/internal/services/larder"
)

// load is what nodes do at one moment.
type load struct {
	Time  time.Time  `json:"time"`
	Nodes []nodeLoad `json:"nodes"`
}

// nodeLoad is what one node does. Numbers are nil where they are not known: of a node that does not answer, and rates
// of one that has just started.
type nodeLoad struct {
	Group string `json:"group"`
	ID    string `json:"id"`
	Zone  string `json:"zone"`
	Role  string `json:"role"`
	Link  string `json:"link"` // up, no answer or gone

	Ops        *float64 `json:"ops_per_second"`
	HitRate    *float64 `json:"hit_rate_percent"` // nil, too, when no key was asked for
	MemoryUsed *int64   `json:"memory_used_bytes"`
	MemoryMax  *int64   `json:"memory_max_bytes"`
	Lag        *float64 `json:"lag_seconds"` // of a replica
	Clients    *int64   `json:"clients"`
	CPU        *float64 `json:"cpu_percent"` // of one processor
	NetworkIn  *float64 `json:"network_in_bytes_per_second"`
	NetworkOut *float64 `json:"network_out_bytes_per_second"`
	Evictions  *float64 `json:"evictions_per_second"`
}

// linkAnswers is a node's that answers. The others are linkSilent and linkGone.
const linkAnswers = "up"

// loads makes rates of two looks.
func loads(before, after []larder.Measured, order string) []nodeLoad {
	was := map[string]larder.Measured{}
	for _, m := range before {
		was[m.Region+m.CacheClusterId] = m
	}
	all := []nodeLoad{}
	for _, m := range after {
		n := nodeLoad{Group: m.ReplicationGroupId, ID: m.CacheClusterId, Zone: m.Zone, Role: m.Role, Link: linkAnswers}
		switch {
		case m.PID == 0:
			n.Link = linkGone
		case m.Reading == nil:
			n.Link = linkSilent
		default:
			n.MemoryUsed, n.MemoryMax, n.Clients = &m.Reading.MemoryUsed, &m.Reading.MemoryMax, &m.Reading.Clients
			if m.LagSeconds >= 0 {
				n.Lag = &m.LagSeconds
			}
			if old := was[m.Region+m.CacheClusterId]; old.PID == m.PID && old.Reading != nil {
				n.rates(*old.Reading, *m.Reading)
			}
		}
		all = append(all, n)
	}
	sortLoads(all, order)
	return all
}

func (n *nodeLoad) rates(before, after larder.Reading) {
	seconds := time.Duration(after.At - before.At).Seconds()
	if seconds <= 0 {
		return
	}
	per := func(was, is int64) *float64 {
		return new(float64(max(is-was,
			0)) / seconds)
	} // CONFIG RESETSTAT sets counters back
	n.Ops, n.Evictions = per(before.Commands, after.Commands), per(before.Evictions, after.Evictions)
	n.NetworkIn, n.NetworkOut = per(before.NetworkIn, after.NetworkIn), per(before.NetworkOut, after.NetworkOut)
	n.CPU = new(100 * max(after.CPUSeconds-before.CPUSeconds, 0) / seconds)
	hits, misses := max(after.Hits-before.Hits, 0), max(after.Misses-before.Misses, 0)
	if hits+misses > 0 {
		n.HitRate = new(100 * float64(hits) / float64(hits+misses))
	}
}

// topOrders are what a table can be sorted by, the first of them without being told.
var topOrders = []string{"ops", "id", "memory", "lag", "clients", "cpu", "network", "evictions"}

// sortLoads puts what is largest first, and what is equal in the order of the ids. Nodes that do not answer come before
// all others.
func sortLoads(all []nodeLoad, order string) {
	key := map[string]func(nodeLoad) float64{
		"id":        func(nodeLoad) float64 { return 0 },
		"ops":       func(n nodeLoad) float64 { return known(n.Ops) },
		"memory":    func(n nodeLoad) float64 { return float64(known(n.MemoryUsed)) },
		"lag":       func(n nodeLoad) float64 { return known(n.Lag) },
		"clients":   func(n nodeLoad) float64 { return float64(known(n.Clients)) },
		"cpu":       func(n nodeLoad) float64 { return known(n.CPU) },
		"network":   func(n nodeLoad) float64 { return known(n.NetworkIn) + known(n.NetworkOut) },
		"evictions": func(n nodeLoad) float64 { return known(n.Evictions) },
	}[order]
	down := func(n nodeLoad) int {
		if n.Link == linkAnswers || order == "id" {
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b nodeLoad) int {
		return cmp.Or(cmp.Compare(down(a), down(b)), -cmp.Compare(key(a), key(b)), strings.Compare(a.ID, b.ID))
	})
}

// known is a number, or zero where there is none.
func known[T int64 | float64](n *T) T {
	if n == nil {
		return 0
	}
	return *n
}

// topNarrow names the columns that a terminal without room for all goes without, the first first.
var topNarrow = []string{"ZONE", "OF", "OUT/S", "IN/S", "CLIENTS", "CPU", "ROLE", "LAG", "EVICT/S", "HITS", "MEMORY"}

// lines are the table, of a width where there is one (0 is no limit).
func (l load) lines(lastError error, width int) []line {
	var all []line
	if lastError != nil {
		all = append(errorLines(lastError, width), nil)
	}
	if len(l.Nodes) == 0 {
		return append(all, line{{noGroups, uncoloured}})
	}
	var rows [][]span
	for _, name := range []string{"NODE", "ROLE", "ZONE", "OPS/S", "HITS", "MEMORY", "OF", "LAG", "CLIENTS", "CPU",
		"IN/S", "OUT/S", "EVICT/S"} {
		if len(rows) == 0 {
			rows = append(rows, nil)
		}
		rows[0] = append(rows[0], span{name, dim})
	}
	for _, n := range l.Nodes {
		rows = append(rows, n.cells())
	}
	return append(all, columns(fitting(rows, topNarrow, width))...)
}

func (n nodeLoad) cells() []span {
	role := span{n.Role, uncoloured}
	if n.Role == "primary" {
		role.colour = bold
	}
	lag := cell(n.Lag, func(s float64) string { return strconv.FormatFloat(s, 'f', 1, 64) + " s" })
	if n.Link != linkAnswers {
		lag = span{n.Link, red}
	}
	bytes := func(f float64) string { return size(int64(f)) }
	return []span{
		{n.ID, role.colour}, role, {n.Zone, uncoloured}, cell(n.Ops, whole), cell(n.HitRate, percent),
		cell(n.MemoryUsed, size), cell(n.MemoryMax, size),
		lag, cell(n.Clients, func(c int64) string { return strconv.FormatInt(c, 10) }), cell(n.CPU, percent),
		cell(n.NetworkIn, bytes), cell(n.NetworkOut, bytes), cell(n.Evictions, whole),
	}
}

// cell spells a number, or that there is none.
func cell[T any](n *T, spell func(T) string) span {
	if n == nil {
		return span{"-", dim}
	}
	return span{spell(*n), uncoloured}
}

func whole(n float64) string   { return strconv.FormatFloat(n, 'f', 0, 64) }
func percent(n float64) string { return fmt.Sprintf("%.1f%%", n) }

func jsonLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
