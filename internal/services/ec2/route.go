package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/network"
	"larder/internal/store"
)

// localGateway is the target of the route within a VPC.
const localGateway = "local"

// The beginnings of gateways' ids.
const (
	internetPrefix = "igw-"
	natPrefix      = "nat-"
)

// maxRoutes is how many routes a table may have, the one within the VPC not counted.
const maxRoutes = 500

func (s *Service) createRoute(ctx context.Context, in *sdk.CreateRouteInput) (*sdk.CreateRouteOutput, error) {
	err := s.changeRoutes(ctx, in.RouteTableId, in.DestinationCidrBlock,
		func(tx *store.Tx, t *network.RouteTable, at int, to netip.Prefix) error {
			local, err := localRoute(tx, *t)
			if err != nil {
				return err
			}
			if at >= 0 || to == local {
				return refuse("RouteAlreadyExists", "The route identified by %s already exists.", to)
			}
			if len(t.Routes) >= maxRoutes {
				return refuse("RouteLimitExceeded", "The maximum number of routes has been reached: the limit is %d.",
					maxRoutes)
			}
			target, err := targetOf(tx, *t, in.GatewayId, in.NatGatewayId)
			t.Routes = append(t.Routes, network.Route{Destination: to, Target: target})
			return err
		})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateRouteOutput{Return: new(true)}, nil
}

func (s *Service) replaceRoute(ctx context.Context, in *sdk.ReplaceRouteInput) (*sdk.ReplaceRouteOutput, error) {
	err := s.changeRoutes(ctx, in.RouteTableId, in.DestinationCidrBlock,
		func(tx *store.Tx, t *network.RouteTable, at int, to netip.Prefix) error {
			if at < 0 {
				return invalidValue(
					"There is no route defined for '%s' in the route table. Use CreateRoute instead.", to)
			}
			target, err := targetOf(tx, *t, in.GatewayId, in.NatGatewayId)
			t.Routes[at].Target = target
			return err
		})
	return &sdk.ReplaceRouteOutput{}, err
}

func (s *Service) deleteRoute(ctx context.Context, in *sdk.DeleteRouteInput) (*sdk.DeleteRouteOutput, error) {
	err := s.changeRoutes(ctx, in.RouteTableId, in.DestinationCidrBlock,
		func(tx *store.Tx, t *network.RouteTable, at int, to netip.Prefix) error {
			local, err := localRoute(tx, *t)
			switch {
			case err != nil:
				return err
			case to == local:
				return invalidValue("cannot remove local route %s in route table %s", to, t.ID)
			case at < 0:
				return refuse("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", to,
					t.ID)
			}
			t.Routes = slices.Delete(t.Routes, at, at+1)
			return nil
		})
	return &sdk.DeleteRouteOutput{}, err
}

// changeRoutes changes a table's routes. The change gets the destination, and where in the table its route is, or -1.
func (s *Service) changeRoutes(
	ctx context.Context, table, destination *string, change func(tx *store.Tx, t *network.RouteTable, at int,
		to netip.Prefix) error,
) error {
	id, err := required("routeTableId", table)
	if err != nil {
		return err
	}
	to, err := parsePrefix("destinationCidrBlock", destination)
	if err != nil {
		return err
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		t, err := find(tx, network.RouteTables, id, routeTableNotFound)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(t.Routes, func(r network.Route) bool { return r.Destination == to })
		if err := change(tx, &t, at, to); err != nil {
			return err
		}
		return network.RouteTables.Put(tx, id, t)
	})
}

// localRoute is the destination of the route that a table cannot be without.
func localRoute(tx *store.Tx, t network.RouteTable) (netip.Prefix, error) {
	v, err := find(tx, network.VPCs, t.VPCID, vpcNotFound)
	return v.CIDR, err
}

// targetOf reads where a route leads to: one of the two gateways, in the table's VPC.
func targetOf(tx *store.Tx, t network.RouteTable, gateway, nat *string) (string, error) {
	if (gateway == nil) == (nat == nil) {
		return "", invalidCombination("The request must contain exactly one of gatewayId and natGatewayId.")
	}
	id, vpc := aws.ToString(gateway), ""
	if nat != nil {
		id = *nat
		g, err := find(tx, network.NATGateways, id, natTargetNotFound)
		if err != nil {
			return "", err
		}
		vpc = g.VPCID
	} else {
		if !strings.HasPrefix(id, internetPrefix) {
			return "", gatewayNotFound(id)
		}
		g, err := find(tx, network.InternetGateways, id, gatewayNotFound)
		if err != nil {
			return "", err
		}
		vpc = g.VPCID
	}
	if vpc != t.VPCID {
		return "", invalidValue("route table %s and network gateway %s belong to different networks", t.ID, id)
	}
	return id, nil
}
