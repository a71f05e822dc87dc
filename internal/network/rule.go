package network

import (
	"fmt"
	"net/netip"
	"strings"
)

// AnyProtocol is the protocol of a rule for all traffic.
const AnyProtocol = "-1"

// Rule lets some traffic into a security group's members, or out of them. It has one peer: CIDR or Group.
type Rule struct {
	ID, GroupID string
	Egress      bool
	// Protocol is tcp, udp, icmp, icmpv6, another one's number, or AnyProtocol.
	Protocol string
	// From and To are ports, or ICMP's type and code; -1 means all.
	From, To int32
	// CIDR is of IPv4 or IPv6, and invalid when Group is the peer.
	CIDR        netip.Prefix
	Group       string
	Description string
}

// RowKey is the row's key in its table.
func (r Rule) RowKey() string { return r.ID }

// Same reports whether two rules let the same traffic through the same group. Their descriptions may differ.
func (r Rule) Same(other Rule) bool {
	r.ID, r.Description = other.ID, other.Description
	return r == other
}

// HasPorts reports whether rules of this protocol tell ports, or ICMP's types.
func (r Rule) HasPorts() bool {
	switch r.Protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		return true
	}
	return false
}

// String describes a rule as EC2's errors do: "peer: 10.0.0.0/16, TCP, from port: 6379, to port: 6379, ALLOW".
func (r Rule) String() string {
	peer := r.Group
	if r.CIDR.IsValid() {
		peer = r.CIDR.String()
	}
	protocol := strings.ToUpper(r.Protocol)
	if r.Protocol == AnyProtocol {
		protocol = "ALL"
	}
	if !r.HasPorts() {
		return fmt.Sprintf("peer: %s, %s, ALLOW", peer, protocol)
	}
	return fmt.Sprintf("peer: %s, %s, from port: %d, to port: %d, ALLOW", peer, protocol, r.From, r.To)
}
