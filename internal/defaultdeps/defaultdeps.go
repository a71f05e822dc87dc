// Package defaultdeps keeps the default dependencies: what a call of the redis module uses when no companion module is
// called. They are the account's default VPC with its default subnets and its default security group, a key, and
// topics. Their IDs are made once and kept.
package defaultdeps

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
	table = store.Table[Defaults]("stand-ins")
	key   = "default"
)

// TableName is the name of the table that has the record of the default dependencies.
const TableName = string(table)

// CIDR is the default VPC's, as in every AWS account.
const CIDR = "172.31.0.0/16"

// firstCIDR is the block of a default VPC whose record names none. The first installations made such records.
const firstCIDR = "10.0.0.0/16"

// Subnet is a default subnet of the default VPC.
type Subnet struct{ ID, VPCID, Zone, CIDR string }

// Defaults are the default dependencies of a region. They do not change once they are made.
type Defaults struct {
	VPCID string
	// CIDR is the block of the VPC. It may be empty: Network returns the block.
	CIDR             string
	Subnets          []Subnet
	SecurityGroupID  string
	KMSKeyARN        string
	CriticalTopicARN string
	WarningTopicARN  string
	InfoTopicARN     string
}

// Tables returns the tables of this package.
func Tables() []store.Checker { return []store.Checker{table} }

// CheckRow returns an error for a record without a VPC.
func (s Defaults) CheckRow() error {
	if s.VPCID == "" {
		return errors.New("it lacks a network")
	}
	return nil
}

// Ensure returns the default dependencies of a region, and makes them the first time. The network becomes records that
// the EC2 API shows. The key and the topics are ARNs only: the KMS service makes the key, and a deployment makes a
// topic when it uses it.
func Ensure(s *store.Store, region, account string) (Defaults, error) {
	var found Defaults
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

// New returns default dependencies with new IDs. It records nothing.
func New(region, account string) Defaults {
	topic := func(level string) string {
		return fmt.Sprintf("arn:aws:sns:%s:%s:larder-%s", region, account, level)
	}
	s := Defaults{
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

// Network returns the block of the default VPC.
func (s Defaults) Network() string { return cmp.Or(s.CIDR, firstCIDR) }

// build makes the records of the network, and takes over their IDs.
func (s *Defaults) build(tx *store.Tx, region string) error {
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

// UUID returns a random UUID, version 4.
func UUID() string {
	id, err := smithyrand.NewUUID(rand.Reader).GetUUID()
	if err != nil {
		panic(err) // the system's random numbers never fail
	}
	return id
}

// SubnetIDs returns the IDs of the default subnets, in the order of the zones.
func (s Defaults) SubnetIDs() []string {
	var ids []string
	for _, n := range s.Subnets {
		ids = append(ids, n.ID)
	}
	return ids
}

// Zones returns the availability zones, one for each default subnet.
func (s Defaults) Zones() []string {
	var zones []string
	for _, n := range s.Subnets {
		zones = append(zones, n.Zone)
	}
	return zones
}
