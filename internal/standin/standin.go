// Package standin keeps what a deployment stands on where no account provides it: a network with a private data subnet in each of
// three zones, a security group, a key and topics. Their ids are made once and kept.
package standin

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"larder/internal/store"
)

const (
	table = store.Table[StandIns]("stand-ins")
	key   = "default"
)

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

// Ensure returns the stored resources, making them the first time.
func Ensure(s *store.Store, region, account string) (StandIns, error) {
	var found StandIns
	err := s.Update(func(tx *store.Tx) (err error) {
		if found, err = table.Get(tx, key); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		found = New(region, account)
		return table.Put(tx, key, found)
	})
	return found, err
}

// New makes resources with fresh ids.
func New(region, account string) StandIns {
	topic := func(level string) string {
		return fmt.Sprintf("arn:aws:sns:%s:%s:larder-%s", region, account, level)
	}
	s := StandIns{
		VPCID: id("vpc"), SecurityGroupID: id("sg"),
		KMSKeyARN:        fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, account, UUID()),
		CriticalTopicARN: topic("critical"), WarningTopicARN: topic("warning"), InfoTopicARN: topic("info"),
	}
	for i, zone := range []string{"a", "b", "c"} {
		s.Subnets = append(s.Subnets, Subnet{ID: id("subnet"), VPCID: s.VPCID, Zone: region + zone, CIDR: fmt.Sprintf("10.0.%d.0/24", 21+i)})
	}
	return s
}

// id has 17 hexadecimal digits, as AWS's have.
func id(kind string) string {
	b := make([]byte, 9)
	rand.Read(b)
	return kind + "-" + hex.EncodeToString(b)[:17]
}

// UUID makes a random UUID, version 4.
func UUID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // version 4, variant 1
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Subnet returns the subnet of that id.
func (s StandIns) Subnet(id string) (Subnet, bool) {
	for _, n := range s.Subnets {
		if n.ID == id {
			return n, true
		}
	}
	return Subnet{}, false
}

// HasSecurityGroup tells whether there is a security group of that id.
func (s StandIns) HasSecurityGroup(id string) bool { return id == s.SecurityGroupID }

// HasKey tells whether there is a key of that ARN.
func (s StandIns) HasKey(arn string) bool { return arn == s.KMSKeyARN }

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
