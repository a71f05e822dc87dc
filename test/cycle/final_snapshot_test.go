package cycle

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// variable is one of those that `larder env` gave the stack.
func (s *stack) variable(name string) string {
	for _, v := range s.env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	s.t.Fatalf("no %s in the environment", name)
	return ""
}

// A configuration that asks for a final snapshot is destroyed as it stands, and the snapshot outlives it.
func TestDestroyTakesTheFinalSnapshot(t *testing.T) {
	t.Parallel()
	s := newStack(t, "staging")
	s.apply()
	s.run("terraform", "destroy", "-auto-approve", "-no-color", "-input=false")
	if out := s.run(program, "status"); !strings.Contains(out, "No replication groups") {
		t.Errorf("after destroy:\n%s", out)
	}
	api := elasticache.NewFromConfig(aws.Config{
		Region: s.variable("AWS_REGION"), BaseEndpoint: new(s.variable("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(s.variable("AWS_ACCESS_KEY_ID"), s.variable("AWS_SECRET_ACCESS_KEY"), ""),
	})
	out, err := api.DescribeSnapshots(t.Context(), &elasticache.DescribeSnapshotsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Snapshots) != 1 || *out.Snapshots[0].SnapshotStatus != "available" || !strings.Contains(*out.Snapshots[0].SnapshotName, "-final-") {
		t.Errorf("the snapshots are %+v", out.Snapshots)
	}
}
