package deploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/module"
)

// subnetGroup is the kind of the cache subnet group.
type subnetGroup struct{}

func (subnetGroup) name() string { return subnetGroupKind }

func (subnetGroup) wanted(r module.Resources) []Resource {
	if r.SubnetGroup == nil {
		return nil
	}
	return []Resource{{Kind: subnetGroupKind, Name: *r.SubnetGroup.CacheSubnetGroupName}}
}

func (subnetGroup) observe(ctx context.Context, o *observation) error {
	if o.desired.SubnetGroup == nil {
		return nil
	}
	out, err := o.Cache.DescribeCacheSubnetGroups(ctx,
		&elasticache.DescribeCacheSubnetGroupsInput{CacheSubnetGroupName: o.desired.SubnetGroup.CacheSubnetGroupName})
	if err != nil {
		return err
	}
	o.found.SubnetGroup = &out.CacheSubnetGroups[0]
	return o.tagged(ctx, *o.found.SubnetGroup.ARN)
}

func (subnetGroup) apply(ctx context.Context, a *apply) error {
	want := a.desired.SubnetGroup
	if want == nil {
		return nil
	}
	name := want.CacheSubnetGroupName
	if a.observed.SubnetGroup == nil {
		_, err := request(ctx, a, a.Cache.CreateCacheSubnetGroup, want)
		a.creating(err, Resource{Kind: subnetGroupKind, Name: *name})
		if err != nil {
			return fmt.Errorf("cannot create the subnet group %s: %w", *name, err)
		}
		a.done("created subnet group %s", *name)
		return nil
	}
	if len(of(module.Diff(a.desired, a.observed), module.SubnetGroupResource)) == 0 {
		return nil
	}
	_, err := request(ctx, a, a.Cache.ModifyCacheSubnetGroup, &elasticache.ModifyCacheSubnetGroupInput{
		CacheSubnetGroupName: name, CacheSubnetGroupDescription: want.CacheSubnetGroupDescription,
		SubnetIds: want.SubnetIds,
	})
	if err != nil {
		return fmt.Errorf("cannot change the subnet group %s: %w", *name, err)
	}
	a.done("changed subnet group %s", *name)
	return nil
}

func (subnetGroup) delete(ctx context.Context, d *Deployer, r Resource) error {
	_, err := d.Cache.DeleteCacheSubnetGroup(ctx,
		&elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: &r.Name})
	return err
}
