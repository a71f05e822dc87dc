// Package standin keeps what a deployment stands on where no account provides it: a network with a private data subnet in each of
// three zones, a security group, a key and topics. Their ids are made once and kept.
package standin

import (
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

// CIDR is the network's.
const CIDR = "10.0.0.0/16"

// Subnet is a private data subnet.
type Subnet struct{ ID, VPCID, Zone, CIDR string }

// StandIns are the resources. They do not change once made.
type StandIns struct {
	VPCID            string
	Subnets          []Subnet
	SecurityGroupID  string
	KMSKeyARN        string
	CriticalTopicARN string
	WarningTopicARN  string
	InfoTopicARN     string
}

// Ensure returns the resources, made the first time: the network as records that the EC2 API shows, the key and the topics as ARNs
// that are the caller's to make.
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
		VPCID: network.RandomID("vpc"), SecurityGroupID: network.RandomID("sg"),
		KMSKeyARN:        fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, account, UUID()),
		CriticalTopicARN: topic("critical"), WarningTopicARN: topic("warning"), InfoTopicARN: topic("info"),
	}
	for i, zone := range network.Zones(region) {
		s.Subnets = append(s.Subnets, Subnet{ID: network.RandomID("subnet"), VPCID: s.VPCID, Zone: zone.Name, CIDR: fmt.Sprintf("10.0.%d.0/24", 21+i)})
	}
	return s
}

// build puts the network into the store, under the ids it gets there.
func (s *StandIns) build(tx *store.Tx, region string) error {
	b := network.Builder{NewID: network.RandomID}
	vpc, err := b.CreateVPC(tx, network.VPC{CIDR: netip.MustParsePrefix(CIDR), Default: true, Tenancy: "default", DNSSupport: true})
	if err != nil {
		return err
	}
	s.VPCID = vpc.ID
	for i := range s.Subnets {
		n, err := b.CreateSubnet(tx, network.Subnet{VPCID: vpc.ID, CIDR: netip.MustParsePrefix(s.Subnets[i].CIDR), Zone: s.Subnets[i].Zone, HostnameType: "ip-name"})
		if err != nil {
			return err
		}
		s.Subnets[i].ID, s.Subnets[i].VPCID = n.ID, vpc.ID
	}
	group, err := b.CreateSecurityGroup(tx, network.SecurityGroup{VPCID: vpc.ID, Name: "larder-redis", Description: "Stand-in for module.security"})
	s.SecurityGroupID = group.ID
	return err
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
