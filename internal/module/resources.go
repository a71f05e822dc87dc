package module

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Resources are the AWS calls that a module call becomes, in the order in which they are made. What is nil or empty is
// not asked for.
type Resources struct {
	SecurityGroup  *SecurityGroup
	LogGroups      []LogGroup
	SubnetGroup    *elasticache.CreateCacheSubnetGroupInput
	ParameterGroup *elasticache.CreateCacheParameterGroupInput
	// Parameters are what the parameter group is modified with; ModifyCacheParameterGroup takes 20 in a call.
	Parameters []ectypes.ParameterNameValue
	// Secret keeps the token. Its SecretString is the caller's to fill in, with SecretString.
	Secret         *secretsmanager.CreateSecretInput
	SecretRecovery int32 // days in which the deleted secret can be recovered; 0: none
	// ReplicationGroup is complete but for AuthToken, which is the caller's to fill in when AuthTokenEnabled.
	ReplicationGroup *elasticache.CreateReplicationGroupInput
	AuthTokenEnabled bool
	ApplyImmediately bool                              // what of a change could wait for the maintenance window
	Alarms           []*cloudwatch.PutMetricAlarmInput // in the order of their names
	Dashboard        *cloudwatch.PutDashboardInput
	Tags             map[string]string // of every resource that has tags
}

// Known is what a module call needs to know of the resources that are there already.
type Known struct {
	SecurityGroupID string   // of the module's own; "" while there is none
	Members         []string // of the replication group, as AWS names them; empty while there is none
}

// Resources returns the AWS calls the module call becomes.
func (c *Call) Resources(k Known) Resources {
	in := &c.Inputs
	r := Resources{
		SecurityGroup: securityGroup(in), LogGroups: logGroups(in),
		SubnetGroup: subnetGroup(in), ParameterGroup: parameterGroup(in),
		Secret: secret(in), SecretRecovery: int32(in.AuthTokenSecretRecovery),
		ReplicationGroup: replicationGroup(in, k),
		AuthTokenEnabled: in.AuthTokenEnabled, ApplyImmediately: in.applyImmediately(),
		Alarms:    alarms(in, in.members(k.Members)),
		Dashboard: dashboard(in, c.Region, in.members(k.Members)),
		Tags:      allTags(in),
	}
	if r.ParameterGroup != nil {
		r.Parameters = engineParameters(in)
	}
	return r
}

func subnetGroup(in *Inputs) *elasticache.CreateCacheSubnetGroupInput {
	if !in.CreateSubnetGroup {
		return nil
	}
	return &elasticache.CreateCacheSubnetGroupInput{
		CacheSubnetGroupName:        aws.String(subnetGroupName(in)),
		CacheSubnetGroupDescription: aws.String("Subnets of " + in.replicationGroupID()),
		SubnetIds:                   slices.Clone(in.RedisSubnetIDs),
		Tags:                        cacheTags(in),
	}
}

func parameterGroup(in *Inputs) *elasticache.CreateCacheParameterGroupInput {
	if !in.CreateParameterGroup {
		return nil
	}
	return &elasticache.CreateCacheParameterGroupInput{
		CacheParameterGroupName:   aws.String(parameterGroupName(in)),
		CacheParameterGroupFamily: aws.String(in.family()),
		Description:               aws.String("Parameters of " + in.replicationGroupID()),
		Tags:                      cacheTags(in),
	}
}

func secret(in *Inputs) *secretsmanager.CreateSecretInput {
	if !in.AuthTokenEnabled || !in.CreateAuthTokenSecret {
		return nil
	}
	return &secretsmanager.CreateSecretInput{
		Name: aws.String(in.secretName()), Description: aws.String("Auth token of " + in.replicationGroupID()),
		KmsKeyId: in.AuthTokenSecretKMSKeyARN, Tags: secretTags(in),
	}
}

// SecretString is the content of the secret: a JSON object with the token as auth_token.
func SecretString(token string) string {
	raw, err := json.Marshal(map[string]string{"auth_token": token})
	if err != nil {
		panic(err) // a map of strings always marshals
	}
	return string(raw)
}

// replicationGroup leaves out what AWS and the Terraform provider leave out: Multi-AZ, TLS and at-rest encryption that
// are off, counts that are zero, and the counts of the other mode, which may not be sent together.
func replicationGroup(in *Inputs, k Known) *elasticache.CreateReplicationGroupInput {
	group := &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId:          aws.String(in.replicationGroupID()),
		ReplicationGroupDescription: aws.String(description(in)),
		Engine:                      aws.String("redis"),
		EngineVersion:               aws.String(in.RedisEngineVersion),
		CacheNodeType:               aws.String(in.NodeType),
		Port:                        aws.Int32(int32(in.RedisPort)),
		AutomaticFailoverEnabled:    aws.Bool(in.AutomaticFailoverEnabled),
		AutoMinorVersionUpgrade:     aws.Bool(in.AutoMinorVersionUpgrade),
		CacheParameterGroupName:     aws.String(parameterGroupName(in)),
		CacheSubnetGroupName:        aws.String(subnetGroupName(in)),
		SecurityGroupIds:            securityGroups(in, k.SecurityGroupID),
		PreferredMaintenanceWindow:  aws.String(in.MaintenanceWindow),
		SnapshotWindow:              aws.String(in.SnapshotWindow),
		NotificationTopicArn:        in.NotificationTopicARN,
		MultiAZEnabled:              trueOrNil(in.MultiAZEnabled),
		TransitEncryptionEnabled:    trueOrNil(in.TransitEncryptionEnabled),
		TransitEncryptionMode:       in.transitMode(),
		AtRestEncryptionEnabled:     trueOrNil(in.AtRestEncryptionEnabled),
		KmsKeyId:                    in.kmsKey(),
		SnapshotRetentionLimit:      positiveOrNil(in.retention()),
		SnapshotName:                in.SnapshotName,
		LogDeliveryConfigurations:   logDeliveries(in),
		Tags:                        cacheTags(in),
	}
	if in.ClusterModeEnabled {
		group.NumNodeGroups = aws.Int32(int32(in.NumNodeGroups))
		group.ReplicasPerNodeGroup = positiveOrNil(in.ReplicasPerNodeGroup)
		return group
	}
	group.NumCacheClusters = aws.Int32(int32(in.NumCacheNodes))
	group.PreferredCacheClusterAZs = append([]string(nil),
		in.PreferredCacheClusterAZs...) // nil when empty: an empty list is refused
	return group
}

func description(in *Inputs) string {
	if in.Description != nil {
		return *in.Description
	}
	return fmt.Sprintf("Redis of %s in %s", in.ProjectName, in.Environment)
}

func subnetGroupName(in *Inputs) string {
	if !in.CreateSubnetGroup {
		return text(in.SubnetGroupName)
	}
	return in.replicationGroupID() + "-subnets"
}

// parameterGroupName changes with the family and with cluster mode, neither of which an existing group can change. AWS
// takes no dots in it.
func parameterGroupName(in *Inputs) string {
	if !in.CreateParameterGroup {
		return text(in.ParameterGroupName)
	}
	name := in.replicationGroupID() + "-" + strings.ReplaceAll(in.family(), ".", "")
	if in.ClusterModeEnabled {
		name += "-cluster"
	}
	return name
}

// engineParameters leaves notify-keyspace-events out when it is empty, which is the engine's default.
func engineParameters(in *Inputs) []ectypes.ParameterNameValue {
	list := []Parameter{{"maxmemory-policy", in.MaxmemoryPolicy}, {"timeout", in.Timeout}}
	if in.NotifyKeyspaceEvents != "" {
		list = append(list, Parameter{"notify-keyspace-events", in.NotifyKeyspaceEvents})
	}
	if in.ClusterModeEnabled {
		list = append(list, Parameter{"cluster-enabled", "yes"})
	}
	var out []ectypes.ParameterNameValue
	for _, p := range append(list, in.Parameters...) {
		out = append(out, ectypes.ParameterNameValue{ParameterName: aws.String(p.Name),
			ParameterValue: aws.String(p.Value)})
	}
	return out
}

// allTags are the module's tags under the caller's, which win.
func allTags(in *Inputs) map[string]string {
	all := map[string]string{"Project": in.ProjectName, "Environment": in.Environment, "ManagedBy": "larder-module"}
	maps.Copy(all, in.Tags)
	return all
}

func cacheTags(in *Inputs) (list []ectypes.Tag) {
	all := allTags(in)
	for _, key := range sortedKeys(all) {
		list = append(list, ectypes.Tag{Key: aws.String(key), Value: aws.String(all[key])})
	}
	return list
}

func secretTags(in *Inputs) (list []smtypes.Tag) {
	all := allTags(in)
	for _, key := range sortedKeys(all) {
		list = append(list, smtypes.Tag{Key: aws.String(key), Value: aws.String(all[key])})
	}
	return list
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func trueOrNil(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

func positiveOrNil(n int) *int32 {
	if n <= 0 {
		return nil
	}
	return aws.Int32(int32(n))
}
