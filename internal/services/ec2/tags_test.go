package ec2_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
)

// tagsOf are a resource's tags, written as "a=1 b=2".
func (s *server) tagsOf(t *testing.T, id string) string {
	t.Helper()
	var words []string
	for _, d := range must(s.DescribeTags(t.Context(),
		&sdk.DescribeTagsInput{Filters: []types.Filter{filter("resource-id", id)}}))(t).Tags {
		words = append(words, *d.Key+"="+*d.Value)
	}
	return strings.Join(words, " ")
}

func TestTagsOfEveryResource(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	subnet, group := s.subnet(t, vpc, "10.0.0.0/24"), s.group(t, vpc, "mine")
	ids := map[types.ResourceType]string{
		types.ResourceTypeVpc: vpc, types.ResourceTypeSubnet: subnet, types.ResourceTypeSecurityGroup: group,
		types.ResourceTypeSecurityGroupRule: "sgr-1",
		types.ResourceTypeRouteTable:        "rtb-1", types.ResourceTypeNetworkAcl: "acl-1",
		types.ResourceTypeInternetGateway: s.attached(t, vpc), types.ResourceTypeElasticIp: s.address(t),
		types.ResourceTypeNatgateway: s.nat(t, subnet, "eipalloc-1"),
	}
	var all []string
	for _, id := range ids {
		all = append(all, id)
	}
	must(s.CreateTags(t.Context(), &sdk.CreateTagsInput{Resources: all,
		Tags: []types.Tag{tag("b", "2"), tag("a", "1"), tag("c", "")}}))(t)
	must(s.CreateTags(t.Context(), &sdk.CreateTagsInput{Resources: all, Tags: []types.Tag{tag("a", "3")}}))(t)
	for of, id := range ids {
		if got := s.tagsOf(t, id); got != "a=3 b=2 c=" {
			t.Errorf("%s has %s", id, got)
		}
		typed := must(s.DescribeTags(t.Context(),
			&sdk.DescribeTagsInput{Filters: []types.Filter{filter("resource-type", string(of)),
				filter("key", "b")}}))(t)
		wantSame(t, typed.Tags, []types.TagDescription{{ResourceId: &id, ResourceType: of, Key: new("b"),
			Value: new("2")}})
	}
	// The tags are on what is described, too.
	want := []types.Tag{tag("a", "3"), tag("b", "2"), tag("c", "")}
	wantSame(t, must(s.DescribeVpcs(t.Context(), &sdk.DescribeVpcsInput{}))(t).Vpcs[0].Tags, want)
	wantSame(t, must(s.DescribeSubnets(t.Context(), &sdk.DescribeSubnetsInput{}))(t).Subnets[0].Tags, want)
	wantSame(t, s.described(t, group).Tags, want)
	wantSame(t, s.rule(t, "sgr-1").Tags, want)
	wantSame(t, must(s.DescribeRouteTables(t.Context(), &sdk.DescribeRouteTablesInput{}))(t).RouteTables[0].Tags, want)
	wantSame(t, must(s.DescribeNetworkAcls(t.Context(), &sdk.DescribeNetworkAclsInput{}))(t).NetworkAcls[0].Tags, want)
	wantSame(t, must(s.DescribeInternetGateways(t.Context(),
		&sdk.DescribeInternetGatewaysInput{}))(t).InternetGateways[0].Tags, want)
	wantSame(t, must(s.DescribeNatGateways(t.Context(), &sdk.DescribeNatGatewaysInput{}))(t).NatGateways[0].Tags, want)
	wantSame(t, must(s.DescribeAddresses(t.Context(), &sdk.DescribeAddressesInput{}))(t).Addresses[0].Tags, want)
}

func TestDeleteTags(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	for _, test := range []struct {
		what string
		tags []types.Tag
		left string
	}{
		{"by key", []types.Tag{{Key: new("a")}}, "b=2 c="},
		{"with the value", []types.Tag{tag("a", "1"), tag("c", "")}, "b=2"},
		{"with another value", []types.Tag{tag("a", "2"), tag("b", "")}, "a=1 b=2 c="},
		{"unknown", []types.Tag{{Key: new("d")}}, "a=1 b=2 c="},
		{"all", nil, ""},
	} {
		t.Run(test.what, func(t *testing.T) {
			must(s.CreateTags(t.Context(), &sdk.CreateTagsInput{Resources: []string{vpc},
				Tags: []types.Tag{tag("a", "1"), tag("b", "2"), tag("c", "")}}))(t)
			must(s.DeleteTags(t.Context(), &sdk.DeleteTagsInput{Resources: []string{vpc}, Tags: test.tags}))(t)
			if got := s.tagsOf(t, vpc); got != test.left {
				t.Errorf("left: %s, want %s", got, test.left)
			}
		})
	}
}

func TestTagRefusals(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	create := func(id string, tags ...types.Tag) error {
		return failure(s.CreateTags(t.Context(), &sdk.CreateTagsInput{Resources: []string{vpc, id}, Tags: tags}))
	}
	var many []types.Tag
	for i := range 51 {
		many = append(many, tag(fmt.Sprint("key-", i), "x"))
	}
	const value = "InvalidParameterValue"
	long := strings.Repeat("ä", 129)
	refusals := []refusal{
		{"not an id", create("x-1", tag("a", "1")), "InvalidID", "The ID 'x-1' is not valid"},
		{"no key", create(vpc, tag("", "1")), value, "Tag key cannot be empty"},
		{"long key", create(vpc, tag(long, "1")), value, "Tag key '" + long +
			"' exceeds the maximum length of 128 characters"},
		{"long value", create(vpc, tag("a", strings.Repeat("x", 257))), value,
			"The value of tag 'a' exceeds the maximum length of 256 characters"},
		{"AWS's own", create(vpc, tag("AWS:a", "1")), value,
			"Tag keys starting with 'aws:' are reserved for internal use"},
		{"twice", create(vpc, tag("a", "1"), tag("a", "2")), value, "Duplicate tag key 'a' specified."},
		{"too many", create(vpc, many...), "TagLimitExceeded",
			"The maximum number of Tags for a resource has been reached: it would have 51, and the limit is 50."},
		{"no tags", create(vpc, []types.Tag{}...), "MissingParameter", "The request must contain the parameter Tags"},
		{"delete of nothing", failure(s.DeleteTags(t.Context(), &sdk.DeleteTagsInput{Resources: []string{}})),
			"MissingParameter",
			"The request must contain the parameter resourceIdSet"},
		{"empty specification", failure(s.CreateVpc(t.Context(), &sdk.CreateVpcInput{
			CidrBlock: new("10.0.0.0/16"), TagSpecifications: specification(types.ResourceTypeVpc),
		})), value, "Tag specification must have at least one tag"},
	}
	for id, want := range map[string]string{
		"vpc-9":      "InvalidVpcID.NotFound: The vpc ID 'vpc-9' does not exist",
		"subnet-9":   "InvalidSubnetID.NotFound: The subnet ID 'subnet-9' does not exist",
		"sg-9":       "InvalidGroup.NotFound: The security group 'sg-9' does not exist",
		"sgr-9":      "InvalidSecurityGroupRuleId.NotFound: The security group rule ID 'sgr-9' does not exist",
		"rtb-9":      "InvalidRouteTableID.NotFound: The routeTable ID 'rtb-9' does not exist",
		"igw-9":      "InvalidInternetGatewayID.NotFound: The internetGateway ID 'igw-9' does not exist",
		"nat-9":      "NatGatewayNotFound: The Nat Gateway nat-9 was not found",
		"eipalloc-9": "InvalidAllocationID.NotFound: The allocation ID 'eipalloc-9' does not exist",
		"acl-9":      "InvalidNetworkAclID.NotFound: The networkAcl ID 'acl-9' does not exist",
	} {
		code, message, _ := strings.Cut(want, ": ")
		refusals = append(refusals, refusal{id, create(id, tag("a", "1")), code, message})
	}
	checkRefusals(t, refusals)
	if got := s.tagsOf(t, vpc); got != "" {
		t.Errorf("after the refusals there are %s", got)
	}
	if err := create(vpc, tag(strings.Repeat("ä", 128), strings.Repeat("x", 256))); err != nil {
		t.Errorf("the longest tag is refused: %v", err)
	}
}
