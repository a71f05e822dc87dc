package ec2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// createNATGateway makes a gateway, which is available at once. As on AWS, a public one in a VPC without an internet
// gateway is made all the same, and has failed.
func (s *Service) createNATGateway(ctx context.Context, in *sdk.CreateNatGatewayInput) (*sdk.CreateNatGatewayOutput,
	error) {
	subnetID, err := required("subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	if err := checkConnectivity(in.ConnectivityType, in.AllocationId); err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, types.ResourceTypeNatgateway)
	if err != nil {
		return nil, err
	}
	out := &sdk.CreateNatGatewayOutput{ClientToken: in.ClientToken}
	wanted := network.NATGateway{
		SubnetID: subnetID, AllocationID: aws.ToString(in.AllocationId), Created: s.Now(),
		Token: aws.ToString(in.ClientToken),
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		g, there, err := made(tx, network.NATGateways, in.ClientToken,
			func(g network.NATGateway) string { return g.Token },
			func(g network.NATGateway) bool {
				return g.SubnetID == subnetID && g.AllocationID == wanted.AllocationID
			})
		if err != nil {
			return err
		}
		if !there {
			if g, err = s.buildNATGateway(tx, wanted, in.PrivateIpAddress); err != nil {
				return err
			}
			if err := network.SetTags(tx, g.ID, tags); err != nil {
				return err
			}
		}
		view, err := s.viewNAT(tx)
		if err != nil {
			return err
		}
		tags, err = network.Tags(tx, g.ID)
		out.NatGateway = new(view.describe(g, tags))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// checkConnectivity checks that a public gateway has an address, and a private one none.
func checkConnectivity(kind types.ConnectivityType, allocation *string) error {
	switch kind {
	case "", types.ConnectivityTypePublic:
		if aws.ToString(allocation) == "" {
			return missing("AllocationId")
		}
	case types.ConnectivityTypePrivate:
		if aws.ToString(allocation) != "" {
			return invalidCombination("AllocationId cannot be specified for private NAT gateways.")
		}
	default:
		return invalidValue("Value (%s) for parameter connectivityType is invalid. Use public or private.", kind)
	}
	return nil
}

func (s *Service) buildNATGateway(tx *store.Tx, g network.NATGateway, private *string) (network.NATGateway, error) {
	n, err := find(tx, network.Subnets, g.SubnetID, subnetNotFound)
	if err != nil {
		return g, err
	}
	g.VPCID = n.VPCID
	if g.PrivateIP, err = privateAddress(tx, n, private); err != nil {
		return g, err
	}
	if g.AllocationID == "" {
		return s.Builder.CreateNATGateway(tx, g)
	}
	a, err := find(tx, network.Addresses, g.AllocationID, allocationNotFound)
	if err != nil {
		return g, err
	}
	used, err := gatewayWith(tx, a)
	if err != nil {
		return g, err
	}
	if used != nil {
		return g, refuse("Resource.AlreadyAssociated", "Elastic IP address [%s] is already associated", a.ID)
	}
	attached, err := attachedTo(tx, n.VPCID)
	if err != nil {
		return g, err
	}
	if !attached {
		g.FailureCode = "Gateway.NotAttached"
		g.FailureMessage = "Network " + n.VPCID + " has no Internet gateway attached"
	}
	return s.Builder.CreateNATGateway(tx, g)
}

// privateAddress is the one that a request gives, or the first of the subnet that no other gateway has.
func privateAddress(tx *store.Tx, n network.Subnet, given *string) (netip.Addr, error) {
	others, err := network.In(tx, network.NATGateways, func(g network.NATGateway) bool { return g.SubnetID == n.ID })
	if err != nil {
		return netip.Addr{}, err
	}
	taken := func(a netip.Addr) bool {
		return slices.ContainsFunc(others, func(g network.NATGateway) bool { return g.PrivateIP == a })
	}
	first := n.CIDR.Addr()
	for range reservedAddresses - 1 {
		first = first.Next()
	}
	if given != nil {
		a, err := netip.ParseAddr(*given)
		switch {
		case err != nil || !n.CIDR.Contains(a) || a.Less(first) || !n.CIDR.Contains(a.Next()):
			return a, invalidValue("Value (%s) for parameter privateIpAddress is invalid. "+
				"It is not an address that can be assigned in the subnet %s.", *given, n.CIDR)
		case taken(a):
			return a, refuse("InvalidIPAddress.InUse", "Address %s is in use.", a)
		}
		return a, nil
	}
	for a := first; n.CIDR.Contains(a.Next()); a = a.Next() {
		if !taken(a) {
			return a, nil
		}
	}
	return netip.Addr{}, refuse("InsufficientFreeAddressesInSubnet", "The subnet '%s' has no free addresses.", n.ID)
}

// gatewayWith is the NAT gateway that has an Elastic IP address; nil when none has. One that failed has none.
func gatewayWith(tx *store.Tx, a network.Address) (*network.NATGateway, error) {
	found, err := network.In(tx, network.NATGateways, func(g network.NATGateway) bool {
		return g.AllocationID == a.ID && g.FailureCode == ""
	})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func (s *Service) describeNATGateways(_ context.Context,
	in *sdk.DescribeNatGatewaysInput) (*sdk.DescribeNatGatewaysOutput, error) {
	var all []types.NatGateway
	err := s.Store.View(func(tx *store.Tx) error {
		view, err := s.viewNAT(tx)
		if err != nil {
			return err
		}
		all, err = describeAll(tx, network.NATGateways, network.NATGateway.RowKey, view.describe)
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.NatGateway]{
		many: "NatGatewayIds",
		key:  func(g types.NatGateway) string { return *g.NatGatewayId }, filters: natGatewayFilters(),
		notFound: natGatewayNotFound,
	}
	gateways, token, err := l.pick(all, request{in.NatGatewayIds, in.Filter, in.MaxResults, in.NextToken})
	return &sdk.DescribeNatGatewaysOutput{NatGateways: gateways, NextToken: token}, err
}

// natView is what the description of a NAT gateway takes from other records: public addresses by their allocations.
type natView map[string]string

func (s *Service) viewNAT(tx *store.Tx) (natView, error) {
	addresses, err := network.Addresses.List(tx)
	view := natView{}
	for _, a := range addresses {
		view[a.ID] = a.IP.String()
	}
	return view, err
}

func (v natView) describe(g network.NATGateway, tags map[string]string) types.NatGateway {
	address := types.NatGatewayAddress{
		NetworkInterfaceId: &g.InterfaceID, PrivateIp: new(g.PrivateIP.String()), IsPrimary: new(true),
		Status: types.NatGatewayAddressStatusSucceeded,
	}
	out := types.NatGateway{
		NatGatewayId: &g.ID, VpcId: &g.VPCID, SubnetId: &g.SubnetID, CreateTime: &g.Created,
		State:            types.NatGatewayStateAvailable,
		ConnectivityType: types.ConnectivityTypePrivate, AvailabilityMode: types.AvailabilityModeZonal,
		Tags: tagList(tags),
	}
	if g.AllocationID != "" {
		out.ConnectivityType = types.ConnectivityTypePublic
		address.AllocationId = &g.AllocationID
	}
	switch {
	case g.FailureCode != "":
		out.State, out.FailureCode, out.FailureMessage = types.NatGatewayStateFailed, &g.FailureCode, &g.FailureMessage
		address.Status, address.FailureMessage = types.NatGatewayAddressStatusFailed, &g.FailureMessage
	case g.AllocationID != "":
		address.AssociationId, address.PublicIp = &g.AssociationID, new(v[g.AllocationID])
	}
	out.NatGatewayAddresses = []types.NatGatewayAddress{address}
	return out
}

func natGatewayFilters() filters[types.NatGateway] {
	type gateway = types.NatGateway
	return filters[gateway]{
		"nat-gateway-id": text(func(g gateway) *string { return g.NatGatewayId }),
		"state":          func(g gateway) []string { return []string{string(g.State)} },
		"subnet-id":      text(func(g gateway) *string { return g.SubnetId }),
		"vpc-id":         text(func(g gateway) *string { return g.VpcId }),
	}.withTags(func(g gateway) []types.Tag { return g.Tags })
}

// deleteNATGateway removes the record at once. AWS shows a deleted gateway for an hour more.
func (s *Service) deleteNATGateway(ctx context.Context, in *sdk.DeleteNatGatewayInput) (*sdk.DeleteNatGatewayOutput,
	error) {
	id, err := required("natGatewayId", in.NatGatewayId)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := find(tx, network.NATGateways, id, natGatewayNotFound); err != nil {
			return err
		}
		return network.DeleteNATGateway(tx, id)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteNatGatewayOutput{NatGatewayId: &id}, nil
}
