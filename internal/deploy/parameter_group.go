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

// parameterGroup is the kind of the parameter group.
type parameterGroup struct{}

func (parameterGroup) name() string { return parameterGroupKind }

func (parameterGroup) wanted(r module.Resources) []Resource {
	if r.ParameterGroup == nil {
		return nil
	}
	return []Resource{{Kind: parameterGroupKind, Name: *r.ParameterGroup.CacheParameterGroupName}}
}

func (parameterGroup) observe(ctx context.Context, o *observation) error {
	if o.desired.ParameterGroup == nil {
		return nil
	}
	name := o.desired.ParameterGroup.CacheParameterGroupName
	groups, err := o.Cache.DescribeCacheParameterGroups(ctx,
		&elasticache.DescribeCacheParameterGroupsInput{CacheParameterGroupName: name})
	if err != nil {
		return err
	}
	o.found.ParameterGroup = &groups.CacheParameterGroups[0]
	pages := elasticache.NewDescribeCacheParametersPaginator(o.Cache,
		&elasticache.DescribeCacheParametersInput{CacheParameterGroupName: name, Source: aws.String("user")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		o.found.Parameters = append(o.found.Parameters, page.Parameters...)
	}
	return o.tagged(ctx, *o.found.ParameterGroup.ARN)
}

func (parameterGroup) apply(ctx context.Context, a *apply) error {
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

func (parameterGroup) delete(ctx context.Context, d *Deployer, r Resource) error {
	_, err := d.Cache.DeleteCacheParameterGroup(ctx,
		&elasticache.DeleteCacheParameterGroupInput{CacheParameterGroupName: &r.Name})
	return err
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
