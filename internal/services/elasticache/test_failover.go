package elasticache

import (
	"context"
	"fmt"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/plan"
	"larder/internal/state"
	"larder/internal/store"
)

// maxTestFailovers is how many node groups may be failed over in testSpan, counted over the account (limits.md).
const (
	maxTestFailovers = 15
	testSpan         = 24 * time.Hour
)

// testFailover has the primary hand its role over, and then replaces its process. On the service the primary is made to
// fail; here the same is seen, and no acknowledged write is lost. The answer says available, as the service's does.
func (s *Service) testFailover(ctx context.Context, in *sdk.TestFailoverInput) (*sdk.TestFailoverOutput, error) {
	rg, err := s.change(ctx, in.ReplicationGroupId, func(tx *store.Tx, rg cache.Topology) error {
		if *in.NodeGroupId != cache.FirstShard {
			return &types.NodeGroupNotFoundFault{Message: new(fmt.Sprintf("Node group %s not found.", *in.NodeGroupId))}
		}
		if err := s.mayTestFailover(tx, rg); err != nil {
			return err
		}
		rg.Only().Primary().Replacement = cache.FailedOver
		return state.AddNotice(tx, event.New(event.FailoverTested, s.Now(), rg.ID, cache.FirstShard))
	})
	if err != nil {
		return nil, err
	}
	rg.Status = cache.Available
	return &sdk.TestFailoverOutput{ReplicationGroup: new(describeGroup(rg))}, nil
}

func (s *Service) mayTestFailover(tx *store.Tx, rg cache.Topology) error {
	unavailable := func(format string, args ...any) error {
		return &types.TestFailoverNotAvailableFault{Message: new(fmt.Sprintf(format, args...))}
	}
	switch {
	case len(rg.Only().Staying()) == 1:
		return unavailable("Replication group %s has no replica to fail over to.", rg.ID)
	case !rg.AutomaticFailover:
		return unavailable("Automatic failover is not enabled for replication group %s.", rg.ID)
	}
	observed := s.Observed(rg.ID)
	if !slices.ContainsFunc(rg.Only().Staying(), func(m cache.Member) bool {
		return m.Role == cache.Replica && plan.InSync(rg.Only(), observed, m.ID)
	}) {
		return unavailable("Replication group %s has no replica that is in sync with its primary.", rg.ID)
	}
	past, err := state.Notices(tx, s.Now().Add(-testSpan))
	if err != nil {
		return err
	}
	calls := 0 // each accepted call leaves an event
	for _, n := range past {
		if n.Kind == event.FailoverTested {
			calls++
		}
	}
	if calls >= maxTestFailovers {
		return unavailable("TestFailover was called for %d node groups in the past 24 hours, which is as many as there "+
			"may be.", calls)
	}
	return nil
}
