package elasticache

import (
	"context"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/store"
)

// listAllowedNodeTypes lists the node types that a group may be given: those with more memory, and those with less that
// hold its data. Types with as much memory are in neither list.
func (s *Service) listAllowedNodeTypes(
	ctx context.Context, in *sdk.ListAllowedNodeTypeModificationsInput,
) (*sdk.ListAllowedNodeTypeModificationsOutput, error) {
	var rg cache.Topology
	err := s.Store.View(func(tx *store.Tx) (err error) {
		rg, _, err = source(tx, in.ReplicationGroupId, in.CacheClusterId)
		return err
	})
	if err != nil {
		return nil, err
	}
	size := int64(0)
	if rg.Status != cache.Creating { // a new group has no data yet
		if size, err = s.DataSize(ctx, rg.ID); err != nil {
			return nil, fmt.Errorf("cannot tell how large the data of the replication group %s are: %w", rg.ID, err)
		}
	}
	now := s.NodeTypes[rg.NodeType]
	out := &sdk.ListAllowedNodeTypeModificationsOutput{
		ScaleUpModifications: []string{}, ScaleDownModifications: []string{},
	}
	for _, name := range s.NodeTypes.Names() {
		t := s.NodeTypes[name]
		if t.DataTiering || t.MaxMemory == now.MaxMemory {
			continue
		}
		fits, err := s.fits(rg, t, size)
		switch {
		case err != nil:
			return nil, err
		case !fits:
		case t.MaxMemory > now.MaxMemory:
			out.ScaleUpModifications = append(out.ScaleUpModifications, name)
		default:
			out.ScaleDownModifications = append(out.ScaleDownModifications, name)
		}
	}
	return out, nil
}

// fits tells whether a node of that type has room for so many bytes of the group's data, less what its parameters
// reserve.
func (s *Service) fits(rg cache.Topology, t catalog.NodeType, size int64) (bool, error) {
	rg.NodeType = t.Name
	var directives catalog.Directives
	err := s.Store.View(func(tx *store.Tx) (err error) {
		directives, err = s.directives(tx, rg)
		return err
	})
	if err != nil {
		return false, err
	}
	limit, err := directives.MaxMemory()
	return size <= limit, err
}
