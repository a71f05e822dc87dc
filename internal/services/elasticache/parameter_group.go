package elasticache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/audit"
	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

const maxParameterGroups = 300

func (s *Service) createParameterGroup(
	ctx context.Context, in *sdk.CreateCacheParameterGroupInput,
) (*sdk.CreateCacheParameterGroupOutput, error) {
	name, err := identifier("CacheParameterGroupName", in.CacheParameterGroupName, maxName)
	if err != nil {
		return nil, err
	}
	if err := s.checkFamily(in.CacheParameterGroupFamily); err != nil {
		return nil, err
	}
	g := cache.ParameterGroup{Name: name, ARN: s.arn(parameterGroupResource, name), Family: *in.CacheParameterGroupFamily,
		Description: *in.Description}
	if g.Tags, err = newTags(in.Tags); err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if err := admitParameterGroup(tx, name); err != nil {
			return err
		}
		return state.ParameterGroups.Put(tx, name, g)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateCacheParameterGroupOutput{CacheParameterGroup: new(describeParameterGroup(g))}, nil
}

func admitParameterGroup(tx *store.Tx, name string) error {
	groups, err := state.ParameterGroups.Keys(tx)
	switch {
	case err != nil:
		return err
	case slices.Contains(groups, name):
		return &types.CacheParameterGroupAlreadyExistsFault{Message: new(fmt.Sprintf("Parameter group %s already exists",
			name))}
	case len(groups) >= maxParameterGroups:
		return &types.CacheParameterGroupQuotaExceededFault{
			Message: new(fmt.Sprintf("Parameter group quota exceeded. You can have at most %d parameter groups in "+
				"this region.", maxParameterGroups)),
		}
	}
	return nil
}

// checkFamily takes every family of redis and valkey: a parameter group needs no server.
func (s *Service) checkFamily(family *string) error {
	name := aws.ToString(family)
	switch {
	case s.Families[name] != nil:
		return nil
	case strings.HasPrefix(name, "memcached"):
		return invalidValue("larder does not serve the parameter group family %s: it has no memcached. It serves %s.", name,
			strings.Join(s.Families.Names(), ", "))
	}
	return invalidValue("CacheParameterGroupFamily %s is not a valid parameter group family. larder serves %s.", name,
		strings.Join(s.Families.Names(), ", "))
}

func (s *Service) describeParameterGroups(
	_ context.Context, in *sdk.DescribeCacheParameterGroupsInput,
) (*sdk.DescribeCacheParameterGroupsOutput, error) {
	groups, err := s.parameterGroups(filter(in.CacheParameterGroupName))
	if err != nil {
		return nil, err
	}
	groups, marker, err := page(groups, func(g cache.ParameterGroup) string { return g.Name }, in.MaxRecords, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeCacheParameterGroupsOutput{CacheParameterGroups: []types.CacheParameterGroup{}, Marker: marker}
	for _, g := range groups {
		out.CacheParameterGroups = append(out.CacheParameterGroups, describeParameterGroup(g))
	}
	return out, nil
}

// parameterGroups reads the group of that name, or every one.
func (s *Service) parameterGroups(name string) (groups []cache.ParameterGroup, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		if name != "" {
			g, err := s.parameterGroup(tx, name)
			groups = append(groups, g)
			return err
		}
		groups, err = state.ParameterGroups.List(tx)
		groups = append(groups, s.defaultParameters()...)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = noSuchParameterGroup(name)
	}
	return groups, err
}

// parameterGroup returns the group of that name, or store.ErrNotFound.
func (s *Service) parameterGroup(tx *store.Tx, name string) (cache.ParameterGroup, error) {
	for _, g := range s.defaultParameters() {
		if g.Name == name {
			return g, nil
		}
	}
	return state.ParameterGroups.Get(tx, name)
}

// defaultParameters are the families' default groups, which are not stored.
func (s *Service) defaultParameters() []cache.ParameterGroup {
	groups := cache.DefaultParameterGroups(s.Families)
	for i, g := range groups {
		groups[i].ARN = s.arn(parameterGroupResource, g.Name)
	}
	return groups
}

// isDefault tells the names that are the service's own: a name that a user chooses holds no dot.
func isDefault(name string) bool { return strings.HasPrefix(name, "default.") }

func describeParameterGroup(g cache.ParameterGroup) types.CacheParameterGroup {
	return types.CacheParameterGroup{
		ARN: &g.ARN, CacheParameterGroupName: &g.Name, CacheParameterGroupFamily: &g.Family,
		Description: &g.Description, IsGlobal: new(false),
	}
}

func (s *Service) deleteParameterGroup(
	ctx context.Context, in *sdk.DeleteCacheParameterGroupInput,
) (*sdk.DeleteCacheParameterGroupOutput, error) {
	name, err := ownParameterGroup(in.CacheParameterGroupName)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		_, err := s.parameterGroup(tx, name)
		if errors.Is(err, store.ErrNotFound) {
			// The missing space is the service's own.
			return &types.CacheParameterGroupNotFoundFault{Message: new("CacheParameterGroupnot found: " + name)}
		}
		if err != nil && !store.IsUnreadable(err) {
			return err
		}
		used, err := parametersUsed(tx, name)
		if err != nil {
			return err
		}
		if used {
			return &types.InvalidCacheParameterGroupStateFault{Message: new(fmt.Sprintf(
				"One or more cache clusters are still members of this parameter group %s, so the group cannot be deleted.", name))}
		}
		return state.ParameterGroups.Delete(tx, name)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteCacheParameterGroupOutput{}, nil
}

// ownParameterGroup reads the name of a group that is to be changed, which a default group cannot be.
func ownParameterGroup(given *string) (string, error) {
	name, err := reference("CacheParameterGroupName", given)
	if err == nil && isDefault(name) {
		err = invalidValue("The parameter group %s is a default group and cannot be modified.", name)
	}
	return name, err
}

// parametersUsed tells whether a replication group has a parameter group, or will.
func parametersUsed(tx *store.Tx, name string) (bool, error) {
	users, err := usersOf(tx, func(rg cache.Topology) bool {
		return rg.ParameterGroup == name || rg.Deferred != nil && rg.Deferred.ParameterGroup == name
	})
	return len(users) > 0, err
}
