package cycle

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// TestWhatIsGoneIsMadeAgain takes the module's resources away behind Terraform's back, one kind at a time and then all
// together, and adds a replica: one apply each puts it right, and the plan after it is empty.
func TestWhatIsGoneIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := newStack(t, "staging")
	before := s.census()
	s.apply()
	whole := s.census()
	s.addReplica()
	s.madeAgain("a replica too many", whole)
	for kind, remove := range map[string]func(*cloud) error{
		"alarms": (*cloud).loseAlarms, "log groups": (*cloud).loseLogGroups, "secret": (*cloud).loseSecret,
		"group": (*cloud).loseGroup,
	} {
		if err := remove(s.cloud); err != nil {
			t.Fatalf("cannot take the %s away: %v", kind, err)
		}
		s.madeAgain(kind, whole)
	}
	for _, remove := range []func(*cloud) error{
		(*cloud).loseAlarms, (*cloud).loseLogGroups, (*cloud).loseSecret, (*cloud).loseGroup, (*cloud).loseGroups,
	} {
		if err := remove(s.cloud); err != nil {
			t.Fatal(err)
		}
	}
	s.madeAgain("everything", whole)
	s.destroy()
	s.sameCensus(before)
}

// TestAGroupIsReplacedTwice replaces a group by other ports: each has alarms on its own members, and leaves a final
// snapshot of a name of its own.
func TestAGroupIsReplacedTwice(t *testing.T) {
	t.Parallel()
	s := newStack(t, "staging")
	s.apply()
	for _, port := range []string{"6390", "6391"} {
		s.change(`  # Redis Configuration`, "  redis_port = "+port+"\n  # Redis Configuration")
		if out := s.apply(); !strings.Contains(out, replaced) {
			t.Errorf("the group was not replaced:\n%s", out)
		}
		s.change("  redis_port = "+port+"\n", "")
	}
	s.change(`  # Redis Configuration`, "  redis_port = 6391\n  # Redis Configuration")
	s.destroy()
	out, err := s.cloud.cache.DescribeSnapshots(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Snapshots) != 3 {
		t.Errorf("three groups have left %d final snapshots", len(out.Snapshots))
	}
}

// TestAGroupIsReplacedByHand: replaced with its final snapshot's name, a group leaves a snapshot of a name of its own.
// Replaced alone it has the name of the one before it, until the name is replaced in place, as the module's README
// says.
func TestAGroupIsReplacedByHand(t *testing.T) {
	if os.Getenv(longVariable) == "" {
		t.Skipf("takes minutes: `make terraform-long` runs it, as %s=1 does", longVariable)
	}
	t.Parallel()
	s := newStack(t, "staging")
	const group = "-replace=module.redis.aws_elasticache_replication_group.this"
	const name = "-replace=module.redis.terraform_data.final_snapshot[0]"
	s.apply()
	s.replace(true, group, name)
	s.replace(true, group)
	if out, err := s.try("terraform", "destroy", "-auto-approve", "-no-color", "-input=false",
		"-target=module.redis.aws_elasticache_replication_group.this"); err == nil ||
		!strings.Contains(err.Error()+string(out), "SnapshotAlreadyExistsFault") {
		t.Errorf("the name of a group that was replaced alone is not taken: %v\n%s", err, out)
	}
	s.replace(false, name)
	s.destroy()
	out, err := s.cloud.cache.DescribeSnapshots(t.Context(), nil)
	if err != nil || len(out.Snapshots) != 3 {
		t.Errorf("three groups have left %d final snapshots: %v", len(out.Snapshots), err)
	}
}

// replace applies with replacements, and looks whether the group is among them.
func (s *stack) replace(group bool, args ...string) {
	s.t.Helper()
	out := s.run("terraform", append([]string{"apply", "-auto-approve", "-no-color", "-input=false"}, args...)...)
	if strings.Contains(out, "replication_group.this will be replaced, as requested") != group {
		s.t.Errorf("%v: the group was replaced: %t, want %t\n%s", args, !group, group, out)
	}
}

// madeAgain applies once, and looks whether all is there that was.
func (s *stack) madeAgain(what string, whole map[string][]string) {
	s.t.Helper()
	s.t.Run(what, func(t *testing.T) {
		s := s.in(t)
		s.apply()
		s.sameCensus(whole)
	})
}

// addReplica adds one by hand.
func (s *stack) addReplica() {
	s.t.Helper()
	_, err := s.cloud.cache.IncreaseReplicaCount(s.t.Context(), &elasticache.IncreaseReplicaCountInput{
		ReplicationGroupId: &s.id, NewReplicaCount: aws.Int32(2), ApplyImmediately: aws.Bool(true)})
	if err == nil {
		err = elasticache.NewReplicationGroupAvailableWaiter(s.cloud.cache).Wait(s.t.Context(),
			&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &s.id}, time.Minute)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// loseAlarms deletes them, and the dashboard.
func (c *cloud) loseAlarms() error {
	ctx := context.Background()
	alarms, err := c.alarms.DescribeAlarms(ctx, nil)
	if err != nil {
		return err
	}
	var names []string
	for _, a := range alarms.MetricAlarms {
		names = append(names, *a.AlarmName)
	}
	if _, err := c.alarms.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: names}); err != nil {
		return err
	}
	boards, err := c.alarms.ListDashboards(ctx, nil)
	if err != nil {
		return err
	}
	var boardNames []string
	for _, b := range boards.DashboardEntries {
		boardNames = append(boardNames, *b.DashboardName)
	}
	if len(boardNames) == 0 { // of the module's inputs in the example none asks for one
		return nil
	}
	_, err = c.alarms.DeleteDashboards(ctx, &cloudwatch.DeleteDashboardsInput{DashboardNames: boardNames})
	return err
}

func (c *cloud) loseLogGroups() error {
	ctx := context.Background()
	groups, err := c.logs.DescribeLogGroups(ctx, nil)
	if err != nil {
		return err
	}
	for _, g := range groups.LogGroups {
		_, err := c.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: g.LogGroupName})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *cloud) loseSecret() error {
	ctx := context.Background()
	secrets, err := c.secrets.ListSecrets(ctx, nil)
	if err != nil {
		return err
	}
	for _, s := range secrets.SecretList {
		if _, err := c.secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: s.ARN,
			ForceDeleteWithoutRecovery: aws.Bool(true)}); err != nil {
			return err
		}
	}
	return nil
}

// loseGroup deletes the replication group, and waits until it is gone.
func (c *cloud) loseGroup() error {
	ctx := context.Background()
	_, err := c.cache.DeleteReplicationGroup(ctx,
		&elasticache.DeleteReplicationGroupInput{ReplicationGroupId: &c.id})
	if err != nil {
		return err
	}
	often := func(o *elasticache.ReplicationGroupDeletedWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	}
	return elasticache.NewReplicationGroupDeletedWaiter(c.cache, often).Wait(ctx,
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &c.id}, time.Minute)
}

// loseGroups deletes what nobody uses without the replication group: the parameter group and the subnet group.
func (c *cloud) loseGroups() error {
	ctx := context.Background()
	_, err := c.cache.DeleteCacheSubnetGroup(ctx,
		&elasticache.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: aws.String(c.id + "-subnets")})
	if err != nil {
		return err
	}
	_, err = c.cache.DeleteCacheParameterGroup(ctx,
		&elasticache.DeleteCacheParameterGroupInput{CacheParameterGroupName: aws.String(c.id + "-redis7")})
	return err
}
