package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/smithy-go"

	"larder/internal/module"
)

// Observe describes what there is of the desired resources.
func (d *Deployer) Observe(ctx context.Context, r module.Resources) (o module.Observed, err error) {
	for _, part := range []struct {
		what    string
		observe func(context.Context, module.Resources, *module.Observed) error
	}{
		{"subnet group", d.observeSubnetGroup},
		{"parameter group", d.observeParameterGroup},
		{"replication group", d.observeReplicationGroup},
	} {
		if err := part.observe(ctx, r, &o); err != nil && !notFound(err) {
			return o, fmt.Errorf("cannot describe the %s: %w", part.what, err)
		}
	}
	return o, nil
}

func (d *Deployer) observeSubnetGroup(ctx context.Context, r module.Resources, o *module.Observed) error {
	out, err := d.Cache.DescribeCacheSubnetGroups(ctx, &elasticache.DescribeCacheSubnetGroupsInput{CacheSubnetGroupName: r.SubnetGroup.CacheSubnetGroupName})
	if err != nil {
		return err
	}
	o.SubnetGroup = &out.CacheSubnetGroups[0]
	return nil
}

func (d *Deployer) observeParameterGroup(ctx context.Context, r module.Resources, o *module.Observed) error {
	name := r.ParameterGroup.CacheParameterGroupName
	groups, err := d.Cache.DescribeCacheParameterGroups(ctx, &elasticache.DescribeCacheParameterGroupsInput{CacheParameterGroupName: name})
	if err != nil {
		return err
	}
	o.ParameterGroup = &groups.CacheParameterGroups[0]
	pages := elasticache.NewDescribeCacheParametersPaginator(d.Cache, &elasticache.DescribeCacheParametersInput{CacheParameterGroupName: name, Source: aws.String("user")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		o.Parameters = append(o.Parameters, page.Parameters...)
	}
	return nil
}

func (d *Deployer) observeReplicationGroup(ctx context.Context, r module.Resources, o *module.Observed) error {
	out, err := d.Cache.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: r.ReplicationGroup.ReplicationGroupId})
	if err != nil {
		return err
	}
	o.ReplicationGroup = &out.ReplicationGroups[0]
	if aws.ToString(o.ReplicationGroup.Status) != "available" {
		return nil // its tags cannot be read, and its members are on their way
	}
	tags, err := d.Cache.ListTagsForResource(ctx, &elasticache.ListTagsForResourceInput{ResourceName: o.ReplicationGroup.ARN})
	if err != nil {
		return err
	}
	o.Tags = tags.TagList
	clusters, err := d.Cache.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{
		CacheClusterId: aws.String(o.ReplicationGroup.MemberClusters[0]), ShowCacheNodeInfo: aws.Bool(true),
	})
	if err != nil {
		return err
	}
	o.CacheCluster = &clusters.CacheClusters[0]
	return nil
}

// missing are the codes that say a resource is not there.
var missing = map[string]bool{
	"CacheSubnetGroupNotFoundFault": true, "CacheParameterGroupNotFound": true, "ReplicationGroupNotFoundFault": true,
	"ResourceNotFoundException": true,
}

func notFound(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && missing[api.ErrorCode()]
}
