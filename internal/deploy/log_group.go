package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/module"
)

// logGroup is the kind of the log groups that the nodes' logs go to.
type logGroup struct{}

func (logGroup) name() string { return logGroupKind }

func (logGroup) wanted(r module.Resources) []Resource {
	var all []Resource
	for _, g := range r.LogGroups {
		if !g.Keep {
			all = append(all, Resource{Kind: logGroupKind, Name: *g.Create.LogGroupName})
		}
	}
	return all
}

func (logGroup) observe(ctx context.Context, o *observation) error {
	for _, want := range o.desired.LogGroups {
		out, err := o.Logs.DescribeLogGroups(ctx,
			&cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: want.Create.LogGroupName})
		if err != nil {
			return err
		}
		for _, g := range out.LogGroups { // in the order of their names: the one that is the prefix comes first
			if *g.LogGroupName != *want.Create.LogGroupName {
				continue
			}
			o.found.LogGroups = append(o.found.LogGroups, g)
			if err := o.tagged(ctx, strings.TrimSuffix(*g.Arn, ":*")); err != nil {
				return err
			}
		}
	}
	return nil
}

func (logGroup) apply(ctx context.Context, a *apply) error {
	for _, want := range a.desired.LogGroups {
		name := *want.Create.LogGroupName
		changes := of(module.Diff(a.desired, a.observed), module.LogGroupResource)
		changes = slices.DeleteFunc(changes, func(c module.Change) bool { return c.Name != name })
		exists := slices.ContainsFunc(a.observed.LogGroups,
			func(g logtypes.LogGroup) bool { return *g.LogGroupName == name })
		if !exists {
			if err := a.createLogGroup(ctx, want); err != nil {
				return err
			}
			continue
		}
		for _, c := range changes {
			if err := a.changeLogGroup(ctx, want, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (logGroup) delete(ctx context.Context, d *Deployer, r Resource) error {
	_, err := d.Logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &r.Name})
	return err
}

func (a *apply) createLogGroup(ctx context.Context, want module.LogGroup) error {
	name := *want.Create.LogGroupName
	_, err := request(ctx, a, a.Logs.CreateLogGroup, want.Create)
	a.creating(err, Resource{Kind: logGroupKind, Name: name})
	if err != nil {
		return fmt.Errorf("cannot create the log group %s: %w", name, err)
	}
	if want.RetentionInDays > 0 {
		if err := a.setRetention(ctx, want); err != nil {
			return err
		}
	}
	a.done("created log group %s", name)
	return nil
}

func (a *apply) changeLogGroup(ctx context.Context, want module.LogGroup, c module.Change) (err error) {
	switch {
	case c.Field == "RetentionInDays":
		err = a.setRetention(ctx, want)
	case want.Create.KmsKeyId == nil:
		_, err = request(ctx, a, a.Logs.DisassociateKmsKey, &cloudwatchlogs.DisassociateKmsKeyInput{LogGroupName: &c.Name})
	default:
		_, err = request(ctx, a, a.Logs.AssociateKmsKey,
			&cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: &c.Name, KmsKeyId: want.Create.KmsKeyId})
	}
	if err != nil {
		return fmt.Errorf("cannot change the log group %s: %w", c.Name, err)
	}
	a.done("changed %s of log group %s from %q to %q", c.Input, c.Name, c.Old, c.New)
	return nil
}

func (a *apply) setRetention(ctx context.Context, want module.LogGroup) (err error) {
	name := want.Create.LogGroupName
	if want.RetentionInDays == 0 {
		_, err = request(ctx, a, a.Logs.DeleteRetentionPolicy,
			&cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: name})
	} else {
		_, err = request(ctx, a, a.Logs.PutRetentionPolicy,
			&cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: name, RetentionInDays: &want.RetentionInDays})
	}
	if err != nil {
		return fmt.Errorf("cannot set the retention of the log group %s: %w", *name, err)
	}
	return nil
}
