package e2e

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/awssdk/ec2"
	ec2types "larder/internal/awssdk/ec2/types"
	"larder/internal/testkit"
)

// config is what an SDK client of any service needs.
func (d *harness) config() aws.Config {
	d.t.Helper()
	return testkit.Config(d.clientEnv())
}

// made is what the API describes of one deployment.
type made struct {
	group     ectypes.ReplicationGroup
	cluster   ectypes.CacheCluster
	alarms    map[string]cwtypes.MetricAlarm // by name
	retention map[string]int32               // of each log group
	tags      map[string]map[string]string   // by ARN, of all that has tags
	secret    string
}

const shop = "shop-dev-redis"

// describe asks for everything that a deployment of shop in dev has.
func (d *harness) describe() made {
	d.t.Helper()
	ctx, config := context.Background(), d.config()
	m := made{alarms: map[string]cwtypes.MetricAlarm{}, retention: map[string]int32{},
		tags: map[string]map[string]string{}}
	ec := elasticache.NewFromConfig(config)
	groups, err := ec.DescribeReplicationGroups(ctx,
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: aws.String(shop)})
	d.check(err)
	m.group = groups.ReplicationGroups[0]
	clusters, err := ec.DescribeCacheClusters(ctx,
		&elasticache.DescribeCacheClustersInput{CacheClusterId: &m.group.MemberClusters[0]})
	d.check(err)
	m.cluster = clusters.CacheClusters[0]
	tags, err := ec.ListTagsForResource(ctx, &elasticache.ListTagsForResourceInput{ResourceName: m.group.ARN})
	d.check(err)
	m.tags[*m.group.ARN] = map[string]string{}
	for _, t := range tags.TagList {
		m.tags[*m.group.ARN][*t.Key] = *t.Value
	}
	cw := cloudwatch.NewFromConfig(config)
	alarms, err := cw.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(100)})
	d.check(err)
	for _, a := range alarms.MetricAlarms {
		m.alarms[*a.AlarmName] = a
		tags, err := cw.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: a.AlarmArn})
		d.check(err)
		m.tags[*a.AlarmArn] = map[string]string{}
		for _, t := range tags.Tags {
			m.tags[*a.AlarmArn][*t.Key] = *t.Value
		}
	}
	logs := cloudwatchlogs.NewFromConfig(config)
	logGroups, err := logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	d.check(err)
	for _, g := range logGroups.LogGroups {
		m.retention[*g.LogGroupName] = aws.ToInt32(g.RetentionInDays)
		tags, err := logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: g.LogGroupArn})
		d.check(err)
		m.tags[*g.LogGroupArn] = tags.Tags
	}
	secret, err := secretsmanager.NewFromConfig(config).GetSecretValue(ctx,
		&secretsmanager.GetSecretValueInput{SecretId: aws.String("shop/dev/redis")})
	d.check(err)
	m.secret = *secret.SecretString
	return m
}

func (d *harness) check(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// line is an input of a call as it is written.
type line struct{ name, value string }

// shopCall writes a call of the module with those lines besides the required ones; of two lines for an input the later
// counts.
func shopCall(lines ...line) string {
	all := []line{
		{"source", `"./modules/redis"`}, {"project_name", `"shop"`}, {"environment", `"dev"`},
		{"redis_subnet_ids", "module.vpc.private_data_subnet_ids"},
		{"redis_security_group_id", "module.security.redis_security_group_id"}, {"kms_key_arn", "module.kms.key_arn"},
	}
	for _, l := range lines {
		all = slices.DeleteFunc(all, func(before line) bool { return before.name == l.name })
		all = append(all, l)
	}
	text := "module \"redis\" {\n"
	for _, l := range all {
		text += "  " + l.name + " = " + l.value + "\n"
	}
	return text + "}\n"
}

// Each row changes some inputs, on top of the rows before it; what is described afterwards has to say so, and a second
// up finds nothing to do.
func TestNodesAreChangedWithoutReplacement(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	const tokenA, tokenB, tokenC = "first-token-0123456789", "second-token-0123456789", "third-token-0123456789"
	lines := []line{{"auth_token", `"` + tokenA + `"`}}
	d.must("up", d.write("main.tf", shopCall(lines...)))
	logs := "/aws/elasticache/" + shop + "/"
	maintenance := strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Format("Mon:08:00-Mon:09:00")) // which is not now
	for _, change := range []struct {
		name  string
		lines []line
		holds func(m made) bool
	}{
		{"description", []line{{"description", `"another text"`}},
			func(m made) bool { return *m.group.Description == "another text" }},
		{"windows", []line{{"snapshot_window", `"01:00-02:00"`}, {"maintenance_window", `"` + maintenance + `"`}},
			func(m made) bool {
				return *m.group.SnapshotWindow == "01:00-02:00" && *m.cluster.PreferredMaintenanceWindow == maintenance
			}},
		{"snapshots off", []line{{"enable_snapshots", "false"}},
			func(m made) bool { return *m.group.SnapshotRetentionLimit == 0 }},
		{"snapshots on", []line{{"enable_snapshots", "true"}, {"snapshot_retention_limit", "3"}},
			func(m made) bool { return *m.group.SnapshotRetentionLimit == 3 }},
		{"topic", []line{{"notification_topic_arn", "module.sns.info_topic_arn"}},
			func(m made) bool { return m.cluster.NotificationConfiguration != nil }},
		{"no topic", []line{{"notification_topic_arn", "null"}},
			func(m made) bool { return m.cluster.NotificationConfiguration == nil }},
		{"upgrades", []line{{"auto_minor_version_upgrade", "false"}},
			func(m made) bool { return !*m.group.AutoMinorVersionUpgrade }},
		{"log format and one log", []line{{"log_format", `"text"`}, {"engine_log_enabled", "false"}},
			func(m made) bool {
				_, engine := m.retention[logs+"engine-log"]
				d := m.group.LogDeliveryConfigurations
				return !engine && len(d) == 1 && d[0].LogFormat == "text" &&
					*d[0].DestinationDetails.CloudWatchLogsDetails.LogGroup == logs+"slow-log"
			}},
		{"log retention", []line{{"cloudwatch_log_retention_days", "7"}},
			func(m made) bool { return m.retention[logs+"slow-log"] == 7 && len(m.retention) == 1 }},
		{"thresholds and actions", []line{{"alarm_thresholds", "{ cpu = 70 }"},
			{"alarm_sns_topic_arn", "module.sns.critical_topic_arn"}}, func(m made) bool {
			a := m.alarms[shop+"-001-cpu"]
			return *a.Threshold == 70 && strings.Contains(*a.AlarmDescription, "70") && len(a.AlarmActions) == 1 &&
				len(a.OKActions) == 1 && len(m.alarms) == 18
		}},
		{"which alarms", []line{{"enabled_alarms", `["cpu", "hit-rate"]`}},
			func(m made) bool { return len(m.alarms) == 4 }},
		{"tags", []line{{"tags", `{ Team = "payments" }`}}, func(m made) bool {
			for _, tags := range m.tags {
				if tags["Team"] != "payments" {
					return false
				}
			}
			return len(m.tags) == 1+4+1
		}},
		{"other tags", []line{{"tags", `{ Owner = "ops" }`}}, func(m made) bool {
			for _, tags := range m.tags {
				if _, left := tags["Team"]; left || tags["Owner"] != "ops" {
					return false
				}
			}
			return true
		}},
		{"node type", []line{{"node_type", `"cache.t3.small"`}},
			func(m made) bool { return *m.group.CacheNodeType == "cache.t3.small" }},
		{"three nodes", []line{{"num_cache_nodes", "3"}}, func(m made) bool {
			a, made := m.alarms[shop+"-003-cpu"]
			return len(m.group.MemberClusters) == 3 && made && *a.Dimensions[0].Value == m.group.MemberClusters[2] &&
				len(m.alarms) == 6
		}},
		{"one node", []line{{"num_cache_nodes", "1"}, {"multi_az_enabled", "false"},
			{"automatic_failover_enabled", "false"}}, func(m made) bool {
			return len(m.group.MemberClusters) == 1 && len(m.alarms) == 2 && m.group.AutomaticFailover == "disabled" &&
				m.group.MultiAZ == "disabled"
		}},
		{"two nodes", []line{{"num_cache_nodes", "2"}, {"multi_az_enabled", "true"},
			{"automatic_failover_enabled", "true"}}, func(m made) bool {
			return len(m.group.MemberClusters) == 2 && m.group.AutomaticFailover == "enabled" &&
				m.group.MultiAZ == "enabled"
		}},
		{"token, rotated", []line{{"auth_token", `"` + tokenB + `"`}}, func(m made) bool {
			return strings.Contains(m.secret, tokenB) && d.answers(tokenA) && d.answers(tokenB)
		}},
		{"token, set", []line{{"auth_token", `"` + tokenC + `"`}, {"auth_token_update_strategy", `"SET"`}},
			func(m made) bool {
				return strings.Contains(m.secret, tokenC) && !d.answers(tokenA) && !d.answers(tokenB) &&
					d.answers(tokenC)
			}},
		{"in the maintenance window", []line{{"node_type", `"cache.t3.micro"`}, {"apply_immediately", "false"}},
			func(m made) bool {
				return *m.group.CacheNodeType == "cache.t3.small" &&
					aws.ToString(m.cluster.PendingModifiedValues.CacheNodeType) == "cache.t3.micro"
			}},
	} {
		lines = append(lines, change.lines...)
		dir := d.write("main.tf", shopCall(lines...))
		d.must("up", dir)
		if m := d.describe(); !change.holds(m) {
			raw, err := json.MarshalIndent(m.group, "", " ")
			t.Fatalf("%s: not what the call says: %d alarms, retention %v, tags %v, %v\n%s", change.name, len(m.alarms),
				m.retention, m.tags, err, raw)
		}
		if out := d.must("up", dir); !strings.Contains(out, "nothing to change") {
			t.Errorf("%s: a second up says %s", change.name, out)
		}
	}
	d.must("destroy", "--yes")
	d.gone()
}

// answers tells whether the group's primary takes a token.
func (d *harness) answers(token string) bool {
	line := strings.TrimSpace(d.must("outputs", "connection_test_command"))
	return d.shell(strings.Replace(line, "$(larder outputs --deployment "+shop+" auth_token)", token,
		1)).stdout == "PONG\n"
}

// gone checks that a destroy left nothing behind; a secret stays for its recovery window.
func (d *harness) gone() {
	d.t.Helper()
	ctx, config := context.Background(), d.config()
	alarms, err := cloudwatch.NewFromConfig(config).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	d.check(err)
	logs, err := cloudwatchlogs.NewFromConfig(config).DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	d.check(err)
	secrets, err := secretsmanager.NewFromConfig(config).ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
	d.check(err)
	groups, err := ec2.NewFromConfig(config).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{
		Filters: []ec2types.Filter{{Name: aws.String("group-name"), Values: []string{shop}}},
	})
	d.check(err)
	if len(alarms.MetricAlarms)+len(logs.LogGroups)+len(secrets.SecretList)+len(groups.SecurityGroups) > 0 {
		d.t.Errorf("left behind: %d alarms, %d log groups, %d secrets, %d security groups",
			len(alarms.MetricAlarms), len(logs.LogGroups), len(secrets.SecretList), len(groups.SecurityGroups))
	}
}

// What a call asks for besides the defaults: a security group of its own, a dashboard, a key for the secret and the
// logs.
func TestEveryKindOfResource(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	lines := []line{
		{"num_cache_nodes", "1"}, {"multi_az_enabled", "false"}, {"automatic_failover_enabled", "false"},
		{"create_security_group", "true"},
		{"allowed_cidrs", `["10.0.0.0/16"]`}, {"create_dashboard", "true"},
		{"auth_token_secret_kms_key_arn", "module.kms.key_arn"},
		{"cloudwatch_log_kms_key_arn", "module.kms.key_arn"}, {"log_group_prefix", `"/shop"`},
	}
	dir := d.write("main.tf", shopCall(lines...))
	d.must("up", dir)
	if out := d.must("up", dir); !strings.Contains(out, "nothing to change") {
		t.Errorf("a second up says %s", out)
	}
	ctx, config := context.Background(), d.config()
	m := d.describe()
	if len(m.cluster.SecurityGroups) != 2 || len(m.retention) != 2 || len(m.alarms) != 8 {
		t.Errorf("%d security groups, log groups %v, %d alarms", len(m.cluster.SecurityGroups), m.retention,
			len(m.alarms))
	}
	if got := strings.TrimSpace(d.must("outputs", "slow_log_group_name")); got != "/shop/"+shop+"/slow-log" {
		t.Errorf("the slow log goes to %s", got)
	}
	dashboard, err := cloudwatch.NewFromConfig(config).GetDashboard(ctx,
		&cloudwatch.GetDashboardInput{DashboardName: aws.String(shop)})
	d.check(err)
	if got := strings.TrimSpace(d.must("outputs", "dashboard_arn")); got != *dashboard.DashboardArn {
		t.Errorf("dashboard_arn is %s", got)
	}
	rules := func() (networks []string) {
		all, err := ec2.NewFromConfig(config).DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{
			Filters: []ec2types.Filter{{Name: aws.String("group-id"),
				Values: []string{*m.cluster.SecurityGroups[1].SecurityGroupId}}},
		})
		d.check(err)
		for _, r := range all.SecurityGroupRules {
			networks = append(networks, aws.ToString(r.CidrIpv4))
		}
		return networks
	}
	if got := rules(); !slices.Equal(got, []string{"10.0.0.0/16"}) {
		t.Errorf("the security group lets in %v", got)
	}
	d.must("up", d.write("main.tf", shopCall(append(lines, line{"allowed_cidrs", `["10.1.0.0/16"]`})...)))
	if got := rules(); !slices.Equal(got, []string{"10.1.0.0/16"}) {
		t.Errorf("after the change the security group lets in %v", got)
	}
	d.must("up", d.write("main.tf",
		shopCall(append(lines, line{"create_security_group", "false"}, line{"allowed_cidrs", "[]"},
			line{"create_dashboard", "false"})...)))
	if m := d.describe(); len(m.cluster.SecurityGroups) != 1 {
		t.Errorf("the nodes still have %d security groups", len(m.cluster.SecurityGroups))
	}
	d.must("destroy", "--yes")
	d.gone()
	d.must("up", dir) // the secret, in its recovery window, is restored
	if r := d.shell(strings.TrimSpace(d.must("outputs", "connection_test_command"))); r.stdout != "PONG\n" {
		t.Errorf("after destroy and up: %q %q", r.stdout, r.stderr)
	}
}

// Groups that the call names are used, and left alone when it goes.
func TestGivenGroups(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	alone := []line{{"num_cache_nodes", "1"}, {"multi_az_enabled", "false"}, {"automatic_failover_enabled", "false"},
		{"create_alarms", "false"}}
	d.must("up", d.write("main.tf", shopCall(alone...)))
	ctx, config := context.Background(), d.config()
	ec, logs := elasticache.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config)
	mine := aws.String("mine")
	_, err := ec.CreateCacheParameterGroup(ctx,
		&elasticache.CreateCacheParameterGroupInput{CacheParameterGroupName: mine,
			CacheParameterGroupFamily: aws.String("redis7"), Description: mine})
	d.check(err)
	_, err = logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: mine})
	d.check(err)
	dir := d.write("main.tf", shopCall(append(alone, line{"project_name", `"store"`},
		line{"create_subnet_group", "false"}, line{"subnet_group_name", `"` + shop + `-subnets"`},
		line{"create_parameter_group", "false"}, line{"parameter_group_name", `"mine"`}, line{"create_log_groups",
			"false"}, line{"slow_log_destination", `"mine"`},
		line{"engine_log_destination", `"mine"`})...))
	d.must("up", dir)
	clusters, err := ec.DescribeCacheClusters(ctx,
		&elasticache.DescribeCacheClustersInput{CacheClusterId: aws.String("store-dev-redis-001")})
	d.check(err)
	c := clusters.CacheClusters[0]
	if *c.CacheSubnetGroupName != shop+"-subnets" || *c.CacheParameterGroup.CacheParameterGroupName != "mine" ||
		*c.LogDeliveryConfigurations[0].DestinationDetails.CloudWatchLogsDetails.LogGroup != "mine" {
		t.Errorf("the node is in %s with %s", *c.CacheSubnetGroupName, *c.CacheParameterGroup.CacheParameterGroupName)
	}
	if out := d.must("up", dir); !strings.Contains(out, "nothing to change") {
		t.Errorf("a second up says %s", out)
	}
	d.must("destroy", "store-dev-redis", "--yes")
	if _, err := ec.DescribeCacheParameterGroups(ctx,
		&elasticache.DescribeCacheParameterGroupsInput{CacheParameterGroupName: mine}); err != nil {
		t.Errorf("the given parameter group: %v", err)
	}
	if groups, err := logs.DescribeLogGroups(ctx,
		&cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: mine}); err != nil || len(groups.LogGroups) != 1 {
		t.Errorf("the given log group: %v", err)
	}
}

// A call that the API refuses half way leaves nothing behind.
func TestAFailedUpLeavesNothing(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.refused([]string{"up", d.write("main.tf",
		shopCall(line{"parameters", `[{ name = "no-such-parameter", value = "1" }]`},
			line{"create_security_group", "true"}))}, "no-such-parameter")
	d.gone()
	if r := d.larder("outputs"); !strings.Contains(r.stderr, "there is no deployment") {
		t.Errorf("outputs say %s%s", r.stdout, r.stderr)
	}
}
