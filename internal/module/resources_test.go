package module

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sdkTypes lets go-cmp pass over the marker that the SDK puts into every struct.
var sdkTypes = cmpopts.IgnoreUnexported(
	elasticache.CreateReplicationGroupInput{}, elasticache.CreateCacheSubnetGroupInput{},
	elasticache.CreateCacheParameterGroupInput{},
	ectypes.Tag{}, ectypes.ParameterNameValue{}, secretsmanager.CreateSecretInput{}, smtypes.Tag{},
	ectypes.LogDeliveryConfigurationRequest{},
	ectypes.DestinationDetails{}, ectypes.CloudWatchLogsDestinationDetails{}, cloudwatchlogs.CreateLogGroupInput{},
	cloudwatch.PutMetricAlarmInput{},
	cwtypes.Tag{}, cwtypes.Dimension{}, cwtypes.MetricDataQuery{}, cwtypes.MetricStat{}, cwtypes.Metric{},
	ectypes.ConfigureShard{}, elasticache.ModifyReplicationGroupInput{}, elasticache.IncreaseReplicaCountInput{},
	elasticache.DecreaseReplicaCountInput{},
)

func tagList(pairs ...string) (list []ectypes.Tag) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, ectypes.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return list
}

func parameterList(pairs ...string) (list []ectypes.ParameterNameValue) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, ectypes.ParameterNameValue{ParameterName: &pairs[i], ParameterValue: &pairs[i+1]})
	}
	return list
}

func TestResourcesOfProduction(t *testing.T) {
	call, diags := load("testdata/seed/production.tf", Vars{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s := testStandIns()
	tags := tagList("Backup", "daily", "Environment", "prod", "ManagedBy", "larder-module", "Project", "uex-payments",
		"Terraform", "true")
	delivery := func(log ectypes.LogType) ectypes.LogDeliveryConfigurationRequest {
		return ectypes.LogDeliveryConfigurationRequest{
			LogType: log, LogFormat: "json", DestinationType: "cloudwatch-logs", Enabled: aws.Bool(true),
			DestinationDetails: &ectypes.DestinationDetails{CloudWatchLogsDetails: &ectypes.CloudWatchLogsDestinationDetails{
				LogGroup: aws.String("/aws/elasticache/uex-payments-prod-redis/" + string(log)),
			}},
		}
	}
	logGroup := func(log ectypes.LogType) LogGroup {
		return LogGroup{LogType: log, RetentionInDays: 90, Create: &cloudwatchlogs.CreateLogGroupInput{
			LogGroupName: aws.String("/aws/elasticache/uex-payments-prod-redis/" + string(log)),
			Tags:         allTags(&call.Inputs),
		}}
	}
	want := Resources{
		LogGroups: []LogGroup{logGroup("engine-log"), logGroup("slow-log")}, SecretRecovery: 7,
		Tags: allTags(&call.Inputs),
		SubnetGroup: &elasticache.CreateCacheSubnetGroupInput{
			CacheSubnetGroupName:        aws.String("uex-payments-prod-redis-subnets"),
			CacheSubnetGroupDescription: aws.String("Subnets of uex-payments-prod-redis"),
			SubnetIds:                   s.SubnetIDs, Tags: tags,
		},
		ParameterGroup: &elasticache.CreateCacheParameterGroupInput{
			CacheParameterGroupName:   aws.String("uex-payments-prod-redis-redis7"),
			CacheParameterGroupFamily: aws.String("redis7"),
			Description:               aws.String("Parameters of uex-payments-prod-redis"), Tags: tags,
		},
		Parameters: parameterList("maxmemory-policy", "allkeys-lru", "timeout", "300"),
		Secret: &secretsmanager.CreateSecretInput{
			Name:        aws.String("uex-payments/prod/redis"),
			Description: aws.String("Auth token of uex-payments-prod-redis"),
			Tags:        secretTags(&call.Inputs),
		},
		ReplicationGroup: &elasticache.CreateReplicationGroupInput{
			ReplicationGroupId:          aws.String("uex-payments-prod-redis"),
			ReplicationGroupDescription: aws.String("Redis of uex-payments in prod"),
			Engine:                      aws.String("redis"), EngineVersion: aws.String("7.0"),
			CacheNodeType:    aws.String("cache.r6g.large"),
			Port:             aws.Int32(6379),
			NumCacheClusters: aws.Int32(3), AutomaticFailoverEnabled: aws.Bool(true), MultiAZEnabled: aws.Bool(true),
			PreferredCacheClusterAZs: s.Zones, AutoMinorVersionUpgrade: aws.Bool(true),
			CacheParameterGroupName: aws.String("uex-payments-prod-redis-redis7"),
			CacheSubnetGroupName:    aws.String("uex-payments-prod-redis-subnets"),
			SecurityGroupIds:        []string{s.SecurityGroupID}, TransitEncryptionEnabled: aws.Bool(true),
			AtRestEncryptionEnabled: aws.Bool(true),
			KmsKeyId:                &s.KMSKeyARN, SnapshotRetentionLimit: aws.Int32(7), SnapshotWindow: aws.String(
				"03:00-05:00"),
			PreferredMaintenanceWindow: aws.String("sun:05:00-sun:07:00"), NotificationTopicArn: &s.InfoTopicARN,
			Tags: tags,
			LogDeliveryConfigurations: []ectypes.LogDeliveryConfigurationRequest{delivery("engine-log"),
				delivery("slow-log")},
		},
		AuthTokenEnabled: true,
	}
	if call.ReplicationGroupID() != "uex-payments-prod-redis" {
		t.Errorf("the replication group is %s", call.ReplicationGroupID())
	}
	got := call.Resources(Known{})
	if len(got.Alarms) != 27 {
		t.Errorf("there are %d alarms, want 9 of each of 3 members", len(got.Alarms))
	}
	got.Alarms = nil // see TestAlarms
	if diff := cmp.Diff(want, got, sdkTypes); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

func TestResourcesOfClusterMode(t *testing.T) {
	call := mustLoad(t, block(`cluster_mode_enabled = true`, `num_node_groups = 3`, `replicas_per_node_group = 2`,
		`redis_engine_version = "6.2"`,
		`notify_keyspace_events = "Ex"`, `parameters = [{ name = "hz", value = 20 }]`,
		`additional_security_group_ids = ["sg-0000000b"]`))
	r := call.Resources(Known{})
	group := r.ReplicationGroup
	if group.NumCacheClusters != nil || *group.NumNodeGroups != 3 || *group.ReplicasPerNodeGroup != 2 ||
		group.PreferredCacheClusterAZs != nil {
		t.Errorf("counts are %v, %v, %v, zones %v", group.NumCacheClusters, group.NumNodeGroups,
			group.ReplicasPerNodeGroup, group.PreferredCacheClusterAZs)
	}
	if got := *r.ParameterGroup.CacheParameterGroupName; got != "shop-dev-redis-redis6x-cluster" {
		t.Errorf("parameter group is %s", got)
	}
	want := parameterList("maxmemory-policy", "allkeys-lru", "timeout", "0", "notify-keyspace-events", "Ex",
		"cluster-enabled", "yes", "hz", "20")
	if diff := cmp.Diff(want, r.Parameters, sdkTypes); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sg-0000000a", "sg-0000000b"}, group.SecurityGroupIds); diff != "" {
		t.Errorf("security groups (-want +got):\n%s", diff)
	}
}

// What is off or zero is not sent: AWS and the Terraform provider leave it out.
func TestResourcesLeaveOutWhatIsOff(t *testing.T) {
	call := mustLoad(t, block(`num_cache_nodes = 1`, `automatic_failover_enabled = false`, `multi_az_enabled = false`,
		`enable_snapshots = false`,
		`transit_encryption_enabled = false`, `auth_token_enabled = false`, `at_rest_encryption_enabled = false`,
		`description = "mine"`))
	r := call.Resources(Known{})
	group := r.ReplicationGroup
	if r.Secret != nil || r.AuthTokenEnabled {
		t.Error("a secret without a token")
	}
	if group.MultiAZEnabled != nil || group.TransitEncryptionEnabled != nil || group.AtRestEncryptionEnabled != nil ||
		group.KmsKeyId != nil ||
		group.SnapshotRetentionLimit != nil || group.NumNodeGroups != nil || group.ReplicasPerNodeGroup != nil ||
		group.PreferredCacheClusterAZs != nil ||
		group.NotificationTopicArn != nil {
		t.Errorf("something that is off is sent: %+v", group)
	}
	if group.AutomaticFailoverEnabled == nil || *group.AutomaticFailoverEnabled ||
		*group.ReplicationGroupDescription != "mine" {
		t.Errorf("failover is %v, description %q", group.AutomaticFailoverEnabled, *group.ReplicationGroupDescription)
	}
	if replicas := mustLoad(t, block(`cluster_mode_enabled = true`, `replicas_per_node_group = 0`,
		`multi_az_enabled = false`)).Resources(Known{}); replicas.ReplicationGroup.ReplicasPerNodeGroup != nil {
		t.Error("zero replicas are sent")
	}
	if secret := mustLoad(t, block(`create_auth_token_secret = false`)).Resources(Known{}); secret.Secret != nil ||
		!secret.AuthTokenEnabled {
		t.Error("create_auth_token_secret = false does not drop the secret alone")
	}
}

func TestParameterGroupNames(t *testing.T) {
	for version, want := range map[string]string{"5.0.6": "shop-dev-redis-redis50", "6.x": "shop-dev-redis-redis6x",
		"7.1": "shop-dev-redis-redis7"} {
		lines := []string{`redis_engine_version = "` + version + `"`}
		if version == "5.0.6" {
			lines = append(lines, `slow_log_enabled = false`, `engine_log_enabled = false`)
		}
		if got := *mustLoad(t, block(lines...)).Resources(Known{}).ParameterGroup.CacheParameterGroupName; got != want {
			t.Errorf("%s has the parameter group %s, want %s", version, got, want)
		}
	}
}

func TestCallersTagsWin(t *testing.T) {
	call := mustLoad(t, block(`tags = { Environment = "mine", ManagedBy = "me" }`,
		`auth_token_secret_name = "team/redis"`))
	want := map[string]string{"Project": "shop", "Environment": "mine", "ManagedBy": "me"}
	if diff := cmp.Diff(want, allTags(&call.Inputs)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if got := *call.Resources(Known{}).Secret.Name; got != "team/redis" {
		t.Errorf("secret is called %s", got)
	}
}

func TestSecretString(t *testing.T) {
	if got, want := SecretString(`a-token!1234567`), `{"auth_token":"a-token!1234567"}`; got != want {
		t.Errorf("SecretString gives %s, want %s", got, want)
	}
}
