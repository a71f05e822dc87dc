package doctor

import (
	"cmp"
	"slices"
)

// Severity says how bad a finding is.
type Severity string

// The severities. Nothing but notes means that all is well.
const (
	Error   Severity = "error"   // something does not work, or runs that should not
	Warning Severity = "warning" // something will not work, or not as well as it should
	Note    Severity = "note"    // worth knowing
)

// Check is what a finding is about. Scripts go by these names.
type Check string

// The checks, in the order in which findings of one severity are shown.
const (
	LostDirectory     Check = "lost-directory" // a process whose state directory, or own directory, is gone
	EngineSilent      Check = "engine-silent"  // an engine that is stopped, or does not answer
	TwoEngines        Check = "two-engines"    // several engines on one state directory
	NodeWithoutEngine Check = "node-without-engine"
	GroupStatus       Check = "group-status"   // a replication group that is not available, and why
	DamagedRecord     Check = "damaged-record" // one that an engine cannot read
	DamagedSnapshot   Check = "damaged-snapshot"
	DamagedLogs       Check = "damaged-logs" // events of a log group that an engine cannot read
	DamagedMetrics    Check = "damaged-metrics"
	StateDirectory    Check = "state-directory"
	AddressInUse      Check = "address-in-use"
	RedisServer       Check = "redis-server"
	LoopbackAddresses Check = "loopback-addresses"
	DiskRoom          Check = "disk-room"
	OpenFiles         Check = "open-files"
	Clock             Check = "clock"
	Environment       Check = "environment" // a variable that larder, or what `larder env` is for, cannot use
	UnknownProcess    Check = "unknown-process"
	OtherNamespace    Check = "other-namespace"
	Program           Check = "program" // an engine of another larder than this one
	LeftoverFile      Check = "leftover-file"

	// What Warn tells of replication groups.
	DataLost       Check = "data-lost"
	OpenNetwork    Check = "open-network" // a group without a token, which every user of the machine reaches
	NodeMemory     Check = "node-memory"  // a node type that has more memory than the machine
	NoBackups      Check = "no-backups"
	SecurityGroups Check = "security-groups" // whose rules keep nobody out
)

var checkOrder = []Check{
	LostDirectory, EngineSilent, TwoEngines, NodeWithoutEngine, GroupStatus, DamagedRecord, DamagedSnapshot,
	DamagedLogs, DamagedMetrics,
	StateDirectory, AddressInUse, RedisServer, LoopbackAddresses,
	DiskRoom, OpenFiles, Clock, Environment, UnknownProcess, OtherNamespace, Program, LeftoverFile,
	DataLost, OpenNetwork, NodeMemory, NoBackups, SecurityGroups,
}

// Finding is one thing that is wrong, or worth knowing.
type Finding struct {
	Severity  Severity `json:"severity"`
	Check     Check    `json:"check"`
	Message   string   `json:"message"`
	Next      string   `json:"next"`                // what to do
	PIDs      []int    `json:"pids,omitempty"`      // the processes that it is about
	Directory string   `json:"directory,omitempty"` // the state directory that it is about
}

// Healthy tells whether nothing was found but notes.
func Healthy(all []Finding) bool {
	return !slices.ContainsFunc(all, func(f Finding) bool { return f.Severity != Note })
}

// Diagnose says what is wrong, the worst first.
func Diagnose(m Machine) []Finding {
	all := []Finding{}
	for _, check := range []func(Machine) []Finding{
		lostDirectories, silentEngines, twoEngines, nodesWithoutEngine, groups, damage, directories, holders, address,
		servers, loopback, room,
		openFiles, clock, settings, shell, oldCLI, suspects, namespaces, programs, leftovers,
		warnings,
	} {
		all = append(all, check(m)...)
	}
	severities := []Severity{Error, Warning, Note}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(slices.Index(severities, a.Severity)-slices.Index(severities, b.Severity),
			slices.Index(checkOrder, a.Check)-slices.Index(checkOrder, b.Check))
	})
	return all
}
