package network

import "net/netip"

// RouteTable says where the traffic of subnets goes. One table of each VPC is the main one.
type RouteTable struct {
	ID, VPCID string
	// AssociationID names the association that makes the table its VPC's main one; it is empty for every other table.
	AssociationID string
	// Routes are those beside the one within the VPC, which every table has.
	Routes []Route
	// Token is the client's, by which a repeated request finds the table that the first one made.
	Token string
}

// Route leads from a route table to a gateway.
type Route struct {
	Destination netip.Prefix
	// Target is the id of an internet gateway or of a NAT gateway.
	Target string
}

// RowKey is the row's key in its table.
func (t RouteTable) RowKey() string { return t.ID }

// Main reports whether the table is its VPC's main one.
func (t RouteTable) Main() bool { return t.AssociationID != "" }
