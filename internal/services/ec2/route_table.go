package ec2

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"larder/internal/network"
	"larder/internal/store"
)

func (s *Service) describeRouteTables(_ context.Context, in *sdk.DescribeRouteTablesInput) (*sdk.DescribeRouteTablesOutput, error) {
	var all []types.RouteTable
	err := s.Store.View(func(tx *store.Tx) error {
		vpcs, err := network.VPCs.All(tx)
		if err != nil {
			return err
		}
		blocks := map[string]string{}
		for _, v := range vpcs {
			blocks[v.ID] = v.CIDR.String()
		}
		all, err = describeAll(tx, network.RouteTables, func(t network.RouteTable) string { return t.ID },
			func(t network.RouteTable, tags map[string]string) types.RouteTable {
				return s.describeRouteTable(t, blocks[t.VPCID], tags)
			})
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.RouteTable]{key: func(t types.RouteTable) string { return *t.RouteTableId }, filters: routeTableFilters(), notFound: routeTableNotFound}
	tables, token, err := l.pick(all, request{in.RouteTableIds, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeRouteTablesOutput{RouteTables: tables, NextToken: token}, err
}

func (s *Service) describeRouteTable(t network.RouteTable, block string, tags map[string]string) types.RouteTable {
	return types.RouteTable{
		RouteTableId: &t.ID, VpcId: &t.VPCID, OwnerId: &s.Account, PropagatingVgws: []types.PropagatingVgw{}, Tags: tagList(tags),
		Routes: []types.Route{{
			DestinationCidrBlock: &block, GatewayId: new("local"), Origin: types.RouteOriginCreateRouteTable, State: types.RouteStateActive,
		}},
		Associations: []types.RouteTableAssociation{{
			RouteTableAssociationId: &t.AssociationID, RouteTableId: &t.ID, Main: new(true),
			AssociationState: &types.RouteTableAssociationState{State: types.RouteTableAssociationStateCodeAssociated},
		}},
	}
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
		"association.main":           associations(truth(func(a types.RouteTableAssociation) *bool { return a.Main })),
		"association.route-table-id": associations(text(func(a types.RouteTableAssociation) *string { return a.RouteTableId })),
		"association.subnet-id":      associations(text(func(a types.RouteTableAssociation) *string { return a.SubnetId })),
		"association.route-table-association-id": associations(text(func(a types.RouteTableAssociation) *string {
			return a.RouteTableAssociationId
		})),
		"owner-id":                     text(func(t table) *string { return t.OwnerId }),
		"route.destination-cidr-block": routes(text(func(r types.Route) *string { return r.DestinationCidrBlock })),
		"route.gateway-id":             routes(text(func(r types.Route) *string { return r.GatewayId })),
		"route.origin":                 routes(func(r types.Route) []string { return []string{string(r.Origin)} }),
		"route.state":                  routes(func(r types.Route) []string { return []string{string(r.State)} }),
		"route-table-id":               text(func(t table) *string { return t.RouteTableId }),
		"vpc-id":                       text(func(t table) *string { return t.VpcId }),
	}.withTags(func(t table) []types.Tag { return t.Tags })
}
