package cycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// change is one of the updates that Terraform makes without replacing the group.
type change struct {
	name     string
	old, new string               // of the example's main.tf
	took     func(c *cloud) error // tells why the change did not take effect
}

// round is what one apply changes: updates that do not disturb each other.
type round []change

// The tokens that firstToken is changed to.
const secondToken = "second-token-0123456789"

// matrix lists the rounds by example.
var matrix = map[string][]round{
	"development": {
		{
			{"token, by ROTATE", "= var.redis_auth_token", `= "` + secondToken + `"`,
				tokens(map[string]bool{firstToken: true, secondToken: true})},
			{"description", `create_alarms = false`, "create_alarms = false\n  description = \"Carts of the shop\"",
				described(func(g ectypes.ReplicationGroup) string { return *g.Description }, "Carts of the shop")},
			{"auto_minor_version_upgrade", `create_alarms = false`,
				"create_alarms = false\n  auto_minor_version_upgrade = false",
				everyCluster(func(c ectypes.CacheCluster) string { return fmt.Sprint(aws.ToBool(c.AutoMinorVersionUpgrade)) },
					"false")},
			{"7.1 on the server of 7.0", `redis_engine_version = "7.0"`, `redis_engine_version = "7.1"`,
				all(everyCluster(func(c ectypes.CacheCluster) string { return *c.EngineVersion }, "7.1.0"),
					onServer("7.0"))},
		},
		{
			{"token, by SET", "auth_token_enabled ", "auth_token_update_strategy = \"SET\"\n  auth_token_enabled ",
				tokens(map[string]bool{firstToken: false, secondToken: true})},
		},
		{
			{"node type of a single node", `"cache.t3.medium"`, `"cache.t3.small"`,
				nodeType("cache.t3.small", 1471026299)},
		},
	},
	"staging": {
		{{"node type", `"cache.t3.large"`, `"cache.m6g.large"`, nodeType("cache.m6g.large", 6854542746)}},
		{{"2 to 3 nodes", `num_cache_nodes            = 2`, `num_cache_nodes            = 3`, members(3)}},
		{{"3 to 2 nodes", `num_cache_nodes            = 3`, `num_cache_nodes            = 2`, members(2)}},
	},
	"production": {
		{
			{"parameter value", `"allkeys-lru"`, `"volatile-ttl"`, everyNode("maxmemory_policy", "volatile-ttl")},
			{"alarm thresholds", "# Monitoring", "alarm_thresholds = { cpu = 61 }", thresholds("CPUUtilization", 61)},
			{"alarm topic", "module.sns.critical_topic_arn", "module.sns.warning_topic_arn",
				alarmTopic("uex-payments-prod-warning")},
			{"notification topic", "module.sns.info_topic_arn", "module.sns.critical_topic_arn",
				everyCluster(notificationTopic, "uex-payments-prod-critical active")},
			{"log retention", `cloudwatch_log_retention_days = 90`, `cloudwatch_log_retention_days = 30`,
				logRetention("/aws/elasticache/", 30)},
			{"snapshot window", `"03:00-05:00"`, `"01:00-02:00"`,
				described(func(g ectypes.ReplicationGroup) string { return *g.SnapshotWindow }, "01:00-02:00")},
			{"maintenance window", `"sun:05:00-sun:07:00"`, `"mon:08:00-mon:09:00"`,
				everyCluster(func(c ectypes.CacheCluster) string { return *c.PreferredMaintenanceWindow },
					"mon:08:00-mon:09:00")},
			{"retention", `snapshot_retention_limit = 7`, `snapshot_retention_limit = 9`,
				described(retention, "9")},
			{"description", "# Backups", `description = "Orders of the shop"`,
				described(func(g ectypes.ReplicationGroup) string { return *g.Description }, "Orders of the shop")},
			{"tags", `Backup      = "daily"`, `Restore = "hourly"`, tag("Restore", "hourly", "Backup")},
		},
		// Outside of the maintenance window with apply_immediately only, which is not production's default.
		{{"engine version", `redis_engine_version = "7.0"`,
			"apply_immediately = true\n  redis_engine_version = \"7.1\"", engineVersion(laterVersion)}},
	},
}

// made waits until a change has taken effect: parameters reach the nodes a moment after they are accepted.
func (c change) made(t *testing.T, s *stack) {
	t.Run(c.name, func(t *testing.T) {
		if err := eventually(func() error { return c.took(s.cloud) }); err != nil {
			t.Error(err)
		}
	})
}

// described checks what DescribeReplicationGroups says.
func described(field func(ectypes.ReplicationGroup) string, want string) func(*cloud) error {
	return func(c *cloud) error {
		g, err := c.group()
		if err != nil {
			return err
		}
		if got := field(g); got != want {
			return fmt.Errorf("the group is described with %q, want %q", got, want)
		}
		return nil
	}
}

func retention(g ectypes.ReplicationGroup) string { return fmt.Sprint(*g.SnapshotRetentionLimit) }

// everyCluster checks what DescribeCacheClusters says of every member.
func everyCluster(field func(ectypes.CacheCluster) string, want string) func(*cloud) error {
	return func(c *cloud) error {
		clusters, err := c.clusters()
		if err != nil {
			return err
		}
		for _, cluster := range clusters {
			if got := field(cluster); got != want {
				return fmt.Errorf("%s is described with %q, want %q", *cluster.CacheClusterId, got, want)
			}
		}
		return nil
	}
}

func notificationTopic(c ectypes.CacheCluster) string {
	arn := aws.ToString(c.NotificationConfiguration.TopicArn)
	return arn[strings.LastIndex(arn, ":")+1:] + " " + aws.ToString(c.NotificationConfiguration.TopicStatus)
}

// all runs checks until one complains.
func all(checks ...func(*cloud) error) func(*cloud) error {
	return func(c *cloud) error {
		for _, check := range checks {
			if err := check(c); err != nil {
				return err
			}
		}
		return nil
	}
}

// nodeType checks the record and the memory that the servers were given: the type's, but for the quarter that is
// reserved by default.
func nodeType(name string, memory int) func(*cloud) error {
	return all(described(func(g ectypes.ReplicationGroup) string { return *g.CacheNodeType }, name),
		everyCluster(func(c ectypes.CacheCluster) string { return *c.CacheNodeType }, name), everyNode("maxmemory",
			fmt.Sprint(memory/4*3+memory%4*3/4)))
}

// engineVersion checks the record and what the servers call themselves.
func engineVersion(want string) func(*cloud) error {
	return all(everyCluster(func(c ectypes.CacheCluster) string { return *c.EngineVersion }, want),
		everyNode("redis_version", want))
}

// onServer checks that servers of a major.minor run.
func onServer(minor string) func(*cloud) error {
	return func(c *cloud) error {
		nodes, err := c.info()
		for id, fields := range nodes {
			if v := fields["redis_version"]; !strings.HasPrefix(v, minor+".") {
				return fmt.Errorf("%s is a server of %s, want one of %s", id, v, minor)
			}
		}
		return err
	}
}

// tokens checks which tokens open a connection, and that the secret has the new one.
func tokens(want map[string]bool) func(*cloud) error {
	return func(c *cloud) error {
		for token, opens := range want {
			got, err := c.opens(token)
			if err != nil {
				return err
			}
			if got != opens {
				return fmt.Errorf("%s opens a connection through the primary endpoint: %v, want %v", token, got, opens)
			}
		}
		if kept, err := c.token(); err != nil || kept != secondToken {
			return fmt.Errorf("the secret has %q (%w), want %q", kept, err, secondToken)
		}
		return nil
	}
}

func tag(key, value, gone string) func(*cloud) error {
	return func(c *cloud) error {
		g, err := c.group()
		if err != nil {
			return err
		}
		out, err := c.cache.ListTagsForResource(context.Background(),
			&elasticache.ListTagsForResourceInput{ResourceName: g.ARN})
		if err != nil {
			return err
		}
		tags := map[string]string{}
		for _, t := range out.TagList {
			tags[*t.Key] = *t.Value
		}
		if _, kept := tags[gone]; kept || tags[key] != value {
			return fmt.Errorf("the group's tags are %v, want %s = %q and no %s", tags, key, value, gone)
		}
		return nil
	}
}

// everyAlarm checks the alarms that do something.
func everyAlarm(check func(cwtypes.MetricAlarm) error) func(*cloud) error {
	return func(c *cloud) error {
		out, err := c.alarms.DescribeAlarms(context.Background(),
			&cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: &c.id})
		if err != nil {
			return err
		}
		if len(out.MetricAlarms) != 27 {
			return fmt.Errorf("there are %d alarms, want nine for each of three nodes", len(out.MetricAlarms))
		}
		var wrong []error
		for _, a := range out.MetricAlarms {
			wrong = append(wrong, check(a))
		}
		return errors.Join(wrong...)
	}
}

func thresholds(metric string, want float64) func(*cloud) error {
	return everyAlarm(func(a cwtypes.MetricAlarm) error {
		if aws.ToString(a.MetricName) == metric && *a.Threshold != want {
			return fmt.Errorf("%s has the threshold %g, want %g", *a.AlarmName, *a.Threshold, want)
		}
		return nil
	})
}

func alarmTopic(name string) func(*cloud) error {
	return everyAlarm(func(a cwtypes.MetricAlarm) error {
		if len(a.AlarmActions) != 1 || !strings.HasSuffix(a.AlarmActions[0], ":"+name) {
			return fmt.Errorf("%s tells %v, want the topic %s alone", *a.AlarmName, a.AlarmActions, name)
		}
		return nil
	})
}

// logRetention checks the two log groups whose names begin so.
func logRetention(prefix string, days int32) func(*cloud) error {
	return func(c *cloud) error {
		out, err := c.logs.DescribeLogGroups(context.Background(),
			&cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &prefix})
		if err != nil {
			return err
		}
		if len(out.LogGroups) != 2 {
			return fmt.Errorf("there are %d log groups, want 2", len(out.LogGroups))
		}
		for _, g := range out.LogGroups {
			if aws.ToInt32(g.RetentionInDays) != days {
				return fmt.Errorf("%s keeps %d days, want %d", *g.LogGroupName, aws.ToInt32(g.RetentionInDays), days)
			}
		}
		return nil
	}
}
