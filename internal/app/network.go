package app

import (
	"slices"

	"larder/internal/network"
	"larder/internal/services/elasticache"
	"larder/internal/state"
	"larder/internal/store"
)

// networkView shows the EC2 network to the ElastiCache service in its own terms.
type networkView struct {
	store *store.Store
	vpc   string // whose subnets the default subnet group has
}

// Subnets lists the default VPC's subnets.
func (n networkView) Subnets() []elasticache.Subnet {
	var out []elasticache.Subnet
	err := n.store.View(func(tx *store.Tx) error {
		rows, err := network.In(tx, network.Subnets, func(s network.Subnet) bool { return s.VPCID == n.vpc })
		for _, s := range rows {
			out = append(out, subnet(s))
		}
		return err
	})
	if err != nil {
		return nil // a record that cannot be read is no place for a node
	}
	return out
}

// Subnet returns the subnet of that id.
func (n networkView) Subnet(id string) (elasticache.Subnet, bool) {
	s, ok := get(n.store, network.Subnets, id)
	return subnet(s), ok
}

// HasSecurityGroup tells whether there is a security group of that id.
func (n networkView) HasSecurityGroup(id string) bool {
	_, ok := get(n.store, network.SecurityGroups, id)
	return ok
}

func get[T any](s *store.Store, table store.Table[T], id string) (row T, ok bool) {
	err := s.View(func(tx *store.Tx) (err error) {
		row, err = table.Get(tx, id)
		return err
	})
	return row, err == nil
}

func subnet(s network.Subnet) elasticache.Subnet {
	return elasticache.Subnet{ID: s.ID, VPCID: s.VPCID, Zone: s.Zone}
}

// networkUsers tells the EC2 service who stands on the network.
type networkUsers struct{}

// SubnetUser names a cache subnet group that has the subnet.
func (networkUsers) SubnetUser(tx *store.Tx, id string) (string, error) {
	groups, err := state.SubnetGroups.All(tx)
	for _, g := range groups {
		if slices.Contains(g.SubnetIDs, id) {
			return "the cache subnet group " + g.Name, nil
		}
	}
	return "", err
}

// SecurityGroupUser names a replication group that has the security group.
func (networkUsers) SecurityGroupUser(tx *store.Tx, id string) (string, error) {
	groups, err := state.ReplicationGroups.All(tx)
	for _, g := range groups {
		if slices.Contains(g.SecurityGroupIDs, id) {
			return "the replication group " + g.ID, nil
		}
	}
	return "", err
}
