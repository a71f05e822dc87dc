// Package standin keeps what a deployment stands on where no account provides it: the account's default VPC with its
// default subnets and its default security group, a key and topics. Their ids are made once and kept.
package standin

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"

	smithyrand "github.com/aws/smithy-go/rand"

	"larder/internal/network"
	"larder/internal/store"
)

const (
	table = store.Table[StandIns]("stand-ins")
	key   = "default"
)

// TableName is the name of the table that has the record of the resources.
const TableName = string(table)

// CIDR is the default VPC's, as in every AWS account.
const CIDR = "172.31.0.0/16"

// firstCIDR is that of installations whose record does not say: they were made before the default VPC was as AWS's.
const firstCIDR = "10.0.0.0/16"

// Subnet is a default subnet.
type Subnet struct{ ID, VPCID, Zone, CIDR string }

// StandIns are the resources. They do not change once made.
type StandIns struct {
	VPCID string
	// CIDR is the VPC's; Network reads it.
	CIDR             string
	Subnets          []Subnet
	SecurityGroupID  string
	KMSKeyARN        string
	CriticalTopicARN string
	WarningTopicARN  string
	InfoTopicARN     string
}

// Tables are those of this package.
func Tables() []store.Checker { return []store.Checker{table} }

// CheckRow says when the resources are none.
func (s StandIns) CheckRow() error {
	if s.VPCID == "" {
		return errors.New("it lacks a network")
	}
	return nil
}

// Ensure returns the resources, made the first time: the network as records that the EC2 API shows, the key as an ARN
// that is the caller's to make, and the topics as ARNs of topics that a deployment makes when it uses them.
func Ensure(s *store.Store, region, account string) (StandIns, error) {
	var found StandIns
	err := s.Update(func(tx *store.Tx) (err error) {
		if found, err = table.Get(tx, key); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		found = New(region, account)
		if err := found.build(tx, region); err != nil {
			return err
		}
		return table.Put(tx, key, found)
	})
	return found, err
}

// New makes resources with fresh ids that nobody else knows of.
func New(region, account string) StandIns {
	topic := func(level string) string {
		return fmt.Sprintf("arn:aws:sns:%s:%s:larder-%s", region, account, level)
	}
	s := StandIns{
		VPCID: network.RandomID("vpc"), CIDR: CIDR, SecurityGroupID: network.RandomID("sg"),
		KMSKeyARN:        fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, account, UUID()),
		CriticalTopicARN: topic("critical"), WarningTopicARN: topic("warning"), InfoTopicARN: topic("info"),
	}
	for i, zone := range network.Zones(region) {
		s.Subnets = append(s.Subnets, Subnet{ID: network.RandomID("subnet"), VPCID: s.VPCID, Zone: zone.Name,
			CIDR: fmt.Sprintf("172.31.%d.0/20", 16*i)})
	}
	return s
}

// Network is the VPC's block.
func (s StandIns) Network() string { return cmp.Or(s.CIDR, firstCIDR) }

// build puts the network into the store, under the ids it gets there.
func (s *StandIns) build(tx *store.Tx, region string) error {
	b := network.Builder{NewID: network.RandomID}
	vpc, err := b.CreateVPC(tx, network.VPC{
		CIDR: netip.MustParsePrefix(s.CIDR), Default: true, Tenancy: "default", DNSSupport: true, DNSHostnames: true,
	})
	if err != nil {
		return err
	}
	s.VPCID = vpc.ID
	if err := b.CreateWayOut(tx, vpc); err != nil {
		return err
	}
	for i := range s.Subnets {
		n, err := b.CreateSubnet(tx, network.Subnet{
			VPCID: vpc.ID, CIDR: netip.MustParsePrefix(s.Subnets[i].CIDR), Zone: s.Subnets[i].Zone,
			HostnameType:   "ip-name",
			DefaultForZone: true, MapPublicIP: true,
		})
		if err != nil {
			return err
		}
		s.Subnets[i].ID, s.Subnets[i].VPCID = n.ID, vpc.ID
	}
	groups, err := network.In(tx, network.SecurityGroups,
		func(g network.SecurityGroup) bool { return g.VPCID == vpc.ID })
	if err != nil {
		return err
	}
	s.SecurityGroupID = groups[0].ID // the one that comes with a VPC
	return nil
}

// UUID makes a random UUID, version 4.
func UUID() string {
	id, err := smithyrand.NewUUID(rand.Reader).GetUUID()
	if err != nil {
		panic(err) // the system's random numbers never fail
	}
	return id
}

// SubnetIDs lists the ids in the order of the zones.
func (s StandIns) SubnetIDs() []string {
	var ids []string
	for _, n := range s.Subnets {
		ids = append(ids, n.ID)
	}
	return ids
}

// Zones lists the zones, one for each subnet.
func (s StandIns) Zones() []string {
	var zones []string
	for _, n := range s.Subnets {
		zones = append(zones, n.Zone)
	}
	return zones
}
