package deploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"larder/internal/module"
)

// dashboard is the kind of the CloudWatch dashboard.
type dashboard struct{}

func (dashboard) name() string { return dashboardKind }

func (dashboard) wanted(r module.Resources) []Resource {
	if r.Dashboard == nil {
		return nil
	}
	return []Resource{{Kind: dashboardKind, Name: *r.Dashboard.DashboardName}}
}

func (dashboard) observe(ctx context.Context, o *observation) error {
	if o.desired.Dashboard == nil {
		return nil
	}
	out, err := o.Alarms.GetDashboard(ctx,
		&cloudwatch.GetDashboardInput{DashboardName: o.desired.Dashboard.DashboardName})
	if err != nil {
		return err
	}
	o.found.Dashboard = out
	return nil
}

func (dashboard) apply(ctx context.Context, a *apply) error {
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

func (dashboard) delete(ctx context.Context, d *Deployer, r Resource) error {
	_, err := d.Alarms.DeleteDashboards(ctx, &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{r.Name}})
	return err
}
