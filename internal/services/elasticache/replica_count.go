package elasticache

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/state"
	"larder/internal/store"
)

// replicaCount reads how many replicas are asked for, and in which zones (the primary's first), from either of the two
// ways to say it.
func replicaCount(apply *bool, count *int32, shards []types.ConfigureShard) (replicas int, zones []string, err error) {
	switch {
	case !aws.ToBool(apply):
		return 0, nil, invalidValue("ApplyImmediately must be true: a change of the number of replicas cannot wait.")
	case (count == nil) == (len(shards) == 0):
		return 0, nil, invalidCombination("Specify exactly one of NewReplicaCount and ReplicaConfiguration.")
	case count != nil:
		return int(*count), nil, nil
	case len(shards) > 1 || aws.ToString(shards[0].NodeGroupId) != cache.FirstShard:
		return 0, nil, &types.NodeGroupNotFoundFault{Message: new("With cluster mode off there is one node group: " +
			cache.FirstShard)}
	case len(shards[0].PreferredOutpostArns) > 0:
		return 0, nil, invalidValue("larder does not serve outposts: leave PreferredOutpostArns out.")
	}
	return int(aws.ToInt32(shards[0].NewReplicaCount)), shards[0].PreferredAvailabilityZones, nil
}

func (s *Service) increaseReplicaCount(
	ctx context.Context, in *sdk.IncreaseReplicaCountInput,
) (*sdk.IncreaseReplicaCountOutput, error) {
	count, zones, err := replicaCount(in.ApplyImmediately, in.NewReplicaCount, in.ReplicaConfiguration)
	if err != nil {
		return nil, err
	}
	rg, err := s.change(ctx, in.ReplicationGroupId, func(tx *store.Tx, rg cache.Topology) error {
		if err := checkReplicaCount(rg, count, 1); err != nil {
			return err
		}
		if len(zones) > 0 && len(zones) != count+1 {
			return invalidCombination("PreferredAvailabilityZones has %d entries, want %d: one for each node, the primary's "+
				"first.", len(zones), count+1)
		}
		return s.addReplicas(tx, rg, count+1-len(rg.Only().Members), zones)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.IncreaseReplicaCountOutput{ReplicationGroup: new(describeGroup(rg))}, nil
}

// checkReplicaCount checks a number of replicas that shall be more (towards 1) or fewer (towards -1) than there are.
func checkReplicaCount(rg cache.Topology, count, towards int) error {
	now := len(rg.Only().Members) - 1
	least := 0
	if rg.WillFailOver() || rg.MultiAZ {
		least = 1
	}
	switch {
	case count == now:
		return &types.NoOperationFault{Message: new("Requested new replica count already matches current number of " +
			"replicas.")}
	case (count-now)*towards < 0:
		return invalidValue("The group has %d replicas: use the other action to get to %d.", now, count)
	case count < least && least == 1:
		return invalidValue("Must have at least 1 replica when cluster mode is disabled with auto failover enabled.")
	case count < 0 || count > maxReplicas:
		return invalidValue("The number of replicas per node group must be within 0 and %d.", maxReplicas)
	}
	return nil
}

// addReplicas adds members with the next free numbers, each in the zone that has the fewest.
func (s *Service) addReplicas(tx *store.Tx, rg cache.Topology, n int, zones []string) error {
	group, err := s.subnetGroup(tx, rg.SubnetGroup)
	if err != nil {
		return err
	}
	groups, err := state.AllGroups(tx)
	if err != nil {
		return err
	}
	if err := checkQuota(groups, n); err != nil {
		return err
	}
	subnets, order, err := zonesOf(tx, group)
	if err != nil {
		return err
	}
	shard := rg.Only()
	for i := range n {
		zone := leastUsed(rg, order)
		if len(zones) > 0 {
			zone = zones[len(zones)-n+i]
		}
		if subnets[zone] == "" {
			return invalidValue("The cache subnet group %s has no subnet in availability zone %q.", group.Name, zone)
		}
		id := nextID(rg)
		shard.Members = append(shard.Members, cache.Member{
			ID: id, Zone: zone, SubnetID: subnets[zone], Role: cache.Replica, Status: cache.MemberCreating,
		})
		if err := state.AddNotice(tx, event.New(event.ReplicasIncreasing, s.Now(), id)); err != nil {
			return err
		}
		slices.SortFunc(shard.Members, func(a, b cache.Member) int { return compareIDs(a.ID, b.ID) })
	}
	addrs, err := s.giveAddresses(tx, rg)
	if err != nil {
		return err
	}
	if err := s.checkPort(addrs, rg.Port); err != nil {
		return invalidValue("Cannot use Port %d: %s.", rg.Port, err)
	}
	return nil
}

func nextID(rg cache.Topology) string {
	for n := 1; ; n++ {
		if id := cache.MemberID(rg.ID, n); rg.Member(id) == nil {
			return id
		}
	}
}

func compareIDs(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	return 1
}

// leastUsed is the zone with the fewest members, the first of them in the subnet group's order.
func leastUsed(rg cache.Topology, zones []string) string {
	members := func(zone string) (n int) {
		for _, m := range rg.Members() {
			if m.Zone == zone {
				n++
			}
		}
		return n
	}
	if len(zones) == 0 {
		return ""
	}
	return slices.MinFunc(zones, func(a, b string) int { return members(a) - members(b) })
}

func (s *Service) decreaseReplicaCount(
	ctx context.Context, in *sdk.DecreaseReplicaCountInput,
) (*sdk.DecreaseReplicaCountOutput, error) {
	remove := in.ReplicasToRemove
	count, _, err := 0, []string(nil), error(nil)
	if len(remove) == 0 {
		if count, _, err = replicaCount(in.ApplyImmediately, in.NewReplicaCount, in.ReplicaConfiguration); err != nil {
			return nil, err
		}
	} else if in.NewReplicaCount != nil || len(in.ReplicaConfiguration) > 0 || !aws.ToBool(in.ApplyImmediately) {
		return nil, invalidCombination("With ReplicasToRemove, leave NewReplicaCount and ReplicaConfiguration out and set " +
			"ApplyImmediately.")
	}
	rg, err := s.change(ctx, in.ReplicationGroupId, func(_ *store.Tx, rg cache.Topology) error {
		if len(remove) > 0 {
			count = len(rg.Only().Members) - 1 - len(remove)
		}
		if err := checkReplicaCount(rg, count, -1); err != nil {
			return err
		}
		if len(remove) == 0 {
			remove = lastReplicas(rg, len(rg.Only().Members)-1-count)
		}
		return markRemoved(rg, remove)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DecreaseReplicaCountOutput{ReplicationGroup: new(describeGroup(rg))}, nil
}

// lastReplicas are the n replicas with the highest ids.
func lastReplicas(rg cache.Topology, n int) []string {
	var ids []string
	for _, m := range slices.Backward(rg.Only().Members) {
		if m.Role == cache.Replica && len(ids) < n {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// markRemoved marks replicas as being removed, and the engine ends them. Backups move to a member that stays.
func markRemoved(rg cache.Topology, ids []string) error {
	for _, id := range ids {
		m := rg.Member(id)
		switch {
		case m == nil:
			return cacheClusterNotFound(id)
		case m.Role == cache.Primary:
			return &types.InvalidCacheClusterStateFault{Message: new(fmt.Sprintf(
				"Cache cluster %s is serving as primary for replication group %s and cannot be deleted. To delete the entire "+
					"replication group, use DeleteReplicationGroup.", id, rg.ID))}
		}
		m.Removing, m.Status = true, cache.MemberDeleting
		if rg.SnapshottingCluster == id {
			rg.SnapshottingCluster = rg.Only().Primary().ID
		}
	}
	return nil
}
