package cache

import (
	"fmt"
	"slices"
	"strings"
)

// Status is a replication group's status, in the API's words.
type Status string

// Every status a group can have (statuses.md, section 1).
const (
	Creating     Status = "creating"
	Available    Status = "available"
	Modifying    Status = "modifying"
	Snapshotting Status = "snapshotting"
	Deleting     Status = "deleting"
	CreateFailed Status = "create-failed"
)

// Statuses lists every status, in the order a group's life shows them.
var Statuses = []Status{Creating, Available, Modifying, Snapshotting, Deleting, CreateFailed}

// Event is something that happens to a group and may change its status.
type Event string

// Every event of a group's life.
const (
	Converged   Event = "converged"    // observed equals desired, and the endpoints answered
	Diverged    Event = "diverged"     // a node or an endpoint is not as desired
	ModifyAsked Event = "modify asked" // the API was asked for a change
	DeleteAsked Event = "delete asked"
	GaveUp      Event = "gave up" // the group could not be created

	SnapshotAsked Event = "snapshot asked"
	SnapshotEnded Event = "snapshot ended" // it is available, or failed
)

// Events lists every event.
var Events = []Event{Converged, Diverged, ModifyAsked, DeleteAsked, GaveUp, SnapshotAsked, SnapshotEnded}

// verdict is one cell of the lifecycle table: the next status, or why the event is not allowed. Staying put is said by
// naming the same status.
type verdict struct {
	next   Status
	refuse string
}

func to(s Status) verdict       { return verdict{next: s} }
func refuse(why string) verdict { return verdict{refuse: why} }

// notAvailable is the service's own text (errors.csv, InvalidReplicationGroupState).
const notAvailable = "Replication group must be in available state to modify."

// notBackedUp is what a group that cannot be backed up now answers; the service's own text is not known.
const notBackedUp = "Replication group must be in available state to create a snapshot."

// lifecycle names every (status, event) pair; a missing one fails a test. Nothing leaves deleting: the group is gone
// after it.
var lifecycle = map[Status]map[Event]verdict{
	Creating: {
		Converged: to(Available), Diverged: to(Creating), GaveUp: to(CreateFailed),
		ModifyAsked: refuse(notAvailable), DeleteAsked: to(Deleting),
		SnapshotAsked: refuse(notBackedUp), SnapshotEnded: to(Creating),
	},
	Available: {
		Converged: to(Available), Diverged: to(Modifying), GaveUp: to(Available),
		ModifyAsked: to(Modifying), DeleteAsked: to(Deleting),
		SnapshotAsked: to(Snapshotting), SnapshotEnded: to(Available),
	},
	Modifying: {
		Converged: to(Available), Diverged: to(Modifying), GaveUp: to(Modifying),
		ModifyAsked: refuse(notAvailable), DeleteAsked: to(Deleting),
		SnapshotAsked: refuse(notBackedUp), SnapshotEnded: to(Modifying),
	},
	Snapshotting: {
		Converged: to(Snapshotting), Diverged: to(Snapshotting), GaveUp: to(Snapshotting),
		ModifyAsked:   refuse(notAvailable),
		DeleteAsked:   refuse("Replication group is being backed up. Delete it when the snapshot is complete."),
		SnapshotAsked: refuse(notBackedUp), SnapshotEnded: to(Available),
	},
	Deleting: {
		Converged: to(Deleting), Diverged: to(Deleting), GaveUp: to(Deleting),
		ModifyAsked: refuse(notAvailable), DeleteAsked: refuse("Replication group is already being deleted."),
		SnapshotAsked: refuse(notBackedUp), SnapshotEnded: to(Deleting),
	},
	CreateFailed: {
		Converged: to(CreateFailed), Diverged: to(CreateFailed), GaveUp: to(CreateFailed),
		ModifyAsked: refuse(notAvailable), DeleteAsked: to(Deleting),
		SnapshotAsked: refuse(notBackedUp), SnapshotEnded: to(CreateFailed),
	},
}

// Transition returns the status that follows s when e happens. The error, where the event is refused, carries the text
// that the API's caller sees.
func Transition(s Status, e Event) (Status, error) {
	v, ok := lifecycle[s][e]
	switch {
	case !ok:
		return s, fmt.Errorf("no transition from %q on %q", s, e)
	case v.refuse != "":
		return s, fmt.Errorf("%s", v.refuse)
	}
	return v.next, nil
}

// Diagram draws the lifecycle table as a Mermaid state diagram; events that change nothing are left out.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> creating\n")
	for _, s := range Statuses {
		for _, e := range Events {
			if v := lifecycle[s][e]; v.next != "" && v.next != s {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", mermaid(s), mermaid(v.next), e)
			}
		}
	}
	b.WriteString("    deleting --> [*]\n")
	return b.String()
}

// mermaid spells a status as a Mermaid identifier, which may not hold a hyphen.
func mermaid(s Status) string { return strings.ReplaceAll(string(s), "-", "_") }

// Serving tells whether clients can be expected to reach a group in that status.
func (s Status) Serving() bool {
	return slices.Contains([]Status{Available, Modifying, Snapshotting}, s)
}

// Ending tells whether the nodes of a group in that status are to be ended.
func (s Status) Ending() bool { return s == Deleting || s == CreateFailed }
