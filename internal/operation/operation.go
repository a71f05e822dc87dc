// Package operation tells what somebody asked of a replication group and takes time: which operations the group's
// records show, how far each is, and how it ended. It is pure: state keeps the rows, and the engine does the work.
package operation

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"larder/internal/cache"
)

// Operation is something that was asked of a replication group and takes time. It is open until Outcome is set. It is
// stored as it stands, and holds no secrets.
type Operation struct {
	Group  string
	Number int // from 1, among the operations of groups of that name
	Kind   Kind
	// Shard is the shard that it is done in; empty for the group as a whole.
	Shard string
	// Members are those that it is done to; none where it is not done to certain ones.
	Members []string
	// From and To are what is changed: a node type, a member, a number of replicas, the name of a snapshot. Empty where
	// the kind says it all, and for secrets.
	From, To string

	By      string // who asked; Engine for the engine itself, empty where it is not known
	Began   time.Time
	Ended   time.Time // zero while it is open
	Outcome Outcome   // empty while it is open
	Reason  string    // of the outcome; may be empty
}

// Engine is the By of what the engine does by itself.
const Engine = "larder"

// Origin says who changes a record, and when.
type Origin struct {
	By string // see Operation.By
	At time.Time
}

// Outcome says how an operation ended.
type Outcome string

// Every outcome.
const (
	Succeeded  Outcome = "succeeded"
	Failed     Outcome = "failed"
	Superseded Outcome = "superseded" // something else was asked for in its place
	Cancelled  Outcome = "cancelled"  // its group or its members are gone, or cannot have it any more
)

// Outcomes lists every outcome.
var Outcomes = []Outcome{Succeeded, Failed, Superseded, Cancelled}

// Open tells whether the operation goes on.
func (o Operation) Open() bool { return o.Outcome == "" }

// ID names the operation in its region: the group's id and the number.
func (o Operation) ID() string { return o.Group + "/" + strconv.Itoa(o.Number) }

// RowKey is the operation's key in its table. Open ones stand together, in the order of their numbers.
func (o Operation) RowKey() string {
	if o.Open() {
		return o.OpenKey()
	}
	return fmt.Sprintf("%s%09d", EndedKeys(o.Group), o.Number)
}

// OpenKey is the key that the operation has, or had, while it goes on.
func (o Operation) OpenKey() string { return fmt.Sprintf("%s%09d", OpenKeys(o.Group), o.Number) }

// AllOpen and AllEnded begin the keys of operations.
const (
	AllOpen  = "open/"
	AllEnded = "ended/"
)

// OpenKeys begins the keys of a group's open operations. A group's id has no slash.
func OpenKeys(group string) string { return AllOpen + group + "/" }

// EndedKeys begins the keys of a group's operations that have ended.
func EndedKeys(group string) string { return AllEnded + group + "/" }

// End is the operation as it ended.
func (o Operation) End(outcome Outcome, reason string, at time.Time) Operation {
	o.Outcome, o.Ended = outcome, at
	if reason != "" {
		o.Reason = reason
	}
	return o
}

// Covers tells whether a pending request that the records show is this operation.
func (o Operation) Covers(pending Operation) bool {
	if o.Kind != pending.Kind || o.Shard != pending.Shard {
		return false
	}
	if len(pending.Members) == 0 {
		return o.To == pending.To
	}
	return !slices.ContainsFunc(pending.Members, func(id string) bool { return !slices.Contains(o.Members, id) })
}

// How many operations are kept once they have ended, and for how long.
const (
	MaxEnded = 50                  // of one group
	MaxGone  = 200                 // of all groups that are gone
	maxAge   = 90 * 24 * time.Hour // of any
)

// Expired tells whether an ended operation is dropped that so many newer ones follow, of which at most max are kept.
func (o Operation) Expired(newer, max int, now time.Time) bool {
	return newer >= max || now.Sub(o.Ended) > maxAge
}

// Facts are the records that tell how far an operation is.
type Facts struct {
	// Topology is the group with its shards; the ReplicationGroup is nil where it is gone. How an operation ended is
	// told by the group's own record and that of the operation's shard: others may be left out.
	cache.Topology
	// Snapshots are the records of the snapshots that Snapshot operations name, without those that are gone or cannot be
	// read.
	Snapshots map[string]cache.Snapshot
	// Copy is what is being copied now, as the engine sees it; nil where nothing is, or nobody knows.
	Copy *Copy
}

// Copy is a snapshot on its way from a node or into one.
type Copy struct {
	Load  bool  // into a node
	Done  int64 // bytes
	Total int64 // bytes; 0 where it is not known
}

// State is how far an operation is.
type State struct {
	Stage Stage // empty once it has ended
	// Done of Total is how much of the stage is done, in Unit; Total is 0 where that cannot be counted.
	Done, Total int64
	Unit        Unit
	Outcome     Outcome // empty while it goes on
	Reason      string  // of the outcome
}

// Unit is what a stage is counted in.
type Unit string

// Every unit.
const (
	Nodes Unit = "nodes"
	Bytes Unit = "bytes"
)

// Look tells how far the operation is by the records.
func (o Operation) Look(f Facts) State {
	kind, known := kinds[o.Kind]
	switch {
	case !known:
		return ended(Cancelled, "this larder does not know such operations")
	case kind.ends: // it has a word about groups that end
	case f.ReplicationGroup == nil:
		return ended(Cancelled, "the group was deleted")
	case f.Status == cache.Deleting:
		return ended(Cancelled, "the group is being deleted")
	case f.Status == cache.CreateFailed && o.Kind != Create && o.Kind != Restore:
		return ended(Cancelled, "the group could not be created")
	}
	return kind.look(o, f)
}

// shard is the operation's; nil where it is gone.
func (o Operation) shard(f Facts) *cache.Shard {
	for i := range f.Shards {
		if f.Shards[i].ID == o.Shard {
			return &f.Shards[i]
		}
	}
	return nil
}

func ended(outcome Outcome, reason string) State { return State{Outcome: outcome, Reason: reason} }

// at is an operation that is in a stage, with so many of its nodes done.
func at(stage Stage, done, total int) State {
	return State{Stage: stage, Done: int64(done), Total: int64(total), Unit: Nodes}
}
