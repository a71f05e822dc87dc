package elasticache

import (
	"context"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/audit"
	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

// rebootCacheCluster gives a node a new process. A primary with replicas hands its role over first; on the service it
// comes back empty, as the one node of a group does here too.
func (s *Service) rebootCacheCluster(
	ctx context.Context, in *sdk.RebootCacheClusterInput,
) (*sdk.RebootCacheClusterOutput, error) {
	id, err := reference("CacheClusterId", in.CacheClusterId)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(in.CacheNodeIdsToReboot, func(n string) bool { return n != nodeID }) {
		return nil, invalidValue("Invalid CacheNodeIdsToReboot %v: cache cluster %s has the node %s.",
			in.CacheNodeIdsToReboot, id, nodeID)
	}
	found, err := s.clusters(id)
	if err != nil {
		return nil, err
	}
	c := found[0]
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		rg, err := replicationGroup(tx, c.group.ID)
		if err != nil {
			return err
		}
		m := rg.Member(id)
		if m == nil {
			return cacheClusterNotFound(id)
		}
		if m.Status != cache.MemberAvailable || rg.Status != cache.Available {
			return &types.InvalidCacheClusterStateFault{Message: new(fmt.Sprintf("Cache cluster %s is not in the available "+
				"state.", id))}
		}
		if rg.Status, err = cache.Transition(rg.Status, cache.ModifyAsked); err != nil {
			return err
		}
		m.Replacement, m.Status = cache.Rebooting, cache.MemberRebooting
		c.Member, c.group = *m, rg
		return state.PutGroup(tx, rg, s.origin(ctx))
	})
	if err != nil {
		return nil, err
	}
	return &sdk.RebootCacheClusterOutput{CacheCluster: new(s.describeCluster(c, true))}, nil
}
