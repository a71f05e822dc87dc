package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// moved is what `larder failover --json` prints.
type moved struct {
	ID, Shard  string
	Old        string  `json:"old_primary"`
	New        string  `json:"new_primary"`
	FailedOver float64 `json:"elected_after_seconds"`
	Seconds    float64 `json:"available_after_seconds"`
}

func (d *harness) failover(args ...string) (m moved) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.must(append([]string{"failover", "--json"}, args...)...)), &m); err != nil {
		d.t.Fatal(err)
	}
	return m
}

func TestFailoverToAChosenReplica(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.refused([]string{"failover"}, "no engine is running")
	d.must("up", seed+"production.tf")
	const group = "uex-payments-prod-redis"
	got := d.failover("--to", group+"-002")
	if got.ID != group || got.Old != group+"-001" || got.New != group+"-002" || got.FailedOver <= 0 ||
		got.Seconds < got.FailedOver {
		t.Errorf("got %+v", got)
	}
	if s := d.status(group); s.Nodes[1].Role != "primary" || s.Status != "modifying" && s.Status != "available" {
		t.Errorf("after the failover: %+v", s)
	}
	// Automatic failover was turned off for the move, which the API wants, and is on again.
	out, err := d.api().DescribeReplicationGroups(context.Background(), &elasticache.DescribeReplicationGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if g := out.ReplicationGroups[0]; g.AutomaticFailover != "enabled" || g.MultiAZ != "enabled" {
		t.Errorf("automatic failover is %s, Multi-AZ %s", g.AutomaticFailover, g.MultiAZ)
	}
	d.eventually("the group is available", func() bool { return d.status(group).Status == "available" })
	before := d.status(group)
	d.refused([]string{"failover", "--to", group + "-002"}, "is the primary already")
	d.refused([]string{"failover", "--to", "nobody"}, "nobody", "next: its members: "+group+"-001")
	d.refused([]string{"failover", "--to", group + "-001", "--shard", "0007"}, `no node group "0007"`,
		"next: its node groups: 0001")
	for _, command := range [][]string{{"failover", "other"}, {"logs", "other"}, {"status", "other"},
		{"status", "--watch", "other"}, {"top", "other"}} {
		d.refused(command, `there is no replication group "other"; there are: `+group)
	}
	if r := d.larder("failover", "a", "b"); r.code != 2 {
		t.Errorf("two ids: exit %d, %s", r.code, r.stderr)
	}
	if after := d.status(group); after.Nodes[1].Role != before.Nodes[1].Role || after.Status != "available" {
		t.Errorf("refusals changed %+v into %+v", before, after)
	}
	for _, line := range [][]string{{"destroy", ""}, {"outputs", "--deployment", ""}} {
		if words := d.must(append([]string{"__complete"}, line...)...); !strings.Contains(words, group+"\t") {
			t.Errorf("%s completes %s", line, words)
		}
	}
	if words := d.must("__complete", "outputs", ""); !strings.Contains(words, "\nredis_cli_command\n") {
		t.Errorf("the outputs are not completed: %s", words)
	}
	if words := d.must("__complete", "failover", "--to", ""); !strings.Contains(words, group+"-003\t") ||
		strings.Contains(words, group+"-002\t") {
		t.Errorf("the replicas are not completed: %s", words)
	}
}
