// Package network keeps the virtual network that nodes are placed in: VPCs and what belongs to them, as records in the
// store. Nothing is routed or filtered by them.
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

	InternetGateways = store.Table[InternetGateway]("internet-gateways")
	NATGateways      = store.Table[NATGateway]("nat-gateways")
	Addresses        = store.Table[Address]("elastic-addresses")
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
	// DefaultForZone marks the subnet that is meant when a request names the zone alone.
	DefaultForZone bool
	// ACLID is the network ACL's; empty means the VPC's default one.
	ACLID string
	// ACLAssociationID names the association with the network ACL.
	ACLAssociationID string
	// RouteTableID is that of the table which the subnet is associated with, and RouteAssociationID names the
	// association. Both are empty for a subnet that uses the VPC's main table.
	RouteTableID, RouteAssociationID string

	// What instances get when they are launched in the subnet.
	MapPublicIP                 bool
	HostnameType                string // "ip-name" or "resource-name"
	NameARecord, NameAAAARecord bool
}

// SecurityGroup is a named set of rules.
type SecurityGroup struct{ ID, VPCID, Name, Description string }

// DefaultGroup is the name of the group that each VPC has.
const DefaultGroup = "default"

// RowKey is the row's key in its table.
func (v VPC) RowKey() string { return v.ID }

// RowKey is the row's key in its table.
func (s Subnet) RowKey() string { return s.ID }

// RowKey is the row's key in its table.
func (g SecurityGroup) RowKey() string { return g.ID }

// Tables are those of this package.
func Tables() []store.Checker {
	return []store.Checker{
		VPCs, Subnets, SecurityGroups, Rules, RouteTables, ACLs, InternetGateways, NATGateways, Addresses, tagSets,
	}
}

// In returns the rows that belong to something: the subnets of a VPC, the rules of a group. A row that cannot be read
// may belong to it, and is an error.
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
