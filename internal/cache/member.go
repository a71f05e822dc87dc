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
	// Access is the fingerprint of the tokens that it takes, see AccessFingerprint. Empty until it is first started.
	Access   string
	Removing bool `json:"Leaving"` // the member is being removed
	// Certifiable says that the process was given files in memory for a certificate. Processes that an earlier larder
	// started without TLS were not, and cannot be switched to it.
	Certifiable bool
	// Replacement says why the member is to get a new process; empty when it is not.
	Replacement Replacement `json:"Renewal"`
}

// Unknown tells whether the record does not say what the member's process is, or which tokens it takes. The process was
// never started, or the engine ended between its start and the record of it.
func (m Member) Unknown() bool { return m.Spec == "" || m.Access == "" }

// Removable tells whether a member is being removed and can be ended now. One that had to become primary stays until
// another member has the role.
func (m Member) Removable() bool { return m.Removing && m.Role != Primary }

// Replacement says why a member is to get a new process although its present one could go on. A primary gives its role
// to a replica first, if there is one.
type Replacement string

// Every reason; the empty one stands for none.
const (
	Rebooting  Replacement = "reboot"        // RebootCacheCluster
	FailedOver Replacement = "test failover" // TestFailover
	Detached   Replacement = "detached"      // its directory was removed while it ran: nobody can connect to its socket
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

// Settled tells whether the record says of the member that it is there and as desired.
func (m Member) Settled() bool { return !m.Created.IsZero() && m.Status == MemberAvailable }
