package e2e

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/awssdk/ec2"
)

// surroundings are what the modules around the redis module make, as the API describes them.
type surroundings struct {
	vpcs, subnets, groups []string // ids of those that are not the engine's own
	key                   *kmstypes.KeyMetadata
	keyTags, topicKeys    map[string]string
}

const staging = "uex-payments-staging"

func (d *harness) surroundings() surroundings {
	d.t.Helper()
	ctx, config := context.Background(), d.config()
	s := surroundings{keyTags: map[string]string{}, topicKeys: map[string]string{}}
	network := ec2.NewFromConfig(config)
	vpcs, err := network.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
	d.check(err)
	for _, v := range vpcs.Vpcs {
		if !*v.IsDefault {
			s.vpcs = append(s.vpcs, *v.VpcId)
		}
	}
	subnets, err := network.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	d.check(err)
	for _, n := range subnets.Subnets {
		if strings.Join(s.vpcs, "") == *n.VpcId {
			s.subnets = append(s.subnets, *n.SubnetId)
		}
	}
	groups, err := network.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	d.check(err)
	for _, g := range groups.SecurityGroups {
		if strings.HasPrefix(*g.GroupName, staging) {
			s.groups = append(s.groups, *g.GroupId)
		}
	}
	keys := kms.NewFromConfig(config)
	key, err := keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/" + staging)})
	var none *kmstypes.NotFoundException
	if !errors.As(err, &none) {
		d.check(err)
		s.key = key.KeyMetadata
		tags, err := keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: key.KeyMetadata.KeyId})
		d.check(err)
		for _, t := range tags.Tags {
			s.keyTags[*t.TagKey] = *t.TagValue
		}
	}
	topics := sns.NewFromConfig(config)
	for _, level := range []string{"critical", "warning", "info"} {
		out, err := topics.GetTopicAttributes(ctx,
			&sns.GetTopicAttributesInput{TopicArn: aws.String("arn:aws:sns:us-east-1:000000000000:" + staging + "-" +
				level)})
		var none *snstypes.NotFoundException
		if errors.As(err, &none) {
			continue
		}
		d.check(err)
		s.topicKeys[level] = out.Attributes["KmsMasterKeyId"]
	}
	return s
}

// example is a configuration of examples/.
func example(t *testing.T, name string) string { return read(t, "../../examples/"+name+"/main.tf") }

// What the modules beside the redis module make is made, changed, and goes with the deployment.
func TestModulesAroundAreMade(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	config := example(t, "staging")
	dir := d.write("main.tf",
		config+"\noutput \"place\" {\n  value = \"${module.redis.redis_endpoint_address} in "+
			"${module.vpc.vpc_id}\"\n}\n")
	d.must("up", dir)
	s := d.surroundings()
	if got, want := d.must("outputs",
		"place"), strings.TrimSpace(d.must("outputs", "redis_endpoint_address"))+" in "+s.vpcs[0]+"\n"; got != want {
		t.Errorf("the configuration's own output is %q, want %q", got, want)
	}
	if len(s.vpcs) != 1 || len(s.subnets) != 3 || len(s.groups) != 2 || s.key == nil ||
		s.topicKeys["critical"] != *s.key.Arn || s.topicKeys["info"] != "" || len(s.topicKeys) != 3 {
		t.Fatalf("made %+v", s)
	}
	if got := strings.TrimSpace(d.must("outputs", "kms_key_arn")); got != *s.key.Arn {
		t.Errorf("the data are encrypted with %s", got)
	}
	if out := d.must("up", dir); !strings.Contains(out, "nothing to change") {
		t.Errorf("a second up says %s", out)
	}

	changed := strings.Replace(config, "  kms_key_arn  = module.kms.key_arn\n", "", 1) // of the topics
	changed = strings.Replace(changed, "module \"kms\" {\n", "module \"kms\" {\n  tags = { Team = \"payments\" }\n", 1)
	changed = strings.Replace(changed, "module \"vpc\" {\n", "module \"vpc\" {\n  tags = { Team = \"payments\" }\n", 1)
	dir = d.write("main.tf", changed)
	d.must("up", dir)
	after := d.surroundings()
	if after.topicKeys["critical"] != "" || after.keyTags["Team"] != "payments" || after.vpcs[0] != s.vpcs[0] {
		t.Errorf("after the change there is %+v", after)
	}
	if out := d.must("up", dir); !strings.Contains(out, "nothing to change") {
		t.Errorf("an up after the change says %s", out)
	}
	d.refused([]string{"up", d.write("main.tf",
		strings.Replace(changed, "module \"vpc\" {\n", "module \"vpc\" {\n  cidr_block = \"10.9.0.0/16\"\n",
			1))}, "cidr_block", "10.9.0.0/16")
	d.must("destroy", "--yes")
	d.nothingAround()
}

// A destroy that keeps a snapshot says until when its key can be kept, and the commands that it names keep it.
func TestDestroySaysHowToKeepTheSnapshotsKey(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", d.write("main.tf", example(t, "staging")))
	snapshot, key := strings.TrimSpace(d.must("outputs", "final_snapshot_identifier")), *d.surroundings().key.KeyId
	r := d.larder("destroy", "--yes")
	found := regexp.MustCompile(`(?m)^the key (\S+) of snapshot (\S+) can be kept until (.+ UTC):\n  aws kms ` +
		`cancel-key-deletion --key-id (\S+) && aws kms enable-key --key-id (\S+)$`).FindStringSubmatch(r.stderr)
	if r.code != 0 || found == nil || found[1] != key || found[2] != snapshot || found[4] != key || found[5] != key {
		t.Fatalf("exit %d, of the key %s of %s:\n%s", r.code, key, snapshot, r.stderr)
	}
	keys := kms.NewFromConfig(d.config())
	pending, err := keys.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
	d.check(err)
	if until := pending.KeyMetadata.DeletionDate.UTC().Format("2006-01-02 15:04 MST"); until != found[3] {
		t.Errorf("the key is there until %s, and said to be until %s", until, found[3])
	}
	_, err = keys.CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &key})
	d.check(err)
	_, err = keys.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &key})
	d.check(err)
	_, err = d.api().CreateReplicationGroup(t.Context(), &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("restored"), ReplicationGroupDescription: aws.String("restored"),
		CacheNodeType: aws.String("cache.t3.micro"), SnapshotName: &snapshot,
	})
	d.check(err)
	d.eventually("the group is restored", func() bool { return d.status("restored").Status == "available" })
}

// Two calls of the redis module in one configuration share what is around them; the last one that goes takes it away.
func TestTwoCallsShareWhatIsAround(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	config := example(t, "staging")
	_, call, _ := strings.Cut(config, "module \"redis\" {")
	call = strings.Replace(call, `project_name = "uex-payments"`, `project_name = "uex-sessions"`, 1)
	dir := d.write("main.tf", config+"\nmodule \"sessions\" {"+call)
	d.must("up", dir, "--module", "redis")
	first := d.surroundings()
	d.must("up", dir, "--module", "sessions")
	if both := d.surroundings(); len(both.vpcs) != 1 || *both.key.Arn != *first.key.Arn {
		t.Errorf("with both calls there is %+v, with one %+v", both, first)
	}
	d.must("destroy", staging+"-redis", "--yes")
	if out := d.must("up", dir, "--module", "sessions"); !strings.Contains(out, "nothing to change") {
		t.Errorf("the other call, when the first is gone, says %s", out)
	}
	d.must("destroy", "--yes")
	d.nothingAround()
}

func (d *harness) nothingAround() {
	d.t.Helper()
	if s := d.surroundings(); len(s.vpcs)+len(s.subnets)+len(s.groups)+len(s.topicKeys) > 0 || s.key != nil {
		d.t.Errorf("left behind: %+v", s)
	}
	d.gone()
}

// An up that is killed half way is completed by the next one, and can be destroyed.
func TestUpKilledHalfWay(t *testing.T) {
	t.Parallel()
	for _, seen := range []string{"created VPC", "created secret"} {
		t.Run(seen, func(t *testing.T) {
			t.Parallel()
			d := newHarness(t)
			dir := d.write("main.tf", example(t, "staging"))
			d.killedAt(seen, "up", dir)
			d.must("destroy", "--yes")
			d.nothingAround()
			d.killedAt(seen, "up", dir)
			d.must("up", dir)
			if s := d.surroundings(); len(s.vpcs) != 1 || len(s.subnets) != 3 || len(s.groups) != 2 ||
				len(s.topicKeys) != 3 {
				t.Errorf("made %+v", s)
			}
			if out := d.must("up", dir); !strings.Contains(out, "nothing to change") {
				t.Errorf("the up after says %s", out)
			}
			d.must("destroy", "--yes")
			d.nothingAround()
		})
	}
}

// killedAt kills an up when it says so on its standard error. One that was over before the signal came, on a machine
// where the test waits for a processor, is taken back and done again.
func (d *harness) killedAt(seen string, args ...string) {
	d.t.Helper()
	for range 10 {
		if d.kills(seen, args...) {
			return
		}
		d.must("destroy", "--yes", "--skip-final-snapshot")
	}
	d.t.Fatalf("larder %s is over each time before it can be killed at %q", strings.Join(args, " "), seen)
}

// kills starts an up, and tells whether it was killed when it said so.
func (d *harness) kills(seen string, args ...string) bool {
	d.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = d.env
	stderr, err := cmd.StderrPipe()
	d.check(err)
	d.check(cmd.Start())
	lines := bufio.NewScanner(stderr)
	said := false
	for lines.Scan() {
		if strings.Contains(lines.Text(), seen) ||
			strings.Contains(lines.Text(), strings.Replace(seen, "created", "restored", 1)) {
			said = true
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil && said {
		d.t.Fatal(err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !said || err != nil && !errors.As(err, &exit) {
		d.t.Fatalf("larder %s was to be killed at %q, and ended with %v", strings.Join(args, " "), seen, err)
	}
	return err != nil
}
