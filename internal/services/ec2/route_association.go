package ec2

import (
	"context"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/network"
	"larder/internal/store"
)

func (s *Service) associateRouteTable(ctx context.Context,
	in *sdk.AssociateRouteTableInput) (*sdk.AssociateRouteTableOutput, error) {
	tableID, err := required("routeTableId", in.RouteTableId)
	if err != nil {
		return nil, err
	}
	subnetID, err := required("subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	var id string
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		t, err := find(tx, network.RouteTables, tableID, routeTableNotFound)
		if err != nil {
			return err
		}
		n, err := find(tx, network.Subnets, subnetID, subnetNotFound)
		switch {
		case err != nil:
			return err
		case n.VPCID != t.VPCID:
			return differentNetworks(tableID, subnetID)
		case n.RouteTableID != "":
			return refuse("Resource.AlreadyAssociated",
				"the specified association for route table %s conflicts with an existing association", tableID)
		}
		id = s.Builder.NewID("rtbassoc")
		n.RouteTableID, n.RouteAssociationID = t.ID, id
		return network.Subnets.Put(tx, n.ID, n)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.AssociateRouteTableOutput{AssociationId: &id, AssociationState: associated()}, nil
}

func differentNetworks(tableID, subnetID string) error {
	return invalidValue("Route table %s and subnet %s belong to different networks", tableID, subnetID)
}

func (s *Service) disassociateRouteTable(
	ctx context.Context, in *sdk.DisassociateRouteTableInput,
) (*sdk.DisassociateRouteTableOutput, error) {
	id, err := required("associationId", in.AssociationId)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		main, n, err := associationOf(tx, id)
		if err != nil {
			return err
		}
		if main != nil {
			return invalidValue("cannot disassociate the main route table association %s", id)
		}
		n.RouteTableID, n.RouteAssociationID = "", ""
		return network.Subnets.Put(tx, n.ID, *n)
	})
	return &sdk.DisassociateRouteTableOutput{}, err
}

// replaceRouteTableAssociation gives a subnet another table, or a VPC another main table. The association gets a new
// id.
func (s *Service) replaceRouteTableAssociation(
	ctx context.Context, in *sdk.ReplaceRouteTableAssociationInput,
) (*sdk.ReplaceRouteTableAssociationOutput, error) {
	id, err := required("associationId", in.AssociationId)
	if err != nil {
		return nil, err
	}
	tableID, err := required("routeTableId", in.RouteTableId)
	if err != nil {
		return nil, err
	}
	next := s.Builder.NewID("rtbassoc")
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		main, n, err := associationOf(tx, id)
		if err != nil {
			return err
		}
		t, err := find(tx, network.RouteTables, tableID, routeTableNotFound)
		if err != nil {
			return err
		}
		if main != nil {
			return replaceMain(tx, *main, t, next)
		}
		if n.VPCID != t.VPCID {
			return differentNetworks(tableID, n.ID)
		}
		n.RouteTableID, n.RouteAssociationID = tableID, next
		return network.Subnets.Put(tx, n.ID, *n)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ReplaceRouteTableAssociationOutput{NewAssociationId: &next, AssociationState: associated()}, nil
}

func replaceMain(tx *store.Tx, main, t network.RouteTable, association string) error {
	if main.VPCID != t.VPCID {
		return invalidValue("Route table %s and route table %s belong to different networks", main.ID, t.ID)
	}
	main.AssociationID = ""
	if err := network.RouteTables.Put(tx, main.ID, main); err != nil {
		return err
	}
	if main.ID == t.ID {
		t = main
	}
	t.AssociationID = association
	return network.RouteTables.Put(tx, t.ID, t)
}

// associationOf finds what an association of route tables is of: a VPC's main table, or a subnet.
func associationOf(tx *store.Tx, id string) (*network.RouteTable, *network.Subnet, error) {
	tables, err := network.In(tx, network.RouteTables, func(t network.RouteTable) bool { return t.AssociationID == id })
	if err != nil {
		return nil, nil, err
	}
	if len(tables) > 0 {
		return &tables[0], nil, nil
	}
	subnets, err := network.In(tx, network.Subnets, func(n network.Subnet) bool { return n.RouteAssociationID == id })
	if err != nil {
		return nil, nil, err
	}
	if len(subnets) == 0 {
		return nil, nil, associationNotFound(id)
	}
	return nil, &subnets[0], nil
}
