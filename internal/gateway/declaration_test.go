package gateway_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/google/go-cmp/cmp"

	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/sigv4"
)

func failover(context.Context, *elasticache.TestFailoverInput) (*elasticache.TestFailoverOutput, error) {
	return &elasticache.TestFailoverOutput{}, nil
}

func TestNewFindsMistakes(t *testing.T) {
	service := func(actions ...gateway.Action) []gateway.Service {
		return []gateway.Service{{Shapes: awswire.ElastiCache(), Actions: actions}}
	}
	good := gateway.Handle("TestFailover", gateway.Write, failover, gateway.Refuse("NodeGroupId", "there is one"))
	for _, test := range []struct {
		name     string
		services []gateway.Service
		want     string // empty: no mistake
	}{
		{"good", service(good), ""},
		{"no such operation", service(gateway.Handle("Failover", gateway.Write, failover)),
			"ElastiCache has no operation Failover"},
		{"not in the wire table", []gateway.Service{{
			Shapes: &awswire.Shapes{ServiceID: "EC2", SigningName: "ec2",
				Operations: []string{"CreateVpc", "TestFailover"}, Covered: []string{"CreateVpc"}},
			Actions: []gateway.Action{good},
		}}, "EC2's wire table does not cover TestFailover: add it to shapegen's list"},
		{"twice", service(good, good), "ElastiCache's TestFailover is declared twice"},
		{"service twice", append(service(good), service()...), "the service elasticache is declared twice"},
		{"no handler", service(gateway.Action{Name: "TestFailover"}), `action "TestFailover" was not made by Handle`},
		{"no such field", service(gateway.Handle("TestFailover", gateway.Write, failover,
			gateway.Refuse("Shard", "x"))),
			"refusal of Shard: elasticache.TestFailoverInput has no field Shard"},
		{"no structure", service(gateway.Handle("TestFailover", gateway.Write, failover,
			gateway.Refuse("NodeGroupId.Name", "x"))),
			"refusal of NodeGroupId.Name: string is not a structure"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := gateway.New(gateway.Config{
				User: user, Grants: everything,
				Services: test.services, Verifier: &sigv4.Verifier{}, Region: region,
				NewRequestID: func() string { return "" },
			})
			if test.want == "" && err != nil || test.want != "" &&
				(err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := gateway.New(gateway.Config{}); err == nil {
		t.Error("an empty Config was accepted")
	}
}

func TestWriteCompatibility(t *testing.T) {
	shapes := &awswire.Shapes{
		ServiceID: "ElastiCache", SigningName: "elasticache", Version: "2015-02-02",
		Operations: []string{"DescribeUsers", "TestFailover", "TestMigration"},
	}
	var got bytes.Buffer
	err := gateway.WriteCompatibility(&got, []gateway.Service{{Shapes: shapes, Actions: []gateway.Action{
		gateway.Handle("TestMigration", gateway.Write, failover),
		gateway.Handle("TestFailover", gateway.Write, failover,
			gateway.Refuse("NodeGroupId", "one | only"), gateway.Only("ReplicationGroupId", "it is the one", "a", "b")),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	const want = "## ElastiCache\n\n" +
		"`elasticache`, API version 2015-02-02: 2 of 3 operations.\n\n" +
		"| Operation | Access level | Served |\n|---|---|---|\n" +
		"| DescribeUsers | | no |\n" +
		"| TestFailover | Write | in part: without `NodeGroupId` (one \\| only); `ReplicationGroupId` only as `a` or `b` " +
		"(it is the one) |\n" +
		"| TestMigration | Write | yes |\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWriteCompatibilityOfAPart(t *testing.T) {
	shapes := &awswire.Shapes{
		ServiceID: "EC2", SigningName: "ec2", Version: "2016-11-15",
		Operations: []string{"RunInstances", "StopInstances", "TestFailover"}, Covered: []string{"TestFailover"},
	}
	var got bytes.Buffer
	err := gateway.WriteCompatibility(&got, []gateway.Service{{Shapes: shapes, Actions: []gateway.Action{
		gateway.Handle("TestFailover", gateway.Write, failover),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	const want = "## EC2\n\n" +
		"`ec2`, API version 2016-11-15: 1 of 3 operations.\n\n" +
		"| Operation | Access level | Served |\n|---|---|---|\n" +
		"| TestFailover | Write | yes |\n" +
		"| the other 2 | | no |\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
