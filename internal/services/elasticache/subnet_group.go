package elasticache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/audit"
	"larder/internal/cache"
	"larder/internal/network"
	"larder/internal/state"
	"larder/internal/store"
)

const (
	maxSubnetGroups = 300
	maxSubnets      = 20
	// defaultSubnetGroup is the group that is there without being made: the network's default subnets. It is not
	// stored.
	defaultSubnetGroup = "default"
)

func (s *Service) createSubnetGroup(
	ctx context.Context, in *sdk.CreateCacheSubnetGroupInput,
) (*sdk.CreateCacheSubnetGroupOutput, error) {
	name, err := identifier("CacheSubnetGroupName", in.CacheSubnetGroupName, maxName)
	if err != nil {
		return nil, err
	}
	g := cache.SubnetGroup{Name: name, ARN: s.arn(subnetGroupResource, name),
		Description: *in.CacheSubnetGroupDescription}
	if g.Tags, err = newTags(in.Tags); err != nil {
		return nil, err
	}
	var made types.CacheSubnetGroup
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) (err error) {
		if g.SubnetIDs, g.VPCID, err = checkSubnets(tx, in.SubnetIds); err != nil {
			return err
		}
		if err := s.admitSubnetGroup(tx, name); err != nil {
			return err
		}
		if err := state.SubnetGroups.Put(tx, name, g); err != nil {
			return err
		}
		made, err = describeSubnetGroup(tx, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateCacheSubnetGroupOutput{CacheSubnetGroup: &made}, nil
}

func (s *Service) admitSubnetGroup(tx *store.Tx, name string) error {
	groups, err := state.SubnetGroups.Keys(tx)
	if err != nil {
		return err
	}
	taken := slices.Contains(groups, name)
	switch {
	case taken || name == defaultSubnetGroup:
		return &types.CacheSubnetGroupAlreadyExistsFault{Message: new(fmt.Sprintf("Cache subnet group %s already exists.",
			name))}
	case len(groups) >= maxSubnetGroups:
		return &types.CacheSubnetGroupQuotaExceededFault{
			Message: new(fmt.Sprintf("Subnet group quota exceeded. You can have at most %d subnet groups in this region.",
				maxSubnetGroups)),
		}
	}
	return nil
}

// checkSubnets returns the subnets, each once, and their network.
func checkSubnets(tx *store.Tx, given []string) (ids []string, vpc string, err error) {
	var first network.Subnet
	for _, id := range given {
		n, err := network.Subnets.Get(tx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil, "", invalidValue("Some input subnets in :[%s] are invalid.", strings.Join(given, ", "))
		case err != nil:
			return nil, "", err
		case len(ids) == 0:
			first = n
		case n.VPCID != first.VPCID:
			return nil, "", &types.InvalidSubnet{Message: new(fmt.Sprintf("Subnets %s and %s are not in the same VPC.",
				first.ID, id))}
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	switch {
	case len(ids) == 0:
		return nil, "", invalidValue("The parameter SubnetIds must be provided.")
	case len(ids) > maxSubnets:
		return nil, "", &types.CacheSubnetQuotaExceededFault{
			Message: new(fmt.Sprintf("Subnet quota exceeded: %d subnets. A cache subnet group can have at most %d.",
				len(ids), maxSubnets)),
		}
	}
	return ids, first.VPCID, nil
}

func (s *Service) describeSubnetGroups(
	_ context.Context, in *sdk.DescribeCacheSubnetGroupsInput,
) (*sdk.DescribeCacheSubnetGroupsOutput, error) {
	out := &sdk.DescribeCacheSubnetGroupsOutput{CacheSubnetGroups: []types.CacheSubnetGroup{}}
	err := s.Store.View(func(tx *store.Tx) error {
		groups, err := s.subnetGroups(tx, filter(in.CacheSubnetGroupName))
		if err != nil {
			return err
		}
		groups, out.Marker, err = page(groups, func(g cache.SubnetGroup) string { return g.Name }, in.MaxRecords,
			in.Marker)
		for _, g := range groups {
			described, err := describeSubnetGroup(tx, g)
			if err != nil {
				return err
			}
			out.CacheSubnetGroups = append(out.CacheSubnetGroups, described)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// subnetGroups reads the group of that name, or every one.
func (s *Service) subnetGroups(tx *store.Tx, name string) ([]cache.SubnetGroup, error) {
	if name != "" {
		g, err := s.subnetGroup(tx, name)
		return []cache.SubnetGroup{g}, err
	}
	groups, err := state.SubnetGroups.List(tx)
	if err != nil {
		return nil, err
	}
	g, err := s.defaultSubnets(tx)
	if len(g.SubnetIDs) > 0 {
		groups = append(groups, g)
	}
	return groups, err
}

func (s *Service) subnetGroup(tx *store.Tx, name string) (cache.SubnetGroup, error) {
	if name == defaultSubnetGroup {
		g, err := s.defaultSubnets(tx)
		if err == nil && len(g.SubnetIDs) == 0 {
			err = subnetGroupNotFound(name)
		}
		return g, err
	}
	g, err := state.SubnetGroups.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		return g, subnetGroupNotFound(name)
	}
	return g, err
}

// defaultSubnets is the default group. A network without subnets has none.
func (s *Service) defaultSubnets(tx *store.Tx) (cache.SubnetGroup, error) {
	g := cache.SubnetGroup{
		Name: defaultSubnetGroup, ARN: s.arn(subnetGroupResource, defaultSubnetGroup),
		Description: "Default CacheSubnetGroup", VPCID: s.DefaultVPC,
	}
	subnets, err := network.Subnets.List(tx)
	subnets = slices.DeleteFunc(subnets, func(n network.Subnet) bool { return n.VPCID != s.DefaultVPC })
	for _, n := range subnets {
		g.SubnetIDs = append(g.SubnetIDs, n.ID)
	}
	return g, err
}

func describeSubnetGroup(tx *store.Tx, g cache.SubnetGroup) (types.CacheSubnetGroup, error) {
	ipv4 := []types.NetworkType{types.NetworkTypeIpv4}
	out := types.CacheSubnetGroup{
		ARN: &g.ARN, CacheSubnetGroupName: &g.Name, CacheSubnetGroupDescription: &g.Description, VpcId: &g.VPCID,
		SupportedNetworkTypes: ipv4,
	}
	for _, id := range g.SubnetIDs {
		subnet := types.Subnet{SubnetIdentifier: &id, SupportedNetworkTypes: ipv4}
		n, err := network.Subnets.Get(tx, id)
		switch {
		case err == nil:
			subnet.SubnetAvailabilityZone = &types.AvailabilityZone{Name: &n.Zone}
		case !errors.Is(err, store.ErrNotFound) && !store.IsUnreadable(err):
			return out, err
		}
		out.Subnets = append(out.Subnets, subnet)
	}
	return out, nil
}

func (s *Service) modifySubnetGroup(
	ctx context.Context, in *sdk.ModifyCacheSubnetGroupInput,
) (*sdk.ModifyCacheSubnetGroupOutput, error) {
	name, err := reference("CacheSubnetGroupName", in.CacheSubnetGroupName)
	if err != nil {
		return nil, err
	}
	if name == defaultSubnetGroup {
		return nil, invalidValue("The cache subnet group %s is made of the network's default subnets and cannot be "+
			"modified.", name)
	}
	var changed types.CacheSubnetGroup
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		g, err := s.subnetGroup(tx, name)
		if err != nil {
			return err
		}
		if in.CacheSubnetGroupDescription != nil {
			g.Description = *in.CacheSubnetGroupDescription
		}
		if in.SubnetIds != nil {
			if err := changeSubnets(tx, &g, in.SubnetIds); err != nil {
				return err
			}
		}
		if err := state.SubnetGroups.Put(tx, name, g); err != nil {
			return err
		}
		changed, err = describeSubnetGroup(tx, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ModifyCacheSubnetGroupOutput{CacheSubnetGroup: &changed}, nil
}

// changeSubnets keeps those in which there are nodes.
func changeSubnets(tx *store.Tx, g *cache.SubnetGroup, given []string) error {
	ids, vpc, err := checkSubnets(tx, given)
	if err != nil {
		return err
	}
	if vpc != g.VPCID {
		return invalidValue("The new Subnets are not in the same Vpc as the existing subnet group")
	}
	users, err := usersOf(tx, func(rg cache.Topology) bool { return rg.SubnetGroup == g.Name })
	if err != nil {
		return err
	}
	for _, rg := range users {
		for _, m := range rg.Members() {
			if !slices.Contains(ids, m.SubnetID) {
				return &types.SubnetInUse{Message: new(fmt.Sprintf("The subnet ID %s is in use.", m.SubnetID))}
			}
		}
	}
	g.SubnetIDs = ids
	return nil
}

func (s *Service) deleteSubnetGroup(
	ctx context.Context, in *sdk.DeleteCacheSubnetGroupInput,
) (*sdk.DeleteCacheSubnetGroupOutput, error) {
	name, err := reference("CacheSubnetGroupName", in.CacheSubnetGroupName)
	if err != nil {
		return nil, err
	}
	if name == defaultSubnetGroup {
		return nil, invalidValue("The cache subnet group %s is made of the network's default subnets and cannot be "+
			"deleted.", name)
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		_, err := state.SubnetGroups.Get(tx, name)
		if errors.Is(err, store.ErrNotFound) {
			return &types.CacheSubnetGroupNotFoundFault{Message: new(fmt.Sprintf("Cache Subnet Group %s does not exist.", name))}
		}
		if err != nil && !store.IsUnreadable(err) {
			return err
		}
		users, err := usersOf(tx, func(rg cache.Topology) bool { return rg.SubnetGroup == name })
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return &types.CacheSubnetGroupInUse{Message: new(fmt.Sprintf("Cache subnet group %s is currently in use by a "+
				"cache cluster.", name))}
		}
		return state.SubnetGroups.Delete(tx, name)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteCacheSubnetGroupOutput{}, nil
}

// usersOf returns the replication groups that use something.
func usersOf(tx *store.Tx, uses func(cache.Topology) bool) ([]cache.Topology, error) {
	groups, err := state.AllGroups(tx)
	return slices.DeleteFunc(groups, func(rg cache.Topology) bool { return !uses(rg) }), err
}
