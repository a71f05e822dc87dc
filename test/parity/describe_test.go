package parity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/awssdk/ec2"
	ec2types "larder/internal/awssdk/ec2/types"
	"larder/internal/testkit"
)

// description is everything the APIs tell of an engine's resources, by kind and name.
type description struct {
	t   *testing.T
	all map[string]any
}

// describe asks every service for all it has.
func (s *site) describe() map[string]any {
	s.t.Helper()
	config := testkit.Config(s.clientEnv())
	d := description{s.t, map[string]any{}}
	ctx := context.Background()
	d.cache(ctx, elasticache.NewFromConfig(config))
	d.monitoring(ctx, cloudwatch.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config))
	d.secrets(ctx, secretsmanager.NewFromConfig(config))
	d.keys(ctx, kms.NewFromConfig(config))
	d.topics(ctx, sns.NewFromConfig(config))
	d.network(ctx, ec2.NewFromConfig(config))
	return d.all
}

func (d description) check(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// add notes what was described of a resource, plainly. Of two with the same plain name both are kept.
func (d description) add(kind, name string, described any) {
	d.t.Helper()
	key := kind + " " + plainText(name)
	for n := 2; d.all[key] != nil; n++ {
		key = fmt.Sprintf("%s %s (%d)", kind, plainText(name), n)
	}
	d.all[key] = plain(d.t, described)
}

func (d description) cache(ctx context.Context, c *elasticache.Client) {
	tags := func(arn *string) {
		out, err := c.ListTagsForResource(ctx, &elasticache.ListTagsForResourceInput{ResourceName: arn})
		d.check(err)
		d.add("tags of", *arn, out.TagList)
	}
	groups, err := c.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{})
	d.check(err)
	for _, g := range groups.ReplicationGroups {
		d.add("replication group", *g.ReplicationGroupId, g)
		tags(g.ARN)
	}
	clusters, err := c.DescribeCacheClusters(ctx,
		&elasticache.DescribeCacheClustersInput{ShowCacheNodeInfo: aws.Bool(true)})
	d.check(err)
	for _, m := range clusters.CacheClusters {
		d.add("cache cluster", *m.CacheClusterId, m)
		tags(m.ARN)
	}
	subnets, err := c.DescribeCacheSubnetGroups(ctx, &elasticache.DescribeCacheSubnetGroupsInput{})
	d.check(err)
	for _, g := range subnets.CacheSubnetGroups {
		d.add("subnet group", *g.CacheSubnetGroupName, g)
		tags(g.ARN)
	}
	parameters, err := c.DescribeCacheParameterGroups(ctx, &elasticache.DescribeCacheParameterGroupsInput{})
	d.check(err)
	for _, g := range parameters.CacheParameterGroups {
		d.add("parameter group", *g.CacheParameterGroupName, g)
		out, err := c.DescribeCacheParameters(ctx,
			&elasticache.DescribeCacheParametersInput{CacheParameterGroupName: g.CacheParameterGroupName,
				Source: aws.String("user")})
		d.check(err)
		d.add("parameters of", *g.CacheParameterGroupName, out.Parameters)
		if !strings.HasPrefix(*g.CacheParameterGroupName, "default.") {
			tags(g.ARN)
		}
	}
}

func (d description) monitoring(ctx context.Context, c *cloudwatch.Client, l *cloudwatchlogs.Client) {
	alarms, err := c.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(100)})
	d.check(err)
	for _, a := range alarms.MetricAlarms {
		a.StateValue, a.StateReason, a.StateReasonData = "", nil, nil // what the nodes did meanwhile
		d.add("alarm", *a.AlarmName, a)
		out, err := c.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: a.AlarmArn})
		d.check(err)
		d.add("tags of", *a.AlarmArn, out.Tags)
	}
	if dashboard, err := c.GetDashboard(ctx,
		&cloudwatch.GetDashboardInput{DashboardName: aws.String("uex-payments-prod-redis")}); err == nil {
		var body any
		d.check(json.Unmarshal([]byte(*dashboard.DashboardBody), &body))
		d.add("dashboard", *dashboard.DashboardName, body)
	}
	groups, err := l.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	d.check(err)
	for _, g := range groups.LogGroups {
		g.StoredBytes = nil // what the nodes have logged
		d.add("log group", *g.LogGroupName, g)
		out, err := l.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: g.LogGroupArn})
		d.check(err)
		d.add("tags of", *g.LogGroupArn, out.Tags)
	}
}

// secrets notes of a value what it has, not what it says: the token is random.
func (d description) secrets(ctx context.Context, c *secretsmanager.Client) {
	secrets, err := c.ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
	d.check(err)
	for _, s := range secrets.SecretList {
		out, err := c.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: s.ARN})
		d.check(err)
		out.VersionIdsToStages = nil // by a random id
		d.add("secret", *s.Name, out)
		value, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: s.ARN})
		d.check(err)
		var keys map[string]string
		d.check(json.Unmarshal([]byte(*value.SecretString), &keys))
		d.add("keys of secret", *s.Name, slices.Sorted(maps.Keys(keys)))
	}
}

// keys goes by the aliases, which have names.
func (d description) keys(ctx context.Context, c *kms.Client) {
	aliases, err := c.ListAliases(ctx, &kms.ListAliasesInput{})
	d.check(err)
	for _, a := range aliases.Aliases {
		if strings.HasPrefix(*a.AliasName, "alias/aws/") {
			continue
		}
		key, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: a.TargetKeyId})
		d.check(err)
		d.add("key", *a.AliasName, key.KeyMetadata)
		policy, err := c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: a.TargetKeyId})
		d.check(err)
		d.add("policy of key", *a.AliasName, document(d.t, *policy.Policy))
		rotation, err := c.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: a.TargetKeyId})
		d.check(err)
		d.add("rotation of key", *a.AliasName, rotation)
		tags, err := c.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: a.TargetKeyId})
		d.check(err)
		d.add("tags of key", *a.AliasName, tags.Tags)
	}
}

// topics asks for those that modules/sns makes: the engine lists none.
func (d description) topics(ctx context.Context, c *sns.Client) {
	for _, name := range []string{"prod-critical", "prod-warning", "prod-info", "staging-critical", "staging-warning",
		"staging-info"} {
		arn := aws.String("arn:aws:sns:" + c.Options().Region + ":000000000000:uex-payments-" + name)
		out, err := c.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: arn})
		var none *snstypes.NotFoundException
		if errors.As(err, &none) {
			continue
		}
		d.check(err)
		d.add("policy of topic", name, document(d.t, out.Attributes["Policy"]))
		delete(out.Attributes, "Policy")
		// The provider writes down that no deliveries are sampled, which is what a topic does that is told nothing.
		maps.DeleteFunc(out.Attributes, func(name, value string) bool {
			return strings.HasSuffix(name, "SuccessFeedbackSampleRate") && value == "0"
		})
		d.add("topic", name, out.Attributes)
		tags, err := c.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: arn})
		d.check(err)
		d.add("tags of topic", name, tags.Tags)
	}
}

func (d description) network(ctx context.Context, c *ec2.Client) {
	vpcs, err := c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	d.check(err)
	names := map[string]string{} // of VPCs and security groups, by id
	for _, v := range vpcs.Vpcs {
		names[*v.VpcId] = *v.CidrBlock
		for _, t := range v.Tags {
			if *t.Key == "Name" {
				names[*v.VpcId] = *t.Value
			}
		}
		d.add("VPC", names[*v.VpcId], v)
	}
	subnets, err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	d.check(err)
	for _, s := range subnets.Subnets {
		d.add("subnet", names[*s.VpcId]+" "+*s.CidrBlock, s)
	}
	groups, err := c.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	d.check(err)
	for _, g := range groups.SecurityGroups {
		names[*g.GroupId] = names[*g.VpcId] + " " + *g.GroupName
		d.add("security group", names[*g.GroupId], g)
	}
	rules, err := c.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{})
	d.check(err)
	slices.SortFunc(rules.SecurityGroupRules, func(a, b ec2types.SecurityGroupRule) int {
		return strings.Compare(aws.ToString(a.Description), aws.ToString(b.Description))
	})
	for _, r := range rules.SecurityGroupRules {
		peer := ""
		if r.ReferencedGroupInfo != nil {
			peer = names[*r.ReferencedGroupInfo.GroupId]
		}
		d.add("rule", fmt.Sprintf("%s, out %v, %s%s %s", names[*r.GroupId], *r.IsEgress, peer, aws.ToString(r.CidrIpv4),
			aws.ToString(r.Description)), r)
	}
}

// document reads a policy, whose text may be written in several ways.
func document(t *testing.T, text string) any {
	t.Helper()
	var document any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%v in the policy %q", err, text)
	}
	return document
}

// Differences that there may be: generated ids and addresses, which are replaced, and times, which are left out.
var (
	generated = []struct {
		form *regexp.Regexp
		name string
	}{
		{regexp.MustCompile(`\b(vpc|vpc-cidr-assoc|subnet|sgr|sg|rtb|acl|dopt|igw|eni)-[0-9a-f]{8,17}\b`), "$1-ID"},
		{regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "UUID"},
		{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "DIGEST"}, // of a key's material
		{regexp.MustCompile(`(:secret:[^"]+)-[A-Za-z0-9]{6}$`), "$1-ID"},
		{regexp.MustCompile(`\b127\.[0-9]+\.[0-9]+\.[0-9]+\b`), "ADDRESS"},
	}
	times = regexp.MustCompile(`(Date|Time|Timestamp)$`)
)

func plainText(s string) string {
	for _, g := range generated {
		s = g.form.ReplaceAllString(s, g.name)
	}
	return s
}

// plain is a described resource as JSON, without what may differ.
func plain(t *testing.T, described any) any {
	t.Helper()
	raw, err := json.Marshal(described)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	return plainTree(tree)
}

// plainTree puts lists into an order of their own: the APIs promise none for these.
func plainTree(tree any) any {
	switch tree := tree.(type) {
	case string:
		return plainText(tree)
	case map[string]any:
		for key, value := range tree {
			if tree[key] = plainTree(value); times.MatchString(key) || key == "ResultMetadata" {
				delete(tree, key)
			}
		}
	case []any:
		for i, value := range tree {
			tree[i] = plainTree(value)
		}
		slices.SortFunc(tree, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return tree
}
