package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"larder/internal/module"
)

// observation gathers what there is of the desired resources; its parts run side by side and each fills in its own.
type observation struct {
	*Deployer
	desired module.Resources

	mu    sync.Mutex // over found.Tags
	found module.Observed
}

// Observe describes what there is of the desired resources.
func (d *Deployer) Observe(ctx context.Context, r module.Resources) (module.Observed, error) {
	o := &observation{Deployer: d, desired: r, found: module.Observed{Tags: map[string]map[string]string{}}}
	parts, ctx := errgroup.WithContext(ctx)
	for what, observe := range map[string]func(context.Context) error{
		"security group": o.securityGroup, "log groups": o.logGroups, "subnet group": o.subnetGroup,
		"parameter group": o.parameterGroup,
		"secret":          o.secret, "replication group": o.replicationGroup, "alarms": o.alarms,
		"dashboard": o.dashboard,
	} {
		parts.Go(func() error {
			if err := observe(ctx); err != nil && !notFound(err) {
				return fmt.Errorf("cannot describe the %s: %w", what, err)
			}
			return nil
		})
	}
	err := parts.Wait()
	return o.found, err
}

// tagged notes the tags of a resource.
func (o *observation) tagged(ctx context.Context, arn string) error {
	tags, err := o.tagsOf(ctx, arn)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.found.Tags[arn] = tags
	return nil
}

func (o *observation) logGroups(ctx context.Context) error {
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

func (o *observation) subnetGroup(ctx context.Context) error {
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

func (o *observation) parameterGroup(ctx context.Context) error {
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

func (o *observation) secret(ctx context.Context) (err error) {
	if o.desired.Secret == nil {
		return nil
	}
	out, err := o.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: o.desired.Secret.Name})
	if err != nil {
		return err
	}
	o.found.Secret = out
	o.mu.Lock()
	defer o.mu.Unlock()
	o.found.Tags[*out.ARN] = map[string]string{}
	for _, t := range out.Tags {
		o.found.Tags[*out.ARN][*t.Key] = aws.ToString(t.Value)
	}
	return nil
}

func (o *observation) replicationGroup(ctx context.Context) error {
	out, err := o.Cache.DescribeReplicationGroups(ctx,
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: o.desired.ReplicationGroup.ReplicationGroupId})
	if err != nil {
		return err
	}
	group := &out.ReplicationGroups[0]
	o.found.ReplicationGroup = group
	if o.found.Waiting, err = o.Waiting(ctx, *group.ReplicationGroupId); err != nil {
		return err
	}
	if aws.ToString(group.Status) != "available" {
		return nil // its tags cannot be read, and its members are on their way
	}
	clusters, err := o.Cache.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{
		CacheClusterId: aws.String(group.MemberClusters[0]), ShowCacheNodeInfo: aws.Bool(true),
	})
	if err != nil {
		return err
	}
	o.found.CacheCluster = &clusters.CacheClusters[0]
	return o.tagged(ctx, *group.ARN)
}

// alarms finds those of the desired names among all of the group's.
func (o *observation) alarms(ctx context.Context) error {
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

func (o *observation) dashboard(ctx context.Context) error {
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

// missing are the codes that say a resource is not there.
var missing = []string{
	"CacheClusterNotFound", "CacheSubnetGroupNotFoundFault", "CacheParameterGroupNotFound",
	"ReplicationGroupNotFoundFault", "ResourceNotFoundException", "ResourceNotFound",
	"InvalidGroup.NotFound", "InvalidSubnetID.NotFound", "InvalidVpcID.NotFound", "InvalidSecurityGroupRuleId.NotFound",
	"NotFound", "NotFoundException",
}

func notFound(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(missing, api.ErrorCode())
}
