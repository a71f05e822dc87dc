package cache

import (
	"fmt"
	"time"
)

// Snapshot is a copy of a node's data that outlives it. What of it can be read at rest is here; the data are in a
// sealed file.
type Snapshot struct {
	Name   string
	ARN    string
	Status SnapshotStatus
	Reason string // why it failed; empty otherwise
	Asked  time.Time
	Taken  time.Time // when the data were as they are in it; zero until it is available

	Group   string // the replication group it was taken of
	ByGroup bool   // it was asked of the group, not of one cluster
	Member  string // the cluster whose data it holds

	// What the cluster was like.
	Zone                    string
	Zones                   []string // of the group's members, the primary's first
	ClusterCreated          time.Time
	NodeType                string
	Engine                  string
	EngineVersion           string // as the API names it in full, such as 7.1.0
	ServerVersion           string // of the redis-server that it was taken of; empty: EngineVersion
	Port                    int
	ParameterGroup          string
	SubnetGroup             string
	VPCID                   string
	MaintenanceWindow       string
	SnapshotWindow          string
	SnapshotRetentionLimit  int // days
	NotificationTopicARN    string
	AutoMinorVersionUpgrade bool

	KMSKeyID  string // that its data key is sealed with; empty for the installation's own
	DataKey   []byte // sealed; see snapshot.Sealed
	Size      int64  // of the RDB, in bytes
	CacheSize int64  // what the data took in the node's memory, in bytes

	Tags map[string]string
}

// RowKey is the snapshot's key in its table.
func (s Snapshot) RowKey() string { return s.Name }

// SnapshotOf describes a snapshot that is to be taken of a member of a shard.
func SnapshotOf(shard *Shard, m Member) Snapshot {
	g := shard.Group
	s := Snapshot{
		Status: SnapshotCreating, Group: g.ID, KMSKeyID: g.KMSKeyID,
		NodeType: g.NodeType, Engine: g.Engine, EngineVersion: g.EngineVersion, ServerVersion: g.Server(), Port: g.Port,
		ParameterGroup: g.ParameterGroup, SubnetGroup: g.SubnetGroup,
		MaintenanceWindow: g.MaintenanceWindow, SnapshotWindow: g.SnapshotWindow,
		SnapshotRetentionLimit: g.SnapshotRetentionLimit,
		NotificationTopicARN:   g.NotificationTopicARN, AutoMinorVersionUpgrade: g.AutoMinorVersionUpgrade,
		Zones: []string{shard.Primary().Zone},
	}
	for _, other := range shard.Staying() {
		if other.Role == Replica {
			s.Zones = append(s.Zones, other.Zone)
		}
	}
	s.From(m)
	return s
}

// From says whose data the snapshot holds.
func (s *Snapshot) From(m Member) { s.Member, s.Zone, s.ClusterCreated = m.ID, m.Zone, m.Created }

// SnapshotStatus is a snapshot's status, in the API's words.
type SnapshotStatus string

// Every status a snapshot can have (statuses.md, section 1), but for copying: snapshots are not copied.
const (
	SnapshotCreating  SnapshotStatus = "creating"
	SnapshotAvailable SnapshotStatus = "available"
	SnapshotRestoring SnapshotStatus = "restoring"
	SnapshotDeleting  SnapshotStatus = "deleting"
	SnapshotFailed    SnapshotStatus = "failed"
)

// SnapshotStatuses lists every status, in the order a snapshot's life shows them.
var SnapshotStatuses = []SnapshotStatus{SnapshotCreating, SnapshotAvailable, SnapshotRestoring, SnapshotDeleting,
	SnapshotFailed}

// SnapshotEvent is something that happens to a snapshot.
type SnapshotEvent string

// Every event of a snapshot's life.
const (
	Taken               SnapshotEvent = "taken"
	TakingFailed        SnapshotEvent = "taking failed"
	RestoreAsked        SnapshotEvent = "restore asked" // a group shall begin with it
	RestoreEnded        SnapshotEvent = "restore ended" // no group is being made of it any more
	SnapshotDeleteAsked SnapshotEvent = "delete asked"
)

// SnapshotEvents lists every event.
var SnapshotEvents = []SnapshotEvent{Taken, TakingFailed, RestoreAsked, RestoreEnded, SnapshotDeleteAsked}

// refused stands in the table for a request that is not granted in that status.
const refused SnapshotStatus = ""

// snapshotLifecycle names every (status, event) pair; a missing one fails a test. Nothing leaves deleting: the snapshot
// is gone after it. Several groups may be made of one snapshot at a time.
var snapshotLifecycle = map[SnapshotStatus]map[SnapshotEvent]SnapshotStatus{
	SnapshotCreating: {
		Taken: SnapshotAvailable, TakingFailed: SnapshotFailed, RestoreEnded: SnapshotCreating,
		RestoreAsked: refused, SnapshotDeleteAsked: refused,
	},
	SnapshotAvailable: {
		Taken: SnapshotAvailable, TakingFailed: SnapshotAvailable, RestoreEnded: SnapshotAvailable,
		RestoreAsked: SnapshotRestoring, SnapshotDeleteAsked: SnapshotDeleting,
	},
	SnapshotRestoring: {
		Taken: SnapshotRestoring, TakingFailed: SnapshotRestoring, RestoreEnded: SnapshotAvailable,
		RestoreAsked: SnapshotRestoring, SnapshotDeleteAsked: refused,
	},
	SnapshotDeleting: {
		Taken: SnapshotDeleting, TakingFailed: SnapshotDeleting, RestoreEnded: SnapshotDeleting,
		RestoreAsked: refused, SnapshotDeleteAsked: refused,
	},
	SnapshotFailed: {
		Taken: SnapshotFailed, TakingFailed: SnapshotFailed, RestoreEnded: SnapshotFailed,
		RestoreAsked: refused, SnapshotDeleteAsked: SnapshotDeleting,
	},
}

// wrongState is what the API's caller reads; the service's own text is not known.
const wrongState = "Snapshot %s is in the %s state, in which this cannot be done."

// Fire applies an event to the snapshot's status. The error, where the event is refused, carries the text that the
// API's caller sees.
func (s *Snapshot) Fire(e SnapshotEvent) error {
	next, ok := snapshotLifecycle[s.Status][e]
	switch {
	case !ok:
		return fmt.Errorf("no transition from %q on %q", s.Status, e)
	case next == refused:
		return fmt.Errorf(wrongState, s.Name, s.Status)
	}
	s.Status = next
	return nil
}

// Backup is a snapshot that a group is having taken.
type Backup struct {
	Name   string
	Member string // the cluster it was asked of; empty for the primary, whichever that is
}
