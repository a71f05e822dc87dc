package ec2

import (
	"context"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// attachmentAvailable is the state of an internet gateway's attachment. EC2's model has no name for it.
const attachmentAvailable = "available"

func (s *Service) createInternetGateway(
	ctx context.Context, in *sdk.CreateInternetGatewayInput,
) (*sdk.CreateInternetGatewayOutput, error) {
	tags, err := newTags(in.TagSpecifications, types.ResourceTypeInternetGateway)
	if err != nil {
		return nil, err
	}
	var g network.InternetGateway
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) (err error) {
		if g, err = s.Builder.CreateInternetGateway(tx); err != nil {
			return err
		}
		return network.SetTags(tx, g.ID, tags)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateInternetGatewayOutput{InternetGateway: new(s.describeInternetGateway(g, tags))}, nil
}

func (s *Service) describeInternetGateways(
	_ context.Context, in *sdk.DescribeInternetGatewaysInput,
) (*sdk.DescribeInternetGatewaysOutput, error) {
	var all []types.InternetGateway
	err := s.Store.View(func(tx *store.Tx) (err error) {
		all, err = describeAll(tx, network.InternetGateways, network.InternetGateway.RowKey, s.describeInternetGateway)
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.InternetGateway]{
		many:    "InternetGatewayIds",
		key:     func(g types.InternetGateway) string { return *g.InternetGatewayId },
		filters: internetGatewayFilters(), notFound: internetGatewayNotFound,
	}
	gateways, token, err := l.pick(all, request{in.InternetGatewayIds, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeInternetGatewaysOutput{InternetGateways: gateways, NextToken: token}, err
}

func (s *Service) describeInternetGateway(g network.InternetGateway, tags map[string]string) types.InternetGateway {
	out := types.InternetGateway{
		InternetGatewayId: &g.ID, OwnerId: &s.Account, Attachments: []types.InternetGatewayAttachment{},
		Tags: tagList(tags),
	}
	if g.VPCID != "" {
		out.Attachments = append(out.Attachments,
			types.InternetGatewayAttachment{VpcId: &g.VPCID, State: attachmentAvailable})
	}
	return out
}

func internetGatewayFilters() filters[types.InternetGateway] {
	type gateway = types.InternetGateway
	attachments := func(look func(types.InternetGatewayAttachment) []string) func(gateway) []string {
		return each(func(g gateway) []types.InternetGatewayAttachment { return g.Attachments }, look)
	}
	return filters[gateway]{
		"attachment.state": attachments(
			text(func(a types.InternetGatewayAttachment) *string { return (*string)(&a.State) })),
		"attachment.vpc-id":   attachments(text(func(a types.InternetGatewayAttachment) *string { return a.VpcId })),
		"internet-gateway-id": text(func(g gateway) *string { return g.InternetGatewayId }),
		"owner-id":            text(func(g gateway) *string { return g.OwnerId }),
	}.withTags(func(g gateway) []types.Tag { return g.Tags })
}

func (s *Service) deleteInternetGateway(
	ctx context.Context, in *sdk.DeleteInternetGatewayInput,
) (*sdk.DeleteInternetGatewayOutput, error) {
	id, err := required("internetGatewayId", in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		g, err := find(tx, network.InternetGateways, id, internetGatewayNotFound)
		if err != nil {
			return err
		}
		if g.VPCID != "" {
			return refuse("DependencyViolation", "The internetGateway '%s' has dependencies and cannot be deleted.", id)
		}
		return network.DeleteInternetGateway(tx, id)
	})
	return &sdk.DeleteInternetGatewayOutput{}, err
}

func (s *Service) attachInternetGateway(
	ctx context.Context, in *sdk.AttachInternetGatewayInput,
) (*sdk.AttachInternetGatewayOutput, error) {
	err := s.changeAttachment(ctx, in.InternetGatewayId, in.VpcId,
		func(tx *store.Tx, g *network.InternetGateway, vpc string) error {
			if g.VPCID != "" {
				return refuse("Resource.AlreadyAssociated",
					"resource %s is already attached to network %s", g.ID, g.VPCID)
			}
			attached, err := attachedTo(tx, vpc)
			if err != nil {
				return err
			}
			if attached {
				return invalidValue("Network %s already has an internet gateway attached", vpc)
			}
			g.VPCID = vpc
			return nil
		})
	return &sdk.AttachInternetGatewayOutput{}, err
}

func (s *Service) detachInternetGateway(
	ctx context.Context, in *sdk.DetachInternetGatewayInput,
) (*sdk.DetachInternetGatewayOutput, error) {
	err := s.changeAttachment(ctx, in.InternetGatewayId, in.VpcId,
		func(tx *store.Tx, g *network.InternetGateway, vpc string) error {
			if g.VPCID != vpc {
				return refuse("Gateway.NotAttached", "resource %s is not attached to network %s", g.ID, vpc)
			}
			mapped, err := hasSome(tx, network.NATGateways, func(n network.NATGateway) bool {
				return n.VPCID == vpc && n.AllocationID != "" && n.FailureCode == ""
			})
			if err != nil {
				return err
			}
			if mapped {
				return refuse("DependencyViolation",
					"Network %s has some mapped public address(es). "+
						"Please unmap those before detaching the gateway.", vpc)
			}
			g.VPCID = ""
			return nil
		})
	return &sdk.DetachInternetGatewayOutput{}, err
}

// attachedTo tells whether a VPC has an internet gateway.
func attachedTo(tx *store.Tx, vpc string) (bool, error) {
	return hasSome(tx, network.InternetGateways, func(g network.InternetGateway) bool { return g.VPCID == vpc })
}

// changeAttachment changes which VPC a gateway is attached to.
func (s *Service) changeAttachment(
	ctx context.Context, gateway, vpc *string, change func(tx *store.Tx, g *network.InternetGateway, vpc string) error,
) error {
	id, err := required("internetGatewayId", gateway)
	if err != nil {
		return err
	}
	vpcID, err := required("vpcId", vpc)
	if err != nil {
		return err
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		g, err := find(tx, network.InternetGateways, id, internetGatewayNotFound)
		if err != nil {
			return err
		}
		if _, err := find(tx, network.VPCs, vpcID, vpcNotFound); err != nil {
			return err
		}
		if err := change(tx, &g, vpcID); err != nil {
			return err
		}
		return network.InternetGateways.Put(tx, id, g)
	})
}
