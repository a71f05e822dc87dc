package deploy

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/module"
)

func (a *apply) subnetGroup(ctx context.Context) error {
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

func (a *apply) parameterGroup(ctx context.Context) error {
	if a.desired.ParameterGroup == nil {
		return nil
	}
	name := *a.desired.ParameterGroup.CacheParameterGroupName
	if a.observed.ParameterGroup == nil {
		_, err := request(ctx, a, a.Cache.CreateCacheParameterGroup, a.desired.ParameterGroup)
		a.creating(err, Resource{Kind: parameterGroupKind, Name: name})
		if err != nil {
			return fmt.Errorf("cannot create the parameter group %s: %w", name, err)
		}
		if err := a.setParameters(ctx, name, a.desired.Parameters); err != nil {
			return err
		}
		a.done("created parameter group %s", name)
		return nil
	}
	var set, reset []ectypes.ParameterNameValue
	var changed, undone []string // what to tell once it is so
	for _, c := range of(module.Diff(a.desired, a.observed), module.ParameterResource) {
		p := ectypes.ParameterNameValue{ParameterName: aws.String(c.Field), ParameterValue: aws.String(c.New)}
		if c.Remove {
			p.ParameterValue = nil
			reset = append(reset, p)
			undone = append(undone, fmt.Sprintf("reset parameter %s, which was %q", c.Field, c.Old))
		} else {
			set = append(set, p)
			changed = append(changed, fmt.Sprintf("changed parameter %s from %q to %q", c.Field, c.Old, c.New))
		}
	}
	if len(reset) > 0 {
		_, err := request(ctx, a, a.Cache.ResetCacheParameterGroup,
			&elasticache.ResetCacheParameterGroupInput{CacheParameterGroupName: &name, ParameterNameValues: reset})
		if err != nil {
			return fmt.Errorf("cannot reset parameters of %s: %w", name, err)
		}
	}
	a.allDone(undone)
	if err := a.setParameters(ctx, name, set); err != nil {
		return err
	}
	a.allDone(changed)
	return nil
}

// setParameters sends 20 parameters at a time, the most that the API takes.
func (a *apply) setParameters(ctx context.Context, group string, parameters []ectypes.ParameterNameValue) error {
	for batch := range slices.Chunk(parameters, 20) {
		_, err := request(ctx, a, a.Cache.ModifyCacheParameterGroup,
			&elasticache.ModifyCacheParameterGroupInput{CacheParameterGroupName: &group, ParameterNameValues: batch})
		if err != nil {
			return fmt.Errorf("cannot set parameters of %s: %w", group, err)
		}
	}
	return nil
}
