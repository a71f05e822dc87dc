// Package redis holds the tables of the Terraform module in this directory, for the Go programs that read them too.
package redis

import _ "embed"

//go:generate go run ./readmegen

var (
	//go:embed node_types.csv
	nodeTypes string
	//go:embed engine_versions.csv
	engineVersions string
	//go:embed alarms.json
	alarms string
)

// NodeTypes is the table of node types, as CSV with a header row.
func NodeTypes() string { return nodeTypes }

// EngineVersions is the table of the versions to ask ElastiCache for and the families of their parameter groups, oldest
// first, as CSV with a header row.
func EngineVersions() string { return engineVersions }

// Alarms is the table of alarms, as a JSON array.
func Alarms() string { return alarms }
