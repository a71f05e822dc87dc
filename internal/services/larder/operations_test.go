package larder

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
)

// TestDescribeOperations: those that go on, with how far they are and what is wrong with their group, and those that
// have ended.
func TestDescribeOperations(t *testing.T) {
	t.Parallel()
	s, err := store.Open(filepath.Join(t.TempDir(), "larder.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	began, ended := time.Unix(0, 5), time.Unix(0, 9)
	err = s.Update(func(tx *store.Tx) error {
		for _, id := range []string{"bakery", "shop"} {
			shard := cache.Shard{GroupID: id, ID: cache.FirstShard, Group: &cache.ReplicationGroup{ID: id},
				Members: []cache.Member{
					{ID: id + "-001", Role: cache.Primary, Created: began}, {ID: id + "-002", Role: cache.Replica, Created: began},
				}}
			shard.Group.Status, shard.Promote = cache.Modifying, id+"-002"
			shard.Group.Snapshot = &cache.Backup{Name: "kept"}
			if err := state.PutShard(tx, shard, operation.Origin{By: "me", At: began}); err != nil {
				return err
			}
		}
		return state.DeleteGroup(tx, "bakery", ended)
	})
	if err != nil {
		t.Fatal(err)
	}
	service := New(Config{
		Store:   s,
		Trouble: func(group string) (string, bool) { return "what is wrong with " + group, false },
		Copying: func(string) *operation.Copy { return &operation.Copy{Done: 7} },
	})
	shop := []Operation{
		{ID: "shop/2", ReplicationGroupId: "shop", Kind: "switchover", NodeGroupId: "0001",
			CacheClusterIds: []string{"shop-002"}, From: "shop-001", To: "shop-002", By: "me", Began: 5,
			Stage: "moving the primary role", LastError: "what is wrong with shop"},
		{ID: "shop/1", ReplicationGroupId: "shop", Kind: "snapshot", To: "kept", By: "me", Began: 5,
			Stage: "copying the data", Done: 7, Unit: "bytes", LastError: "what is wrong with shop"},
	}
	bakery := []Operation{
		{ID: "bakery/2", ReplicationGroupId: "bakery", Kind: "switchover", NodeGroupId: "0001",
			CacheClusterIds: []string{"bakery-002"}, From: "bakery-001", To: "bakery-002", By: "me", Began: 5, Ended: 9,
			Outcome: "cancelled", Reason: "the group was deleted"},
		{ID: "bakery/1", ReplicationGroupId: "bakery", Kind: "snapshot", To: "kept", By: "me", Began: 5, Ended: 9,
			Outcome: "failed", Reason: "the record of the snapshot is gone, or cannot be read"},
	}
	for group, want := range map[string][]Operation{"shop": shop, "bakery": bakery, "": append(shop, bakery...),
		"nobody": nil} {
		out, err := service.describeOperations(t.Context(), &DescribeOperationsInput{ReplicationGroupId: group})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.Operations); diff != "" {
			t.Errorf("of %q (-want +got):\n%s", group, diff)
		}
	}
}
