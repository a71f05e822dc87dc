package larder

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/operation"
	"larder/internal/plan"
	"larder/internal/state"
	"larder/internal/store"
)

func TestMeasureNodes(t *testing.T) {
	s, err := store.Open(filepath.Join(t.TempDir(), "larder.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(func(tx *store.Tx) error {
		for _, id := range []string{"bakery", "shop"} {
			shard := cache.Shard{GroupID: id, ID: cache.FirstShard, Group: &cache.ReplicationGroup{ID: id},
				Members: []cache.Member{
					{ID: id + "-001", Zone: "us-east-1a", Role: cache.Primary},
					{ID: id + "-002", Zone: "us-east-1b", Role: cache.Replica},
				}}
			if err := state.PutShard(tx, shard, operation.Origin{At: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	service := New(Config{
		Store: s,
		PIDs: func(context.Context) (map[string]int, error) {
			return map[string]int{"shop-001": 41, "shop-002": 42, "bakery-001": 43}, nil
		},
		Observed: func(string) plan.Observed {
			replica := plan.NodeState{Running: true, Answers: true, Role: cache.Replica, Lag: 1500 * time.Millisecond}
			return plan.Observed{Nodes: map[string]plan.NodeState{
				"shop-001": {Running: true, Answers: true, Role: cache.Primary}, "shop-002": replica,
				"bakery-002": replica,
			}}
		},
		Measure: func(_ context.Context, group string) map[string]Reading {
			asked = append(asked, group)
			return map[string]Reading{"shop-001": {Commands: 7}, "bakery-002": {Commands: 8}}
		},
	})
	shop := []Measured{
		{ReplicationGroupId: "shop", CacheClusterId: "shop-001", Zone: "us-east-1a", Role: "primary", PID: 41,
			LagSeconds: -1, Reading: &Reading{Commands: 7}},
		{ReplicationGroupId: "shop", CacheClusterId: "shop-002", Zone: "us-east-1b", Role: "replica", PID: 42,
			LagSeconds: 1.5}, // it hangs
	}
	bakery := []Measured{
		{ReplicationGroupId: "bakery", CacheClusterId: "bakery-001", Zone: "us-east-1a", Role: "primary", PID: 43,
			LagSeconds: -1},
		{ReplicationGroupId: "bakery", CacheClusterId: "bakery-002", Zone: "us-east-1b", Role: "replica",
			LagSeconds: -1}, // gone since it was asked
	}
	for group, want := range map[string][]Measured{"shop": shop, "": append(bakery, shop...)} {
		out, err := service.measureNodes(t.Context(), &MeasureNodesInput{ReplicationGroupId: group})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.Nodes); diff != "" {
			t.Errorf("of %q: -want +got\n%s", group, diff)
		}
		if last := asked[len(asked)-1]; last != group {
			t.Errorf("of %q the nodes of %q are asked", group, last)
		}
	}
	_, err = service.measureNodes(t.Context(), &MeasureNodesInput{ReplicationGroupId: "cafe"})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != "ResourceNotFoundException" || len(asked) != 2 {
		t.Errorf("of a group that there is none of: %v, after %v", err, asked)
	}
}
