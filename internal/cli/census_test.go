package cli

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/awssdk/ec2"
)

// census names what there is, by kind. What is about to be deleted counts as gone.
func (c *cloud) census() map[string][]string {
	c.t.Helper()
	found := map[string][]string{}
	add := func(kind string, name *string) { found[kind] = append(found[kind], aws.ToString(name)) }
	config := c.client(&wire{}).config
	c.keysIn(kms.NewFromConfig(config), add)
	c.networkIn(ec2.NewFromConfig(config), add)
	c.cacheIn(elasticache.NewFromConfig(config), add)
	c.alarmsIn(cloudwatch.NewFromConfig(config), add)
	ctx, topics := c.t.Context(), sns.NewFromConfig(config)
	for _, v := range checked(topics.ListTopics(ctx, nil))(c.t).Topics {
		add("topic", v.TopicArn)
	}
	for _, v := range checked(topics.ListSubscriptions(ctx, nil))(c.t).Subscriptions {
		add("subscription", v.SubscriptionArn)
	}
	for _, v := range checked(cloudwatchlogs.NewFromConfig(config).DescribeLogGroups(ctx, nil))(c.t).LogGroups {
		add("log group", v.LogGroupName)
	}
	for _, v := range checked(secretsmanager.NewFromConfig(config).ListSecrets(ctx, nil))(c.t).SecretList {
		add("secret", v.Name)
	}
	for _, d := range checked(c.client(&wire{}).deployments(ctx))(c.t) {
		add("deployment", &d.ID)
	}
	return found
}

func (c *cloud) keysIn(keys *kms.Client, add func(string, *string)) {
	ctx := c.t.Context()
	for _, k := range checked(keys.ListKeys(ctx, nil))(c.t).Keys {
		key := checked(keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId}))(c.t)
		if key.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion {
			add("key", k.KeyId)
		}
	}
	for _, a := range checked(keys.ListAliases(ctx, nil))(c.t).Aliases {
		add("alias", a.AliasName)
	}
}

func (c *cloud) networkIn(network *ec2.Client, add func(string, *string)) {
	ctx := c.t.Context()
	for _, v := range checked(network.DescribeVpcs(ctx, nil))(c.t).Vpcs {
		add("VPC", v.VpcId)
	}
	for _, v := range checked(network.DescribeSubnets(ctx, nil))(c.t).Subnets {
		add("subnet", v.SubnetId)
	}
	for _, v := range checked(network.DescribeSecurityGroups(ctx, nil))(c.t).SecurityGroups {
		add("security group", v.GroupId)
	}
	for _, v := range checked(network.DescribeSecurityGroupRules(ctx, nil))(c.t).SecurityGroupRules {
		add("rule", v.SecurityGroupRuleId)
	}
	for _, v := range checked(network.DescribeTags(ctx, nil))(c.t).Tags {
		add("tag", v.Key)
	}
}

func (c *cloud) cacheIn(caches *elasticache.Client, add func(string, *string)) {
	ctx := c.t.Context()
	for _, v := range checked(caches.DescribeCacheSubnetGroups(ctx, nil))(c.t).CacheSubnetGroups {
		add("subnet group", v.CacheSubnetGroupName)
	}
	for _, v := range checked(caches.DescribeCacheParameterGroups(ctx, nil))(c.t).CacheParameterGroups {
		add("parameter group", v.CacheParameterGroupName)
	}
	for _, v := range checked(caches.DescribeReplicationGroups(ctx, nil))(c.t).ReplicationGroups {
		add("replication group", v.ReplicationGroupId)
	}
}

func (c *cloud) alarmsIn(alarms *cloudwatch.Client, add func(string, *string)) {
	ctx := c.t.Context()
	for pages := cloudwatch.NewDescribeAlarmsPaginator(alarms, nil); pages.HasMorePages(); {
		for _, v := range checked(pages.NextPage(ctx))(c.t).MetricAlarms {
			add("alarm", v.AlarmName)
		}
	}
	for _, v := range checked(alarms.ListDashboards(ctx, nil))(c.t).DashboardEntries {
		add("dashboard", v.DashboardName)
	}
}

// counts are how many there are of each kind.
func counts(census map[string][]string) map[string]int {
	n := map[string]int{}
	for kind, names := range census {
		n[kind] = len(names)
	}
	return n
}
