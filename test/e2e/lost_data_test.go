package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// What `larder down` ended, `larder up` brings back empty, or as its newest snapshot where the engine is told so; the
// event list says which.
func TestLostDataComeBackFromASnapshot(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-dev-redis"
	d := newHarness(t)
	dir := d.write("main.tf", read(t, seed+"development.tf"))
	d.must("up", dir)
	ctx := t.Context()
	if err := d.client(d.status(id).Primary).Set(ctx, "kept", "before", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.api().CreateSnapshot(ctx,
		&elasticache.CreateSnapshotInput{ReplicationGroupId: aws.String(id),
			SnapshotName: aws.String("copy")}); err != nil {
		t.Fatal(err)
	}
	d.eventually("the snapshot is there",
		func() bool { return aws.ToString(d.snapshot("copy").SnapshotStatus) == "available" })

	for _, c := range []struct{ policy, want, said, warned string }{
		{"newest-snapshot", "before", "restarted with the data of snapshot copy", "What was written to " + id +
			" after snapshot copy is lost: "},
		{"empty", "", "restarted without data", "All data of " + id + " are lost: "},
	} {
		d.must("down", "--yes")
		d.env = append(d.env, "LARDER_LOST_DATA="+c.policy)
		if out := d.must("up", dir); !strings.HasPrefix(out, "warning: "+c.warned) {
			t.Errorf("%s: up says %s", c.policy, out)
		}
		if got := d.client(d.status(id).Primary).Get(ctx, "kept").Val(); got != c.want {
			t.Errorf("%s: kept is %q, want %q", c.policy, got, c.want)
		}
		events, err := d.api().DescribeEvents(ctx,
			&elasticache.DescribeEventsInput{SourceType: types.SourceTypeCacheCluster})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(events.Events,
			func(e types.Event) bool { return strings.Contains(*e.Message, c.said) }) {
			t.Errorf("%s: no event says %q", c.policy, c.said)
		}
	}
	d.env = append(d.env, "LARDER_LOST_DATA=yesterday's")
	d.must("down", "--yes")
	d.refused([]string{"serve"}, "LARDER_LOST_DATA", "yesterday's", "newest-snapshot")
}
