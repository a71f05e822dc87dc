package module

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	ec2types "larder/internal/awssdk/ec2/types"
)

// Observed is what AWS describes of the resources that a call wants. What does not exist yet is nil, or missing from
// its list.
type Observed struct {
	SecurityGroup      *ec2types.SecurityGroup
	SecurityGroupRules []ec2types.SecurityGroupRule
	LogGroups          []logtypes.LogGroup
	SubnetGroup        *ectypes.CacheSubnetGroup
	ParameterGroup     *ectypes.CacheParameterGroup
	Parameters         []ectypes.Parameter // of Source user
	Secret             *secretsmanager.DescribeSecretOutput
	ReplicationGroup   *ectypes.ReplicationGroup
	CacheCluster       *ectypes.CacheCluster // the first member: it tells what the group does not
	// Waiting are the values that fields of the replication group get in the maintenance window, by the names of
	// ModifyReplicationGroup. AWS describes some of them alone.
	Waiting   map[string]string
	Alarms    []cwtypes.MetricAlarm
	Dashboard *cloudwatch.GetDashboardOutput
	Tags      map[string]map[string]string // by the resource's ARN; EC2's by its id
}

// Known is what a call's resources depend on.
func (o Observed) Known() Known {
	var k Known
	if o.SecurityGroup != nil {
		k.SecurityGroupID = text(o.SecurityGroup.GroupId)
	}
	if o.ReplicationGroup != nil {
		k.Members = o.ReplicationGroup.MemberClusters
	}
	return k
}
