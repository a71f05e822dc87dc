package ec2_test

import (
	"fmt"
	"testing"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/servicetest"
)

func TestSubnetLife(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	created := must(s.CreateSubnet(t.Context(), &sdk.CreateSubnetInput{
		VpcId: &vpc, CidrBlock: new("10.0.21.7/24"), AvailabilityZone: new("us-east-1b"),
		TagSpecifications: specification(types.ResourceTypeSubnet, tag("Name", "data")),
	}))(t)
	names := &types.PrivateDnsNameOptionsOnLaunch{
		HostnameType: types.HostnameTypeIpName, EnableResourceNameDnsARecord: new(false),
		EnableResourceNameDnsAAAARecord: new(false),
	}
	want := types.Subnet{
		SubnetId: new("subnet-1"), SubnetArn: new("arn:aws:ec2:us-east-1:123456789012:subnet/subnet-1"), VpcId: &vpc,
		OwnerId:   new(account),
		CidrBlock: new("10.0.21.0/24"), AvailabilityZone: new("us-east-1b"), AvailabilityZoneId: new("use1-az2"),
		State:                   types.SubnetStateAvailable,
		AvailableIpAddressCount: new(int32(251)), DefaultForAz: new(false), MapPublicIpOnLaunch: new(false),
		MapCustomerOwnedIpOnLaunch:  new(false),
		AssignIpv6AddressOnCreation: new(false), Ipv6Native: new(false), EnableDns64: new(false),
		PrivateDnsNameOptionsOnLaunch: names,
		BlockPublicAccessStates: &types.BlockPublicAccessStates{
			InternetGatewayBlockMode: types.BlockPublicAccessModeOff},
		Tags: []types.Tag{tag("Name", "data")},
	}
	made := want
	made.BlockPublicAccessStates = nil
	wantSame(t, *created.Subnet, made)

	yes := &types.AttributeBooleanValue{Value: new(true)}
	for _, in := range []sdk.ModifySubnetAttributeInput{
		{MapPublicIpOnLaunch: yes}, {EnableResourceNameDnsARecordOnLaunch: yes},
		{EnableResourceNameDnsAAAARecordOnLaunch: yes},
		{PrivateDnsHostnameTypeOnLaunch: types.HostnameTypeResourceName},
	} {
		in.SubnetId = new("subnet-1")
		must(s.ModifySubnetAttribute(t.Context(), &in))(t)
	}
	want.MapPublicIpOnLaunch, names.EnableResourceNameDnsARecord, names.EnableResourceNameDnsAAAARecord = new(true),
		new(true), new(true)
	names.HostnameType = types.HostnameTypeResourceName
	wantSame(t, must(s.DescribeSubnets(t.Context(),
		&sdk.DescribeSubnetsInput{SubnetIds: []string{"subnet-1"}}))(t).Subnets, []types.Subnet{want})

	must(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: new("subnet-1")}))(t)
	must(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &vpc}))(t)
	s.wantEmptyNetwork(t)
}

func TestZoneOfASubnet(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	for i, test := range []struct {
		in   sdk.CreateSubnetInput
		want string
	}{
		{sdk.CreateSubnetInput{AvailabilityZoneId: new("use1-az1")}, "us-east-1a"},
		{sdk.CreateSubnetInput{}, "us-east-1b"}, // where there are fewest
		{sdk.CreateSubnetInput{}, "us-east-1c"},
		{sdk.CreateSubnetInput{AvailabilityZone: new("us-east-1c"), AvailabilityZoneId: new("use1-az3")}, "us-east-1c"},
	} {
		test.in.VpcId, test.in.CidrBlock = &vpc, new(fmt.Sprintf("10.0.%d.0/24", i))
		if got := *must(s.CreateSubnet(t.Context(), &test.in))(t).Subnet.AvailabilityZone; got != test.want {
			t.Errorf("subnet %d is in %s, want %s", i, got, test.want)
		}
	}
}

func TestSubnetRefusals(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	used := s.subnet(t, vpc, "10.0.0.0/24")
	s.users[used] = "the cache subnet group data"
	create := func(cidr string) error {
		return failure(s.CreateSubnet(t.Context(), &sdk.CreateSubnetInput{VpcId: &vpc, CidrBlock: &cidr}))
	}
	zone := func(name, id *string) error {
		return failure(s.CreateSubnet(t.Context(), &sdk.CreateSubnetInput{
			VpcId: &vpc, CidrBlock: new("10.0.1.0/24"), AvailabilityZone: name, AvailabilityZoneId: id,
		}))
	}
	modify := func(in sdk.ModifySubnetAttributeInput) error {
		if in.SubnetId == nil {
			in.SubnetId = &used
		}
		return failure(s.ModifySubnetAttribute(t.Context(), &in))
	}
	yes := &types.AttributeBooleanValue{Value: new(true)}
	const (
		reason = " is invalid."
		zones  = " is invalid. Subnets can currently only be created in the following availability zones: "
	)
	checkRefusals(t, []refusal{
		{"unknown VPC", failure(s.CreateSubnet(t.Context(),
			&sdk.CreateSubnetInput{VpcId: new("vpc-9"), CidrBlock: new("10.0.1.0/24")})),
			"InvalidVpcID.NotFound", "The vpc ID 'vpc-9' does not exist"},
		{"malformed", create("10.0.0/24"), "InvalidParameterValue",
			"Value (10.0.0/24) for parameter cidrBlock is invalid. This is not a valid CIDR block."},
		{"outside", create("10.1.0.0/24"), "InvalidSubnet.Range", "The CIDR '10.1.0.0/24'" + reason},
		{"larger than the VPC", create("10.0.0.0/15"), "InvalidSubnet.Range", "The CIDR '10.0.0.0/15'" + reason},
		{"small", create("10.0.1.0/29"), "InvalidSubnet.Range", "The CIDR '10.0.1.0/29'" + reason},
		{"conflict", create("10.0.0.128/25"), "InvalidSubnet.Conflict",
			"The CIDR '10.0.0.128/25' conflicts with another subnet"},
		{"zone", zone(new("us-east-1z"), nil), "InvalidParameterValue",
			"Value (us-east-1z) for parameter availabilityZone" + zones + "us-east-1a, us-east-1b, us-east-1c."},
		{"zone id", zone(nil, new("use1-az9")), "InvalidParameterValue",
			"Value (use1-az9) for parameter availabilityZoneId" + zones + "use1-az1, use1-az2, use1-az3."},
		{"two zones", zone(new("us-east-1a"), new("use1-az2")), "InvalidParameterCombination",
			"The parameters availabilityZone (us-east-1a) and availabilityZoneId (use1-az2) do not name one zone."},
		{"describe unknown", failure(s.DescribeSubnets(t.Context(),
			&sdk.DescribeSubnetsInput{SubnetIds: []string{used, "subnet-9"}})),
			"InvalidSubnetID.NotFound", "The subnet ID 'subnet-9' does not exist"},
		{"delete unknown", failure(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: new("subnet-9")})),
			"InvalidSubnetID.NotFound", "The subnet ID 'subnet-9' does not exist"},
		{"delete used", failure(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: &used})),
			"DependencyViolation",
			"The subnet 'subnet-1' has dependencies and cannot be deleted."},
		{"modify unknown", modify(sdk.ModifySubnetAttributeInput{SubnetId: new("subnet-9"), MapPublicIpOnLaunch: yes}),
			"InvalidSubnetID.NotFound", "The subnet ID 'subnet-9' does not exist"},
		{"modify nothing", modify(sdk.ModifySubnetAttributeInput{}), "InvalidParameterCombination",
			"The request gives 0 attributes. Modify one attribute at a time."},
		{"modify two", modify(sdk.ModifySubnetAttributeInput{MapPublicIpOnLaunch: yes,
			PrivateDnsHostnameTypeOnLaunch: types.HostnameTypeIpName}),
			"InvalidParameterCombination", "The request gives 2 attributes. Modify one attribute at a time."},
		{"host name type", modify(sdk.ModifySubnetAttributeInput{PrivateDnsHostnameTypeOnLaunch: "x"}),
			"InvalidParameterValue",
			"Value (x) for parameter PrivateDnsHostnameTypeOnLaunch is invalid. Use ip-name or resource-name."},
		{"IPv6", modify(sdk.ModifySubnetAttributeInput{EnableDns64: yes}), "InvalidParameterValue",
			"larder does not serve ModifySubnetAttribute's EnableDns64: the network has IPv4 addresses only"},
	})
	delete(s.users, used)
	must(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: &used}))(t)
}

func TestNetworkInterfaces(t *testing.T) {
	s := newServer(t)
	out := must(s.DescribeNetworkInterfaces(t.Context(), &sdk.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{filter("subnet-id", "subnet-1"), filter("attachment.status", "attached")},
	}))(t)
	if len(out.NetworkInterfaces) > 0 {
		t.Errorf("got %v", out.NetworkInterfaces)
	}
	servicetest.WantError(t, failure(s.DescribeNetworkInterfaces(t.Context(),
		&sdk.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-1"}})),
		"InvalidNetworkInterfaceID.NotFound", "The networkInterface ID 'eni-1' does not exist")
}
