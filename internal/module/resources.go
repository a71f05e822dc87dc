package module

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Resources are the AWS calls that a module call becomes, in the order in which they are made.
type Resources struct {
	SubnetGroup    *elasticache.CreateCacheSubnetGroupInput
	ParameterGroup *elasticache.CreateCacheParameterGroupInput
	// Parameters are what the parameter group is modified with; ModifyCacheParameterGroup takes 20 in a call.
	Parameters []ectypes.ParameterNameValue
	// Secret keeps the token; nil when there is no token or the call wants no secret. Its SecretString is the caller's
	// to fill in, with SecretString.
	Secret *secretsmanager.CreateSecretInput
	// ReplicationGroup is complete but for AuthToken, which is the caller's to fill in when AuthTokenEnabled.
	ReplicationGroup *elasticache.CreateReplicationGroupInput
	AuthTokenEnabled bool
}

// Resources returns the AWS calls the module call becomes.
func (c *Call) Resources() Resources {
	in := &c.Inputs
	id := in.replicationGroupID()
	r := Resources{
		SubnetGroup: &elasticache.CreateCacheSubnetGroupInput{
			CacheSubnetGroupName:        aws.String(id + "-subnets"),
			CacheSubnetGroupDescription: aws.String("Subnets of " + id),
			SubnetIds:                   slices.Clone(in.RedisSubnetIDs),
			Tags:                        cacheTags(in),
		},
		ParameterGroup: &elasticache.CreateCacheParameterGroupInput{
			CacheParameterGroupName:   aws.String(parameterGroupName(in)),
			CacheParameterGroupFamily: aws.String(in.family()),
			Description:               aws.String("Parameters of " + id),
			Tags:                      cacheTags(in),
		},
		Parameters:       engineParameters(in),
		AuthTokenEnabled: in.AuthTokenEnabled,
	}
	if in.AuthTokenEnabled && in.CreateAuthTokenSecret {
		r.Secret = &secretsmanager.CreateSecretInput{
			Name: aws.String(in.secretName()), Description: aws.String("Auth token of " + id), Tags: secretTags(in),
		}
	}
	r.ReplicationGroup = replicationGroup(in, r)
	return r
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
func replicationGroup(in *Inputs, r Resources) *elasticache.CreateReplicationGroupInput {
	group := &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId:          aws.String(in.replicationGroupID()),
		ReplicationGroupDescription: aws.String(description(in)),
		Engine:                      aws.String("redis"),
		EngineVersion:               aws.String(in.RedisEngineVersion),
		CacheNodeType:               aws.String(in.NodeType),
		Port:                        aws.Int32(int32(in.RedisPort)),
		AutomaticFailoverEnabled:    aws.Bool(in.AutomaticFailoverEnabled),
		AutoMinorVersionUpgrade:     aws.Bool(in.AutoMinorVersionUpgrade),
		CacheParameterGroupName:     r.ParameterGroup.CacheParameterGroupName,
		CacheSubnetGroupName:        r.SubnetGroup.CacheSubnetGroupName,
		SecurityGroupIds:            securityGroups(in),
		PreferredMaintenanceWindow:  aws.String(in.MaintenanceWindow),
		SnapshotWindow:              aws.String(in.SnapshotWindow),
		NotificationTopicArn:        in.NotificationTopicARN,
		MultiAZEnabled:              trueOrNil(in.MultiAZEnabled),
		TransitEncryptionEnabled:    trueOrNil(in.TransitEncryptionEnabled),
		AtRestEncryptionEnabled:     trueOrNil(in.AtRestEncryptionEnabled),
		KmsKeyId:                    in.kmsKey(),
		SnapshotRetentionLimit:      positiveOrNil(in.retention()),
		Tags:                        cacheTags(in),
	}
	if in.ClusterModeEnabled {
		group.NumNodeGroups = aws.Int32(int32(in.NumNodeGroups))
		group.ReplicasPerNodeGroup = positiveOrNil(in.ReplicasPerNodeGroup)
		return group
	}
	group.NumCacheClusters = aws.Int32(int32(in.NumCacheNodes))
	group.PreferredCacheClusterAZs = append([]string(nil), in.PreferredCacheClusterAZs...) // nil when empty: an empty list is refused
	return group
}

func description(in *Inputs) string {
	if in.Description != nil {
		return *in.Description
	}
	return fmt.Sprintf("Redis of %s in %s", in.ProjectName, in.Environment)
}

// parameterGroupName changes with the family and with cluster mode, neither of which an existing group can change. AWS
// takes no dots in it.
func parameterGroupName(in *Inputs) string {
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
		out = append(out, ectypes.ParameterNameValue{ParameterName: aws.String(p.Name), ParameterValue: aws.String(p.Value)})
	}
	return out
}

func securityGroups(in *Inputs) []string {
	return append([]string{in.RedisSecurityGroupID}, in.AdditionalSecurityGroupIDs...)
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
