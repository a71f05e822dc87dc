package ec2_test

import (
	"testing"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/servicetest"
)

func TestInternetGatewayLife(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	created := *must(s.CreateInternetGateway(t.Context(), &sdk.CreateInternetGatewayInput{
		TagSpecifications: specification(types.ResourceTypeInternetGateway, tag("Name", "out")),
	}))(t).InternetGateway
	wanted := types.InternetGateway{InternetGatewayId: new("igw-1"), OwnerId: new(account),
		Tags: []types.Tag{tag("Name", "out")}}
	wantSame(t, created, wanted)
	must(s.AttachInternetGateway(t.Context(),
		&sdk.AttachInternetGatewayInput{InternetGatewayId: new("igw-1"), VpcId: &vpc}))(t)
	wanted.Attachments = []types.InternetGatewayAttachment{{VpcId: &vpc, State: "available"}}
	described := must(s.DescribeInternetGateways(t.Context(), &sdk.DescribeInternetGatewaysInput{
		InternetGatewayIds: []string{"igw-1"},
	}))(t)
	wantSame(t, described.InternetGateways, []types.InternetGateway{wanted})
	must(s.DetachInternetGateway(t.Context(),
		&sdk.DetachInternetGatewayInput{InternetGatewayId: new("igw-1"), VpcId: &vpc}))(t)
	must(s.DeleteInternetGateway(t.Context(), &sdk.DeleteInternetGatewayInput{InternetGatewayId: new("igw-1")}))(t)
	must(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &vpc}))(t)
	s.wantEmptyNetwork(t)
}

func TestInternetGatewayRefusals(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	s.attached(t, vpc)
	s.nat(t, s.subnet(t, vpc, "10.0.0.0/24"), s.address(t))
	must(s.CreateInternetGateway(t.Context(), &sdk.CreateInternetGatewayInput{}))(t)
	attach := func(id, vpc string) error {
		return failure(s.AttachInternetGateway(t.Context(),
			&sdk.AttachInternetGatewayInput{InternetGatewayId: &id, VpcId: &vpc}))
	}
	detach := func(id, vpc string) error {
		return failure(s.DetachInternetGateway(t.Context(),
			&sdk.DetachInternetGatewayInput{InternetGatewayId: &id, VpcId: &vpc}))
	}
	remove := func(id string) error {
		return failure(s.DeleteInternetGateway(t.Context(), &sdk.DeleteInternetGatewayInput{InternetGatewayId: &id}))
	}
	const gone, text = "InvalidInternetGatewayID.NotFound", "The internetGateway ID 'igw-9' does not exist"
	checkRefusals(t, []refusal{
		{"attach unknown", attach("igw-9", vpc), gone, text},
		{"attach to unknown", attach("igw-2", "vpc-9"), "InvalidVpcID.NotFound", "The vpc ID 'vpc-9' does not exist"},
		{"attach twice", attach("igw-1", vpc), "Resource.AlreadyAssociated",
			"resource igw-1 is already attached to network vpc-1"},
		{"attach a second", attach("igw-2", vpc), "InvalidParameterValue",
			"Network vpc-1 already has an internet gateway attached"},
		{"detach unknown", detach("igw-9", vpc), gone, text},
		{"detach what is not attached", detach("igw-2", vpc), "Gateway.NotAttached",
			"resource igw-2 is not attached to network vpc-1"},
		{"detach in use", detach("igw-1", vpc), "DependencyViolation",
			"Network vpc-1 has some mapped public address(es). Please unmap those before detaching the gateway."},
		{"delete unknown", remove("igw-9"), gone, text},
		{"delete attached", remove("igw-1"), "DependencyViolation",
			"The internetGateway 'igw-1' has dependencies and cannot be deleted."},
		{"describe unknown", failure(s.DescribeInternetGateways(t.Context(), &sdk.DescribeInternetGatewaysInput{
			InternetGatewayIds: []string{"igw-9"},
		})), gone, text},
	})
	// A VPC with a gateway cannot be deleted.
	other := s.vpc(t, "10.1.0.0/16")
	if err := attach("igw-2", other); err != nil {
		t.Fatal(err)
	}
	servicetest.WantError(t, failure(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &other})),
		"DependencyViolation",
		"The vpc 'vpc-2' has dependencies and cannot be deleted.")
}

func TestNATGatewayLife(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	subnet, igw, allocation := s.subnet(t, vpc, "10.0.0.0/24"), s.attached(t, vpc), s.address(t)
	in := &sdk.CreateNatGatewayInput{
		SubnetId: &subnet, AllocationId: &allocation, ClientToken: new("once"),
		TagSpecifications: specification(types.ResourceTypeNatgateway, tag("Name", "a")),
	}
	created := *must(s.CreateNatGateway(t.Context(), in))(t).NatGateway
	wanted := types.NatGateway{
		NatGatewayId: new("nat-1"), VpcId: &vpc, SubnetId: &subnet, CreateTime: &now,
		State:            types.NatGatewayStateAvailable,
		ConnectivityType: types.ConnectivityTypePublic, AvailabilityMode: types.AvailabilityModeZonal,
		Tags: []types.Tag{tag("Name", "a")},
		NatGatewayAddresses: []types.NatGatewayAddress{{
			AllocationId: &allocation, AssociationId: new("eipassoc-1"), PublicIp: new("203.0.113.1"),
			PrivateIp:          new("10.0.0.4"),
			NetworkInterfaceId: new("eni-1"), IsPrimary: new(true), Status: types.NatGatewayAddressStatusSucceeded,
		}},
	}
	wantSame(t, created, wanted)
	wantSame(t, *must(s.CreateNatGateway(t.Context(), in))(t).NatGateway, wanted) // the token makes it once

	private := must(s.CreateNatGateway(t.Context(), &sdk.CreateNatGatewayInput{
		SubnetId: &subnet, ConnectivityType: types.ConnectivityTypePrivate, PrivateIpAddress: new("10.0.0.254"),
	}))(t).NatGateway
	wantSame(t, private.NatGatewayAddresses, []types.NatGatewayAddress{{
		PrivateIp: new("10.0.0.254"), NetworkInterfaceId: new("eni-2"), IsPrimary: new(true),
		Status: types.NatGatewayAddressStatusSucceeded,
	}})
	described := must(s.DescribeNatGateways(t.Context(),
		&sdk.DescribeNatGatewaysInput{NatGatewayIds: []string{"nat-1"}}))(t)
	wantSame(t, described.NatGateways, []types.NatGateway{wanted})
	address := must(s.DescribeAddresses(t.Context(),
		&sdk.DescribeAddressesInput{AllocationIds: []string{allocation}}))(t).Addresses
	wantSame(t, address, []types.Address{{
		AllocationId: &allocation, PublicIp: new("203.0.113.1"), Domain: types.DomainTypeVpc,
		NetworkBorderGroup: new(region),
		PublicIpv4Pool:     new("amazon"), AssociationId: new("eipassoc-1"), NetworkInterfaceId: new("eni-1"),
		NetworkInterfaceOwnerId: new(account), PrivateIpAddress: new("10.0.0.4"), SubnetId: &subnet,
	}})
	servicetest.WantError(t, failure(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: &subnet})),
		"DependencyViolation",
		"The subnet 'subnet-1' has dependencies and cannot be deleted.")
	for _, id := range []string{"nat-1", "nat-2"} {
		must(s.DeleteNatGateway(t.Context(), &sdk.DeleteNatGatewayInput{NatGatewayId: &id}))(t)
	}
	servicetest.WantError(t, failure(s.DescribeNatGateways(t.Context(),
		&sdk.DescribeNatGatewaysInput{NatGatewayIds: []string{"nat-1"}})),
		"NatGatewayNotFound", "The Nat Gateway nat-1 was not found")
	must(s.ReleaseAddress(t.Context(), &sdk.ReleaseAddressInput{PublicIp: new("203.0.113.1")}))(t)
	must(s.DetachInternetGateway(t.Context(), &sdk.DetachInternetGatewayInput{InternetGatewayId: &igw, VpcId: &vpc}))(t)
	must(s.DeleteInternetGateway(t.Context(), &sdk.DeleteInternetGatewayInput{InternetGatewayId: &igw}))(t)
	must(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: &subnet}))(t)
	must(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &vpc}))(t)
	s.wantEmptyNetwork(t)
}

// A public gateway needs an internet gateway. Without one it fails, and its address stays free.
func TestNATGatewayFailure(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	subnet, allocation := s.subnet(t, vpc, "10.0.0.0/24"), s.address(t)
	failed := must(s.CreateNatGateway(t.Context(),
		&sdk.CreateNatGatewayInput{SubnetId: &subnet, AllocationId: &allocation}))(t).NatGateway
	want(t, "state", string(failed.State), "failed")
	want(t, "reason", *failed.FailureCode+": "+*failed.FailureMessage,
		"Gateway.NotAttached: Network vpc-1 has no Internet gateway attached")
	s.attached(t, vpc)
	second := s.nat(t, subnet, allocation)
	described := must(s.DescribeNatGateways(t.Context(),
		&sdk.DescribeNatGatewaysInput{NatGatewayIds: []string{second}}))(t).NatGateways
	want(t, "state of the second", string(described[0].State), "available")
	must(s.DeleteNatGateway(t.Context(), &sdk.DeleteNatGatewayInput{NatGatewayId: failed.NatGatewayId}))(t)
}

func TestNATGatewayRefusals(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	subnet, allocation := s.subnet(t, vpc, "10.0.0.0/24"), s.address(t)
	s.attached(t, vpc)
	s.nat(t, subnet, allocation)
	full := s.subnet(t, vpc, "10.0.1.0/28")
	private := func(subnet string, ip *string) error {
		return failure(s.CreateNatGateway(t.Context(), &sdk.CreateNatGatewayInput{
			SubnetId: &subnet, ConnectivityType: types.ConnectivityTypePrivate, PrivateIpAddress: ip,
		}))
	}
	for range 11 {
		if err := private(full, nil); err != nil {
			t.Fatal(err)
		}
	}
	create := func(in sdk.CreateNatGatewayInput) error {
		if in.SubnetId == nil {
			in.SubnetId = &subnet
		}
		return failure(s.CreateNatGateway(t.Context(), &in))
	}
	assignable := func(ip string) string {
		return "Value (" + ip +
			") for parameter privateIpAddress is invalid. " +
			"It is not an address that can be assigned in the subnet 10.0.0.0/24."
	}
	const value = "InvalidParameterValue"
	checkRefusals(t, []refusal{
		{"no address", create(sdk.CreateNatGatewayInput{}), "MissingParameter",
			"The request must contain the parameter AllocationId"},
		{"private with an address", create(sdk.CreateNatGatewayInput{
			ConnectivityType: types.ConnectivityTypePrivate, AllocationId: &allocation,
		}), "InvalidParameterCombination", "AllocationId cannot be specified for private NAT gateways."},
		{"connectivity", create(sdk.CreateNatGatewayInput{ConnectivityType: "x"}), value,
			"Value (x) for parameter connectivityType is invalid. Use public or private."},
		{"unknown subnet", create(sdk.CreateNatGatewayInput{SubnetId: new("subnet-9"), AllocationId: &allocation}),
			"InvalidSubnetID.NotFound", "The subnet ID 'subnet-9' does not exist"},
		{"unknown address", create(sdk.CreateNatGatewayInput{AllocationId: new("eipalloc-9")}),
			"InvalidAllocationID.NotFound",
			"The allocation ID 'eipalloc-9' does not exist"},
		{"used address", create(sdk.CreateNatGatewayInput{AllocationId: &allocation}), "Resource.AlreadyAssociated",
			"Elastic IP address [eipalloc-1] is already associated"},
		{"private address", private(subnet, new("x")), value, assignable("x")},
		{"reserved address", private(subnet, new("10.0.0.3")), value, assignable("10.0.0.3")},
		{"last address", private(subnet, new("10.0.0.255")), value, assignable("10.0.0.255")},
		{"address elsewhere", private(subnet, new("10.0.1.9")), value, assignable("10.0.1.9")},
		{"private address in use", private(subnet, new("10.0.0.4")), "InvalidIPAddress.InUse",
			"Address 10.0.0.4 is in use."},
		{"full subnet", private(full, nil), "InsufficientFreeAddressesInSubnet",
			"The subnet 'subnet-2' has no free addresses."},
		{"regional", create(sdk.CreateNatGatewayInput{AvailabilityMode: types.AvailabilityModeRegional}), value,
			"larder does not serve CreateNatGateway's AvailabilityMode: a NAT gateway is in one subnet"},
		{"delete unknown", failure(s.DeleteNatGateway(t.Context(),
			&sdk.DeleteNatGatewayInput{NatGatewayId: new("nat-99")})),
			"NatGatewayNotFound", "The Nat Gateway nat-99 was not found"},
	})
}

func TestAddressLife(t *testing.T) {
	s := newServer(t)
	allocated := must(s.AllocateAddress(t.Context(), &sdk.AllocateAddressInput{
		Domain: types.DomainTypeVpc, NetworkBorderGroup: new(region),
		TagSpecifications: specification(types.ResourceTypeElasticIp, tag("Name", "a")),
	}))(t)
	want(t, "allocated", *allocated.AllocationId+" "+*allocated.PublicIp, "eipalloc-1 203.0.113.1")
	s.address(t)
	described := must(s.DescribeAddresses(t.Context(),
		&sdk.DescribeAddressesInput{PublicIps: []string{"203.0.113.1"}}))(t)
	wantSame(t, described.Addresses, []types.Address{{
		AllocationId: new("eipalloc-1"), PublicIp: new("203.0.113.1"), Domain: types.DomainTypeVpc,
		NetworkBorderGroup: new(region),
		PublicIpv4Pool:     new("amazon"), Tags: []types.Tag{tag("Name", "a")},
	}})
	attributes := must(s.DescribeAddressesAttribute(t.Context(), &sdk.DescribeAddressesAttributeInput{
		AllocationIds: []string{"eipalloc-2"}, Attribute: types.AddressAttributeNameDomainName,
	}))(t)
	wantSame(t, attributes.Addresses,
		[]types.AddressAttribute{{AllocationId: new("eipalloc-2"), PublicIp: new("203.0.113.2")}})
	must(s.ReleaseAddress(t.Context(), &sdk.ReleaseAddressInput{AllocationId: new("eipalloc-1")}))(t)
	again := must(s.AllocateAddress(t.Context(), &sdk.AllocateAddressInput{}))(t)
	want(t, "the first free address", *again.AllocationId+" "+*again.PublicIp, "eipalloc-3 203.0.113.1")
}

func TestAddressRefusals(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	s.attached(t, vpc)
	s.nat(t, s.subnet(t, vpc, "10.0.0.0/24"), s.address(t))
	s.address(t)
	release := func(in sdk.ReleaseAddressInput) error { return failure(s.ReleaseAddress(t.Context(), &in)) }
	disassociate := func(in sdk.DisassociateAddressInput) error {
		return failure(s.DisassociateAddress(t.Context(),
			&in))
	}
	const value, both = "InvalidParameterValue", "InvalidParameterCombination"
	checkRefusals(t, []refusal{
		{"domain", failure(s.AllocateAddress(t.Context(), &sdk.AllocateAddressInput{Domain: types.DomainTypeStandard})),
			value,
			"Value (standard) for parameter domain is invalid. Use vpc."},
		{"border group", failure(s.AllocateAddress(t.Context(),
			&sdk.AllocateAddressInput{NetworkBorderGroup: new("eu-west-1")})), value,
			"Value (eu-west-1) for parameter networkBorderGroup is invalid. Use us-east-1."},
		{"own address", failure(s.AllocateAddress(t.Context(), &sdk.AllocateAddressInput{Address: new("192.0.2.1")})),
			value,
			"larder does not serve AllocateAddress's Address: address pools are not served"},
		{"describe unknown", failure(s.DescribeAddresses(t.Context(),
			&sdk.DescribeAddressesInput{AllocationIds: []string{"eipalloc-9"}})),
			"InvalidAllocationID.NotFound", "The allocation ID 'eipalloc-9' does not exist"},
		{"describe unknown by address",
			failure(s.DescribeAddresses(t.Context(), &sdk.DescribeAddressesInput{PublicIps: []string{"192.0.2.1"}})),
			"InvalidAddress.NotFound", "Address '192.0.2.1' not found."},
		{"attribute", failure(s.DescribeAddressesAttribute(t.Context(),
			&sdk.DescribeAddressesAttributeInput{Attribute: "x"})), value,
			"Value (x) for parameter attribute is invalid. Use domain-name."},
		{"release nothing", release(sdk.ReleaseAddressInput{}), both,
			"The request must contain exactly one of allocationId and publicIp."},
		{"release unknown", release(sdk.ReleaseAddressInput{AllocationId: new("eipalloc-9")}),
			"InvalidAllocationID.NotFound",
			"The allocation ID 'eipalloc-9' does not exist"},
		{"release unknown address", release(sdk.ReleaseAddressInput{PublicIp: new("192.0.2.1")}),
			"InvalidAddress.NotFound",
			"Address '192.0.2.1' not found."},
		{"release used", release(sdk.ReleaseAddressInput{AllocationId: new("eipalloc-1")}), "InvalidIPAddress.InUse",
			"Address 203.0.113.1 is in use."},
		{"disassociate nothing", disassociate(sdk.DisassociateAddressInput{}), both,
			"The request must contain exactly one of associationId and publicIp."},
		{"disassociate unknown", disassociate(sdk.DisassociateAddressInput{AssociationId: new("eipassoc-9")}),
			"InvalidAssociationID.NotFound", "The association ID 'eipassoc-9' does not exist"},
		{"disassociate unknown address", disassociate(sdk.DisassociateAddressInput{PublicIp: new("192.0.2.1")}),
			"InvalidAddress.NotFound", "Address '192.0.2.1' not found."},
		{"disassociate what is free", disassociate(sdk.DisassociateAddressInput{PublicIp: new("203.0.113.2")}), value,
			"The address '203.0.113.2' is not associated."},
		{"disassociate a gateway's", disassociate(sdk.DisassociateAddressInput{AssociationId: new("eipassoc-1")}),
			"AuthFailure",
			"You do not have permission to access the specified resource."},
	})
	for range 252 {
		s.address(t)
	}
	servicetest.WantError(t, failure(s.AllocateAddress(t.Context(), &sdk.AllocateAddressInput{})),
		"AddressLimitExceeded",
		"The maximum number of addresses has been reached.")
}

func TestRegions(t *testing.T) {
	s := newServer(t)
	got := must(s.DescribeRegions(t.Context(),
		&sdk.DescribeRegionsInput{RegionNames: []string{"eu-west-1"}}))(t).Regions
	wantSame(t, got, []types.Region{{
		RegionName: new("eu-west-1"), Endpoint: new("ec2.eu-west-1.amazonaws.com"),
		OptInStatus: new("opt-in-not-required"),
	}})
	servicetest.WantError(t, failure(s.DescribeRegions(t.Context(),
		&sdk.DescribeRegionsInput{RegionNames: []string{"mars-1"}})),
		"InvalidParameterValue", "Invalid region: [mars-1]")
}
