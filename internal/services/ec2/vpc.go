package ec2

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// The sizes that the block of a VPC, or of a subnet, may have.
const (
	largestBlock  = 16
	smallestBlock = 28
)

func (s *Service) createVPC(ctx context.Context, in *sdk.CreateVpcInput) (*sdk.CreateVpcOutput, error) {
	block, err := parseBlock(in.CidrBlock)
	if err != nil {
		return nil, err
	}
	if block.Bits() < largestBlock || block.Bits() > smallestBlock {
		return nil, refuse("InvalidVpc.Range", "The CIDR '%s' is invalid.", block)
	}
	v := network.VPC{CIDR: block, Tenancy: string(types.TenancyDefault), DNSSupport: true}
	switch in.InstanceTenancy {
	case "", types.TenancyDefault:
	case types.TenancyDedicated:
		v.Tenancy = string(types.TenancyDedicated)
	default:
		return nil, invalidValue("Value (%s) for parameter instanceTenancy is invalid. Use default or dedicated.",
			in.InstanceTenancy)
	}
	tags, err := newTags(in.TagSpecifications, types.ResourceTypeVpc)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) (err error) {
		if v, err = s.Builder.CreateVPC(tx, v); err != nil {
			return err
		}
		return network.SetTags(tx, v.ID, tags)
	})
	if err != nil {
		return nil, err
	}
	made := s.describeVPC(v, tags)
	// As on AWS, the answer is of a VPC that is not there yet, and says less than a description.
	made.State, made.BlockPublicAccessStates = types.VpcStatePending, nil
	if len(tags) == 0 {
		made.Tags = nil
	}
	return &sdk.CreateVpcOutput{Vpc: &made}, nil
}

// parseBlock reads the IPv4 block of a VPC or a subnet.
func parseBlock(given *string) (netip.Prefix, error) { return parsePrefix("cidrBlock", given) }

// parsePrefix reads an IPv4 block, and puts its host bits to zero as EC2 does.
func parsePrefix(parameter string, given *string) (netip.Prefix, error) {
	value, err := required(parameter, given)
	if err != nil {
		return netip.Prefix{}, err
	}
	block, err := netip.ParsePrefix(value)
	if err != nil || !block.Addr().Is4() {
		return netip.Prefix{}, invalidValue("Value (%s) for parameter %s is invalid. This is not a valid CIDR block.",
			value, parameter)
	}
	return block.Masked(), nil
}

func (s *Service) describeVPCs(_ context.Context, in *sdk.DescribeVpcsInput) (*sdk.DescribeVpcsOutput, error) {
	var all []types.Vpc
	err := s.Store.View(func(tx *store.Tx) (err error) {
		all, err = describeAll(tx, network.VPCs, func(v network.VPC) string { return v.ID }, s.describeVPC)
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.Vpc]{many: "VpcIds", key: func(v types.Vpc) string { return *v.VpcId }, filters: vpcFilters(),
		notFound: vpcNotFound}
	vpcs, token, err := l.pick(all, request{in.VpcIds, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeVpcsOutput{Vpcs: vpcs, NextToken: token}, err
}

func (s *Service) describeVPC(v network.VPC, tags map[string]string) types.Vpc {
	return types.Vpc{
		VpcId: &v.ID, CidrBlock: new(v.CIDR.String()), State: types.VpcStateAvailable, IsDefault: &v.Default,
		InstanceTenancy: types.Tenancy(v.Tenancy), OwnerId: &s.Account, Tags: tagList(tags),
		// The word stands for AWS's own DHCP options, to which a VPC is never without.
		DhcpOptionsId: new("default"),
		CidrBlockAssociationSet: []types.VpcCidrBlockAssociation{{
			AssociationId: &v.CIDRAssociationID, CidrBlock: new(v.CIDR.String()),
			CidrBlockState: &types.VpcCidrBlockState{State: types.VpcCidrBlockStateCodeAssociated},
		}},
		BlockPublicAccessStates: &types.BlockPublicAccessStates{InternetGatewayBlockMode: types.BlockPublicAccessModeOff},
	}
}

func vpcFilters() filters[types.Vpc] {
	type vpc = types.Vpc
	associations := func(look func(types.VpcCidrBlockAssociation) []string) func(vpc) []string {
		return each(func(v vpc) []types.VpcCidrBlockAssociation { return v.CidrBlockAssociationSet }, look)
	}
	return filters[vpc]{
		"cidr": text(func(v vpc) *string { return v.CidrBlock }),
		"cidr-block-association.association-id": associations(text(func(a types.VpcCidrBlockAssociation) *string {
			return a.AssociationId
		})),
		"cidr-block-association.cidr-block": associations(text(func(a types.VpcCidrBlockAssociation) *string {
			return a.CidrBlock
		})),
		"cidr-block-association.state": associations(func(a types.VpcCidrBlockAssociation) []string {
			return []string{string(a.CidrBlockState.State)}
		}),
		"dhcp-options-id": text(func(v vpc) *string { return v.DhcpOptionsId }),
		"is-default":      truth(func(v vpc) *bool { return v.IsDefault }),
		"owner-id":        text(func(v vpc) *string { return v.OwnerId }),
		"state":           func(v vpc) []string { return []string{string(v.State)} },
		"vpc-id":          text(func(v vpc) *string { return v.VpcId }),
	}.also("is-default", "isDefault").also("dhcp-options-id", "dhcpOptionsId").also("cidr", "cidr-block", "cidrBlock").
		withTags(func(v vpc) []types.Tag { return v.Tags })
}

func (s *Service) deleteVPC(ctx context.Context, in *sdk.DeleteVpcInput) (*sdk.DeleteVpcOutput, error) {
	id, err := required("vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := find(tx, network.VPCs, id, vpcNotFound); err != nil {
			return err
		}
		used, err := hasDependants(tx, id)
		if err != nil {
			return err
		}
		if used {
			return refuse("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", id)
		}
		return network.DeleteVPC(tx, id)
	})
	return &sdk.DeleteVpcOutput{}, err
}

// hasDependants tells whether something is in a VPC, or attached to it, that did not come with it.
func hasDependants(tx *store.Tx, vpcID string) (bool, error) {
	for _, any := range []func() (bool, error){
		func() (bool, error) {
			return hasSome(tx, network.Subnets, func(s network.Subnet) bool { return s.VPCID == vpcID })
		},
		func() (bool, error) {
			return hasSome(tx, network.SecurityGroups, func(g network.SecurityGroup) bool {
				return g.VPCID == vpcID && g.Name != network.DefaultGroup
			})
		},
		func() (bool, error) {
			return hasSome(tx, network.RouteTables,
				func(t network.RouteTable) bool { return t.VPCID == vpcID && !t.Main() })
		},
		func() (bool, error) {
			return hasSome(tx, network.ACLs, func(a network.ACL) bool { return a.VPCID == vpcID && a.Custom })
		},
		func() (bool, error) {
			return hasSome(tx, network.InternetGateways,
				func(g network.InternetGateway) bool { return g.VPCID == vpcID })
		},
	} {
		if found, err := any(); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// hasSome tells whether a table has a row of some kind.
func hasSome[T any](tx *store.Tx, table store.Table[T], is func(T) bool) (bool, error) {
	rows, err := network.In(tx, table, is)
	return len(rows) > 0, err
}

// find reads a row, or says in EC2's words that it is not there.
func find[T any](tx *store.Tx, table store.Table[T], id string, notFound func(string) error) (T, error) {
	row, err := table.Get(tx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = notFound(id)
	}
	return row, err
}

// defaultVPC is the VPC that is meant when a request names none.
func defaultVPC(tx *store.Tx) (network.VPC, error) {
	vpcs, err := network.VPCs.List(tx)
	if err != nil {
		return network.VPC{}, err
	}
	vpcs = slices.DeleteFunc(vpcs, func(v network.VPC) bool { return !v.Default })
	if len(vpcs) == 0 {
		if _, err := network.VPCs.All(tx); err != nil { // it may be the one that cannot be read
			return network.VPC{}, err
		}
		return network.VPC{}, refuse("VPCIdNotSpecified", "No default VPC for this user")
	}
	return vpcs[0], nil
}
