package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"golang.org/x/sync/errgroup"

	"larder/internal/module"
)

func (a *apply) logGroups(ctx context.Context) error {
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

// alarms puts those that are missing or differ, side by side.
func (a *apply) alarms(ctx context.Context) error {
	fields := map[string]bool{}
	changed := map[string]bool{}
	for _, c := range of(module.Diff(a.desired, a.observed), module.AlarmResource) {
		changed[c.Name], fields[c.Field] = true, true
	}
	var created []Resource
	var puts errgroup.Group
	puts.SetLimit(atOnce)
	for _, want := range a.desired.Alarms {
		name := *want.AlarmName
		exists := slices.ContainsFunc(a.observed.Alarms,
			func(have cwtypes.MetricAlarm) bool { return *have.AlarmName == name })
		if exists && !changed[name] {
			continue
		}
		if !exists {
			created = append(created, Resource{Kind: alarmKind, Name: name})
		}
		puts.Go(func() error {
			if _, err := request(ctx, a, a.Alarms.PutMetricAlarm, want); err != nil {
				return fmt.Errorf("cannot put the alarm %s: %w", name, err)
			}
			return nil
		})
	}
	a.creating(nil, created...)
	if err := puts.Wait(); err != nil {
		return err
	}
	if len(created) > 0 {
		a.done("created %s", counted(created))
	}
	if len(changed) > 0 {
		a.done("changed %s of %d alarms", strings.Join(sortedKeys(fields), ", "), len(changed))
	}
	return nil
}

func (a *apply) dashboard(ctx context.Context) error {
	want := a.desired.Dashboard
	changes := of(module.Diff(a.desired, a.observed), module.DashboardResource)
	if want == nil || a.observed.Dashboard != nil && len(changes) == 0 {
		return nil
	}
	_, err := request(ctx, a, a.Alarms.PutDashboard, want)
	if a.observed.Dashboard == nil {
		a.creating(err, Resource{Kind: dashboardKind, Name: *want.DashboardName})
	}
	if err != nil {
		return fmt.Errorf("cannot put the dashboard %s: %w", aws.ToString(want.DashboardName), err)
	}
	if a.observed.Dashboard != nil {
		a.done("changed dashboard %s", *want.DashboardName)
		return nil
	}
	a.done("created dashboard %s", *want.DashboardName)
	return nil
}
