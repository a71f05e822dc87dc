package elasticache_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/services/elasticache"
	"larder/internal/servicetest"
)

// What has more memory is in one list, what has less and holds the data in the other, and neither has the rest. The
// reserve of the default parameter group, a quarter, is taken off: 410 MB do not fit into the 536,870,912 bytes of a
// cache.t3.micro.
func TestAllowedNodeTypes(t *testing.T) {
	size := int64(0)
	s := newServer(t, func(c *elasticache.Config) {
		c.DataSize = func(context.Context, string) (int64, error) { return size, nil }
	})
	in := minimal("mine")
	in.CacheNodeType = new("cache.t3.medium")
	s.create(t, in)
	list := func(in sdk.ListAllowedNodeTypeModificationsInput) (up, down []string) {
		out := must(s.ListAllowedNodeTypeModifications(t.Context(), &in))(t)
		return out.ScaleUpModifications, out.ScaleDownModifications
	}
	for _, test := range []struct {
		size     int64
		up, down []string // each of which is in the list
		neither  []string
	}{
		{0, []string{"cache.r6g.large", "cache.m6g.16xlarge"}, []string{"cache.t3.micro", "cache.t3.small"},
			[]string{"cache.t3.medium", "cache.r6gd.xlarge", "cache.t2.micro"}},
		{410_000_000, []string{"cache.r6g.large"}, []string{"cache.t3.small"}, []string{"cache.t3.micro"}},
		{15 << 30, []string{"cache.r6g.xlarge"}, nil, []string{"cache.r6g.large", "cache.t3.small", "cache.t3.micro"}},
	} {
		size = test.size
		up, down := list(sdk.ListAllowedNodeTypeModificationsInput{ReplicationGroupId: new("mine")})
		for _, name := range test.up {
			if !slices.Contains(up, name) {
				t.Errorf("with %d bytes: no %s to scale up to", size, name)
			}
		}
		for _, name := range test.down {
			if !slices.Contains(down, name) {
				t.Errorf("with %d bytes: no %s to scale down to", size, name)
			}
		}
		for _, name := range test.neither {
			if slices.Contains(up, name) || slices.Contains(down, name) {
				t.Errorf("with %d bytes: %s is allowed", size, name)
			}
		}
		if !slices.IsSorted(up) || !slices.IsSorted(down) {
			t.Error("the lists are not sorted")
		}
		ofCluster, _ := list(sdk.ListAllowedNodeTypeModificationsInput{CacheClusterId: new("mine-001")})
		if !slices.Equal(up, ofCluster) {
			t.Errorf("a cluster of the group may become %v, the group %v", ofCluster, up)
		}
	}
}

func TestAllowedNodeTypesRefusals(t *testing.T) {
	broken := errors.New("no node answers")
	s := newServer(t, func(c *elasticache.Config) {
		c.DataSize = func(context.Context, string) (int64, error) { return 0, broken }
	})
	must(s.CreateReplicationGroup(t.Context(), minimal("new")))(t)
	type input = sdk.ListAllowedNodeTypeModificationsInput
	must(s.ListAllowedNodeTypeModifications(t.Context(), &input{ReplicationGroupId: new("new")}))(t)
	for _, test := range []struct {
		in            input
		code, message string
	}{
		{input{}, combination, "One of ReplicationGroupId and CacheClusterId must be provided."},
		{input{ReplicationGroupId: new("new"), CacheClusterId: new("new-001")}, combination,
			"Cannot specify both ReplicationGroupId and CacheClusterId."},
		{input{ReplicationGroupId: new("x")}, "ReplicationGroupNotFoundFault",
			"Replication group x not found."},
		{input{CacheClusterId: new("x-001")}, "CacheClusterNotFound", "CacheCluster not found: x-001"},
	} {
		_, err := s.ListAllowedNodeTypeModifications(t.Context(), &test.in)
		servicetest.WantError(t, err, test.code, test.message)
	}
}
