package elasticache

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/endpoint"
	"larder/internal/network"
	"larder/internal/state"
	"larder/internal/store"
)

// maxNodes is how many nodes an account may have in a region.
const maxNodes = 300

// admit checks a new group against those that are there, and resolves its parameter group.
func (s *Service) admit(tx *store.Tx, rg cache.Topology) error {
	groups, err := state.AllGroups(tx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.ID == rg.ID {
			return &types.ReplicationGroupAlreadyExistsFault{Message: new("Replication group with specified name already " +
				"exists.")}
		}
	}
	if err := checkQuota(groups, rg.Nodes()); err != nil {
		return err
	}
	if rg.ParameterGroup == "" {
		rg.ParameterGroup = catalog.DefaultParameterGroupOf(catalog.FamilyOf(rg.EngineVersion))
	}
	return s.checkParameterGroup(tx, rg.ParameterGroup, catalog.FamilyOf(rg.EngineVersion))
}

// checkQuota refuses nodes that the account may not have beside those that are there.
func checkQuota(there []cache.Topology, more int) error {
	for _, g := range there {
		more += g.Nodes()
	}
	if more <= maxNodes {
		return nil
	}
	return &types.NodeQuotaForCustomerExceededFault{
		Message: new(fmt.Sprintf("Customer node quota exceeded. You can have at most %d nodes in this region",
			maxNodes)),
	}
}

// memcachedDefault matches the default groups of AWS's other families, and tells the family.
var memcachedDefault = regexp.MustCompile(`^default\.(memcached[0-9.]+)$`)

// checkParameterGroup checks that a group is there and of the engine version's family.
func (s *Service) checkParameterGroup(tx *store.Tx, name, family string) error {
	g, err := s.parameterGroup(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		other := memcachedDefault.FindStringSubmatch(name)
		if other == nil {
			return parameterGroupNotFound(name)
		}
		g.Family, err = other[1], nil
	}
	switch {
	case err != nil:
		return err
	case g.Family != family:
		return invalidCombination("Expected a parameter group of family %s but found one of family %s", family,
			g.Family)
	case g.Values[catalog.ClusterEnabled] == "yes":
		return invalidValue("larder does not serve the parameter group %s: %s. Use %s.", name, noClusterMode,
			catalog.DefaultParameterGroupOf(family))
	}
	return nil
}

// assign gives every member of a new group a zone, a subnet and an address, and the group its endpoints.
func (s *Service) assign(tx *store.Tx, rg cache.Topology, preferred []string) error {
	if rg.SubnetGroup == "" {
		rg.SubnetGroup = defaultSubnetGroup
	}
	group, err := s.subnetGroup(tx, rg.SubnetGroup)
	if err != nil {
		return err
	}
	if err := s.checkSecurityGroups(tx, rg); err != nil {
		return err
	}
	if err := assignZones(tx, rg, group, preferred); err != nil {
		return err
	}
	addrs, err := s.giveAddresses(tx, rg)
	if err != nil {
		return err
	}
	if err := s.checkPort(addrs, rg.Port); err != nil {
		return invalidValue("Cannot use Port %d: %s. Choose another Port.", rg.Port, err)
	}
	return nil
}

// giveAddresses gives addresses to the endpoints and members that have none, and returns them.
func (s *Service) giveAddresses(tx *store.Tx, rg cache.Topology) ([]netip.Addr, error) {
	taken, err := state.Taken(tx)
	if err != nil {
		return nil, err
	}
	addrs, err := endpoint.GiveAddresses(rg.Only(), s.Block, taken)
	if err != nil {
		return nil, &types.InsufficientCacheClusterCapacityFault{Message: new(err.Error() +
			". Delete a replication group first.")}
	}
	return addrs, nil
}

// checkPort says what keeps processes from listening at new addresses of a group.
func (s *Service) checkPort(addrs []netip.Addr, port int) error {
	for _, a := range addrs {
		if err := s.PortFree(netip.AddrPortFrom(a, uint16(port))); err != nil {
			return err
		}
	}
	return nil
}

func assignZones(tx *store.Tx, rg cache.Topology, group cache.SubnetGroup, preferred []string) error {
	subnets, zones, err := zonesOf(tx, group)
	if err != nil {
		return err
	}
	if len(zones) == 0 {
		return invalidValue("Cannot place a node in the cache subnet group %s: none of its subnets exists any more.",
			group.Name)
	}
	for _, zone := range preferred {
		if subnets[zone] == "" {
			return invalidValue("The cache subnet group %s has no subnet in availability zone %s. Its zones: %s.",
				group.Name, zone, strings.Join(zones, ", "))
		}
	}
	used := cache.SpreadZones(len(rg.Only().Members), preferred, zones)
	for i, zone := range used {
		rg.Only().Members[i].Zone, rg.Only().Members[i].SubnetID = zone, subnets[zone]
	}
	if rg.MultiAZ && len(slices.Compact(slices.Clone(used))) == 1 {
		return invalidCombination("Multi-AZ needs a replica in another availability zone than the primary's: "+
			"every node would be in %s. Give the cache subnet group subnets in two zones.", used[0])
	}
	return nil
}

// zonesOf returns the first subnet of each zone that a subnet group has, and the zones in the order of its subnets.
func zonesOf(tx *store.Tx, group cache.SubnetGroup) (subnets map[string]string, order []string, err error) {
	subnets = map[string]string{}
	for _, id := range group.SubnetIDs {
		n, err := network.Subnets.Get(tx, id)
		switch {
		case errors.Is(err, store.ErrNotFound): // deleted meanwhile
		case err != nil:
			return nil, nil, err
		case subnets[n.Zone] == "":
			subnets[n.Zone] = id
			order = append(order, n.Zone)
		}
	}
	return subnets, order, nil
}

// checkSecurityGroups checks that the group's security groups are there, in the network of its subnets.
func (s *Service) checkSecurityGroups(tx *store.Tx, rg cache.Topology) error {
	subnets, err := s.subnetGroup(tx, rg.SubnetGroup)
	if err != nil {
		return err
	}
	for _, id := range rg.SecurityGroupIDs {
		g, err := network.SecurityGroups.Get(tx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return invalidValue("Some security group ids are not valid: [%s] does not exist.", id)
		case err != nil:
			return err
		case g.VPCID != subnets.VPCID:
			return invalidCombination("Subnet group [%s] belongs to a different VPC [%s] than [%s]",
				subnets.Name, subnets.VPCID, g.VPCID)
		}
	}
	return nil
}
