package module

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
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
		ReplicationGroupId: want.ReplicationGroupId, Description: want.ReplicationGroupDescription, CacheNodeType: want.CacheNodeType,
		ARN: aws.String("arn:aws:elasticache:us-east-1:000000000000:replicationgroup:" + id), Status: aws.String("available"),
		AutomaticFailover: ectypes.AutomaticFailoverStatusDisabled, MultiAZ: ectypes.MultiAZStatusDisabled, ClusterEnabled: aws.Bool(want.NumNodeGroups != nil),
		TransitEncryptionEnabled: aws.Bool(aws.ToBool(want.TransitEncryptionEnabled)), AtRestEncryptionEnabled: aws.Bool(aws.ToBool(want.AtRestEncryptionEnabled)),
		KmsKeyId: want.KmsKeyId, AuthTokenEnabled: &r.AuthTokenEnabled, SnapshotRetentionLimit: aws.Int32(aws.ToInt32(want.SnapshotRetentionLimit)),
		SnapshotWindow: want.SnapshotWindow,
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
				group.MemberClusters = append(group.MemberClusters, id+"-000"+string(rune('0'+len(group.NodeGroups)))+"-00"+string(rune('1'+len(group.MemberClusters)%3)))
			}
		}
	}
	cluster := &ectypes.CacheCluster{
		EngineVersion: aws.String("7.0.15"), CacheParameterGroup: &ectypes.CacheParameterGroupStatus{CacheParameterGroupName: want.CacheParameterGroupName},
		CacheSubnetGroupName: want.CacheSubnetGroupName, PreferredMaintenanceWindow: want.PreferredMaintenanceWindow, AutoMinorVersionUpgrade: want.AutoMinorVersionUpgrade,
	}
	for _, g := range want.SecurityGroupIds {
		cluster.SecurityGroups = append(cluster.SecurityGroups, ectypes.SecurityGroupMembership{SecurityGroupId: aws.String(g)})
	}
	if want.NotificationTopicArn != nil {
		cluster.NotificationConfiguration = &ectypes.NotificationConfiguration{TopicArn: want.NotificationTopicArn}
	}
	o := Observed{ReplicationGroup: group, CacheCluster: cluster, Tags: append(tagList("aws:internal", "x"), want.Tags...)}
	o.SubnetGroup = &ectypes.CacheSubnetGroup{CacheSubnetGroupDescription: r.SubnetGroup.CacheSubnetGroupDescription}
	for i := len(r.SubnetGroup.SubnetIds) - 1; i >= 0; i-- { // AWS promises no order
		o.SubnetGroup.Subnets = append(o.SubnetGroup.Subnets, ectypes.Subnet{SubnetIdentifier: aws.String(r.SubnetGroup.SubnetIds[i])})
	}
	o.ParameterGroup = &ectypes.CacheParameterGroup{CacheParameterGroupFamily: r.ParameterGroup.CacheParameterGroupFamily}
	for _, p := range r.Parameters {
		o.Parameters = append(o.Parameters, ectypes.Parameter{ParameterName: p.ParameterName, ParameterValue: p.ParameterValue})
	}
	return o
}

func TestNothingToDoAfterCreation(t *testing.T) {
	for name := range seedHeadings {
		call, diags := load("testdata/seed/"+name+".tf", Vars{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		r := call.Resources()
		if changes := Diff(r, observe(r)); len(changes) > 0 {
			t.Errorf("%s: changes are %+v, want none", name, changes)
		}
	}
}

func TestNothingIsComparedBeforeCreation(t *testing.T) {
	if changes := Diff(mustLoad(t, block()).Resources(), Observed{}); len(changes) > 0 {
		t.Errorf("changes are %+v, want none", changes)
	}
}

// Each row changes a line of the call and says what differs then. What cannot be made now is refused by the input's name.
func TestDiff(t *testing.T) {
	refused := func(field, input, old, new string) Change {
		return Change{Resource: ReplicationGroupResource, Field: field, Input: input, Old: old, New: new, Refused: "yes"}
	}
	cluster := []string{`cluster_mode_enabled = true`, `num_node_groups = 2`}
	s := testStandIns()
	tests := map[string]struct {
		before, after []string
		want          []Change
	}{
		"node type":    {nil, []string{`node_type = "cache.r6g.large"`}, []Change{refused("CacheNodeType", "node_type", "cache.t3.medium", "cache.r6g.large")}},
		"nodes":        {nil, []string{`num_cache_nodes = 3`}, []Change{refused("NumCacheClusters", "num_cache_nodes", "2", "3")}},
		"description":  {nil, []string{`description = "x"`}, []Change{refused("ReplicationGroupDescription", "description", "Redis of shop in dev", "x")}},
		"port":         {nil, []string{`redis_port = 7000`}, []Change{refused("Port", "redis_port", "6379", "7000")}},
		"multi-az":     {nil, []string{`multi_az_enabled = false`}, []Change{refused("MultiAZEnabled", "multi_az_enabled", "true", "false")}},
		"at rest":      {nil, []string{`at_rest_encryption_enabled = false`}, []Change{refused("AtRestEncryptionEnabled", "at_rest_encryption_enabled", "true", "false"), refused("KmsKeyId", "kms_key_arn", s.KMSKeyARN, "")}},
		"token":        {nil, []string{`auth_token_enabled = false`}, []Change{refused("AuthToken", "auth_token_enabled", "true", "false")}},
		"tls":          {[]string{`auth_token_enabled = false`}, []string{`auth_token_enabled = false`, `transit_encryption_enabled = false`}, []Change{refused("TransitEncryptionEnabled", "transit_encryption_enabled", "true", "false")}},
		"failover":     {[]string{`multi_az_enabled = false`}, []string{`multi_az_enabled = false`, `automatic_failover_enabled = false`}, []Change{refused("AutomaticFailoverEnabled", "automatic_failover_enabled", "true", "false")}},
		"snapshots":    {nil, []string{`enable_snapshots = false`}, []Change{refused("SnapshotRetentionLimit", "snapshot_retention_limit", "7", "0")}},
		"window":       {nil, []string{`snapshot_window = "01:00-02:00"`}, []Change{refused("SnapshotWindow", "snapshot_window", "03:00-05:00", "01:00-02:00")}},
		"maintenance":  {nil, []string{`maintenance_window = "mon:05:00-mon:07:00"`}, []Change{refused("PreferredMaintenanceWindow", "maintenance_window", "sun:05:00-sun:07:00", "mon:05:00-mon:07:00")}},
		"topic":        {nil, []string{`notification_topic_arn = module.sns.info_topic_arn`}, []Change{refused("NotificationTopicArn", "notification_topic_arn", "", s.InfoTopicARN)}},
		"upgrades":     {nil, []string{`auto_minor_version_upgrade = false`}, []Change{refused("AutoMinorVersionUpgrade", "auto_minor_version_upgrade", "true", "false")}},
		"groups":       {nil, []string{`additional_security_group_ids = ["sg-0000000b"]`}, []Change{refused("SecurityGroupIds", "redis_security_group_id", "sg-0000000a", "sg-0000000a, sg-0000000b")}},
		"shards":       {cluster, []string{cluster[0], `num_node_groups = 3`}, []Change{refused("NumNodeGroups", "num_node_groups", "2", "3")}},
		"replicas":     {cluster, append(cluster[:2:2], `replicas_per_node_group = 2`), []Change{refused("ReplicasPerNodeGroup", "replicas_per_node_group", "1", "2")}},
		"zones":        {nil, []string{`preferred_cache_cluster_azs = ["us-east-1a", "us-east-1b"]`}, nil},
		"engine":       {[]string{`redis_engine_version = "7.0"`}, []string{`redis_engine_version = "6.2"`}, []Change{refused("CacheParameterGroupName", "redis_engine_version", "shop-dev-redis-redis7", "shop-dev-redis-redis6x"), refused("EngineVersion", "redis_engine_version", "7.0.15", "6.2"), {Resource: ParameterGroupResource, Field: "CacheParameterGroupFamily", Input: "parameter_group_family", Old: "redis7", New: "redis6.x", Refused: "yes"}}},
		"cluster mode": {nil, cluster, []Change{refused("ClusterMode", "cluster_mode_enabled", "false", "true"), {Resource: ParameterResource, Field: "cluster-enabled", Input: "cluster_mode_enabled", New: "yes", Refused: "yes"}}},

		"policy":   {nil, []string{`maxmemory_policy = "noeviction"`}, []Change{{Resource: ParameterResource, Field: "maxmemory-policy", Input: "maxmemory_policy", Old: "allkeys-lru", New: "noeviction"}}},
		"notify":   {[]string{`notify_keyspace_events = "Ex"`}, nil, []Change{{Resource: ParameterResource, Field: "notify-keyspace-events", Input: "notify_keyspace_events", Old: "Ex", Remove: true}}},
		"own":      {nil, []string{`parameters = [{ name = "hz", value = 20 }]`}, []Change{{Resource: ParameterResource, Field: "hz", Input: "parameters", New: "20"}}},
		"tags":     {[]string{`tags = { a = 1, b = "" }`}, []string{`tags = { b = "x", c = "" }`}, []Change{{Resource: TagResource, Field: "a", Input: "tags", Old: "1", Remove: true}, {Resource: TagResource, Field: "b", Input: "tags", New: "x"}, {Resource: TagResource, Field: "c", Input: "tags"}}},
		"subnets":  {nil, []string{`redis_subnet_ids = ["subnet-0000000a", "subnet-0000000d"]`}, []Change{{Resource: SubnetGroupResource, Field: "SubnetIds", Input: "redis_subnet_ids", Old: "subnet-0000000a, subnet-0000000b, subnet-0000000c", New: "subnet-0000000a, subnet-0000000d"}}},
		"reorder":  {nil, []string{`redis_subnet_ids = reverse(module.vpc.private_data_subnet_ids)`}, nil},
		"no alarm": {nil, []string{`create_alarms = false`, `skip_final_snapshot = true`}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Diff(mustLoad(t, block(tt.after...)).Resources(), observe(mustLoad(t, block(tt.before...)).Resources()))
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

func TestRefusedChangeSaysWhatToDo(t *testing.T) {
	got := Diff(mustLoad(t, block(`num_cache_nodes = 3`)).Resources(), observe(mustLoad(t, block()).Resources()))
	want := `num_cache_nodes: larder cannot change it from "2" to "3" while the group exists: set it back, or delete the group and create it again`
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
		{"7.0", "7.0.15", false, true}, {"7.0", "7.0.7", true, true}, {"7.0", "7.1.0", true, true}, {"7.0", "7.1.0", false, false},
		{"7.1", "7.0.15", true, false}, {"6.x", "6.2.6", false, true}, {"6.x", "7.0.4", true, false}, {"5.0.6", "5.0.6", false, true},
		{"6.2", "6.20.1", false, false}, {"7.0", "", true, false},
	}
	for _, tt := range tests {
		if got := runs(tt.want, tt.have, tt.upgrades); got != tt.ok {
			t.Errorf("runs(%q, %q, %v) = %v, want %v", tt.want, tt.have, tt.upgrades, got, tt.ok)
		}
	}
}
