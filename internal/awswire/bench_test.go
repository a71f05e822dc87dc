package awswire_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/awswire"
)

// threeNodes is the answer a poller asks for every second: one group, one
// primary, two replicas.
func threeNodes() *elasticache.DescribeReplicationGroupsOutput {
	endpoint := func(host string) *types.Endpoint {
		return &types.Endpoint{Address: aws.String(host), Port: aws.Int32(6379)}
	}
	group := types.ReplicationGroup{
		ARN:                        aws.String("arn:aws:elasticache:us-east-1:000000000000:replicationgroup:payments"),
		AtRestEncryptionEnabled:    aws.Bool(true),
		AuthTokenEnabled:           aws.Bool(true),
		AuthTokenLastModifiedDate:  aws.Time(time.UnixMilli(1700000000000)),
		AutoMinorVersionUpgrade:    aws.Bool(true),
		AutomaticFailover:          types.AutomaticFailoverStatusEnabled,
		CacheNodeType:              aws.String("cache.t4g.small"),
		ClusterEnabled:             aws.Bool(false),
		ClusterMode:                types.ClusterModeDisabled,
		DataTiering:                types.DataTieringStatusDisabled,
		Description:                aws.String("Redis for uex-payments"),
		Engine:                     aws.String("redis"),
		MultiAZ:                    types.MultiAZStatusEnabled,
		ReplicationGroupCreateTime: aws.Time(time.UnixMilli(1700000000000)),
		ReplicationGroupId:         aws.String("payments"),
		SnapshotRetentionLimit:     aws.Int32(7),
		SnapshotWindow:             aws.String("03:00-05:00"),
		Status:                     aws.String("available"),
		TransitEncryptionEnabled:   aws.Bool(true),
		TransitEncryptionMode:      types.TransitEncryptionModeRequired,
		NodeGroups: []types.NodeGroup{{
			NodeGroupId:     aws.String("0001"),
			Status:          aws.String("available"),
			PrimaryEndpoint: endpoint("payments.larder.internal"),
			ReaderEndpoint:  endpoint("payments-ro.larder.internal"),
		}},
	}
	for i := range 3 {
		id := fmt.Sprintf("payments-%03d", i+1)
		group.MemberClusters = append(group.MemberClusters, id)
		group.NodeGroups[0].NodeGroupMembers = append(group.NodeGroups[0].NodeGroupMembers, types.NodeGroupMember{
			CacheClusterId:            aws.String(id),
			CacheNodeId:               aws.String("0001"),
			CurrentRole:               aws.String("replica"),
			PreferredAvailabilityZone: aws.String("us-east-1a"),
			ReadEndpoint:              endpoint(id + ".larder.internal"),
		})
	}
	return &elasticache.DescribeReplicationGroupsOutput{ReplicationGroups: []types.ReplicationGroup{group}}
}

func BenchmarkAppendQueryResponse(b *testing.B) {
	codec, out := awswire.NewCodec(awswire.ElastiCache()), threeNodes()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = codec.AppendQueryResponse(buf[:0], "DescribeReplicationGroups", "id", out); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecodeQuery(b *testing.B) {
	codec := awswire.NewCodec(awswire.ElastiCache())
	form, err := url.ParseQuery(goldens(b, "elasticache")["CreateReplicationGroup"])
	if err != nil {
		b.Fatal(err)
	}
	form.Del("Action")
	form.Del("Version")
	b.ReportAllocs()
	for b.Loop() {
		if err := codec.DecodeQuery(form, &elasticache.CreateReplicationGroupInput{}); err != nil {
			b.Fatal(err)
		}
	}
}
