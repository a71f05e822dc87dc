package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"golang.org/x/sync/errgroup"

	"larder/internal/module"
)

// alarm is the kind of the CloudWatch alarms.
type alarm struct{}

func (alarm) name() string { return alarmKind }

func (alarm) wanted(r module.Resources) []Resource {
	var all []Resource
	for _, a := range r.Alarms {
		all = append(all, Resource{Kind: alarmKind, Name: *a.AlarmName})
	}
	return all
}

// observe finds those of the desired names among all of the group's.
func (alarm) observe(ctx context.Context, o *observation) error {
	if len(o.desired.Alarms) == 0 {
		return nil
	}
	names := map[string]bool{}
	for _, a := range o.desired.Alarms {
		names[*a.AlarmName] = true
	}
	pages := cloudwatch.NewDescribeAlarmsPaginator(o.Alarms, &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String(*o.desired.ReplicationGroup.ReplicationGroupId + "-"), MaxRecords: aws.Int32(100),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, a := range page.MetricAlarms {
			if names[*a.AlarmName] {
				o.found.Alarms = append(o.found.Alarms, a)
			}
		}
	}
	tags, ctx := errgroup.WithContext(ctx)
	tags.SetLimit(atOnce)
	for _, a := range o.found.Alarms {
		tags.Go(func() error { return o.tagged(ctx, *a.AlarmArn) })
	}
	return tags.Wait()
}

// apply puts those that are missing or differ, side by side.
func (alarm) apply(ctx context.Context, a *apply) error {
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

func (k alarm) delete(ctx context.Context, d *Deployer, r Resource) error {
	return k.deleteAll(ctx, d, []Resource{r})
}

// deleteAll deletes those that are there in one call, which refuses a name that is not.
func (alarm) deleteAll(ctx context.Context, d *Deployer, all []Resource) error {
	for batch := range slices.Chunk(all, 100) {
		var names, found []string
		for _, r := range batch {
			names = append(names, r.Name)
		}
		pages := cloudwatch.NewDescribeAlarmsPaginator(d.Alarms, &cloudwatch.DescribeAlarmsInput{AlarmNames: names})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("cannot describe the alarms: %w", err)
			}
			for _, a := range page.MetricAlarms {
				found = append(found, *a.AlarmName)
			}
		}
		if len(found) == 0 {
			continue
		}
		if _, err := d.Alarms.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: found}); err != nil {
			return fmt.Errorf("cannot delete the alarms: %w", err)
		}
	}
	return nil
}
