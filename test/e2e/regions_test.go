package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/awssdk/ec2"
)

// regional is the development configuration of the seed, with the region of its provider.
func regional(t *testing.T, region string) string {
	t.Helper()
	dir := t.TempDir()
	text := read(t, seed+"development.tf") + fmt.Sprintf("\nprovider \"aws\" {\n  region = %q\n}\n", region)
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestEveryRegionHasItsOwn: one configuration in two regions is two deployments, which know nothing of each other and
// outlive the engine; a region that nobody has used has no directory.
func TestEveryRegionHasItsOwn(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-dev-redis"
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	if out := d.must("up", regional(t, "eu-west-1")); !strings.Contains(out, id+" is up in eu-west-1") ||
		!strings.Contains(out, "env --region eu-west-1") {
		t.Errorf("up said\n%s", out)
	}
	here := d.config()
	there := here.Copy()
	there.Region = "eu-west-1"
	first, second := describeOnly(t, here), describeOnly(t, there)
	if first.id != id || second.id != id || first.primary == second.primary ||
		!strings.Contains(second.arn, ":eu-west-1:") ||
		second.zone != "eu-west-1a" {
		t.Errorf("in one region %+v, in the other %+v", first, second)
	}
	if _, err := secretsmanager.NewFromConfig(there).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("regional"), SecretString: aws.String("there"),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := secretsmanager.NewFromConfig(here).GetSecretValue(t.Context(),
		&secretsmanager.GetSecretValueInput{SecretId: aws.String("regional")}); err == nil {
		t.Error("a secret of another region is found")
	}
	vpcs := func(c aws.Config) string {
		out, err := ec2.NewFromConfig(c).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
		d.check(err)
		return aws.ToString(out.Vpcs[0].VpcId)
	}
	if vpcs(here) == vpcs(there) {
		t.Error("two regions have one default VPC")
	}

	// What is meant where there are several.
	d.refused([]string{"failover", id}, "there is a "+id+" in each of us-east-1, eu-west-1: choose one with --region")
	d.refused([]string{"outputs"}, "there are several deployments")
	d.refused([]string{"status", "--region", "eu-central-1"}, "nothing is in the region eu-central-1")
	d.refused([]string{"status", "--region", "mars-north-1"}, "no such region")
	if out := d.must("status"); strings.Count(out, id+"  available") != 2 || !strings.Contains(out, "  eu-west-1  ") {
		t.Errorf("status says\n%s", out)
	}
	if out := d.must("outputs", "--region", "eu-west-1",
		"replication_group_primary_endpoint_address"); strings.TrimSpace(out) != second.primary {
		t.Errorf("the outputs have the endpoint %s, want %s", out, second.primary)
	}
	if out := d.must("env", "--region", "eu-west-1"); !strings.Contains(out, "export AWS_REGION='eu-west-1'") {
		t.Errorf("env says\n%s", out)
	}

	// The engine is killed: the nodes of both go on, under the next one.
	running := func() []int {
		engine := d.pid()
		return slices.DeleteFunc(d.pids(), func(pid int) bool { return pid == engine })
	}
	nodes := running()
	if len(nodes) != 2 {
		t.Errorf("the nodes are %v", nodes)
	}
	if err := syscall.Kill(d.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	d.must("up", seed+"development.tf")
	if now := running(); !slices.Equal(now, nodes) {
		t.Errorf("the nodes were %v, and are %v", nodes, now)
	}
	if value, err := secretsmanager.NewFromConfig(there).GetSecretValue(t.Context(),
		&secretsmanager.GetSecretValueInput{SecretId: aws.String("regional")}); err != nil ||
		aws.ToString(value.SecretString) != "there" {
		t.Errorf("after a restart: %v", err)
	}
	d.must("destroy", id, "--yes", "--region", "eu-west-1")
	if got := describeOnly(t, here); got.id != id {
		t.Error("the other region's group went too")
	}
	regions, err := os.ReadDir(filepath.Join(d.home, "regions"))
	if err != nil || len(regions) != 1 {
		t.Errorf("%v regions have a directory: %v", regions, err)
	}
}

// TestARegionIsGuardedAsTheFirstIs: its parts come back under a running engine, no new one begins in the place of one
// that is gone, and `down` ends its nodes when the engine is gone.
func TestARegionIsGuardedAsTheFirstIs(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", regional(t, "ap-southeast-2"))
	region := filepath.Join(d.home, "regions", "ap-southeast-2")
	for _, part := range []string{"larder.db", "logs", "metrics"} {
		if err := os.RemoveAll(filepath.Join(region, part)); err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{"larder.db", "logs", "metrics"} {
		d.eventually(part+" is there again",
			func() bool { _, err := os.Lstat(filepath.Join(region, part)); return err == nil })
	}
	nodes := d.pids()
	if err := syscall.Kill(d.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(region, "larder.db")
	if err := os.Rename(store, store+".kept"); err != nil {
		t.Fatal(err)
	}
	d.refused([]string{"up", seed + "development.tf"},
		"the region ap-southeast-2 was in use, and its larder.db is gone", "put "+store+" back")
	if out := d.must("down", "--yes"); !strings.Contains(out, "1 process stopped") {
		t.Errorf("down said %q", out)
	}
	d.awaitGone(nodes...)
	if err := os.Rename(store+".kept", store); err != nil {
		t.Fatal(err)
	}
	d.must("up", regional(t, "ap-southeast-2"))
}

// TestAWrongRegionIsRefused by name, before and after there is an engine, and costs nothing.
func TestAWrongRegionIsRefused(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.refused([]string{"up", regional(t, "eu-west-9")},
		`the provider's region is "eu-west-9", and there is no such region`)
	d.refused([]string{"up", seed + "development.tf", "--region", "cn-north-1"}, `--region is "cn-north-1"`)
	if _, err := os.Lstat(d.home); err == nil {
		t.Error("a refused region left a state directory")
	}
	d.must("up", seed+"development.tf")
	c := d.config()
	c.Region = "us-gov-west-1"
	_, err := kms.NewFromConfig(c).ListKeys(t.Context(), &kms.ListKeysInput{})
	if err == nil || !strings.Contains(err.Error(),
		"Credential should be scoped to a valid region, not 'us-gov-west-1'") {
		t.Errorf("another partition's region: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(d.home, "regions")); err == nil {
		t.Error("a region was made by who was refused")
	}
}

// described is a group as the API describes it.
type described struct{ id, arn, primary, zone string }

// describeOnly describes the only group of a region.
func describeOnly(t *testing.T, c aws.Config) described {
	t.Helper()
	out, err := elasticache.NewFromConfig(c).DescribeReplicationGroups(t.Context(),
		&elasticache.DescribeReplicationGroupsInput{})
	if err != nil || len(out.ReplicationGroups) != 1 {
		t.Fatalf("%d groups: %v", len(out.ReplicationGroups), err)
	}
	g := out.ReplicationGroups[0]
	return described{
		aws.ToString(g.ReplicationGroupId), aws.ToString(g.ARN), aws.ToString(g.NodeGroups[0].PrimaryEndpoint.Address),
		aws.ToString(g.NodeGroups[0].NodeGroupMembers[0].PreferredAvailabilityZone),
	}
}
