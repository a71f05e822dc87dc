package app

import (
	"slices"

	"larder/internal/state"
	"larder/internal/store"
)

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
