package cycle

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// census names all that there is in a region, but keys, which stay for days after they are deleted as on AWS, and
// snapshots, which outlive a stack.
func (c *cloud) census() (map[string][]string, error) {
	all := names{}
	if err := errors.Join(c.countCache(all), c.countRecords(all), c.countNetwork(all)); err != nil {
		return nil, err
	}
	for _, of := range all {
		slices.Sort(of)
	}
	return all, nil
}

// names are those of what there is, by kind.
type names map[string][]string

func (n names) add(kind string, name *string) { n[kind] = append(n[kind], aws.ToString(name)) }

// countCache counts what ElastiCache has.
func (c *cloud) countCache(all names) error {
	ctx := context.Background()
	groups, errGroups := c.cache.DescribeReplicationGroups(ctx, nil)
	clusters, errClusters := c.cache.DescribeCacheClusters(ctx, nil)
	parameters, errParameters := c.cache.DescribeCacheParameterGroups(ctx, nil)
	subnets, errSubnets := c.cache.DescribeCacheSubnetGroups(ctx, nil)
	if err := errors.Join(errGroups, errClusters, errParameters, errSubnets); err != nil {
		return err
	}
	for _, g := range groups.ReplicationGroups {
		all.add("replication group", g.ReplicationGroupId)
	}
	for _, cluster := range clusters.CacheClusters {
		all.add("cache cluster", cluster.CacheClusterId)
	}
	for _, g := range parameters.CacheParameterGroups {
		all.add("parameter group", g.CacheParameterGroupName)
	}
	for _, g := range subnets.CacheSubnetGroups {
		all.add("subnet group", g.CacheSubnetGroupName)
	}
	return nil
}

// countRecords counts alarms, log groups, secrets, topics, and the aliases of keys.
func (c *cloud) countRecords(all names) error {
	ctx := context.Background()
	alarms, errAlarms := c.alarms.DescribeAlarms(ctx, nil)
	logs, errLogs := c.logs.DescribeLogGroups(ctx, nil)
	secrets, errSecrets := c.secrets.ListSecrets(ctx, nil)
	topics, errTopics := c.topics.ListTopics(ctx, nil)
	aliases, errAliases := c.keys.ListAliases(ctx, nil)
	if err := errors.Join(errAlarms, errLogs, errSecrets, errTopics, errAliases); err != nil {
		return err
	}
	for _, a := range alarms.MetricAlarms {
		all.add("alarm", a.AlarmName)
	}
	for _, g := range logs.LogGroups {
		all.add("log group", g.LogGroupName)
	}
	for _, s := range secrets.SecretList {
		all.add("secret", s.Name)
	}
	for _, t := range topics.Topics {
		all.add("topic", t.TopicArn)
	}
	for _, a := range aliases.Aliases {
		if !strings.HasPrefix(aws.ToString(a.AliasName), "alias/aws/") { // those come with a service's first use
			all.add("alias", a.AliasName)
		}
	}
	return nil
}

// countNetwork counts what EC2 has.
func (c *cloud) countNetwork(all names) error {
	ctx := context.Background()
	vpcs, errVPCs := c.network.DescribeVpcs(ctx, nil)
	security, errSecurity := c.network.DescribeSecurityGroups(ctx, nil)
	subnets, errSubnets := c.network.DescribeSubnets(ctx, nil)
	tables, errTables := c.network.DescribeRouteTables(ctx, nil)
	acls, errACLs := c.network.DescribeNetworkAcls(ctx, nil)
	gateways, errGateways := c.network.DescribeInternetGateways(ctx, nil)
	nat, errNAT := c.network.DescribeNatGateways(ctx, nil)
	addresses, errAddresses := c.network.DescribeAddresses(ctx, nil)
	if err := errors.Join(errVPCs, errSecurity, errSubnets, errTables, errACLs, errGateways, errNAT,
		errAddresses); err != nil {
		return err
	}
	for _, v := range vpcs.Vpcs {
		all.add("VPC", v.VpcId)
	}
	for _, g := range security.SecurityGroups {
		all.add("security group", g.GroupId)
	}
	for _, s := range subnets.Subnets {
		all.add("subnet", s.SubnetId)
	}
	for _, t := range tables.RouteTables {
		all.add("route table", t.RouteTableId)
	}
	for _, a := range acls.NetworkAcls {
		all.add("network ACL", a.NetworkAclId)
	}
	for _, g := range gateways.InternetGateways {
		all.add("internet gateway", g.InternetGatewayId)
	}
	for _, g := range nat.NatGateways {
		all.add("NAT gateway", g.NatGatewayId)
	}
	for _, a := range addresses.Addresses {
		all.add("address", a.AllocationId)
	}
	return nil
}
