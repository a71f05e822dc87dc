package module

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// observe returns what AWS describes once the resources exist.
func observe(r Resources) Observed {
	want := r.ReplicationGroup
	id := *want.ReplicationGroupId
	end := func(host string) *ectypes.Endpoint {
		return &ectypes.Endpoint{Address: aws.String(host), Port: want.Port}
	}
	group := &ectypes.ReplicationGroup{
		ReplicationGroupId: want.ReplicationGroupId, Description: want.ReplicationGroupDescription,
		CacheNodeType:     want.CacheNodeType,
		ARN:               aws.String("arn:aws:elasticache:us-east-1:000000000000:replicationgroup:" + id),
		Status:            aws.String("available"),
		AutomaticFailover: ectypes.AutomaticFailoverStatusDisabled, MultiAZ: ectypes.MultiAZStatusDisabled,
		ClusterEnabled:           aws.Bool(want.NumNodeGroups != nil),
		TransitEncryptionEnabled: aws.Bool(aws.ToBool(want.TransitEncryptionEnabled)),
		TransitEncryptionMode:    want.TransitEncryptionMode,
		AtRestEncryptionEnabled:  aws.Bool(aws.ToBool(want.AtRestEncryptionEnabled)),
		KmsKeyId:                 want.KmsKeyId, AuthTokenEnabled: &r.AuthTokenEnabled,
		SnapshotRetentionLimit: aws.Int32(aws.ToInt32(want.SnapshotRetentionLimit)),
		SnapshotWindow:         want.SnapshotWindow,
	}
	if *group.TransitEncryptionEnabled && group.TransitEncryptionMode == "" {
		group.TransitEncryptionMode = ectypes.TransitEncryptionModeRequired
	}
	if *want.AutomaticFailoverEnabled {
		group.AutomaticFailover = ectypes.AutomaticFailoverStatusEnabled
	}
	if aws.ToBool(want.MultiAZEnabled) {
		group.MultiAZ = ectypes.MultiAZStatusEnabled
	}
	if want.NumNodeGroups == nil {
		group.NodeGroups = []ectypes.NodeGroup{{PrimaryEndpoint: end("127.0.10.1"), ReaderEndpoint: end("127.0.10.2")}}
		for n := range *want.NumCacheClusters {
			group.MemberClusters = append(group.MemberClusters, id+"-00"+string(rune('1'+n)))
		}
	} else {
		group.ConfigurationEndpoint = end("127.0.10.9")
		for range *want.NumNodeGroups {
			group.NodeGroups = append(group.NodeGroups, ectypes.NodeGroup{})
			for range aws.ToInt32(want.ReplicasPerNodeGroup) + 1 {
				group.MemberClusters = append(group.MemberClusters,
					id+"-000"+string(rune('0'+len(group.NodeGroups)))+"-00"+
						string(rune('1'+len(group.MemberClusters)%3)))
			}
		}
	}
	cluster := &ectypes.CacheCluster{
		EngineVersion:        aws.String("7.0.15"),
		CacheParameterGroup:  &ectypes.CacheParameterGroupStatus{CacheParameterGroupName: want.CacheParameterGroupName},
		CacheSubnetGroupName: want.CacheSubnetGroupName, PreferredMaintenanceWindow: want.PreferredMaintenanceWindow,
		AutoMinorVersionUpgrade: want.AutoMinorVersionUpgrade,
	}
	for _, g := range want.SecurityGroupIds {
		cluster.SecurityGroups = append(cluster.SecurityGroups,
			ectypes.SecurityGroupMembership{SecurityGroupId: aws.String(g)})
	}
	if want.NotificationTopicArn != nil {
		cluster.NotificationConfiguration = &ectypes.NotificationConfiguration{TopicArn: want.NotificationTopicArn}
	}
	for _, d := range want.LogDeliveryConfigurations {
		group.LogDeliveryConfigurations = append(group.LogDeliveryConfigurations, ectypes.LogDeliveryConfiguration{
			LogType: d.LogType, LogFormat: d.LogFormat, DestinationType: d.DestinationType,
			DestinationDetails: d.DestinationDetails, Status: "enabling",
		})
	}
	tags := map[string]string{"aws:internal": "x"}
	maps.Copy(tags, r.Tags)
	o := Observed{ReplicationGroup: group, CacheCluster: cluster, Tags: map[string]map[string]string{"group": tags}}
	observeMonitoring(r, &o)
	if r.SubnetGroup == nil || r.ParameterGroup == nil {
		return o
	}
	o.SubnetGroup = &ectypes.CacheSubnetGroup{CacheSubnetGroupDescription: r.SubnetGroup.CacheSubnetGroupDescription}
	for i := len(r.SubnetGroup.SubnetIds) - 1; i >= 0; i-- { // AWS promises no order
		o.SubnetGroup.Subnets = append(o.SubnetGroup.Subnets,
			ectypes.Subnet{SubnetIdentifier: aws.String(r.SubnetGroup.SubnetIds[i])})
	}
	o.ParameterGroup = &ectypes.CacheParameterGroup{CacheParameterGroupFamily: r.ParameterGroup.CacheParameterGroupFamily}
	for _, p := range r.Parameters {
		o.Parameters = append(o.Parameters,
			ectypes.Parameter{ParameterName: p.ParameterName, ParameterValue: p.ParameterValue})
	}
	return o
}

func observeMonitoring(r Resources, o *Observed) {
	const account = "us-east-1:000000000000"
	if r.Secret != nil {
		o.Secret = &secretsmanager.DescribeSecretOutput{Name: r.Secret.Name, KmsKeyId: r.Secret.KmsKeyId}
	}
	for _, g := range r.LogGroups {
		have := logtypes.LogGroup{LogGroupName: g.Create.LogGroupName, KmsKeyId: g.Create.KmsKeyId,
			Arn: aws.String("arn:aws:logs:" + account + ":log-group:" + *g.Create.LogGroupName + ":*")}
		if g.RetentionInDays > 0 {
			have.RetentionInDays = aws.Int32(g.RetentionInDays)
		}
		o.LogGroups = append(o.LogGroups, have)
	}
	for _, a := range r.Alarms {
		o.Alarms = append(o.Alarms, cwtypes.MetricAlarm{
			AlarmName: a.AlarmName, AlarmArn: aws.String("arn:aws:cloudwatch:" + account + ":alarm:" + *a.AlarmName),
			AlarmDescription: a.AlarmDescription,
			ActionsEnabled:   a.ActionsEnabled, AlarmActions: a.AlarmActions, OKActions: a.OKActions,
			InsufficientDataActions: a.InsufficientDataActions,
			ComparisonOperator:      a.ComparisonOperator, Threshold: a.Threshold,
			EvaluationPeriods: a.EvaluationPeriods,
			DatapointsToAlarm: a.DatapointsToAlarm,
			TreatMissingData:  a.TreatMissingData, Namespace: a.Namespace, MetricName: a.MetricName,
			Statistic: a.Statistic, Period: a.Period,
			Dimensions: a.Dimensions, Metrics: a.Metrics,
		})
	}
	if r.Dashboard != nil {
		o.Dashboard = &cloudwatch.GetDashboardOutput{
			DashboardArn:  aws.String("arn:aws:cloudwatch::000000000000:dashboard/" + *r.Dashboard.DashboardName),
			DashboardBody: aws.String(strings.ReplaceAll(*r.Dashboard.DashboardBody, ",", ", ")),
		}
	}
}

func TestNothingToDoAfterCreation(t *testing.T) {
	for name := range seedHeadings {
		call, diags := load("testdata/seed/"+name+".tf", Vars{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		r := call.Resources(Known{})
		if changes := Diff(r, observe(r)); len(changes) > 0 {
			t.Errorf("%s: changes are %+v, want none", name, changes)
		}
	}
}

func TestNothingIsComparedBeforeCreation(t *testing.T) {
	if changes := Diff(mustLoad(t, block()).Resources(Known{}), Observed{}); len(changes) > 0 {
		t.Errorf("changes are %+v, want none", changes)
	}
}

// Each row changes a line of the call and says what differs then. What cannot be made now is refused by the input's
// name.
func TestDiff(t *testing.T) {
	made := func(field, input, old, new string) Change {
		return Change{Resource: ReplicationGroupResource, Field: field, Input: input, Old: old, New: new}
	}
	refused := func(field, input, old, new string) Change {
		c := made(field, input, old, new)
		c.Refused = "yes"
		return c
	}
	of := func(resource, name, field, input, old, new string) Change {
		return Change{Resource: resource, Name: name, Field: field, Input: input, Old: old, New: new}
	}
	const logs = "/aws/elasticache/shop-dev-redis/"
	cluster := []string{`cluster_mode_enabled = true`, `num_node_groups = 2`}
	s := testStandIns()
	tests := map[string]struct {
		before, after []string
		want          []Change
	}{
		"node type": {nil, []string{`node_type = "cache.r6g.large"`},
			[]Change{made("CacheNodeType", "node_type", "cache.t3.medium", "cache.r6g.large")}},
		"nodes": {nil, []string{`num_cache_nodes = 3`},
			[]Change{made("NumCacheClusters", "num_cache_nodes", "2", "3")}},
		"description": {nil, []string{`description = "x"`},
			[]Change{made("ReplicationGroupDescription", "description", "Redis of shop in dev", "x")}},
		"port": {nil, []string{`redis_port = 7000`}, []Change{refused("Port", "redis_port", "6379", "7000")}},
		"multi-az": {nil, []string{`multi_az_enabled = false`},
			[]Change{made("MultiAZEnabled", "multi_az_enabled", "true", "false")}},
		"at rest": {nil, []string{`at_rest_encryption_enabled = false`},
			[]Change{refused("AtRestEncryptionEnabled", "at_rest_encryption_enabled", "true", "false"),
				refused("KmsKeyId", "kms_key_arn", s.KMSKeyARN, "")}},
		"token": {nil, []string{`auth_token_enabled = false`},
			[]Change{refused("AuthToken", "auth_token_enabled", "true", "false")}},
		"tls": {[]string{`auth_token_enabled = false`},
			[]string{`auth_token_enabled = false`,
				`transit_encryption_enabled = false`}, []Change{refused("TransitEncryptionEnabled",
				"transit_encryption_enabled", "true", "false")}},
		"failover": {[]string{`multi_az_enabled = false`},
			[]string{`multi_az_enabled = false`,
				`automatic_failover_enabled = false`}, []Change{made("AutomaticFailoverEnabled",
				"automatic_failover_enabled", "true", "false")}},
		"snapshots": {nil, []string{`enable_snapshots = false`},
			[]Change{made("SnapshotRetentionLimit", "snapshot_retention_limit", "7", "0")}},
		"window": {nil, []string{`snapshot_window = "01:00-02:00"`},
			[]Change{made("SnapshotWindow", "snapshot_window", "03:00-05:00", "01:00-02:00")}},
		"maintenance": {nil, []string{`maintenance_window = "mon:05:00-mon:07:00"`},
			[]Change{made("PreferredMaintenanceWindow", "maintenance_window", "sun:05:00-sun:07:00",
				"mon:05:00-mon:07:00")}},
		"topic": {nil, []string{`notification_topic_arn = module.sns.info_topic_arn`},
			[]Change{made("NotificationTopicArn", "notification_topic_arn", "", s.InfoTopicARN)}},
		"upgrades": {nil, []string{`auto_minor_version_upgrade = false`},
			[]Change{made("AutoMinorVersionUpgrade", "auto_minor_version_upgrade", "true", "false")}},
		"groups": {nil, []string{`additional_security_group_ids = ["sg-0000000b"]`},
			[]Change{made("SecurityGroupIds", "redis_security_group_id", "sg-0000000a", "sg-0000000a, sg-0000000b")}},
		"shards": {cluster, []string{cluster[0], `num_node_groups = 3`},
			[]Change{refused("NumNodeGroups", "num_node_groups", "2", "3")}},
		"replicas": {cluster, append(cluster[:2:2], `replicas_per_node_group = 2`),
			[]Change{refused("ReplicasPerNodeGroup", "replicas_per_node_group", "1", "2")}},
		"zones": {nil, []string{`preferred_cache_cluster_azs = ["us-east-1a", "us-east-1b"]`}, nil},
		"engine": {[]string{`redis_engine_version = "7.0"`}, []string{`redis_engine_version = "6.2"`},
			[]Change{made("CacheParameterGroupName", "redis_engine_version", "shop-dev-redis-redis7",
				"shop-dev-redis-redis6x"), refused("EngineVersion", "redis_engine_version", "7.0.15",
				"6.2"), {Resource: ParameterGroupResource, Field: "CacheParameterGroupFamily",
				Input: "parameter_group_family", Old: "redis7", New: "redis6.x", Refused: "yes"}}},
		"cluster mode": {nil, cluster, []Change{refused("ClusterMode", "cluster_mode_enabled", "false", "true"),
			{Resource: ParameterResource, Field: "cluster-enabled", Input: "cluster_mode_enabled", New: "yes",
				Refused: "yes"}}},

		"policy": {nil, []string{`maxmemory_policy = "noeviction"`},
			[]Change{{Resource: ParameterResource, Field: "maxmemory-policy", Input: "maxmemory_policy",
				Old: "allkeys-lru", New: "noeviction"}}},
		"notify": {[]string{`notify_keyspace_events = "Ex"`}, nil,
			[]Change{{Resource: ParameterResource, Field: "notify-keyspace-events", Input: "notify_keyspace_events",
				Old: "Ex", Remove: true}}},
		"own": {nil, []string{`parameters = [{ name = "hz", value = 20 }]`},
			[]Change{{Resource: ParameterResource, Field: "hz", Input: "parameters", New: "20"}}},
		"tags": {[]string{`tags = { a = 1, b = "" }`}, []string{`tags = { b = "x", c = "" }`},
			[]Change{{Resource: TagResource, Name: "group", Field: "a", Input: "tags", Old: "1", Remove: true},
				{Resource: TagResource, Name: "group", Field: "b", Input: "tags", New: "x"},
				{Resource: TagResource, Name: "group", Field: "c", Input: "tags"}}},
		"subnets": {nil, []string{`redis_subnet_ids = ["subnet-0000000a", "subnet-0000000d"]`},
			[]Change{{Resource: SubnetGroupResource, Field: "SubnetIds", Input: "redis_subnet_ids",
				Old: "subnet-0000000a, subnet-0000000b, subnet-0000000c", New: "subnet-0000000a, subnet-0000000d"}}},
		"reorder":  {nil, []string{`redis_subnet_ids = reverse(module.vpc.private_data_subnet_ids)`}, nil},
		"no alarm": {nil, []string{`create_alarms = false`, `skip_final_snapshot = true`}, nil},

		"newer": {nil, []string{`redis_engine_version = "7.1"`},
			[]Change{made("EngineVersion", "redis_engine_version", "7.0.15", "7.1")}},
		"token added": {[]string{`auth_token_enabled = false`}, nil,
			[]Change{made("AuthToken", "auth_token_enabled", "false", "true")}},
		"log off": {nil, []string{`slow_log_enabled = false`},
			[]Change{made("LogDeliveryConfigurations", "slow_log_enabled", "json to "+logs+"slow-log", "")}},
		"log form": {nil, []string{`log_format = "text"`, `engine_log_enabled = false`},
			[]Change{made("LogDeliveryConfigurations", "engine_log_enabled", "json to "+logs+"engine-log", ""),
				made("LogDeliveryConfigurations", "slow_log_enabled", "json to "+logs+"slow-log",
					"text to "+logs+"slow-log")}},
		"retention": {nil, []string{`cloudwatch_log_retention_days = 0`}, []Change{
			of(LogGroupResource, logs+"engine-log", "RetentionInDays", "cloudwatch_log_retention_days", "30", "0"),
			of(LogGroupResource, logs+"slow-log", "RetentionInDays", "cloudwatch_log_retention_days", "30", "0"),
		}},
		"log key": {nil, []string{`cloudwatch_log_kms_key_arn = module.kms.key_arn`, `engine_log_enabled = false`},
			[]Change{made("LogDeliveryConfigurations", "engine_log_enabled", "json to "+logs+"engine-log", ""),
				of(LogGroupResource, logs+"slow-log", "KmsKeyId", "cloudwatch_log_kms_key_arn", "", s.KMSKeyARN)}},
		"secret key": {nil, []string{`auth_token_secret_kms_key_arn = module.kms.key_arn`},
			[]Change{of(SecretResource, "", "KmsKeyId", "auth_token_secret_kms_key_arn", "", s.KMSKeyARN)}},
		"threshold": {nil, []string{`alarm_thresholds = { cpu = 70 }`, `enabled_alarms = ["cpu"]`}, []Change{
			of(AlarmResource, "shop-dev-redis-001-cpu", "AlarmDescription", "alarm_thresholds",
				"CPU utilization is above 80 percent", "CPU utilization is above 70 percent"),
			of(AlarmResource, "shop-dev-redis-001-cpu", "Threshold", "alarm_thresholds", "80", "70"),
			of(AlarmResource, "shop-dev-redis-002-cpu", "AlarmDescription", "alarm_thresholds",
				"CPU utilization is above 80 percent", "CPU utilization is above 70 percent"),
			of(AlarmResource, "shop-dev-redis-002-cpu", "Threshold", "alarm_thresholds", "80", "70"),
		}},
		"actions": {nil, []string{`alarm_sns_topic_arn = module.sns.critical_topic_arn`, `alarm_ok_actions = []`,
			`enabled_alarms = ["hit-rate"]`}, []Change{
			of(AlarmResource, "shop-dev-redis-001-hit-rate", "AlarmActions", "alarm_sns_topic_arn", "",
				s.CriticalTopicARN),
			of(AlarmResource, "shop-dev-redis-002-hit-rate", "AlarmActions", "alarm_sns_topic_arn", "",
				s.CriticalTopicARN),
		}},
		"dashboard": {[]string{`create_dashboard = true`},
			[]string{`create_dashboard = true`, `alarm_thresholds = { cpu = 70 }`, `enabled_alarms = []`}, nil},
		"graphs": {[]string{`create_dashboard = true`, `create_alarms = false`},
			[]string{`create_dashboard = true`, `create_alarms = false`,
				`num_cache_nodes = 3`}, []Change{made("NumCacheClusters", "num_cache_nodes", "2", "3"),
				of(DashboardResource, "", "DashboardBody", "create_dashboard", "", "")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Diff(mustLoad(t, block(tt.after...)).Resources(Known{}),
				observe(mustLoad(t, block(tt.before...)).Resources(Known{})))
			for i, c := range got {
				if c.Refused != "" {
					if !strings.HasPrefix(c.Refused, c.Input+": ") {
						t.Errorf("refusal %q does not begin with the input %s", c.Refused, c.Input)
					}
					got[i].Refused = "yes"
				}
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// A topic that became inactive is to be given again, which makes it active.
func TestAnInactiveTopicIsGivenAgain(t *testing.T) {
	const topic = "arn:aws:sns:us-east-1:123456789012:events"
	call := mustLoad(t, block(`notification_topic_arn = "`+topic+`"`))
	observed := observe(call.Resources(Known{}))
	desired := call.Resources(observed.Known())
	for status, want := range map[string][]Change{
		"active": nil, "inactive": {{Resource: ReplicationGroupResource,
			Field: "NotificationTopicArn", Input: "notification_topic_arn", Old: topic + " (inactive)", New: topic}},
	} {
		observed.CacheCluster.NotificationConfiguration.TopicStatus = &status
		changes := Diff(desired, observed)
		if diff := cmp.Diff(want, changes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", status, diff)
		}
		if m := desired.Modification(observed, changes); (m.Modify != nil) != (want != nil) ||
			want != nil && aws.ToString(m.Modify.NotificationTopicArn) != topic {
			t.Errorf("%s: asks for %+v", status, m.Modify)
		}
	}
}

func TestRefusedChangeSaysWhatToDo(t *testing.T) {
	got := Diff(mustLoad(t, block(`redis_port = 6380`)).Resources(Known{}),
		observe(mustLoad(t, block()).Resources(Known{})))
	want := `redis_port: larder cannot change it from "6379" to "6380" while the group exists: set it back, or delete ` +
		`the group and create it again`
	if len(got) != 1 || got[0].Refused != want {
		t.Errorf("changes are %+v, want one refused with %s", got, want)
	}
}

func TestEngineVersionRuns(t *testing.T) {
	tests := []struct {
		want, have string
		upgrades   bool
		ok         bool
	}{
		{"7.0", "7.0.15", false, true}, {"7.0", "7.0.7", true, true}, {"7.0", "7.1.0", true, true},
		{"7.0", "7.1.0", false, false},
		{"7.1", "7.0.15", true, false}, {"6.x", "6.2.6", false, true}, {"6.x", "7.0.4", true, false},
		{"5.0.6", "5.0.6", false, true},
		{"6.2", "6.20.1", false, false}, {"7.0", "", true, false},
	}
	for _, tt := range tests {
		if got := runs(tt.want, tt.have, tt.upgrades); got != tt.ok {
			t.Errorf("runs(%q, %q, %v) = %v, want %v", tt.want, tt.have, tt.upgrades, got, tt.ok)
		}
	}
}
