package ec2

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

func (s *Service) createRouteTable(ctx context.Context, in *sdk.CreateRouteTableInput) (*sdk.CreateRouteTableOutput,
	error) {
	id, err := required("vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, types.ResourceTypeRouteTable)
	if err != nil {
		return nil, err
	}
	out := &sdk.CreateRouteTableOutput{ClientToken: in.ClientToken}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := find(tx, network.VPCs, id, vpcNotFound); err != nil {
			return err
		}
		t, there, err := made(tx, network.RouteTables, in.ClientToken,
			func(t network.RouteTable) string { return t.Token },
			func(t network.RouteTable) bool { return t.VPCID == id })
		if err == nil && !there {
			t, err = s.Builder.CreateRouteTable(tx, network.RouteTable{VPCID: id, Token: aws.ToString(in.ClientToken)})
		}
		if err != nil {
			return err
		}
		if !there {
			if err := network.SetTags(tx, t.ID, tags); err != nil {
				return err
			}
		}
		view, err := viewRouting(tx)
		if err != nil {
			return err
		}
		tags, err = network.Tags(tx, t.ID)
		out.RouteTable = new(s.describeRouteTable(t, view, tags))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) deleteRouteTable(ctx context.Context, in *sdk.DeleteRouteTableInput) (*sdk.DeleteRouteTableOutput,
	error) {
	id, err := required("routeTableId", in.RouteTableId)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		t, err := find(tx, network.RouteTables, id, routeTableNotFound)
		if err != nil {
			return err
		}
		users, err := network.In(tx, network.Subnets, func(n network.Subnet) bool { return n.RouteTableID == id })
		if err != nil {
			return err
		}
		if t.Main() || len(users) > 0 {
			return refuse("DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted.", id)
		}
		return network.DeleteRouteTable(tx, id)
	})
	return &sdk.DeleteRouteTableOutput{}, err
}

func (s *Service) describeRouteTables(
	_ context.Context, in *sdk.DescribeRouteTablesInput,
) (*sdk.DescribeRouteTablesOutput, error) {
	var all []types.RouteTable
	err := s.Store.View(func(tx *store.Tx) error {
		view, err := viewRouting(tx)
		if err != nil {
			return err
		}
		all, err = describeAll(tx, network.RouteTables, func(t network.RouteTable) string { return t.ID },
			func(t network.RouteTable, tags map[string]string) types.RouteTable {
				return s.describeRouteTable(t, view, tags)
			})
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.RouteTable]{
		many: "RouteTableIds",
		key:  func(t types.RouteTable) string { return *t.RouteTableId }, filters: routeTableFilters(),
		notFound: routeTableNotFound,
	}
	tables, token, err := l.pick(all, request{in.RouteTableIds, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeRouteTablesOutput{RouteTables: tables, NextToken: token}, err
}

// routing is what the description of a route table takes from other records.
type routing struct {
	blocks  map[string]string // of VPCs, by id
	subnets []network.Subnet
	// networks are the VPCs that gateways lead out of, by the gateways' ids.
	networks map[string]string
}

func viewRouting(tx *store.Tx) (view routing, err error) {
	vpcs, err := network.VPCs.List(tx)
	if err != nil {
		return view, err
	}
	view = routing{blocks: map[string]string{}, networks: map[string]string{}}
	for _, v := range vpcs {
		view.blocks[v.ID] = v.CIDR.String()
	}
	internet, err := network.InternetGateways.List(tx)
	if err != nil {
		return view, err
	}
	for _, g := range internet {
		view.networks[g.ID] = g.VPCID
	}
	nat, err := network.NATGateways.List(tx)
	if err != nil {
		return view, err
	}
	for _, g := range nat {
		view.networks[g.ID] = g.VPCID
	}
	view.subnets, err = network.Subnets.List(tx)
	return view, err
}

func (s *Service) describeRouteTable(t network.RouteTable, view routing, tags map[string]string) types.RouteTable {
	out := types.RouteTable{
		RouteTableId: &t.ID, VpcId: &t.VPCID, OwnerId: &s.Account, PropagatingVgws: []types.PropagatingVgw{},
		Tags: tagList(tags),
		Routes: []types.Route{{
			DestinationCidrBlock: new(view.blocks[t.VPCID]), GatewayId: new(localGateway),
			Origin: types.RouteOriginCreateRouteTable, State: types.RouteStateActive,
		}},
		Associations: []types.RouteTableAssociation{},
	}
	for _, r := range t.Routes {
		out.Routes = append(out.Routes, describeRoute(r, view.networks[r.Target] == t.VPCID))
	}
	if t.Main() {
		out.Associations = append(out.Associations, describeAssociation(t.ID, t.AssociationID, nil))
	}
	for _, n := range view.subnets {
		if n.RouteTableID == t.ID {
			out.Associations = append(out.Associations, describeAssociation(t.ID, n.RouteAssociationID, &n.ID))
		}
	}
	return out
}

// describeRoute describes a route, which is a black hole when its gateway is gone or leads out of the VPC no more.
func describeRoute(r network.Route, alive bool) types.Route {
	out := types.Route{DestinationCidrBlock: new(r.Destination.String()), Origin: types.RouteOriginCreateRoute,
		State: types.RouteStateActive}
	if strings.HasPrefix(r.Target, natPrefix) {
		out.NatGatewayId = &r.Target
	} else {
		out.GatewayId = &r.Target
	}
	if !alive {
		out.State = types.RouteStateBlackhole
	}
	return out
}

// describeAssociation describes the association of a table with a subnet, or that of the main table.
func describeAssociation(tableID, id string, subnet *string) types.RouteTableAssociation {
	return types.RouteTableAssociation{
		RouteTableAssociationId: &id, RouteTableId: &tableID, SubnetId: subnet, Main: new(subnet == nil),
		AssociationState: associated(),
	}
}

func associated() *types.RouteTableAssociationState {
	return &types.RouteTableAssociationState{State: types.RouteTableAssociationStateCodeAssociated}
}

func routeTableFilters() filters[types.RouteTable] {
	type table = types.RouteTable
	associations := func(look func(types.RouteTableAssociation) []string) func(table) []string {
		return each(func(t table) []types.RouteTableAssociation { return t.Associations }, look)
	}
	routes := func(look func(types.Route) []string) func(table) []string {
		return each(func(t table) []types.Route { return t.Routes }, look)
	}
	return filters[table]{
		"association.main": associations(truth(func(a types.RouteTableAssociation) *bool { return a.Main })),
		"association.route-table-id": associations(text(func(a types.RouteTableAssociation) *string {
			return a.RouteTableId
		})),
		"association.subnet-id": associations(text(func(a types.RouteTableAssociation) *string { return a.SubnetId })),
		"association.route-table-association-id": associations(text(func(a types.RouteTableAssociation) *string {
			return a.RouteTableAssociationId
		})),
		"owner-id":                     text(func(t table) *string { return t.OwnerId }),
		"route.destination-cidr-block": routes(text(func(r types.Route) *string { return r.DestinationCidrBlock })),
		"route.gateway-id":             routes(text(func(r types.Route) *string { return r.GatewayId })),
		"route.nat-gateway-id":         routes(text(func(r types.Route) *string { return r.NatGatewayId })),
		"route.origin":                 routes(func(r types.Route) []string { return []string{string(r.Origin)} }),
		"route.state":                  routes(func(r types.Route) []string { return []string{string(r.State)} }),
		"route-table-id":               text(func(t table) *string { return t.RouteTableId }),
		"vpc-id":                       text(func(t table) *string { return t.VpcId }),
	}.withTags(func(t table) []types.Tag { return t.Tags })
}
