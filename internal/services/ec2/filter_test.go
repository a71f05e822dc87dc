package ec2_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/servicetest"
)

// find lists, by one action, the ids of what the filters leave.
type find func(ctx context.Context, filters []types.Filter) ([]string, error)

// ids are those of what was described.
func ids[T any](rows []T, id func(T) *string) []string {
	out := []string{}
	for _, row := range rows {
		out = append(out, *id(row))
	}
	return out
}

func (s *server) finds() map[string]find {
	return map[string]find{
		"DescribeVpcs": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeVpcs(ctx, &sdk.DescribeVpcsInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.Vpcs, func(v types.Vpc) *string { return v.VpcId }), nil
		},
		"DescribeSubnets": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeSubnets(ctx, &sdk.DescribeSubnetsInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.Subnets, func(n types.Subnet) *string { return n.SubnetId }), nil
		},
		"DescribeSecurityGroups": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeSecurityGroups(ctx, &sdk.DescribeSecurityGroupsInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.SecurityGroups, func(g types.SecurityGroup) *string { return g.GroupId }), nil
		},
		"DescribeSecurityGroupRules": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeSecurityGroupRules(ctx, &sdk.DescribeSecurityGroupRulesInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.SecurityGroupRules,
				func(r types.SecurityGroupRule) *string { return r.SecurityGroupRuleId }), nil
		},
		"DescribeRouteTables": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeRouteTables(ctx, &sdk.DescribeRouteTablesInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.RouteTables, func(r types.RouteTable) *string { return r.RouteTableId }), nil
		},
		"DescribeNetworkAcls": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeNetworkAcls(ctx, &sdk.DescribeNetworkAclsInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.NetworkAcls, func(a types.NetworkAcl) *string { return a.NetworkAclId }), nil
		},
		"DescribeAvailabilityZones": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeAvailabilityZones(ctx, &sdk.DescribeAvailabilityZonesInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.AvailabilityZones, func(z types.AvailabilityZone) *string { return z.ZoneName }), nil
		},
		"DescribeTags": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeTags(ctx, &sdk.DescribeTagsInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.Tags, func(d types.TagDescription) *string { return d.ResourceId }), nil
		},
		"DescribeInternetGateways": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeInternetGateways(ctx, &sdk.DescribeInternetGatewaysInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.InternetGateways, func(v types.InternetGateway) *string { return v.InternetGatewayId }), nil
		},
		"DescribeNatGateways": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeNatGateways(ctx, &sdk.DescribeNatGatewaysInput{Filter: f})
			if err != nil {
				return nil, err
			}
			return ids(out.NatGateways, func(v types.NatGateway) *string { return v.NatGatewayId }), nil
		},
		"DescribeAddresses": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeAddresses(ctx, &sdk.DescribeAddressesInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.Addresses, func(v types.Address) *string { return v.AllocationId }), nil
		},
		"DescribeRegions": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeRegions(ctx, &sdk.DescribeRegionsInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.Regions, func(v types.Region) *string { return v.RegionName }), nil
		},
		"DescribeNetworkInterfaces": func(ctx context.Context, f []types.Filter) ([]string, error) {
			out, err := s.DescribeNetworkInterfaces(ctx, &sdk.DescribeNetworkInterfacesInput{Filters: f})
			if err != nil {
				return nil, err
			}
			return ids(out.NetworkInterfaces,
				func(i types.NetworkInterface) *string { return i.NetworkInterfaceId }), nil
		},
	}
}

// found are, per action and filter, values and what they find: "filter value[,value]" → ids. The network has two VPCs;
// the first is the default one and has two subnets and the group sg-3, whose rules in are sgr-5 (a range), sgr-6 (the
// group sg-1) and sgr-7 (IPv6).
var found = map[string]map[string]string{
	"DescribeVpcs": {
		"cidr 10.0.0.0/16": "vpc-1", "cidr-block 10.1.*": "vpc-2", "cidrBlock 10.0.0.0/1?": "vpc-1",
		"cidr-block-association.association-id vpc-cidr-assoc-2": "vpc-2",
		"cidr-block-association.cidr-block 10.1.0.0/16":          "vpc-2",
		"cidr-block-association.state associated":                "vpc-1 vpc-2",
		"dhcp-options-id default":                                "vpc-1 vpc-2", "dhcpOptionsId dopt-1": "",
		"is-default true":     "vpc-1",
		"isDefault false":     "vpc-2",
		"owner-id " + account: "vpc-1 vpc-2", "state available": "vpc-1 vpc-2", "vpc-id vpc-2,vpc-9": "vpc-2",
		"tag-key team": "vpc-1 vpc-2", "tag:team red": "vpc-1", "tag:team red,b*": "vpc-1 vpc-2", "tag:team =red": "",
		"tag:tea *": "",
	},
	"DescribeSubnets": {
		"availability-zone us-east-1a": "subnet-1", "availabilityZone us-east-1b": "subnet-2",
		"availability-zone-id use1-az1": "subnet-1",
		"availabilityZoneId use1-az2":   "subnet-2", "available-ip-address-count 251": "subnet-1",
		"cidr-block 10.0.1.0/28": "subnet-2",
		"cidr 10.0.0.0/24":       "subnet-1", "cidrBlock 10.0.0.0/24": "subnet-1", "default-for-az true": "",
		"defaultForAz false": "subnet-1 subnet-2",
		"enable-dns64 true":  "", "ipv6-native false": "subnet-1 subnet-2", "map-customer-owned-ip-on-launch true": "",
		"map-public-ip-on-launch true":                                                  "subnet-2",
		"owner-id " + account:                                                           "subnet-1 subnet-2",
		"private-dns-name-options-on-launch.hostname-type ip-name":                      "subnet-1 subnet-2",
		"private-dns-name-options-on-launch.enable-resource-name-dns-a-record true":     "",
		"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record false": "subnet-1 subnet-2",
		"state available": "subnet-1 subnet-2", "subnet-arn *:subnet/subnet-2": "subnet-2",
		"subnet-id subnet-1": "subnet-1", "vpc-id vpc-2": "",
		"tag-key Name": "subnet-2", "tag:Name data": "subnet-2",
	},
	"DescribeSecurityGroups": {
		"description test": "sg-3", "group-id sg-2": "sg-2", "group-name default": "sg-1 sg-2", "owner-id " +
			account: "sg-1 sg-2 sg-3", "vpc-id vpc-1": "sg-1 sg-3",
		"tag-key Name": "sg-3", "tag:Name nodes": "sg-3",
		"ip-permission.cidr 10.0.0.0/8": "sg-3", "ip-permission.ipv6-cidr fd00::/64": "sg-3",
		"ip-permission.from-port 22": "sg-3", "ip-permission.to-port 23": "",
		"ip-permission.protocol tcp": "sg-3", "ip-permission.group-id sg-1": "sg-1 sg-3", "ip-permission.user-id " +
			account: "sg-1 sg-2 sg-3",
		"egress.ip-permission.cidr 0.0.0.0/0": "sg-1 sg-2 sg-3", "egress.ip-permission.ipv6-cidr ::/0": "",
		"egress.ip-permission.from-port 22": "",
		"egress.ip-permission.to-port 22":   "", "egress.ip-permission.protocol -1": "sg-1 sg-2 sg-3",
		"egress.ip-permission.group-id sg-1":      "",
		"egress.ip-permission.user-id " + account: "",
	},
	"DescribeSecurityGroupRules": {
		"group-id sg-3": "sgr-5 sgr-6 sgr-7 sgr-8", "security-group-rule-id sgr-6,sgr-7": "sgr-6 sgr-7",
		"tag-key Name": "sgr-6", "tag:Name ssh": "sgr-6",
	},
	"DescribeRouteTables": {
		"association.main true": "rtb-1 rtb-2", "association.route-table-id rtb-1": "rtb-1",
		"association.subnet-id subnet-1":                    "rtb-3",
		"association.route-table-association-id rtbassoc-2": "rtb-2", "owner-id x": "",
		"route.destination-cidr-block 10.0.0.0/16": "rtb-1 rtb-3",
		"route.gateway-id local":                   "rtb-1 rtb-2 rtb-3", "route.gateway-id igw-1": "rtb-3",
		"route.nat-gateway-id nat-1": "rtb-3",
		"route.origin CreateRoute":   "rtb-3", "route.state blackhole": "", "route-table-id rtb-2": "rtb-2",
		"vpc-id vpc-1": "rtb-1 rtb-3", "tag-key Name": "", "tag:Name x": "",
	},
	"DescribeNetworkAcls": {
		"association.association-id aclassoc-1": "acl-1", "association.network-acl-id acl-2": "",
		"association.subnet-id subnet-2": "acl-1",
		"default true":                   "acl-1 acl-2", "entry.cidr 10.0.0.0/8": "acl-3",
		"entry.ipv6-cidr fd00::/64": "acl-3",
		"entry.egress true":         "acl-1 acl-2 acl-3", "entry.protocol 6": "acl-3",
		"entry.port-range.from 22": "acl-3",
		"entry.port-range.to 23":   "acl-3", "entry.rule-action allow": "acl-1 acl-2 acl-3",
		"entry.rule-number 100": "acl-1 acl-2",
		"network-acl-id acl-1":  "acl-1", "owner-id " + account: "acl-1 acl-2 acl-3", "vpc-id vpc-2": "acl-2",
		"tag-key Name": "", "tag:Name x": "",
	},
	"DescribeInternetGateways": {
		"attachment.state available": "igw-1", "attachment.vpc-id vpc-1": "igw-1", "attachment.vpc-id vpc-2": "",
		"internet-gateway-id igw-2": "igw-2", "owner-id " + account: "igw-1 igw-2", "tag-key Name": "igw-2",
		"tag:Name spare": "igw-2",
	},
	"DescribeNatGateways": {
		"nat-gateway-id nat-1": "nat-1", "state available": "nat-1 nat-2", "state pending,failed": "",
		"subnet-id subnet-2": "nat-2",
		"vpc-id vpc-1":       "nat-1 nat-2", "tag-key Name": "nat-2", "tag:Name inner": "nat-2",
	},
	"DescribeAddresses": {
		"allocation-id eipalloc-2": "eipalloc-2", "association-id eipassoc-1": "eipalloc-1",
		"domain vpc":      "eipalloc-1 eipalloc-2",
		"instance-id i-1": "", "network-border-group us-east-1": "eipalloc-1 eipalloc-2",
		"network-interface-id eni-1":            "eipalloc-1",
		"network-interface-owner-id " + account: "eipalloc-1", "private-ip-address 10.0.0.4": "eipalloc-1",
		"public-ip 203.0.113.2": "eipalloc-2", "tag-key Name": "eipalloc-2", "tag:Name spare": "eipalloc-2",
	},
	"DescribeRegions": {
		"endpoint ec2.eu-west-1.amazonaws.com": "eu-west-1", "opt-in-status opted-in": "",
		"region-name us-west-?": "us-west-1 us-west-2",
	},
	"DescribeAvailabilityZones": {
		"group-name us-east-1-zg-1": "us-east-1a us-east-1b us-east-1c", "message x": "", "opt-in-status opted-in": "",
		"parent-zone-id x": "", "parent-zone-name x": "",
		"region-name us-west-2": "", "state available": "us-east-1a us-east-1b us-east-1c",
		"zone-id use1-az3": "us-east-1c", "zone-name us-east-1a": "us-east-1a",
		"zone-type local-zone": "",
	},
	"DescribeTags": {
		"key team": "vpc-1 vpc-2", "resource-id sg-3": "sg-3", "resource-type subnet": "subnet-2",
		"tag:Name data,nodes": "sg-3 subnet-2", "value r*": "vpc-1",
	},
	"DescribeNetworkInterfaces": {
		"attachment.attachment-id x": "", "attachment.instance-id x": "", "attachment.instance-owner-id x": "",
		"attachment.status x": "", "availability-zone x": "",
		"description x": "", "group-id x": "", "group-name x": "", "interface-type x": "", "mac-address x": "",
		"network-interface-id x": "", "owner-id x": "",
		"private-dns-name x": "", "private-ip-address x": "", "requester-id x": "", "requester-managed x": "",
		"source-dest-check x": "", "status x": "",
		"subnet-id x": "", "vpc-id x": "", "tag-key x": "", "tag:x x": "",
	},
}

func TestFilters(t *testing.T) {
	s := newServer(t)
	s.filteredNetwork(t)
	finds := s.finds()
	for action, filters := range found {
		served := servedFilters(t, finds[action])
		for given, want := range filters {
			name, values, _ := strings.Cut(given, " ")
			t.Run(action+"/"+name, func(t *testing.T) {
				got := must(finds[action](t.Context(), []types.Filter{filter(name, strings.Split(values, ",")...)}))(t)
				if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
					t.Errorf("%s: -want +got\n%s", given, diff)
				}
			})
			if strings.HasPrefix(name, "tag:") {
				name = "tag:<key>"
			}
			delete(served, name)
		}
		if len(served) > 0 {
			t.Errorf("%s's filters %v have no test", action, slices.Sorted(maps.Keys(served)))
		}
	}
}

// filteredNetwork makes what found tells of.
func (s *server) filteredNetwork(t *testing.T) {
	t.Helper()
	s.makeDefault(t, s.vpc(t, "10.0.0.0/16"))
	s.vpc(t, "10.1.0.0/16")
	s.subnet(t, "vpc-1", "10.0.0.0/24")
	s.subnet(t, "vpc-1", "10.0.1.0/28")
	must(s.ModifySubnetAttribute(t.Context(), &sdk.ModifySubnetAttributeInput{
		SubnetId: new("subnet-2"), MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: new(true)},
	}))(t)
	s.group(t, "vpc-1", "nodes")
	p := tcp(22, cidr("10.0.0.0/8"), peer("sg-1"))
	p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: new("fd00::/64")}}
	s.ingress(t, "sg-3", p)
	s.filteredGateways(t)
	for id, given := range map[string]types.Tag{
		"igw-2": tag("Name", "spare"), "nat-2": tag("Name", "inner"), "eipalloc-2": tag("Name", "spare"),
		"vpc-1": tag("team", "red"), "vpc-2": tag("team", "blue"), "subnet-2": tag("Name", "data"),
		"sg-3": tag("Name", "nodes"), "sgr-6": tag("Name", "ssh"),
	} {
		must(s.CreateTags(t.Context(), &sdk.CreateTagsInput{Resources: []string{id}, Tags: []types.Tag{given}}))(t)
	}
}

// filteredGateways adds to filteredNetwork an attached internet gateway and a spare one, a public and a private NAT
// gateway, the table rtb-3, which leads the first subnet to both, and the ACL acl-3.
func (s *server) filteredGateways(t *testing.T) {
	t.Helper()
	s.attached(t, "vpc-1")
	must(s.CreateInternetGateway(t.Context(), &sdk.CreateInternetGatewayInput{}))(t)
	s.nat(t, "subnet-1", s.address(t))
	must(s.CreateNatGateway(t.Context(), &sdk.CreateNatGatewayInput{
		SubnetId: new("subnet-2"), ConnectivityType: types.ConnectivityTypePrivate,
	}))(t)
	s.address(t)
	table := s.table(t, "vpc-1")
	s.associate(t, table, "subnet-1")
	s.route(t, table, "0.0.0.0/0", "igw-1")
	s.route(t, table, "192.0.2.0/24", "nat-1")
	acl := s.acl(t, "vpc-1")
	s.entry(t, acl, 1, func(in *sdk.CreateNetworkAclEntryInput) { in.CidrBlock = new("10.0.0.0/8") })
	s.entry(t, acl, 2, func(in *sdk.CreateNetworkAclEntryInput) { in.Ipv6CidrBlock = new("fd00::/64") })
}

// servedFilters are the names that the refusal of an unknown filter tells.
func servedFilters(t *testing.T, f find) map[string]bool {
	t.Helper()
	_, err := f(t.Context(), []types.Filter{filter("colour", "red")})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InvalidParameterValue" {
		t.Fatalf("an unknown filter: %v", err)
	}
	list, ok := strings.CutPrefix(api.ErrorMessage(), "The filter 'colour' is invalid. The filters here are ")
	if !ok {
		t.Fatalf("the refusal is %s", api.ErrorMessage())
	}
	served := map[string]bool{}
	for name := range strings.SplitSeq(list, ", ") {
		served[name] = true
	}
	return served
}

func TestSeveralFilters(t *testing.T) {
	s := newServer(t)
	s.filteredNetwork(t)
	subnets := s.finds()["DescribeSubnets"]
	got := must(subnets(t.Context(),
		[]types.Filter{filter("vpc-id", "vpc-1"), filter("cidr", "10.0.1.*"), filter("tag:Name", "data")}))(t)
	wantSame(t, got, []string{"subnet-2"})
	got = must(subnets(t.Context(), []types.Filter{filter("vpc-id", "vpc-1"), filter("tag:Name", "other")}))(t)
	wantSame(t, got, nil)
	_, err := subnets(t.Context(), []types.Filter{filter("vpc-id")})
	servicetest.WantError(t, err, "InvalidParameterValue", "The filter 'vpc-id' has no values")
}

func TestPages(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	for i := range 12 {
		s.subnet(t, vpc, fmt.Sprintf("10.0.%d.0/24", i))
	}
	var got []string
	in := &sdk.DescribeSubnetsInput{MaxResults: new(int32(5))}
	for more := true; more; more = in.NextToken != nil {
		out := must(s.DescribeSubnets(t.Context(), in))(t)
		page := out.Subnets
		in.NextToken = out.NextToken
		got = append(got, ids(page, func(n types.Subnet) *string { return n.SubnetId })...)
		if len(got) == 5 { // what the token names may go, and what comes before it come
			must(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: &got[4]}))(t)
		}
	}
	if len(got) != 12 || !slices.IsSorted(got) {
		t.Errorf("got %v", got)
	}
	tables := func(in sdk.DescribeRouteTablesInput) error { return failure(s.DescribeRouteTables(t.Context(), &in)) }
	describe := func(in sdk.DescribeSubnetsInput) error { return failure(s.DescribeSubnets(t.Context(), &in)) }
	checkRefusals(t, []refusal{
		{"few", describe(sdk.DescribeSubnetsInput{MaxResults: new(int32(4))}), "InvalidParameterValue",
			"Value ( 4 ) for parameter MaxResults is invalid. Expecting a value greater than or equal to 5."},
		{"many", describe(sdk.DescribeSubnetsInput{MaxResults: new(int32(1001))}), "InvalidParameterValue",
			"Value ( 1001 ) for parameter MaxResults is invalid. Expecting a value smaller than or equal to 1000."},
		// A log of calls to AWS quotes this text, of a table that takes fewer; found with find_string, file 54377634203.
		{"many route tables", tables(sdk.DescribeRouteTablesInput{MaxResults: new(int32(1000))}), "InvalidParameterValue",
			"Value ( 1000 ) for parameter MaxResults is invalid. Expecting a value smaller than or equal to 100."},
		{"token", describe(sdk.DescribeSubnetsInput{NextToken: new("!")}), "InvalidNextToken",
			"The token '!' is invalid"},
		{"with ids", describe(sdk.DescribeSubnetsInput{MaxResults: new(int32(5)), SubnetIds: []string{"subnet-1"}}),
			"InvalidParameterCombination",
			"The parameter SubnetIds cannot be used with the parameter MaxResults"}, // find_string, file 40882335121: of VPCs
	})
}
