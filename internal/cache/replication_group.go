package cache

import (
	"net/netip"
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
	EngineVersion    string // the full number of the server that runs it, such as 7.0.15
	NodeType         string
	Port             int
	ParameterGroup   string
	SubnetGroup      string
	SecurityGroupIDs []string
	KMSKeyID         string

	AutomaticFailover       bool
	MultiAZ                 bool
	TransitEncryption       bool
	AtRestEncryption        bool
	AutoMinorVersionUpgrade bool

	AuthToken         []byte    // sealed; nil when the group has no token
	AuthTokenModified time.Time // zero when the group has no token

	SnapshotRetentionLimit int // days
	SnapshotWindow         string
	SnapshottingCluster    string
	MaintenanceWindow      string
	NotificationTopicARN   string

	PrimaryAddress netip.Addr // of the primary endpoint
	ReaderAddress  netip.Addr // of the reader endpoint
	Members        []Member   // in the order of their ids

	Tags map[string]string
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

	// Parameters and BootParameters are the fingerprints of the live and the boot directives that the running process has; see
	// Fingerprint. Both are empty until the node is first started.
	Parameters, BootParameters string
}

// MemberStatus is a cache cluster's status.
type MemberStatus string

// The member statuses that larder passes through.
const (
	MemberCreating  MemberStatus = "creating"
	MemberAvailable MemberStatus = "available"
	MemberModifying MemberStatus = "modifying"
	MemberDeleting  MemberStatus = "deleting"
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

// SetMemberStatus gives every member that status.
func (g *ReplicationGroup) SetMemberStatus(s MemberStatus) {
	for i := range g.Members {
		g.Members[i].Status = s
	}
}

// SpreadsReads tells whether the reader endpoint has more than one replica to choose from. With one, the replica
// listens on the reader address itself; with none, the primary does.
func (g *ReplicationGroup) SpreadsReads() bool { return len(g.Members) > 2 }

// Addresses returns every address the group occupies.
func (g *ReplicationGroup) Addresses() []netip.Addr {
	addrs := []netip.Addr{g.PrimaryAddress, g.ReaderAddress}
	for _, m := range g.Members {
		addrs = append(addrs, m.Address)
	}
	return addrs
}
