package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/awssdk/ec2"
	"larder/internal/module"
)

// Resource is one thing that a deployment made, and that goes with it.
type Resource struct {
	Kind         string
	Name         string // of keys and VPCs the id, of what is in a VPC the VPC and its name there, of topics the ARN
	RecoveryDays int32  // in which its deletion can be taken back; 0: none
	// FinalSnapshot is the snapshot of a replication group that its deletion takes; empty: none.
	FinalSnapshot string
}

// The kinds of resources.
const (
	keyKind              = "key"
	aliasKind            = "key alias"
	vpcKind              = "VPC"
	subnetKind           = "subnet"
	topicKind            = "topic"
	securityGroupKind    = "security group"
	logGroupKind         = "log group"
	subnetGroupKind      = "subnet group"
	parameterGroupKind   = "parameter group"
	secretKind           = "secret"
	replicationGroupKind = "replication group"
	alarmKind            = "alarm"
	dashboardKind        = "dashboard"
)

// kind says how all resources of one kind are deleted. What is gone already is no error.
type kind struct {
	name   string
	delete func(context.Context, *Deployer, []Resource) error
}

// kinds are in the order in which resources are made; they are deleted the other way round.
func kinds() []kind {
	return []kind{
		{keyKind, each((*Deployer).deleteKey)},
		{aliasKind, each((*Deployer).deleteAlias)},
		{vpcKind, each((*Deployer).deleteVPC)},
		{subnetKind, each((*Deployer).deleteSubnet)},
		{topicKind, each((*Deployer).deleteTopic)},
		{securityGroupKind, deleteSecurityGroups},
		{logGroupKind, each((*Deployer).deleteLogGroup)},
		{subnetGroupKind, each((*Deployer).deleteSubnetGroup)},
		{parameterGroupKind, each((*Deployer).deleteParameterGroup)},
		{secretKind, each((*Deployer).deleteSecret)},
		{replicationGroupKind, each((*Deployer).deleteReplicationGroup)},
		{alarmKind, deleteAlarms},
		{dashboardKind, each((*Deployer).deleteDashboard)},
	}
}

func each(one func(*Deployer, context.Context, Resource) error) func(context.Context, *Deployer, []Resource) error {
	return func(ctx context.Context, d *Deployer, all []Resource) error {
		for _, r := range all {
			if err := one(d, ctx, r); err != nil && !notFound(err) {
				return fmt.Errorf("cannot delete the %s %s: %w", r.Kind, r.Name, err)
			}
		}
		return nil
	}
}

// Destroy deletes resources in the reverse order of their creation. What is gone already is no error.
func (d *Deployer) Destroy(ctx context.Context, all []Resource) error {
	all, err := d.identified(ctx, all)
	if err != nil {
		return err
	}
	for _, r := range all {
		if !slices.ContainsFunc(kinds(), func(k kind) bool { return k.name == r.Kind }) {
			return fmt.Errorf("this larder cannot delete the %s %s: another version has made it", r.Kind, r.Name)
		}
	}
	for _, k := range slices.Backward(kinds()) {
		var own []Resource
		for _, r := range all {
			if r.Kind == k.name {
				own = append(own, r)
			}
		}
		if len(own) == 0 {
			continue
		}
		if err := k.delete(ctx, d, own); err != nil {
			return err
		}
		d.Progress.Done("deleted " + counted(own))
	}
	return nil
}

// counted names one resource, or says how many there are of its kind.
func counted(all []Resource) string {
	if len(all) == 1 {
		return all[0].Kind + " " + all[0].Name
	}
	return fmt.Sprintf("%d %s", len(all), strings.ReplaceAll(all[0].Kind+"s", "aliass", "aliases"))
}

// wanted lists the resources of a call that have a name before they are made.
func wanted(r module.Resources) []Resource {
	var all []Resource
	for _, g := range r.LogGroups {
		if !g.Keep {
			all = append(all, Resource{Kind: logGroupKind, Name: *g.Create.LogGroupName})
		}
	}
	if r.SubnetGroup != nil {
		all = append(all, Resource{Kind: subnetGroupKind, Name: *r.SubnetGroup.CacheSubnetGroupName})
	}
	if r.ParameterGroup != nil {
		all = append(all, Resource{Kind: parameterGroupKind, Name: *r.ParameterGroup.CacheParameterGroupName})
	}
	if r.Secret != nil {
		all = append(all, Resource{Kind: secretKind, Name: *r.Secret.Name, RecoveryDays: r.SecretRecovery})
	}
	all = append(all, Resource{Kind: replicationGroupKind, Name: *r.ReplicationGroup.ReplicationGroupId})
	for _, a := range r.Alarms {
		all = append(all, Resource{Kind: alarmKind, Name: *a.AlarmName})
	}
	if r.Dashboard != nil {
		all = append(all, Resource{Kind: dashboardKind, Name: *r.Dashboard.DashboardName})
	}
	return all
}

// Without returns the resources that are not among others.
func Without(all, others []Resource) []Resource {
	return slices.DeleteFunc(slices.Clone(all), func(r Resource) bool {
		return slices.ContainsFunc(others, func(o Resource) bool { return o.Kind == r.Kind && o.Name == r.Name })
	})
}

// deleteSecurityGroups first revokes the rules, which may name the other groups.
func deleteSecurityGroups(ctx context.Context, d *Deployer, all []Resource) error {
	var ids []string
	for _, r := range all {
		vpc, name, _ := strings.Cut(r.Name, "/")
		group, err := d.groupNamed(ctx, vpc, name)
		if err != nil {
			return err
		}
		if group == nil {
			continue
		}
		ids = append(ids, *group.GroupId)
		rules, err := d.rulesOf(ctx, *group.GroupId)
		if err != nil {
			return err
		}
		for _, rule := range rules {
			if err := d.revoke(ctx, rule); err != nil {
				return err
			}
		}
	}
	for _, id := range ids {
		if _, err := d.Network.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id}); err != nil &&
			!notFound(err) {
			return fmt.Errorf("cannot delete the security group %s: %w", id, err)
		}
	}
	return nil
}

func (d *Deployer) deleteLogGroup(ctx context.Context, r Resource) error {
	_, err := d.Logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &r.Name})
	return err
}

func (d *Deployer) deleteSubnetGroup(ctx context.Context, r Resource) error {
	_, err := d.Cache.DeleteCacheSubnetGroup(ctx,
		&elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: &r.Name})
	return err
}

func (d *Deployer) deleteParameterGroup(ctx context.Context, r Resource) error {
	_, err := d.Cache.DeleteCacheParameterGroup(ctx,
		&elasticache.DeleteCacheParameterGroupInput{CacheParameterGroupName: &r.Name})
	return err
}

func (d *Deployer) deleteSecret(ctx context.Context, r Resource) error {
	in := &secretsmanager.DeleteSecretInput{SecretId: &r.Name, ForceDeleteWithoutRecovery: aws.Bool(true)}
	if r.RecoveryDays > 0 {
		in.ForceDeleteWithoutRecovery, in.RecoveryWindowInDays = nil, aws.Int64(int64(r.RecoveryDays))
	}
	described, err := d.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &r.Name})
	if err != nil || described.DeletedDate != nil && r.RecoveryDays > 0 {
		return err
	}
	_, err = d.Secrets.DeleteSecret(ctx, in)
	return err
}

// deleteAlarms deletes those that are there in one call, which refuses a name that is not.
func deleteAlarms(ctx context.Context, d *Deployer, all []Resource) error {
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

func (d *Deployer) deleteDashboard(ctx context.Context, r Resource) error {
	_, err := d.Alarms.DeleteDashboards(ctx, &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{r.Name}})
	return err
}

// deleteReplicationGroup asks for deletion and waits for the end of it.
func (d *Deployer) deleteReplicationGroup(ctx context.Context, r Resource) error {
	out, err := d.Cache.DescribeReplicationGroups(ctx,
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &r.Name})
	if err != nil {
		return err
	}
	if len(out.ReplicationGroups) != 1 {
		return errors.New("the engine describes no such group and no error")
	}
	if aws.ToString(out.ReplicationGroups[0].Status) != "deleting" {
		in := &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: &r.Name}
		if r.FinalSnapshot != "" {
			in.FinalSnapshotIdentifier = &r.FinalSnapshot
		}
		if _, err := d.Cache.DeleteReplicationGroup(ctx, in); err != nil {
			return err
		}
	}
	if err := d.awaitGone(ctx, r.Name); err != nil || r.FinalSnapshot == "" {
		return err
	}
	return d.sayKept(ctx, r)
}

// KeptSnapshot is what is told of a final snapshot that was taken.
func KeptSnapshot(name string) string { return "kept snapshot " + name }

// sayKept tells whether a group that is gone has left its final snapshot. There is none of a group that somebody else
// had deleted without one, or whose nodes ended before it was taken.
func (d *Deployer) sayKept(ctx context.Context, group Resource) error {
	out, err := d.Cache.DescribeSnapshots(ctx,
		&elasticache.DescribeSnapshotsInput{SnapshotName: &group.FinalSnapshot})
	switch {
	case err != nil && !notFound(err):
		return fmt.Errorf("it is gone, and whether its final snapshot %s was taken cannot be told: %w",
			group.FinalSnapshot, err)
	case err != nil || len(out.Snapshots) == 0 || aws.ToString(out.Snapshots[0].SnapshotStatus) != "available":
		d.Progress.Done(fmt.Sprintf("All data of %s are lost: its final snapshot %s was not taken", group.Name,
			group.FinalSnapshot))
	default:
		d.Progress.Done(KeptSnapshot(group.FinalSnapshot))
	}
	return nil
}
