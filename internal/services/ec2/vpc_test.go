package ec2_test

import (
	"testing"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/servicetest"
	"larder/internal/store"
)

func TestVPCLife(t *testing.T) {
	s := newServer(t)
	created := must(s.CreateVpc(t.Context(), &sdk.CreateVpcInput{
		CidrBlock: new("10.0.7.9/16"), TagSpecifications: specification(types.ResourceTypeVpc, tag("Name", "main")),
	}))(t)
	want := types.Vpc{
		VpcId: new("vpc-1"), CidrBlock: new("10.0.0.0/16"), State: types.VpcStateAvailable, IsDefault: new(false),
		OwnerId:         new(account),
		InstanceTenancy: types.TenancyDefault, DhcpOptionsId: new("default"), Tags: []types.Tag{tag("Name", "main")},
		CidrBlockAssociationSet: []types.VpcCidrBlockAssociation{{
			AssociationId: new("vpc-cidr-assoc-1"), CidrBlock: new("10.0.0.0/16"),
			CidrBlockState: &types.VpcCidrBlockState{State: types.VpcCidrBlockStateCodeAssociated},
		}},
		BlockPublicAccessStates: &types.BlockPublicAccessStates{InternetGatewayBlockMode: types.BlockPublicAccessModeOff},
	}
	pending := want
	pending.State, pending.BlockPublicAccessStates = types.VpcStatePending, nil
	wantSame(t, *created.Vpc, pending)
	wantSame(t, must(s.DescribeVpcs(t.Context(), &sdk.DescribeVpcsInput{VpcIds: []string{"vpc-1"}}))(t).Vpcs,
		[]types.Vpc{want})

	must(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: new("vpc-1")}))(t)
	servicetest.WantError(t, failure(s.DescribeVpcs(t.Context(), &sdk.DescribeVpcsInput{VpcIds: []string{"vpc-1"}})),
		"InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist")
	s.wantEmptyNetwork(t)
}

// wantEmptyNetwork checks that nothing is left of what was deleted.
func (s *server) wantEmptyNetwork(t *testing.T) {
	t.Helper()
	err := s.Store.View(func(tx *store.Tx) error {
		for name, n := range map[string]int{
			"VPCs": rows(t, tx, network.VPCs), "subnets": rows(t, tx, network.Subnets),
			"ACLs":            rows(t, tx, network.ACLs),
			"security groups": rows(t, tx, network.SecurityGroups), "rules": rows(t, tx, network.Rules),
			"route tables":      rows(t, tx, network.RouteTables),
			"internet gateways": rows(t, tx, network.InternetGateways),
			"NAT gateways":      rows(t, tx, network.NATGateways),
			"addresses":         rows(t, tx, network.Addresses), "tags": len(must(network.AllTags(tx))(t)),
		} {
			if n > 0 {
				t.Errorf("%d %s are left", n, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func rows[T any](t *testing.T, tx *store.Tx, table store.Table[T]) int {
	return len(must(table.All(tx))(t))
}

// A VPC has a security group, a route table and an ACL from the beginning.
func TestWhatComesWithAVPC(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	subnet := s.subnet(t, vpc, "10.0.1.0/24")
	wantSame(t, must(s.DescribeSecurityGroups(t.Context(), &sdk.DescribeSecurityGroupsInput{}))(t).SecurityGroups,
		[]types.SecurityGroup{{
			GroupId: new("sg-1"), GroupName: new("default"), Description: new("default VPC security group"),
			VpcId:            &vpc,
			OwnerId:          new(account),
			SecurityGroupArn: new("arn:aws:ec2:us-east-1:123456789012:security-group/sg-1"),
			IpPermissions: []types.IpPermission{{
				IpProtocol: new("-1"), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: new("sg-1"),
					UserId: new(account)}},
			}},
			IpPermissionsEgress: []types.IpPermission{{IpProtocol: new("-1"),
				IpRanges: []types.IpRange{{CidrIp: new("0.0.0.0/0")}}}},
		}})
	wantSame(t, must(s.DescribeRouteTables(t.Context(), &sdk.DescribeRouteTablesInput{}))(t).RouteTables,
		[]types.RouteTable{{
			RouteTableId: new("rtb-1"), VpcId: &vpc, OwnerId: new(account),
			Routes: []types.Route{{
				DestinationCidrBlock: new("10.0.0.0/16"), GatewayId: new("local"),
				Origin: types.RouteOriginCreateRouteTable, State: types.RouteStateActive,
			}},
			Associations: []types.RouteTableAssociation{{
				RouteTableAssociationId: new("rtbassoc-1"), RouteTableId: new("rtb-1"), Main: new(true),
				AssociationState: &types.RouteTableAssociationState{State: types.RouteTableAssociationStateCodeAssociated},
			}},
		}})
	entry := func(egress bool, number int32, action types.RuleAction) types.NetworkAclEntry {
		return types.NetworkAclEntry{CidrBlock: new("0.0.0.0/0"), Egress: &egress, Protocol: new("-1"),
			RuleNumber: &number, RuleAction: action}
	}
	wantSame(t, must(s.DescribeNetworkAcls(t.Context(), &sdk.DescribeNetworkAclsInput{}))(t).NetworkAcls,
		[]types.NetworkAcl{{
			NetworkAclId: new("acl-1"), VpcId: &vpc, OwnerId: new(account), IsDefault: new(true),
			Entries: []types.NetworkAclEntry{
				entry(true, 100, types.RuleActionAllow), entry(true, 32767, types.RuleActionDeny),
				entry(false, 100, types.RuleActionAllow), entry(false, 32767, types.RuleActionDeny),
			},
			Associations: []types.NetworkAclAssociation{{
				NetworkAclAssociationId: new("aclassoc-1"), NetworkAclId: new("acl-1"), SubnetId: &subnet,
			}},
		}})
	servicetest.WantError(t, failure(s.DescribeRouteTables(t.Context(),
		&sdk.DescribeRouteTablesInput{RouteTableIds: []string{"rtb-9"}})),
		"InvalidRouteTableID.NotFound", "The routeTable ID 'rtb-9' does not exist")
	servicetest.WantError(t, failure(s.DescribeNetworkAcls(t.Context(),
		&sdk.DescribeNetworkAclsInput{NetworkAclIds: []string{"acl-9"}})),
		"InvalidNetworkAclID.NotFound", "The networkAcl ID 'acl-9' does not exist")
}

func TestVPCAttributes(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	flag := func(v bool) *types.AttributeBooleanValue { return &types.AttributeBooleanValue{Value: &v} }
	modify := func(in sdk.ModifyVpcAttributeInput) error {
		in.VpcId = &vpc
		_, err := s.ModifyVpcAttribute(t.Context(), &in)
		return err
	}
	describe := func(name types.VpcAttributeName) *sdk.DescribeVpcAttributeOutput {
		return must(s.DescribeVpcAttribute(t.Context(),
			&sdk.DescribeVpcAttributeInput{VpcId: &vpc, Attribute: name}))(t)
	}
	check := func(hostnames, support, metrics bool) {
		t.Helper()
		wantSame(t, describe(types.VpcAttributeNameEnableDnsHostnames).EnableDnsHostnames, flag(hostnames))
		wantSame(t, describe(types.VpcAttributeNameEnableDnsSupport).EnableDnsSupport, flag(support))
		wantSame(t, describe(types.VpcAttributeNameEnableNetworkAddressUsageMetrics).EnableNetworkAddressUsageMetrics,
			flag(metrics))
	}
	check(false, true, false)
	for _, in := range []sdk.ModifyVpcAttributeInput{{EnableDnsHostnames: flag(true)},
		{EnableNetworkAddressUsageMetrics: flag(true)}} {
		if err := modify(in); err != nil {
			t.Error(err)
		}
	}
	check(true, true, true)
	for _, in := range []sdk.ModifyVpcAttributeInput{{EnableDnsHostnames: flag(false)},
		{EnableDnsSupport: flag(false)}} {
		if err := modify(in); err != nil {
			t.Error(err)
		}
	}
	check(false, false, true)
	checkRefusals(t, []refusal{
		{"none", modify(sdk.ModifyVpcAttributeInput{}), "InvalidParameterCombination",
			"The request gives 0 attributes. Modify one attribute at a time."},
		{"two", modify(sdk.ModifyVpcAttributeInput{EnableDnsHostnames: flag(true), EnableDnsSupport: flag(true)}),
			"InvalidParameterCombination",
			"The request gives 2 attributes. Modify one attribute at a time."},
		{"hostnames without support", modify(sdk.ModifyVpcAttributeInput{EnableDnsHostnames: flag(true)}),
			"InvalidParameterCombination",
			"The VPC vpc-1 has DNS support disabled: enable enableDnsSupport before enableDnsHostnames."},
		{"unknown VPC", failure(s.ModifyVpcAttribute(t.Context(),
			&sdk.ModifyVpcAttributeInput{VpcId: new("vpc-9"), EnableDnsSupport: flag(true)})),
			"InvalidVpcID.NotFound", "The vpc ID 'vpc-9' does not exist"},
		{"describe unknown VPC", failure(s.DescribeVpcAttribute(t.Context(), &sdk.DescribeVpcAttributeInput{
			VpcId: new("vpc-9"), Attribute: types.VpcAttributeNameEnableDnsSupport,
		})), "InvalidVpcID.NotFound", "The vpc ID 'vpc-9' does not exist"},
		{"unknown attribute", failure(s.DescribeVpcAttribute(t.Context(),
			&sdk.DescribeVpcAttributeInput{VpcId: &vpc, Attribute: "colour"})),
			"InvalidParameterValue", "Value (colour) for parameter attribute is invalid. Unknown attribute."},
	})
}

func TestVPCRefusals(t *testing.T) {
	s := newServer(t)
	create := func(cidr string) error {
		return failure(s.CreateVpc(t.Context(), &sdk.CreateVpcInput{CidrBlock: &cidr}))
	}
	remove := func(id string) error { return failure(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &id})) }
	vpc := s.vpc(t, "10.0.0.0/16")
	s.subnet(t, vpc, "10.0.0.0/24")
	s.group(t, vpc, "mine")
	const malformed = " for parameter cidrBlock is invalid. This is not a valid CIDR block."
	checkRefusals(t, []refusal{
		{"no block", failure(s.CreateVpc(t.Context(), &sdk.CreateVpcInput{})), "MissingParameter",
			"The request must contain the parameter cidrBlock"},
		{"malformed", create("10.0.0.0"), "InvalidParameterValue", "Value (10.0.0.0)" + malformed},
		{"IPv6", create("fd00::/64"), "InvalidParameterValue", "Value (fd00::/64)" + malformed},
		{"large", create("10.0.0.0/15"), "InvalidVpc.Range", "The CIDR '10.0.0.0/15' is invalid."},
		{"small", create("10.0.0.0/29"), "InvalidVpc.Range", "The CIDR '10.0.0.0/29' is invalid."},
		{"tenancy", failure(s.CreateVpc(t.Context(),
			&sdk.CreateVpcInput{CidrBlock: new("10.0.0.0/16"), InstanceTenancy: types.TenancyHost})),
			"InvalidParameterValue",
			"Value (host) for parameter instanceTenancy is invalid. Use default or dedicated."},
		{"IPv6 block", failure(s.CreateVpc(t.Context(),
			&sdk.CreateVpcInput{CidrBlock: new("10.0.0.0/16"), AmazonProvidedIpv6CidrBlock: new(true)})),
			"InvalidParameterValue",
			"larder serves CreateVpc's AmazonProvidedIpv6CidrBlock only as false: the network has IPv4 addresses only"},
		{"tags of another type", failure(s.CreateVpc(t.Context(), &sdk.CreateVpcInput{
			CidrBlock: new("10.0.0.0/16"), TagSpecifications: specification(types.ResourceTypeSubnet, tag("a", "b")),
		})), "InvalidParameterValue", "'subnet' is not a valid taggable resource type for this operation."},
		{"delete unknown", remove("vpc-9"), "InvalidVpcID.NotFound", "The vpc ID 'vpc-9' does not exist"},
		{"delete used", remove(vpc), "DependencyViolation", "The vpc 'vpc-1' has dependencies and cannot be deleted."},
	})
	if n := len(must(s.DescribeVpcs(t.Context(), &sdk.DescribeVpcsInput{}))(t).Vpcs); n != 1 {
		t.Errorf("there are %d VPCs", n)
	}
	dedicated := must(s.CreateVpc(t.Context(),
		&sdk.CreateVpcInput{CidrBlock: new("10.0.0.0/28"), InstanceTenancy: types.TenancyDedicated}))(t)
	if dedicated.Vpc.InstanceTenancy != types.TenancyDedicated {
		t.Errorf("the tenancy is %s", dedicated.Vpc.InstanceTenancy)
	}
}

func TestAvailabilityZones(t *testing.T) {
	s := newServer(t)
	zone := func(name, id string) types.AvailabilityZone {
		return types.AvailabilityZone{
			ZoneName: &name, ZoneId: &id, ZoneType: new("availability-zone"), RegionName: new(region),
			NetworkBorderGroup: new(region),
			GroupName:          new("us-east-1-zg-1"), GroupLongName: new("US East (N. Virginia) 1"),
			State: types.AvailabilityZoneStateAvailable, OptInStatus: types.AvailabilityZoneOptInStatusOptInNotRequired,
		}
	}
	a, b, c := zone("us-east-1a", "use1-az1"), zone("us-east-1b", "use1-az2"), zone("us-east-1c", "use1-az3")
	for _, test := range []struct {
		what string
		in   sdk.DescribeAvailabilityZonesInput
		want []types.AvailabilityZone
	}{
		{"all", sdk.DescribeAvailabilityZonesInput{}, []types.AvailabilityZone{a, b, c}},
		{"whatever the opt-in", sdk.DescribeAvailabilityZonesInput{AllAvailabilityZones: new(true)},
			[]types.AvailabilityZone{a, b, c}},
		{"by name", sdk.DescribeAvailabilityZonesInput{ZoneNames: []string{"us-east-1c", "us-east-1a"}},
			[]types.AvailabilityZone{a, c}},
		{"by id", sdk.DescribeAvailabilityZonesInput{ZoneIds: []string{"use1-az2"}}, []types.AvailabilityZone{b}},
		{"filtered", sdk.DescribeAvailabilityZonesInput{Filters: []types.Filter{filter("zone-name", "*b"),
			filter("state", "available")}}, []types.AvailabilityZone{b}},
	} {
		t.Run(test.what, func(t *testing.T) {
			wantSame(t, must(s.DescribeAvailabilityZones(t.Context(), &test.in))(t).AvailabilityZones, test.want)
		})
	}
	servicetest.WantError(t, failure(s.DescribeAvailabilityZones(t.Context(),
		&sdk.DescribeAvailabilityZonesInput{ZoneNames: []string{"us-east-1z"}})),
		"InvalidParameterValue", "Invalid availability zone: [us-east-1z]")
}
