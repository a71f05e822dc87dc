package network

import "net/netip"

// ACL is a network ACL. Each VPC has a default one.
type ACL struct {
	ID, VPCID string
	// Custom marks an ACL that did not come with its VPC.
	Custom bool
	// Entries are the rules that can be changed. Nil stands for those that a default ACL begins with: everything
	// passes.
	Entries []ACLEntry
	// Token is the client's, by which a repeated request finds the ACL that the first one made.
	Token string
}

// ACLEntry is a rule of a network ACL. Its number and direction are unique in the ACL.
type ACLEntry struct {
	Number int32
	Egress bool
	// Protocol is a number, or AnyProtocol.
	Protocol string
	Allow    bool
	CIDR     netip.Prefix
	// From and To are ports, or ICMP's type and code; -1 of either means all.
	From, To int32
}

// RowKey is the row's key in its table.
func (a ACL) RowKey() string { return a.ID }

// Rules returns the entries.
func (a ACL) Rules() []ACLEntry {
	if a.Entries != nil || a.Custom {
		return a.Entries
	}
	all := ACLEntry{
		Number: 100, Protocol: AnyProtocol, Allow: true, CIDR: netip.PrefixFrom(netip.IPv4Unspecified(), 0), From: -1,
		To: -1,
	}
	out := all
	out.Egress = true
	return []ACLEntry{out, all}
}
