package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ReplicationGroup is what was asked for of a group as a whole, together with its status. Its members are in its
// shards. It is stored as it stands; secrets in it are sealed.
type ReplicationGroup struct {
	ID           string
	ARN          string
	Description  string
	Status       Status
	StatusReason string // why the group is create-failed; empty otherwise
	Created      time.Time

	Engine           string
	EngineVersion    string // as the API names it in full, such as 7.1.0
	ServerVersion    string // of the redis-server that runs it, such as 7.0.15; empty: EngineVersion. See Server
	NodeType         string
	Port             int
	ParameterGroup   string
	SubnetGroup      string
	SecurityGroupIDs []string
	KMSKeyID         string

	AutomaticFailover       bool
	MultiAZ                 bool
	TransitEncryption       bool
	PlainClients            bool // with TransitEncryption: clients may connect without TLS too; see Transit
	AtRestEncryption        bool
	AutoMinorVersionUpgrade bool

	// AuthTokens are sealed, oldest first: none when the group has no token, two while one is being rotated. An empty
	// entry stands for a group that is being given its first token and still lets clients in without one.
	AuthTokens        [][]byte
	AuthTokenModified time.Time // zero when the group has no token

	SnapshotRetentionLimit int // days
	SnapshotWindow         string
	SnapshottingCluster    string
	MaintenanceWindow      string
	NotificationTopicARN   string
	NotificationsOff       bool // the topic's status is inactive
	LogDeliveries          []LogDelivery

	Tags map[string]string

	// TransitBefore is the mode of encryption in transit that clients had before the one that the nodes are being
	// switched to; nil when none are.
	TransitBefore *TransitMode
	// MembersModified says that a modification of the group concerns its members, until the group is available again.
	MembersModified bool
	// Scaling is the node type that is being moved to; empty otherwise.
	Scaling string
	// ScaledFrom is the node type that the group goes back to where Scaling cannot hold its data; empty when Scaling
	// is.
	ScaledFrom string
	// KeptMemory is the maxmemory, in bytes, that the nodes keep because their data do not fit in what their parameters
	// leave of the node type; 0 when they fit.
	KeptMemory int64
	// Deferred waits for the maintenance window; nil when nothing does.
	Deferred *Deferred
	// Snapshot is being taken; nil when none is. A group that is being deleted waits for it.
	Snapshot *Backup
	// Restore names the snapshot whose data the group begins with, or begins with again when no node has the group's own
	// data any more. It is empty without one, and once the group has been available with the data.
	Restore string
}

// RowKey is the group's key in its table.
func (g ReplicationGroup) RowKey() string { return g.ID }

// Whole returns an error that says what the record lacks for decisions about the group's nodes; nil when it is whole.
func (g ReplicationGroup) Whole() error {
	if !slices.Contains(Statuses, g.Status) {
		return fmt.Errorf("its status is %q", g.Status)
	}
	if g.Port < 1 || g.NodeType == "" || g.EngineVersion == "" || g.ParameterGroup == "" {
		return errors.New("it lacks a port, a node type, an engine version or a parameter group")
	}
	return nil
}

// LogDelivery is where a log of the nodes is to go.
type LogDelivery struct {
	LogType     string // slow-log or engine-log
	Destination string // cloudwatch-logs or kinesis-firehose
	Name        string // of the log group or delivery stream
	Format      string // text or json
	Status      LogStatus
	Message     string    // why it fails; empty otherwise
	Since       time.Time // what was logged before is not delivered
}

// LogStatus tells how far a log delivery is, in the API's words.
type LogStatus string

// The statuses that larder passes through.
const (
	LogsEnabling  LogStatus = "enabling"
	LogsModifying LogStatus = "modifying"
	LogsActive    LogStatus = "active"
	LogsFailing   LogStatus = "error"
)

// Spec says what a member's process is: another one takes a new process.
func (g *ReplicationGroup) Spec() string { return g.NodeType + " " + g.Server() }

// AccessFingerprint names a set of sealed tokens.
func AccessFingerprint(sealed [][]byte) string {
	h := sha256.New()
	for _, token := range sealed {
		sum := sha256.Sum256(token)
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
