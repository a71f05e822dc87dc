package operation

import (
	"slices"

	"larder/internal/cache"
)

// Kind is a kind of operation.
type Kind string

// Every kind. Those of the last block the engine begins by itself.
const (
	Create         Kind = "create-group"
	Delete         Kind = "delete-group"
	Modify         Kind = "modify"            // To lists what, such as a window
	Scale          Kind = "scale-node-type"   // of node types
	Upgrade        Kind = "upgrade-engine"    // of engine versions
	Parameters     Kind = "change-parameters" // of parameter groups
	SetFailover    Kind = "set-failover"      // automatic failover: on or off
	SetMultiAZ     Kind = "set-multi-az"      // on or off
	ChangeToken    Kind = "change-token"      // To is the strategy
	SwitchTransit  Kind = "switch-transit"    // of modes of encryption in transit
	AddReplicas    Kind = "add-replicas"      // of numbers of replicas
	RemoveReplicas Kind = "remove-replicas"   // of numbers of replicas
	Switchover     Kind = "switchover"        // of primaries
	TestFailover   Kind = "test-failover"
	Reboot         Kind = "reboot"
	Snapshot       Kind = "snapshot" // To names it

	Restore  Kind = "restore"      // To names the snapshot; asked for with a new group, or begun where all data are lost
	Replace  Kind = "replace-node" // whose process is gone, or cannot be reached
	Failover Kind = "failover"     // of primaries
)

// Stage is what an operation is doing, or waiting for.
type Stage string

// Every stage.
const (
	InWindow   Stage = "waits for maintenance"
	InQueue    Stage = "waits for the group"
	Starting   Stage = "starting nodes"
	Updating   Stage = "updating nodes"
	Syncing    Stage = "copying data to replicas"
	Moving     Stage = "moving the primary role"
	Replacing  Stage = "replacing the process"
	Rejoining  Stage = "bringing the node back"
	Removing   Stage = "removing nodes"
	Copying    Stage = "copying the data"
	Loading    Stage = "loading the data"
	LastCopy   Stage = "taking the final snapshot"
	Ending     Stage = "ending nodes"
	Confirming Stage = "checking nodes and endpoints"
)

// kind is what is known of a kind of operation.
type kind struct {
	// stages are those that it passes through, in order. Any may be skipped.
	stages []Stage
	// ends says that it outlasts the group's own end, or is that.
	ends bool
	// look tells how far it is. What takes its place, and what it fails by, is told too.
	look func(Operation, Facts) State
}

// kinds are all kinds.
var kinds = map[Kind]kind{
	Create: {stages: []Stage{Starting, Confirming}, look: lookCreate},
	Delete: {stages: []Stage{LastCopy, Ending}, ends: true, look: lookDelete},

	Modify:        {stages: []Stage{Updating}, look: lookUpdate},
	ChangeToken:   {stages: []Stage{Updating, Confirming}, look: lookToken},
	SwitchTransit: {stages: []Stage{Updating}, look: lookTransit},
	Scale: {stages: []Stage{InWindow, Updating, Confirming}, look: deferrable(
		func(d cache.Deferred) string { return d.NodeType },
		func(g *cache.ReplicationGroup) string { return g.NodeType }, lookSpec)},
	Upgrade: {stages: []Stage{InWindow, Updating, Confirming}, look: deferrable(
		func(d cache.Deferred) string { return d.EngineVersion },
		func(g *cache.ReplicationGroup) string { return g.EngineVersion }, lookSpec)},
	Parameters: {stages: []Stage{InWindow, Updating}, look: deferrable(
		func(d cache.Deferred) string { return d.ParameterGroup },
		func(g *cache.ReplicationGroup) string { return g.ParameterGroup }, lookUpdate)},
	SetFailover: {stages: []Stage{InWindow, Updating}, look: deferrable(
		func(d cache.Deferred) string { return onOrOff(d.AutomaticFailover) },
		func(g *cache.ReplicationGroup) string { return onOrOff(&g.AutomaticFailover) }, lookUpdate)},
	SetMultiAZ: {stages: []Stage{InWindow, Updating}, look: deferrable(
		func(d cache.Deferred) string { return onOrOff(d.MultiAZ) },
		func(g *cache.ReplicationGroup) string { return onOrOff(&g.MultiAZ) }, lookUpdate)},

	AddReplicas:    {stages: []Stage{Starting, Syncing}, look: lookAdded},
	RemoveReplicas: {stages: []Stage{Removing}, look: lookRemoved},
	Switchover:     {stages: []Stage{InWindow, Moving}, look: lookSwitchover},
	TestFailover:   {stages: []Stage{Moving, Replacing, Rejoining}, look: replacement(cache.FailedOver)},
	Reboot:         {stages: []Stage{Moving, Replacing, Rejoining}, look: replacement(cache.Rebooting)},
	Snapshot:       {stages: []Stage{InQueue, Copying}, ends: true, look: lookSnapshot},

	Restore: {stages: []Stage{Starting, Loading, Confirming}, look: lookRestore},
	Replace: {stages: []Stage{Moving, Replacing, Rejoining}, look: lookReplace},
	// A failover is recorded with the election that it is: there is nothing left to do.
	Failover: {look: func(Operation, Facts) State { return ended(Succeeded, "") }},
}

// Kinds are all kinds, in the order of their names.
func Kinds() (all []Kind) {
	for k := range kinds {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// Known tells whether there is such a kind.
func (k Kind) Known() bool {
	_, known := kinds[k]
	return known
}

// Stages are those that an operation of the kind passes through, in order. Any may be skipped.
func (k Kind) Stages() []Stage { return kinds[k].stages }
