package network

import (
	"crypto/rand"
	"encoding/hex"
	"net/netip"

	"larder/internal/store"
)

// Builder adds resources to the network as they are made: with ids, and with what comes with each.
type Builder struct {
	// NewID makes an id of a kind, such as "subnet"; RandomID is one.
	NewID func(kind string) string
}

// RandomID makes an id with 17 hexadecimal digits, as AWS's have.
func RandomID(kind string) string {
	b := make([]byte, 9)
	rand.Read(b)
	return kind + "-" + hex.EncodeToString(b)[:17]
}

// CreateVPC adds a VPC with its default security group, its main route table and its network ACL.
func (b Builder) CreateVPC(tx *store.Tx, v VPC) (VPC, error) {
	v.ID, v.CIDRAssociationID = b.NewID("vpc"), b.NewID("vpc-cidr-assoc")
	if err := VPCs.Put(tx, v.ID, v); err != nil {
		return v, err
	}
	acl := ACL{ID: b.NewID("acl"), VPCID: v.ID}
	if err := ACLs.Put(tx, acl.ID, acl); err != nil {
		return v, err
	}
	routes := RouteTable{ID: b.NewID("rtb"), VPCID: v.ID, AssociationID: b.NewID("rtbassoc")}
	if err := RouteTables.Put(tx, routes.ID, routes); err != nil {
		return v, err
	}
	group, err := b.CreateSecurityGroup(tx,
		SecurityGroup{VPCID: v.ID, Name: DefaultGroup, Description: "default VPC security group"})
	if err != nil {
		return v, err
	}
	_, err = b.CreateRule(tx, Rule{GroupID: group.ID, Protocol: AnyProtocol, From: -1, To: -1, Group: group.ID})
	return v, err
}

// CreateSubnet adds a subnet.
func (b Builder) CreateSubnet(tx *store.Tx, s Subnet) (Subnet, error) {
	s.ID, s.ACLAssociationID = b.NewID("subnet"), b.NewID("aclassoc")
	return s, Subnets.Put(tx, s.ID, s)
}

// CreateSecurityGroup adds a group with the rule that lets everything out.
func (b Builder) CreateSecurityGroup(tx *store.Tx, g SecurityGroup) (SecurityGroup, error) {
	g.ID = b.NewID("sg")
	if err := SecurityGroups.Put(tx, g.ID, g); err != nil {
		return g, err
	}
	everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	_, err := b.CreateRule(tx, Rule{GroupID: g.ID, Egress: true, Protocol: AnyProtocol, From: -1, To: -1,
		CIDR: everywhere})
	return g, err
}

// CreateRule adds a rule to a group.
func (b Builder) CreateRule(tx *store.Tx, r Rule) (Rule, error) {
	r.ID = b.NewID("sgr")
	return r, Rules.Put(tx, r.ID, r)
}

// CreateRouteTable adds a route table, which is not the main one.
func (b Builder) CreateRouteTable(tx *store.Tx, t RouteTable) (RouteTable, error) {
	t.ID = b.NewID("rtb")
	return t, RouteTables.Put(tx, t.ID, t)
}

// CreateACL adds a network ACL, which lets nothing pass.
func (b Builder) CreateACL(tx *store.Tx, a ACL) (ACL, error) {
	a.ID, a.Custom = b.NewID("acl"), true
	return a, ACLs.Put(tx, a.ID, a)
}

// CreateInternetGateway adds an internet gateway, which is attached to nothing.
func (b Builder) CreateInternetGateway(tx *store.Tx) (InternetGateway, error) {
	g := InternetGateway{ID: b.NewID("igw")}
	return g, InternetGateways.Put(tx, g.ID, g)
}

// CreateWayOut gives a VPC what a default VPC has: an internet gateway, to which the main route table leads.
func (b Builder) CreateWayOut(tx *store.Tx, v VPC) error {
	g, err := b.CreateInternetGateway(tx)
	if err != nil {
		return err
	}
	g.VPCID = v.ID
	if err := InternetGateways.Put(tx, g.ID, g); err != nil {
		return err
	}
	tables, err := In(tx, RouteTables, func(t RouteTable) bool { return t.VPCID == v.ID && t.Main() })
	if err != nil {
		return err
	}
	for _, t := range tables {
		everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		t.Routes = append(t.Routes, Route{Destination: everywhere, Target: g.ID})
		if err := RouteTables.Put(tx, t.ID, t); err != nil {
			return err
		}
	}
	return nil
}

// CreateNATGateway adds a NAT gateway with a network interface.
func (b Builder) CreateNATGateway(tx *store.Tx, g NATGateway) (NATGateway, error) {
	g.ID, g.InterfaceID = b.NewID("nat"), b.NewID("eni")
	if g.AllocationID != "" {
		g.AssociationID = b.NewID("eipassoc")
	}
	return g, NATGateways.Put(tx, g.ID, g)
}

// CreateAddress adds an Elastic IP address.
func (b Builder) CreateAddress(tx *store.Tx, a Address) (Address, error) {
	a.ID = b.NewID("eipalloc")
	return a, Addresses.Put(tx, a.ID, a)
}
