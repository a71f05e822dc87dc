package catalog

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"larder/modules/redis"
)

// NodeType is a row of the table of node types: what a node of that type may use.
type NodeType struct {
	Name       string
	VCPU       int
	MemoryGiB  float64
	MaxMemory  int64 // bytes, before reserved memory is taken off
	MaxClients int
	// The hard and soft limit of a replica's output buffer, in bytes.
	ReplicaBufferHard, ReplicaBufferSoft int64
	DataTiering                          bool
	Creatable                            bool   // AWS still sells it
	LocalOnly                            bool   // AWS has never sold it: larder accepts it with a warning
	Network                              string // AWS's label
}

// NodeTypes is the table of node types, by name.
type NodeTypes map[string]NodeType

// localOnly marks what AWS has never sold in the table's column "creatable": the seed's staging uses cache.t3.large.
const localOnly = "larder only"

// LoadNodeTypes parses the Terraform module's table, which is built into the program.
func LoadNodeTypes() (NodeTypes, error) {
	rows, err := records(redis.NodeTypes())
	if err != nil {
		return nil, fmt.Errorf("cannot read the table of node types: %w", err)
	}
	types := NodeTypes{}
	for _, r := range rows {
		t, err := parseNodeType(r)
		if err != nil {
			return nil, fmt.Errorf("cannot read node type %s: %w", r["node_type"], err)
		}
		types[t.Name] = t
	}
	return types, nil
}

func parseNodeType(r map[string]string) (NodeType, error) {
	t := NodeType{
		Name: r["node_type"], Network: r["network_performance_label"],
		DataTiering: r["data_tiering"] == "yes", Creatable: r["creatable"] == "yes",
		LocalOnly: r["creatable"] == localOnly,
	}
	var err error
	parse := func(column string) int64 {
		n, e := strconv.ParseInt(r[column], 10, 64)
		if e != nil && err == nil {
			err = fmt.Errorf("column %s: %w", column, e)
		}
		return n
	}
	t.VCPU, t.MaxClients = int(parse("vcpu")), int(parse("maxclients"))
	t.MaxMemory = parse("maxmemory_bytes")
	t.ReplicaBufferHard, t.ReplicaBufferSoft = parse("cob_replica_hard_limit_bytes"), parse("cob_replica_soft_limit_bytes")
	if err != nil {
		return t, err
	}
	t.MemoryGiB, err = strconv.ParseFloat(r["memory_gib"], 64)
	return t, err
}

// Names returns the names of the types that AWS sells, sorted.
func (ts NodeTypes) Names() []string {
	var names []string
	for name, t := range ts {
		if t.Creatable {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// records reads a table with a header row.
func records(table string) ([]map[string]string, error) {
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		return nil, err
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		r := map[string]string{}
		for i, column := range rows[0] {
			r[column] = row[i]
		}
		out = append(out, r)
	}
	return out, nil
}
