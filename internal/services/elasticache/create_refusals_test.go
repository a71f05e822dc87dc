package elasticache_test

import (
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/operation"
	"larder/internal/servicetest"
	"larder/internal/state"
	"larder/internal/store"
)

const (
	value       = "InvalidParameterValue"
	combination = "InvalidParameterCombination"
)

func TestCreateReplicationGroupRefusals(t *testing.T) {
	type input = sdk.CreateReplicationGroupInput
	for name, test := range map[string]struct {
		change        func(*input)
		code, message string
	}{
		"id blank": {func(in *input) { in.ReplicationGroupId = new("") }, value,
			"The parameter ReplicationGroupId must be provided and must not be blank."},
		"id too long": {func(in *input) { in.ReplicationGroupId = new(strings.Repeat("a", 41)) }, value,
			"Replication group id should be no more than 40 characters."},
		"id of other characters": {func(in *input) { in.ReplicationGroupId = new("my_redis") }, value,
			"The parameter ReplicationGroupId is not a valid identifier. Identifiers must begin with a letter; must contain " +
				"only ASCII " +
				"letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."},
		"id taken": {func(in *input) { in.ReplicationGroupId = new("Taken") }, "ReplicationGroupAlreadyExists",
			"Replication group with specified name already exists."},
		"description blank": {func(in *input) { in.ReplicationGroupDescription = new("") }, value,
			"The parameter ReplicationGroupDescription must be provided and must not be blank."},
		"patch version": {func(in *input) { in.EngineVersion = new("7.0.15") }, value,
			"Specific version selection is not allowed for '7.0.15', please use '7.0'"},
		"unknown version": {func(in *input) { in.EngineVersion = new("7.3") }, combination,
			"Cannot find version 7.3 for redis. Installed on this machine: 7.0, 7.2"},
		"unknown full version": {func(in *input) { in.EngineVersion = new("5.0.6") }, combination,
			"Cannot find version 5.0.6 for redis. Installed on this machine: 7.0, 7.2"},
		"no version": {func(in *input) { in.EngineVersion = new("a.b.c") }, combination,
			"Cannot find version a.b.c for redis. Installed on this machine: 7.0, 7.2"},
		"no node type": {func(in *input) { in.CacheNodeType = nil }, value,
			"The parameter CacheNodeType must be provided and must not be null."},
		"unknown node type": {func(in *input) { in.CacheNodeType = new("cache.r6g.larg") }, value,
			"Invalid Cache Node Type: cache.r6g.larg. Near it: cache.r6g.large, cache.m6g.large, cache.r6g.xlarge."},
		"tiered node type": {func(in *input) { in.CacheNodeType = new("cache.r6gd.2xlarge") }, combination,
			"When using the cache.r6gd.2xlarge node type, you must enable data tiering. larder does not serve data tiering: " +
				"choose a node type without it."},
		"port 0": {func(in *input) { in.Port = new(int32(0)) }, value,
			"Invalid value 0 for Port. Must be between 1 and 65535"},
		"port too high": {func(in *input) { in.Port = new(int32(65536)) }, value,
			"Invalid value 65536 for Port. Must be between 1 and 65535"},
		"7 clusters": {func(in *input) { in.NumCacheClusters = new(int32(7)) }, value,
			"The number of replicas per node group must be within 0 and 5."},
		"no cluster": {func(in *input) { in.NumCacheClusters = new(int32(0)) }, value,
			"The number of replicas per node group must be within 0 and 5."},
		"6 replicas": {func(in *input) { in.ReplicasPerNodeGroup = new(int32(6)) }, value,
			"The number of replicas per node group must be within 0 and 5."},
		"two counts": {func(in *input) { in.NumCacheClusters, in.ReplicasPerNodeGroup = new(int32(2)), new(int32(1)) },
			combination,
			"Cannot specify both NumCacheClusters and ReplicasPerNodeGroup."},
		"failover alone": {func(in *input) { in.AutomaticFailoverEnabled = new(true) }, combination,
			"When using automatic failover, there must be at least 2 cache clusters in the replication group."},
		"failover without replicas": {func(in *input) {
			in.AutomaticFailoverEnabled,
				in.ReplicasPerNodeGroup = new(true), new(int32(0))
		}, value,
			"Must have at least 1 replica when cluster mode is disabled with auto failover enabled."},
		"multi-AZ without failover": {func(in *input) {
			in.MultiAZEnabled, in.NumCacheClusters = new(true),
				new(int32(2))
		}, combination,
			"Multi-AZ needs automatic failover: set AutomaticFailoverEnabled."},
		"multi-AZ in one zone": {func(in *input) {
			in.MultiAZEnabled, in.AutomaticFailoverEnabled, in.NumCacheClusters = new(true), new(true), new(int32(2))
			in.PreferredCacheClusterAZs = []string{"us-east-1b", "us-east-1b"}
		}, combination, "Multi-AZ needs a replica in another availability zone than the primary's: every node would be in " +
			"us-east-1b. " +
			"Give the cache subnet group subnets in two zones."},
		"wrong number of zones": {func(in *input) {
			in.PreferredCacheClusterAZs = []string{"us-east-1a",
				"us-east-1b"}
		}, combination,
			"The number of PreferredCacheClusterAZs, 2, must equal the number of cache clusters, 1."},
		"zone outside": {func(in *input) { in.PreferredCacheClusterAZs = []string{"us-east-1f"} }, value,
			"The cache subnet group default has no subnet in availability zone us-east-1f. Its zones: us-east-1a, " +
				"us-east-1b, us-east-1c."},
		"unknown subnet group": {func(in *input) { in.CacheSubnetGroupName = new("other") },
			"CacheSubnetGroupNotFoundFault",
			"Cache subnet group other not found."},
		"unknown parameter group": {func(in *input) { in.CacheParameterGroupName = new("other") },
			"CacheParameterGroupNotFound",
			"CacheParameterGroup not found: other"},
		"parameter group of another family": {func(in *input) { in.CacheParameterGroupName = new("default.redis6.x") },
			combination,
			"Expected a parameter group of family redis7 but found one of family redis6.x"},
		"parameter group for cluster mode": {func(in *input) {
			in.CacheParameterGroupName = new("default.redis7.cluster.on")
		}, value,
			"larder does not serve the parameter group default.redis7.cluster.on: cluster mode is not served. Use " +
				"default.redis7."},
		"security group of another network": {func(in *input) { in.SecurityGroupIds = []string{"sg-x"} }, combination,
			"Subnet group [default] belongs to a different VPC [vpc-1] than [vpc-2]"},
		"unknown key": {func(in *input) { in.AtRestEncryptionEnabled, in.KmsKeyId = new(true), new("key/2") },
			"InvalidKMSKeyFault",
			"The KMS key key/2 does not exist, or is not enabled."},
		"unknown security group": {func(in *input) { in.SecurityGroupIds = []string{"sg-1", "sg-9"} }, value,
			"Some security group ids are not valid: [sg-9] does not exist."},
		"short token": {func(in *input) {
			in.TransitEncryptionEnabled, in.AuthToken = new(true),
				new("0123456789abcde")
		}, value,
			"Invalid AuthToken provided."},
		"long token": {func(in *input) {
			in.TransitEncryptionEnabled, in.AuthToken = new(true), new(strings.Repeat("a", 129))
		}, value, "Invalid AuthToken provided."},
		"token with an at sign": {func(in *input) {
			in.TransitEncryptionEnabled, in.AuthToken = new(true),
				new(authToken+"@")
		}, value,
			"Invalid AuthToken provided."},
		"token without TLS": {func(in *input) { in.AuthToken = new(authToken) }, combination,
			"AuthToken needs encryption in transit: set TransitEncryptionEnabled."},
		"TLS mode without TLS": {func(in *input) { in.TransitEncryptionMode = types.TransitEncryptionModeRequired },
			combination,
			"To modify transit encryption mode, set encryption-in-transit as enabled."},
		"key without encryption": {func(in *input) { in.KmsKeyId = new("key") }, combination,
			"KmsKeyId needs encryption at rest: set AtRestEncryptionEnabled."},
		"short snapshot window": {func(in *input) { in.SnapshotWindow = new("05:00-05:30") }, value,
			"Snapshot window must be at least 60 minutes."},
		"broken maintenance window": {func(in *input) { in.PreferredMaintenanceWindow = new("day:05:00-mon:06:00") },
			value,
			`Invalid maintenance window format: "day:05:00-mon:06:00". ` +
				`Should be specified as a range ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC).`},
		"overlapping windows": {func(in *input) {
			in.SnapshotWindow, in.PreferredMaintenanceWindow = new("05:00-06:00"), new("mon:05:30-mon:06:30")
		}, value, "The snapshot window and maintenance window must not overlap."},
		"retention": {func(in *input) { in.SnapshotRetentionLimit = new(int32(36)) }, value,
			"Invalid value 36 for SnapshotRetentionLimit. Must be between 0 and 35"},
		"topic of another account": {func(in *input) {
			in.NotificationTopicArn = new("arn:aws:sns:us-east-1:210987654321:alerts")
		}, value,
			"Invalid NotificationTopicArn arn:aws:sns:us-east-1:210987654321:alerts: it must name an SNS topic of this " +
				"account and region, " +
				"arn:aws:sns:us-east-1:123456789012:NAME."},
		"51 tags": {func(in *input) { in.Tags = tagsOf(51) }, "TagQuotaPerResourceExceeded",
			"The resource would have 51 tags. A resource can have at most 50."},
		"tag of AWS": {func(in *input) { in.Tags = []types.Tag{{Key: new("AWS:stack"), Value: new("x")}} }, value,
			`The tag key "AWS:stack" must not begin with aws:, which is kept for AWS's own tags.`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.create(t, minimal("taken"))
			in := minimal("mine")
			test.change(in)
			_, err := s.CreateReplicationGroup(t.Context(), in)
			servicetest.WantError(t, err, test.code, test.message)
			out := must(s.DescribeReplicationGroups(t.Context(), &sdk.DescribeReplicationGroupsInput{}))(t)
			if len(out.ReplicationGroups) != 1 {
				t.Errorf("%d groups after a refusal, want the one that was there", len(out.ReplicationGroups))
			}
		})
	}
}

// What is refused by the action table, with the values that it lets through.
func TestCreateReplicationGroupNotServed(t *testing.T) {
	s := newServer(t)
	type input = sdk.CreateReplicationGroupInput
	for field, change := range map[string]func(*input){
		"ClusterMode":              func(in *input) { in.ClusterMode = types.ClusterModeEnabled },
		"DataTieringEnabled":       func(in *input) { in.DataTieringEnabled = new(true) },
		"Durability":               func(in *input) { in.Durability = types.DurabilitySync },
		"Engine":                   func(in *input) { in.Engine = new("valkey") },
		"GlobalReplicationGroupId": func(in *input) { in.GlobalReplicationGroupId = new("ldgnf-x") },
		"IpDiscovery":              func(in *input) { in.IpDiscovery = types.IpDiscoveryIpv6 },
		"NetworkType":              func(in *input) { in.NetworkType = types.NetworkTypeDualStack },
		"NodeGroupConfiguration": func(in *input) {
			in.NodeGroupConfiguration = []types.NodeGroupConfiguration{{NodeGroupId: new("1")}}
		},
		"NumNodeGroups":               func(in *input) { in.NumNodeGroups = new(int32(2)) },
		"PrimaryClusterId":            func(in *input) { in.PrimaryClusterId = new("x") },
		"ServerlessCacheSnapshotName": func(in *input) { in.ServerlessCacheSnapshotName = new("x") },
		"SnapshotArns":                func(in *input) { in.SnapshotArns = []string{"arn:aws:s3:::bucket/dump.rdb"} },
		"UserGroupIds":                func(in *input) { in.UserGroupIds = []string{"x"} },
	} {
		in := minimal("mine")
		change(in)
		_, err := s.CreateReplicationGroup(t.Context(), in)
		if err == nil || !strings.Contains(err.Error(), value) ||
			!strings.Contains(err.Error(), "CreateReplicationGroup's "+field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestTransitEncryptionModeNeedsAVersion(t *testing.T) {
	s := newServer(t)
	s.Versions[1].Version = "7.1.0" // leaves 7.0.4 as the latest 7.0
	in := minimal("mine")
	in.EngineVersion, in.TransitEncryptionEnabled, in.TransitEncryptionMode = new("7.0"), new(true),
		types.TransitEncryptionModeRequired
	_, err := s.CreateReplicationGroup(t.Context(), in)
	servicetest.WantError(t, err, combination,
		"Transit encryption mode is not supported for engine version 7.0.4. Please use engine version 7.0.5 or higher.")
}

func TestNodeQuota(t *testing.T) {
	s := newServer(t)
	s.change(t, func(tx *store.Tx) error {
		return state.PutGroup(tx, groupOf("many", 299), operation.Origin{At: time.Now()})
	})
	in := minimal("mine")
	in.NumCacheClusters = new(int32(2))
	_, err := s.CreateReplicationGroup(t.Context(), in)
	servicetest.WantError(t, err, "NodeQuotaForCustomerExceeded",
		"Customer node quota exceeded. You can have at most 300 nodes in this region")
	must(s.CreateReplicationGroup(t.Context(), minimal("mine")))(t)
	s.settled(t, "mine")
	_, err = s.IncreaseReplicaCount(t.Context(), &sdk.IncreaseReplicaCountInput{
		ReplicationGroupId: new("mine"), NewReplicaCount: new(int32(1)), ApplyImmediately: new(true)})
	servicetest.WantError(t, err, "NodeQuotaForCustomerExceeded",
		"Customer node quota exceeded. You can have at most 300 nodes in this region")
}
