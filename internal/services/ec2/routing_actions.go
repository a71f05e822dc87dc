package ec2

import "larder/internal/gateway"

// Why parts of the actions on routes, ACLs, gateways and addresses are not served.
const (
	noTarget    = "a route leads to an internet gateway or to a NAT gateway"
	noEdge      = "a route table is associated with subnets only"
	noRegional  = "a NAT gateway is in one subnet"
	oneAddress  = "a NAT gateway has one public and one private address"
	ownedRanges = "address pools are not served"
)

func (s *Service) routeActions() []gateway.Action {
	local := gateway.Only("LocalTarget", noTarget, "false")
	return []gateway.Action{
		handle("CreateRouteTable", gateway.Write, s.createRouteTable),
		handle("DescribeRouteTables", gateway.List, s.describeRouteTables),
		handle("DeleteRouteTable", gateway.Write, s.deleteRouteTable),
		handle("CreateRoute", gateway.Write, s.createRoute, append(otherDestinations(), otherTargets()...)...),
		handle("ReplaceRoute", gateway.Write, s.replaceRoute,
			append(append(otherDestinations(), otherTargets()...), local)...),
		handle("DeleteRoute", gateway.Write, s.deleteRoute, otherDestinations()...),
		handle("AssociateRouteTable", gateway.Write, s.associateRouteTable,
			gateway.Refuse("GatewayId", noEdge), gateway.Refuse("PublicIpv4Pool", noEdge)),
		handle("DisassociateRouteTable", gateway.Write, s.disassociateRouteTable),
		handle("ReplaceRouteTableAssociation", gateway.Write, s.replaceRouteTableAssociation),
	}
}

// otherDestinations are those that routes cannot have here.
func otherDestinations() []gateway.Refusal {
	return []gateway.Refusal{
		gateway.Refuse("DestinationIpv6CidrBlock", ipv4Only), gateway.Refuse("DestinationPrefixListId", noPrefixList),
	}
}

// otherTargets are those that routes cannot have here.
func otherTargets() []gateway.Refusal {
	var refusals []gateway.Refusal
	for _, field := range []string{
		"CarrierGatewayId", "CoreNetworkArn", "EgressOnlyInternetGatewayId", "InstanceId", "LocalGatewayId",
		"NetworkInterfaceId",
		"OdbNetworkArn", "TransitGatewayId", "VpcEndpointId", "VpcPeeringConnectionId",
	} {
		refusals = append(refusals, gateway.Refuse(field, noTarget))
	}
	return refusals
}

func (s *Service) aclActions() []gateway.Action {
	return []gateway.Action{
		handle("CreateNetworkAcl", gateway.Write, s.createACL),
		handle("DescribeNetworkAcls", gateway.List, s.describeACLs),
		handle("DeleteNetworkAcl", gateway.Write, s.deleteACL),
		handle("CreateNetworkAclEntry", gateway.Write, s.createACLEntry),
		handle("ReplaceNetworkAclEntry", gateway.Write, s.replaceACLEntry),
		handle("DeleteNetworkAclEntry", gateway.Write, s.deleteACLEntry),
		handle("ReplaceNetworkAclAssociation", gateway.Write, s.replaceACLAssociation),
	}
}

func (s *Service) gatewayActions() []gateway.Action {
	return []gateway.Action{
		handle("CreateInternetGateway", gateway.Write, s.createInternetGateway),
		handle("DescribeInternetGateways", gateway.List, s.describeInternetGateways),
		handle("DeleteInternetGateway", gateway.Write, s.deleteInternetGateway),
		handle("AttachInternetGateway", gateway.Write, s.attachInternetGateway),
		handle("DetachInternetGateway", gateway.Write, s.detachInternetGateway),
		handle("CreateNatGateway", gateway.Write, s.createNATGateway,
			gateway.Refuse("AvailabilityMode", noRegional), gateway.Refuse("AvailabilityZoneAddresses", noRegional),
			gateway.Refuse("VpcId", noRegional), gateway.Refuse("SecondaryAllocationIds", oneAddress),
			gateway.Refuse("SecondaryPrivateIpAddressCount", oneAddress),
			gateway.Refuse("SecondaryPrivateIpAddresses", oneAddress)),
		handle("DescribeNatGateways", gateway.List, s.describeNATGateways),
		handle("DeleteNatGateway", gateway.Write, s.deleteNATGateway),
	}
}

func (s *Service) addressActions() []gateway.Action {
	return []gateway.Action{
		handle("AllocateAddress", gateway.Write, s.allocateAddress,
			gateway.Refuse("Address", ownedRanges), gateway.Refuse("CustomerOwnedIpv4Pool", noOutposts),
			gateway.Refuse("IpamPoolId", ownedRanges), gateway.Refuse("PublicIpv4Pool", ownedRanges)),
		handle("DescribeAddresses", gateway.List, s.describeAddresses),
		handle("DescribeAddressesAttribute", gateway.List, s.describeAddressesAttribute),
		handle("DisassociateAddress", gateway.Write, s.disassociateAddress),
		handle("ReleaseAddress", gateway.Write, s.releaseAddress),
	}
}
