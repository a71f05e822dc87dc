package cachemetric

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
)

// The families that ElastiCache counts commands by, in the order of their metrics.
var families = []string{
	"Cluster", "Eval", "GeoSpatial", "Hash", "HyperLogLog", "Key", "List", "PubSub", "Set", "SortedSet", "Stream",
	"String",
}

// command is a row of the table of commands.
type command struct {
	family string // one of families; empty for a command that no family counts
	keys   string // what it does with keys: none, read, write, other
}

// commandsCSV is what redis-server 7.0 says of its commands: the group of COMMAND DOCS in ElastiCache's words, and from
// COMMAND whether it has keys and which flag. Bitmaps count as strings.
//
//go:embed commands.csv
var commandsCSV string

// Commands is the table of commands.
type Commands map[string]command

// LoadCommands parses the table that is built into the program.
func LoadCommands() (Commands, error) {
	rows, err := csv.NewReader(strings.NewReader(commandsCSV)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("cannot read the table of commands: %w", err)
	}
	table := Commands{}
	for _, row := range rows[1:] {
		table[row[0]] = command{family: row[1], keys: row[2]}
	}
	return table, nil
}

// calls is how often commands ran, and how long in all, in microseconds.
type calls struct{ count, usec float64 }

// tally adds up INFO commandstats by metric: a command counts in its family, and by what it does with keys.
func (t Commands) tally(r Reading) map[string]calls {
	sums := map[string]calls{}
	for name, value := range r.Info {
		name, ok := strings.CutPrefix(name, "cmdstat_")
		if !ok {
			continue
		}
		stat := parts(value)
		for _, metric := range t.metrics(name) {
			sum := sums[metric]
			sums[metric] = calls{sum.count + stat["calls"], sum.usec + stat["usec"]}
		}
	}
	return sums
}

// metrics names the metrics that count a command, without the ending that tells calls from latency.
func (t Commands) metrics(name string) []string {
	c, known := t[strings.ToLower(name)]
	if !known {
		return nil
	}
	var names []string
	if c.family != "" {
		names = append(names, c.family+"Based")
	}
	switch c.keys {
	case "read":
		names = append(names, "GetType")
	case "write":
		names = append(names, "SetType")
	case "none":
		names = append(names, "NonKeyType")
	}
	return names
}

// counted lists every metric of commands, without its ending.
func counted() (names []string) {
	for _, family := range families {
		names = append(names, family+"Based")
	}
	return append(names, "GetType", "SetType", "NonKeyType")
}
