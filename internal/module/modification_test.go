package module

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"
)

// The calls that a change of inputs becomes.
func TestModification(t *testing.T) {
	id := aws.String("shop-dev-redis")
	modify := func(set func(*elasticache.ModifyReplicationGroupInput)) Modification {
		in := &elasticache.ModifyReplicationGroupInput{ReplicationGroupId: id, ApplyImmediately: aws.Bool(true)}
		set(in)
		return Modification{Modify: in}
	}
	alone := []string{`num_cache_nodes = 1`, `automatic_failover_enabled = false`, `multi_az_enabled = false`}
	fewer := modify(func(in *elasticache.ModifyReplicationGroupInput) {
		in.AutomaticFailoverEnabled, in.MultiAZEnabled = aws.Bool(false), aws.Bool(false)
	})
	fewer.Decrease = &elasticache.DecreaseReplicaCountInput{ReplicationGroupId: id, NewReplicaCount: aws.Int32(0),
		ApplyImmediately: aws.Bool(true)}
	more := modify(func(in *elasticache.ModifyReplicationGroupInput) {
		in.AutomaticFailoverEnabled, in.MultiAZEnabled = aws.Bool(true), aws.Bool(true)
	})
	more.Increase = &elasticache.IncreaseReplicaCountInput{ReplicationGroupId: id, NewReplicaCount: aws.Int32(1),
		ApplyImmediately: aws.Bool(true)}
	for name, tt := range map[string]struct {
		before, after []string
		want          Modification
	}{
		"nothing": {nil, nil, Modification{}},
		"fewer":   {nil, alone, fewer},
		"more":    {alone, nil, more},
		"zones": {nil, []string{`num_cache_nodes = 3`, `preferred_cache_cluster_azs = module.vpc.availability_zones`},
			Modification{Increase: &elasticache.IncreaseReplicaCountInput{
				ReplicationGroupId: id, ApplyImmediately: aws.Bool(true),
				ReplicaConfiguration: []ectypes.ConfigureShard{{NodeGroupId: aws.String("0001"),
					NewReplicaCount: aws.Int32(2), PreferredAvailabilityZones: testStandIns().Zones}},
			}}},
		"later": {nil, []string{`node_type = "cache.t3.small"`, `apply_immediately = false`},
			modify(func(in *elasticache.ModifyReplicationGroupInput) {
				in.CacheNodeType, in.ApplyImmediately = aws.String("cache.t3.small"), aws.Bool(false)
			})},
		"snapshots on": {[]string{`enable_snapshots = false`}, nil,
			modify(func(in *elasticache.ModifyReplicationGroupInput) {
				in.SnapshotRetentionLimit, in.SnapshottingClusterId = aws.Int32(7), aws.String("shop-dev-redis-001")
			})},
		"no topic": {[]string{`notification_topic_arn = module.sns.info_topic_arn`}, nil,
			modify(func(in *elasticache.ModifyReplicationGroupInput) {
				in.NotificationTopicArn = aws.String("")
			})},
		"logs": {nil, []string{`slow_log_enabled = false`, `engine_log_enabled = false`, `apply_immediately = false`},
			Modification{Logs: &elasticache.ModifyReplicationGroupInput{
				ReplicationGroupId: id, ApplyImmediately: aws.Bool(true),
				LogDeliveryConfigurations: []ectypes.LogDeliveryConfigurationRequest{{LogType: "engine-log",
					Enabled: aws.Bool(false)}, {LogType: "slow-log", Enabled: aws.Bool(false)}},
			}}},
	} {
		t.Run(name, func(t *testing.T) {
			observed := observe(mustLoad(t, block(tt.before...)).Resources(Known{}))
			desired := mustLoad(t, block(tt.after...)).Resources(observed.Known())
			if diff := cmp.Diff(tt.want, desired.Modification(observed, Diff(desired, observed)),
				sdkTypes); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// What waits for the maintenance window is not asked for again.
func TestPendingChangesAreNotRepeated(t *testing.T) {
	observed := observe(mustLoad(t, block()).Resources(Known{}))
	observed.Waiting = map[string]string{"CacheNodeType": "cache.t3.small", "EngineVersion": "7.1.2"}
	desired := mustLoad(t, block(`node_type = "cache.t3.small"`, `redis_engine_version = "7.1"`, `apply_immediately = `+
		`false`)).Resources(Known{})
	if changes := Diff(desired, observed); len(changes) > 0 {
		t.Errorf("changes are %+v, want none", changes)
	}
	if changes := Diff(mustLoad(t, block(`node_type = "cache.t3.micro"`, `redis_engine_version = "7.1"`,
		`apply_immediately = false`)).Resources(Known{}),
		observed); len(changes) != 1 {
		t.Errorf("changes are %+v, want the node type's", changes)
	}
}

func TestNewer(t *testing.T) {
	for _, tt := range []struct {
		want, have string
		newer      bool
	}{{"7.1", "7.0.15", true}, {"7.0", "7.0.15", false}, {"6.2", "7.0.15", false}, {"6.x", "6.2.6", true}, {"6.x",
		"7.0.4", false}, {"5.0.6", "5.0.6", false}} {
		if got := newer(tt.want, tt.have); got != tt.newer {
			t.Errorf("newer(%q, %q) = %v", tt.want, tt.have, got)
		}
	}
}
