package cycle

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/awssdk/ec2"
	ec2types "larder/internal/awssdk/ec2/types"
)

// longVariable asks for what `make terraform-long` runs beside the rest: the round that changes how many nodes there
// are, for which the provider waits half a minute and more.
const longVariable = "LARDER_TERRAFORM_LONG"

// publicModule is a public module whose shape testdata/public has.
type publicModule struct {
	region  string
	version string             // of the engine, in the example
	took    func(*cloud) error // tells why round 1 did not take effect
	nodes   [3]int             // after each round
}

// publicModules are keyed as the modules in testdata/public.
var publicModules = map[string]publicModule{
	"terraform-aws-modules": {"eu-west-1", "7.1", all(nodeType("cache.t4g.medium", 3317862236),
		parameter("ex-redis-replication-group", "latency-tracking", "no")), [3]int{1, 1, 1}},
	"cloudposse": {"us-east-2", "6.2", all(inSecurityGroup("renamed-"), everyCluster(minorVersion, "7.0")),
		[3]int{1, 1, 2}}, // 6.x, which is 6.2
	"umotif": {"eu-west-1", "7.0", all(described(retention, "3"), everyCluster(minorVersion, "7.1"),
		everyNode("repl_backlog_size", "32768")), [3]int{2, 2, 3}},
	"geekcell": {"eu-central-1", "7.0", all(everyNode("maxmemory_policy", "allkeys-lru"),
		logRetention("/elasticache-redis/cluster/geekcell/log/", 14)), [3]int{2, 2, 3}},
	"clouddrove": {"eu-west-1", "7.0", all(described(retention, "2"), logRetention("redis-", 14)), [3]int{1, 1, 2}},
	"fleet": {"us-east-2", "7.1", all(nodeType("cache.m5.xlarge", 13891921715), described(failover, "enabled")),
		[3]int{3, 3, 2}},
	"ministryofjustice": {"eu-west-2", "7.0", nil, [3]int{2, 2, 3}}, // see wantRotated
}

// The public modules apply in the regions and at the versions that their examples name, plan empty, change in place,
// plan empty, and leave nothing.
func TestPublicModules(t *testing.T) {
	t.Parallel()
	s := newBare(t, "public")
	s.makePrivateNetwork("eu-west-2")
	before := s.censusOfRegions()
	s.publicRound(0)
	first := s.publicGroups()
	for round := 1; round <= publicRounds(); round++ {
		s.publicRound(round)
	}
	s.wantRotated(first["ministryofjustice"])
	s.destroy()
	for region, was := range before {
		there := s.in(t)
		there.cloud = s.cloud.in(region)
		there.sameCensus(was)
	}
}

func publicRounds() int {
	if os.Getenv(longVariable) == "" {
		return 1
	}
	return 2
}

// lostGroup is what Terraform says of a group that it cannot change in place.
var lostGroup = regexp.MustCompile(`\S*aws_elasticache_replication_group\.\S+ (must be replaced|will be destroyed)`)

// publicRound applies a round, and looks at each module's group.
func (s *stack) publicRound(round int) {
	s.t.Helper()
	s.env = append(s.env, fmt.Sprint("TF_VAR_round=", round))
	if lost := lostGroup.FindString(s.apply()); lost != "" {
		s.t.Errorf("round %d: %s", round, lost)
	}
	groups := s.publicGroups()
	for name, m := range publicModules {
		s.t.Run(fmt.Sprintf("%s in round %d", name, round), func(t *testing.T) {
			c := s.cloud.in(m.region)
			c.id, c.auth = groups[name].ID, &groups[name].Token
			if err := eventually(func() error { return m.check(c, round) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// check looks at a module's group after a round.
func (m publicModule) check(c *cloud, round int) error {
	checks := []func(*cloud) error{members(m.nodes[round]), writable}
	switch {
	case round == 0:
		checks = append(checks, everyCluster(minorVersion, m.version))
	case m.took != nil:
		checks = append(checks, m.took)
	}
	return all(checks...)(c)
}

// publicGroup is what a module says of its replication group.
type publicGroup struct{ ID, Endpoint, Token string }

func (s *stack) publicGroups() map[string]*publicGroup {
	s.t.Helper()
	var groups map[string]*publicGroup
	if err := json.Unmarshal([]byte(s.run("terraform", "output", "-json", "groups")), &groups); err != nil {
		s.t.Fatal(err)
	}
	return groups
}

// wantRotated checks that a group has another token, beside which the former one goes on: modules rotate by ROTATE.
func (s *stack) wantRotated(former *publicGroup) {
	s.t.Helper()
	now := s.publicGroups()["ministryofjustice"]
	if now.Token == former.Token {
		s.t.Errorf("%s has the token that it had", now.ID)
	}
	for _, token := range []string{former.Token, now.Token} {
		client := s.cloud.connect(now.Endpoint+":6379", token)
		if err := client.Ping(s.t.Context()).Err(); err != nil {
			s.t.Errorf("%s: %v", now.ID, err)
		}
		client.Close()
	}
}

func (s *stack) censusOfRegions() map[string]map[string][]string {
	s.t.Helper()
	regions := map[string]map[string][]string{}
	for _, m := range publicModules {
		there := s.in(s.t)
		there.cloud = s.cloud.in(m.region)
		regions[m.region] = there.census()
	}
	return regions
}

// makePrivateNetwork makes the VPC that the Ministry of Justice's module looks for.
func (s *stack) makePrivateNetwork(region string) {
	s.t.Helper()
	tagged := func(kind ec2types.ResourceType, key, value string) []ec2types.TagSpecification {
		return []ec2types.TagSpecification{{ResourceType: kind, Tags: []ec2types.Tag{{Key: &key, Value: &value}}}}
	}
	network := s.cloud.in(region).network
	vpc, err := network.CreateVpc(s.t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("172.20.0.0/16"),
		TagSpecifications: tagged(ec2types.ResourceTypeVpc, "Name", "live-1")})
	if err != nil {
		s.t.Fatal(err)
	}
	for i, zone := range []string{"a", "b", "c"} {
		_, err := network.CreateSubnet(s.t.Context(), &ec2.CreateSubnetInput{
			VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String(fmt.Sprintf("172.20.%d.0/24", i)),
			AvailabilityZone:  aws.String(region + zone),
			TagSpecifications: tagged(ec2types.ResourceTypeSubnet, "SubnetType", "Private")})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// writable writes and reads through the primary endpoint.
func writable(c *cloud) error {
	primary, err := c.primary()
	if err != nil {
		return err
	}
	client := c.connect(primary, *c.auth)
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "key", c.id, 0).Err(); err != nil {
		return fmt.Errorf("write to %s: %w", c.id, err)
	}
	if got, err := client.Get(ctx, "key").Result(); err != nil || got != c.id {
		return fmt.Errorf("%s has %q (%w), want what was written", c.id, got, err)
	}
	return nil
}

// parameter checks what a parameter group was given.
func parameter(group, name, want string) func(*cloud) error {
	return func(c *cloud) error {
		out, err := c.cache.DescribeCacheParameters(context.Background(),
			&elasticache.DescribeCacheParametersInput{CacheParameterGroupName: &group, Source: aws.String("user")})
		if err != nil {
			return err
		}
		if p := out.Parameters; len(p) != 1 || *p[0].ParameterName != name || *p[0].ParameterValue != want {
			return fmt.Errorf("%s was given %v, want %s = %s alone", group, out.Parameters, name, want)
		}
		return nil
	}
}

// inSecurityGroup checks that each node is in one security group, whose name begins so.
func inSecurityGroup(prefix string) func(*cloud) error {
	return func(c *cloud) error {
		var ids []string
		err := everyCluster(func(cluster ectypes.CacheCluster) string {
			for _, g := range cluster.SecurityGroups {
				ids = append(ids, *g.SecurityGroupId)
			}
			return fmt.Sprint(len(cluster.SecurityGroups))
		}, "1")(c)
		if err != nil {
			return err
		}
		out, err := c.network.DescribeSecurityGroups(context.Background(), &ec2.DescribeSecurityGroupsInput{GroupIds: ids})
		if err != nil {
			return err
		}
		for _, g := range out.SecurityGroups {
			if !strings.HasPrefix(*g.GroupName, prefix) {
				return fmt.Errorf("the security group is %s, want one that begins with %s", *g.GroupName, prefix)
			}
		}
		return nil
	}
}

// minorVersion is the form in which a request names a member's version.
func minorVersion(c ectypes.CacheCluster) string {
	return strings.Join(strings.SplitN(*c.EngineVersion, ".", 3)[:2], ".")
}

func failover(g ectypes.ReplicationGroup) string { return string(g.AutomaticFailover) }
