package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

func (s *Service) modifyVPCAttribute(
	ctx context.Context, in *sdk.ModifyVpcAttributeInput,
) (*sdk.ModifyVpcAttributeOutput, error) {
	id, err := required("vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	if n := count(in.EnableDnsHostnames, in.EnableDnsSupport, in.EnableNetworkAddressUsageMetrics); n != 1 {
		return nil, invalidCombination("The request gives %d attributes. Modify one attribute at a time.", n)
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		v, err := find(tx, network.VPCs, id, vpcNotFound)
		if err != nil {
			return err
		}
		set(&v.DNSHostnames, in.EnableDnsHostnames)
		set(&v.DNSSupport, in.EnableDnsSupport)
		set(&v.AddressUsageMetrics, in.EnableNetworkAddressUsageMetrics)
		if in.EnableDnsHostnames != nil && v.DNSHostnames && !v.DNSSupport {
			return invalidCombination("The VPC %s has DNS support disabled: enable enableDnsSupport before enableDnsHostnames.",
				id)
		}
		return network.VPCs.Put(tx, id, v)
	})
	return &sdk.ModifyVpcAttributeOutput{}, err
}

func (s *Service) describeVPCAttribute(
	_ context.Context, in *sdk.DescribeVpcAttributeInput,
) (*sdk.DescribeVpcAttributeOutput, error) {
	id, err := required("vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	var v network.VPC
	err = s.Store.View(func(tx *store.Tx) (err error) {
		v, err = find(tx, network.VPCs, id, vpcNotFound)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeVpcAttributeOutput{VpcId: &v.ID}
	switch in.Attribute {
	case types.VpcAttributeNameEnableDnsHostnames:
		out.EnableDnsHostnames = &types.AttributeBooleanValue{Value: &v.DNSHostnames}
	case types.VpcAttributeNameEnableDnsSupport:
		out.EnableDnsSupport = &types.AttributeBooleanValue{Value: &v.DNSSupport}
	case types.VpcAttributeNameEnableNetworkAddressUsageMetrics:
		out.EnableNetworkAddressUsageMetrics = &types.AttributeBooleanValue{Value: &v.AddressUsageMetrics}
	case "":
		return nil, missing("attribute")
	default:
		return nil, invalidValue("Value (%s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}

// set changes a flag that a request gives.
func set(flag *bool, given *types.AttributeBooleanValue) {
	if given != nil {
		*flag = aws.ToBool(given.Value)
	}
}

// count is how many of the attributes a request gives.
func count(attributes ...*types.AttributeBooleanValue) (n int) {
	for _, a := range attributes {
		if a != nil {
			n++
		}
	}
	return n
}
