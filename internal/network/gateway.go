package network

import (
	"net/netip"
	"time"
)

// InternetGateway leads from a VPC to the internet.
type InternetGateway struct {
	ID string
	// VPCID is that of the VPC that the gateway is attached to; empty means none.
	VPCID string
}

// NATGateway leads from private subnets to elsewhere.
type NATGateway struct {
	ID, VPCID, SubnetID string
	// AllocationID is the public address's; empty means that the gateway is private.
	AllocationID string
	// AssociationID names the association of the public address with the gateway.
	AssociationID string
	// InterfaceID is the network interface's, which has the address PrivateIP in the subnet.
	InterfaceID string
	PrivateIP   netip.Addr
	Created     time.Time
	// FailureCode and FailureMessage say why the gateway could not be made; both are empty for one that is available.
	FailureCode, FailureMessage string
	// Token is the client's, by which a repeated request finds the gateway that the first one made.
	Token string
}

// Address is an Elastic IP address: a public address that stays allocated until it is released.
type Address struct {
	// ID is the allocation's.
	ID string
	IP netip.Addr
}

// PublicBlock is what Elastic IP addresses are taken from: TEST-NET-3 of RFC 5737, which is never anybody's address.
var PublicBlock = netip.MustParsePrefix("203.0.113.0/24")

// RowKey is the row's key in its table.
func (g InternetGateway) RowKey() string { return g.ID }

// RowKey is the row's key in its table.
func (g NATGateway) RowKey() string { return g.ID }

// RowKey is the row's key in its table.
func (a Address) RowKey() string { return a.ID }
