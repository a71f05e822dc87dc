// Package network keeps the virtual network that nodes are placed in: VPCs and what belongs to them, as records in the store.
// Nothing is routed or filtered by them.
package network

import (
	"net/netip"

	"larder/internal/store"
)

// The tables, each keyed by id.
const (
	VPCs           = store.Table[VPC]("vpcs")
	Subnets        = store.Table[Subnet]("subnets")
	SecurityGroups = store.Table[SecurityGroup]("security-groups")
	Rules          = store.Table[Rule]("security-group-rules")
	RouteTables    = store.Table[RouteTable]("route-tables")
	ACLs           = store.Table[ACL]("network-acls")
)

// VPC is a virtual network.
type VPC struct {
	ID   string
	CIDR netip.Prefix
	// CIDRAssociationID names the association of CIDR with the VPC.
	CIDRAssociationID string
	// Default marks the VPC that is meant when a request names none; there is one at most.
	Default bool
	// Tenancy is that of instances: "default" or "dedicated".
	Tenancy string

	DNSSupport, DNSHostnames bool
	// AddressUsageMetrics asks for metrics of how many addresses are used.
	AddressUsageMetrics bool
}

// Subnet is a part of a VPC, in one zone.
type Subnet struct {
	ID, VPCID string
	CIDR      netip.Prefix
	Zone      string
	// ACLAssociationID names the association with the VPC's network ACL.
	ACLAssociationID string

	// What instances get when they are launched in the subnet.
	MapPublicIP                 bool
	HostnameType                string // "ip-name" or "resource-name"
	NameARecord, NameAAAARecord bool
}

// SecurityGroup is a named set of rules.
type SecurityGroup struct{ ID, VPCID, Name, Description string }

// DefaultGroup is the name of the group that each VPC has.
const DefaultGroup = "default"

// RouteTable is the main route table that each VPC has. It has the route within the VPC, and no other.
type RouteTable struct {
	ID, VPCID string
	// AssociationID names the association that makes it the main one.
	AssociationID string
}

// ACL is the network ACL that each VPC has. It lets everything pass.
type ACL struct{ ID, VPCID string }

// In returns the rows that belong to something: the subnets of a VPC, the rules of a group.
func In[T any](tx *store.Tx, table store.Table[T], belongs func(T) bool) ([]T, error) {
	var rows []T
	for row, err := range table.From(tx, "") {
		if err != nil {
			return nil, err
		}
		if belongs(row) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}
