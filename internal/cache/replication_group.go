package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Role is what a member is in its shard.
type Role string

// Roles, in the API's words (CurrentRole).
const (
	Primary Role = "primary"
	Replica Role = "replica"
)

// ReplicationGroup is what was asked for, together with what the engine decided on the way: roles, statuses, addresses.
// It is stored as it stands; secrets in it are sealed.
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

	PrimaryAddress netip.Addr // of the primary endpoint
	ReaderAddress  netip.Addr // of the reader endpoint
	Members        []Member   // in the order of their ids

	Tags map[string]string

	// Histories are the replication streams that the group's primaries have had, newest first (see History). A
	// primary's is recorded before clients can write to it: a node of an older one lacks something.
	Histories []string

	// TransitBefore is the mode of encryption in transit that clients had before the one that the nodes are being
	// switched to; nil when none are.
	TransitBefore *TransitMode
	// Promote names the member that shall become primary by a planned move; empty otherwise.
	Promote string
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
	// Restore names the snapshot whose data the group begins with, or begins again with where nobody has its own any
	// more; empty without one, and once the group has been available with them.
	Restore string
}

// RowKey is the group's key in its table.
func (g ReplicationGroup) RowKey() string { return g.ID }

// Whole says what the record of a group lacks that decisions about its nodes need; nil for nothing.
func (g ReplicationGroup) Whole() error {
	if !slices.Contains(Statuses, g.Status) {
		return fmt.Errorf("its status is %q", g.Status)
	}
	if g.Port < 1 || g.NodeType == "" || g.EngineVersion == "" || g.ParameterGroup == "" {
		return errors.New("it lacks a port, a node type, an engine version or a parameter group")
	}
	if slices.ContainsFunc(g.Addresses(), func(a netip.Addr) bool { return !a.IsValid() }) {
		return errors.New("it lacks the address of an endpoint or of a member")
	}
	if g.Primary() == nil || slices.ContainsFunc(g.Members, func(m Member) bool { return GroupID(m.ID) != g.ID }) {
		return errors.New("it lacks a primary, or has a member that is not its own")
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

// Staying returns the members that are not on their way out.
func (g *ReplicationGroup) Staying() []Member {
	return slices.DeleteFunc(slices.Clone(g.Members), Member.dismissed)
}

// Member is one node as the API names it: a cache cluster of one node.
type Member struct {
	ID       string
	Zone     string
	SubnetID string
	Address  netip.Addr
	Role     Role
	Status   MemberStatus
	Created  time.Time // zero until the node first answered

	// Parameters and BootParameters are the fingerprints of the live and the boot directives that the running process
	// has; see Fingerprint. Both are empty until the node is first started.
	Parameters, BootParameters string
	Spec                       string // of the running process; see ReplicationGroup.Spec. Empty until it is first started
	Access                     string // the fingerprint of the tokens that it takes; see AccessFingerprint. Empty until then
	Leaving                    bool   // the member is being removed
	// Certifiable says that the process was given files in memory for a certificate. Processes that an earlier larder
	// started without TLS were not, and cannot be switched to it.
	Certifiable bool
	Renewal     Renewal
}

// Unknown tells whether it is not recorded what the member's process is, or which tokens it takes: it was never
// started, or the engine ended between its start and the record of it.
func (m Member) Unknown() bool { return m.Spec == "" || m.Access == "" }

// dismissed tells whether a member is on its way out. One that had to become primary stays until another has the role.
func (m Member) dismissed() bool { return m.Leaving && m.Role != Primary }

// Renewal says why a member is to get a new process, which its present one is otherwise fit to go on without. A primary
// hands its role over first, where it can.
type Renewal string

// Every reason; the empty one stands for none.
const (
	Rebooting  Renewal = "reboot"        // RebootCacheCluster
	FailedOver Renewal = "test failover" // TestFailover
	Detached   Renewal = "detached"      // its directory was removed while it ran: nobody can connect to its socket
)

// MemberStatus is a cache cluster's status.
type MemberStatus string

// The member statuses that larder passes through.
const (
	MemberCreating  MemberStatus = "creating"
	MemberAvailable MemberStatus = "available"
	MemberModifying MemberStatus = "modifying"
	MemberDeleting  MemberStatus = "deleting"
	MemberRebooting MemberStatus = "rebooting cluster nodes"
)

// Member returns the member of that id, or nil.
func (g *ReplicationGroup) Member(id string) *Member {
	for i := range g.Members {
		if g.Members[i].ID == id {
			return &g.Members[i]
		}
	}
	return nil
}

// Primary returns the member recorded as primary, or nil.
func (g *ReplicationGroup) Primary() *Member {
	for i := range g.Members {
		if g.Members[i].Role == Primary {
			return &g.Members[i]
		}
	}
	return nil
}

// SetPrimary records the member of that id as primary and every other one as replica.
func (g *ReplicationGroup) SetPrimary(id string) {
	for i := range g.Members {
		g.Members[i].Role = Replica
		if g.Members[i].ID == id {
			g.Members[i].Role = Primary
		}
	}
}

// maxHistories is how many streams are remembered. A node would have to be out of reach for as many elections to be
// taken for a stranger.
const maxHistories = 16

// SetHistory records the stream of the primary.
func (g *ReplicationGroup) SetHistory(id string) {
	if len(g.Histories) > 0 && g.Histories[0] == id {
		return
	}
	older := slices.DeleteFunc(slices.Clone(g.Histories), func(h string) bool { return h == id })
	g.Histories = append([]string{id}, older...)
	g.Histories = g.Histories[:min(len(g.Histories), maxHistories)]
}

// SetMemberStatus gives every member that status.
func (g *ReplicationGroup) SetMemberStatus(s MemberStatus) {
	for i := range g.Members {
		g.Members[i].Status = s
	}
}

// SpreadsReads tells whether the reader endpoint has more than one replica to choose from. With one, the replica
// listens on the reader address itself; with none, the primary does.
func (g *ReplicationGroup) SpreadsReads() bool { return len(g.Members) > 2 }

// Reachable returns the addresses on which clients are served when the group is as it should be.
func (g *ReplicationGroup) Reachable() []netip.Addr {
	staying := *g
	staying.Members = g.Staying()
	return staying.Addresses()
}

// Addresses returns every address the group occupies.
func (g *ReplicationGroup) Addresses() []netip.Addr {
	addrs := []netip.Addr{g.PrimaryAddress, g.ReaderAddress}
	for _, m := range g.Members {
		addrs = append(addrs, m.Address)
	}
	return addrs
}

// AccessFingerprint names a set of sealed tokens.
func AccessFingerprint(sealed [][]byte) string {
	h := sha256.New()
	for _, token := range sealed {
		sum := sha256.Sum256(token)
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Remove takes a member out of the group.
func (g *ReplicationGroup) Remove(id string) {
	g.Members = slices.DeleteFunc(g.Members, func(m Member) bool { return m.ID == id })
}
