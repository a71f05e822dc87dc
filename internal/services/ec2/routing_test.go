package ec2_test

import (
	"strings"
	"testing"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/servicetest"
)

// attached makes an internet gateway that is attached to a VPC.
func (s *server) attached(t *testing.T, vpc string) string {
	t.Helper()
	id := *must(s.CreateInternetGateway(t.Context(),
		&sdk.CreateInternetGatewayInput{}))(t).InternetGateway.InternetGatewayId
	must(s.AttachInternetGateway(t.Context(), &sdk.AttachInternetGatewayInput{InternetGatewayId: &id, VpcId: &vpc}))(t)
	return id
}

// address allocates an Elastic IP address.
func (s *server) address(t *testing.T) string {
	t.Helper()
	return *must(s.AllocateAddress(t.Context(), &sdk.AllocateAddressInput{}))(t).AllocationId
}

// nat makes a public NAT gateway.
func (s *server) nat(t *testing.T, subnet, allocation string) string {
	t.Helper()
	out := must(s.CreateNatGateway(t.Context(),
		&sdk.CreateNatGatewayInput{SubnetId: &subnet, AllocationId: &allocation}))(t)
	return *out.NatGateway.NatGatewayId
}

// table makes a route table.
func (s *server) table(t *testing.T, vpc string) string {
	t.Helper()
	return *must(s.CreateRouteTable(t.Context(), &sdk.CreateRouteTableInput{VpcId: &vpc}))(t).RouteTable.RouteTableId
}

// associate gives a subnet a route table.
func (s *server) associate(t *testing.T, table, subnet string) string {
	t.Helper()
	out := must(s.AssociateRouteTable(t.Context(),
		&sdk.AssociateRouteTableInput{RouteTableId: &table, SubnetId: &subnet}))(t)
	return *out.AssociationId
}

// route adds a route to an internet gateway or to a NAT gateway.
func (s *server) route(t *testing.T, table, destination, target string) {
	t.Helper()
	in := &sdk.CreateRouteInput{RouteTableId: &table, DestinationCidrBlock: &destination}
	if strings.HasPrefix(target, "nat-") {
		in.NatGatewayId = &target
	} else {
		in.GatewayId = &target
	}
	must(s.CreateRoute(t.Context(), in))(t)
}

// routes are those of a table that were created, written as "10.0.0.0/8 igw-1 active".
func (s *server) routes(t *testing.T, table string) string {
	t.Helper()
	out := must(s.DescribeRouteTables(t.Context(), &sdk.DescribeRouteTablesInput{RouteTableIds: []string{table}}))(t)
	var lines []string
	for _, r := range out.RouteTables[0].Routes {
		if r.Origin != types.RouteOriginCreateRoute {
			continue
		}
		target := r.GatewayId
		if target == nil {
			target = r.NatGatewayId
		}
		lines = append(lines, *r.DestinationCidrBlock+" "+*target+" "+string(r.State))
	}
	return strings.Join(lines, ", ")
}

// associations are those of a table, written as "rtbassoc-1 main" or "rtbassoc-2 subnet-1".
func (s *server) associations(t *testing.T, table string) string {
	t.Helper()
	out := must(s.DescribeRouteTables(t.Context(), &sdk.DescribeRouteTablesInput{RouteTableIds: []string{table}}))(t)
	var lines []string
	for _, a := range out.RouteTables[0].Associations {
		of := "main"
		if !*a.Main {
			of = *a.SubnetId
		}
		lines = append(lines, *a.RouteTableAssociationId+" "+of)
	}
	return strings.Join(lines, ", ")
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestRouteTableLife(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	subnet := s.subnet(t, vpc, "10.0.0.0/24")
	in := &sdk.CreateRouteTableInput{
		VpcId: &vpc, ClientToken: new("once"),
		TagSpecifications: specification(types.ResourceTypeRouteTable, tag("Name", "public")),
	}
	created := must(s.CreateRouteTable(t.Context(), in))(t).RouteTable
	table := *created.RouteTableId
	wantSame(t, *created, types.RouteTable{
		RouteTableId: new("rtb-2"), VpcId: &vpc, OwnerId: new(account), Tags: []types.Tag{tag("Name", "public")},
		Routes: []types.Route{{
			DestinationCidrBlock: new("10.0.0.0/16"), GatewayId: new("local"),
			Origin: types.RouteOriginCreateRouteTable,
			State:  types.RouteStateActive,
		}},
	})
	wantSame(t, *must(s.CreateRouteTable(t.Context(), in))(t).RouteTable, *created) // the token makes it once

	igw := s.attached(t, vpc)
	nat := s.nat(t, subnet, s.address(t))
	s.route(t, table, "0.0.0.0/0", igw)
	s.route(t, table, "192.0.2.7/24", nat)
	want(t, "routes", s.routes(t, table), "0.0.0.0/0 igw-1 active, 192.0.2.0/24 nat-1 active")
	must(s.ReplaceRoute(t.Context(), &sdk.ReplaceRouteInput{
		RouteTableId: &table, DestinationCidrBlock: new("0.0.0.0/0"), NatGatewayId: &nat,
	}))(t)
	must(s.ReplaceRoute(t.Context(), &sdk.ReplaceRouteInput{
		RouteTableId: &table, DestinationCidrBlock: new("192.0.2.0/24"), GatewayId: &igw,
	}))(t)
	want(t, "replaced routes", s.routes(t, table), "0.0.0.0/0 nat-1 active, 192.0.2.0/24 igw-1 active")

	// A route whose gateway is gone is a black hole.
	must(s.DeleteNatGateway(t.Context(), &sdk.DeleteNatGatewayInput{NatGatewayId: &nat}))(t)
	want(t, "routes without NAT", s.routes(t, table), "0.0.0.0/0 nat-1 blackhole, 192.0.2.0/24 igw-1 active")
	must(s.DetachInternetGateway(t.Context(), &sdk.DetachInternetGatewayInput{InternetGatewayId: &igw, VpcId: &vpc}))(t)
	want(t, "routes when detached", s.routes(t, table), "0.0.0.0/0 nat-1 blackhole, 192.0.2.0/24 igw-1 blackhole")
	must(s.DeleteRoute(t.Context(),
		&sdk.DeleteRouteInput{RouteTableId: &table, DestinationCidrBlock: new("0.0.0.0/0")}))(t)
	want(t, "routes left", s.routes(t, table), "192.0.2.0/24 igw-1 blackhole")

	must(s.DeleteRouteTable(t.Context(), &sdk.DeleteRouteTableInput{RouteTableId: &table}))(t)
	must(s.DeleteInternetGateway(t.Context(), &sdk.DeleteInternetGatewayInput{InternetGatewayId: &igw}))(t)
	must(s.ReleaseAddress(t.Context(), &sdk.ReleaseAddressInput{AllocationId: new("eipalloc-1")}))(t)
	must(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: &subnet}))(t)
	must(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &vpc}))(t)
	s.wantEmptyNetwork(t)
}

func TestRouteTableAssociations(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	subnet, a, b := s.subnet(t, vpc, "10.0.0.0/24"), s.table(t, vpc), s.table(t, vpc)
	first := s.associate(t, a, subnet)
	replace := func(association, table string) string {
		return *must(s.ReplaceRouteTableAssociation(t.Context(), &sdk.ReplaceRouteTableAssociationInput{
			AssociationId: &association, RouteTableId: &table,
		}))(t).NewAssociationId
	}
	want(t, "of the first table", s.associations(t, a), first+" subnet-1")
	second := replace(first, b)
	want(t, "of the table that lost the subnet", s.associations(t, a), "")
	want(t, "of the table that got the subnet", s.associations(t, b), second+" subnet-1")
	main := replace("rtbassoc-1", b)
	want(t, "of the new main table", s.associations(t, b), main+" main, "+second+" subnet-1")
	want(t, "of the former main table", s.associations(t, "rtb-1"), "")
	again := replace(main, b)
	want(t, "of the main table made main", s.associations(t, b), again+" main, "+second+" subnet-1")
	must(s.DisassociateRouteTable(t.Context(), &sdk.DisassociateRouteTableInput{AssociationId: &second}))(t)
	want(t, "without the subnet", s.associations(t, b), again+" main")
	must(s.DeleteRouteTable(t.Context(), &sdk.DeleteRouteTableInput{RouteTableId: new("rtb-1")}))(t)
	must(s.DeleteRouteTable(t.Context(), &sdk.DeleteRouteTableInput{RouteTableId: &a}))(t)
	must(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: &subnet}))(t)
	must(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &vpc}))(t)
	s.wantEmptyNetwork(t)
}

func TestRouteRefusals(t *testing.T) {
	s := newServer(t)
	vpc, far := s.vpc(t, "10.0.0.0/16"), s.vpc(t, "10.1.0.0/16")
	table, igw := s.table(t, vpc), s.attached(t, vpc)
	s.attached(t, far)
	private := must(s.CreateNatGateway(t.Context(), &sdk.CreateNatGatewayInput{
		SubnetId: new(s.subnet(t, far, "10.1.0.0/24")), ConnectivityType: types.ConnectivityTypePrivate,
	}))(t).NatGateway.NatGatewayId
	s.route(t, table, "0.0.0.0/0", igw)
	create := func(in sdk.CreateRouteInput) error {
		if in.RouteTableId == nil {
			in.RouteTableId = &table
		}
		return failure(s.CreateRoute(t.Context(), &in))
	}
	to, value := new("192.0.2.0/24"), "InvalidParameterValue"
	remove := func(destination string) error {
		return failure(s.DeleteRoute(t.Context(),
			&sdk.DeleteRouteInput{RouteTableId: &table, DestinationCidrBlock: &destination}))
	}
	checkRefusals(t, []refusal{
		{"no destination", create(sdk.CreateRouteInput{GatewayId: &igw}), "MissingParameter",
			"The request must contain the parameter destinationCidrBlock"},
		{"malformed", create(sdk.CreateRouteInput{DestinationCidrBlock: new("x"), GatewayId: &igw}), value,
			"Value (x) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."},
		{"unknown table", create(sdk.CreateRouteInput{RouteTableId: new("rtb-9"), DestinationCidrBlock: to,
			GatewayId: &igw}),
			"InvalidRouteTableID.NotFound", "The routeTable ID 'rtb-9' does not exist"},
		{"there", create(sdk.CreateRouteInput{DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: &igw}),
			"RouteAlreadyExists",
			"The route identified by 0.0.0.0/0 already exists."},
		{"local", create(sdk.CreateRouteInput{DestinationCidrBlock: new("10.0.0.0/16"), GatewayId: &igw}),
			"RouteAlreadyExists",
			"The route identified by 10.0.0.0/16 already exists."},
		{"no target", create(sdk.CreateRouteInput{DestinationCidrBlock: to}), "InvalidParameterCombination",
			"The request must contain exactly one of gatewayId and natGatewayId."},
		{"two targets", create(sdk.CreateRouteInput{DestinationCidrBlock: to, GatewayId: &igw, NatGatewayId: private}),
			"InvalidParameterCombination", "The request must contain exactly one of gatewayId and natGatewayId."},
		{"unknown gateway", create(sdk.CreateRouteInput{DestinationCidrBlock: to, GatewayId: new("igw-9")}),
			"InvalidGatewayID.NotFound", "The gateway ID 'igw-9' does not exist"},
		{"virtual private gateway", create(sdk.CreateRouteInput{DestinationCidrBlock: to, GatewayId: new("vgw-1")}),
			"InvalidGatewayID.NotFound", "The gateway ID 'vgw-1' does not exist"},
		{"unknown NAT gateway", create(sdk.CreateRouteInput{DestinationCidrBlock: to, NatGatewayId: new("nat-9")}),
			"InvalidNatGatewayID.NotFound", "The natGateway ID 'nat-9' does not exist"},
		{"gateway elsewhere", create(sdk.CreateRouteInput{DestinationCidrBlock: to, GatewayId: new("igw-2")}), value,
			"route table rtb-3 and network gateway igw-2 belong to different networks"},
		{"NAT gateway elsewhere", create(sdk.CreateRouteInput{DestinationCidrBlock: to, NatGatewayId: private}), value,
			"route table rtb-3 and network gateway nat-1 belong to different networks"},
		{"IPv6", create(sdk.CreateRouteInput{DestinationIpv6CidrBlock: new("::/0"), GatewayId: &igw}), value,
			"larder does not serve CreateRoute's DestinationIpv6CidrBlock: the network has IPv4 addresses only"},
		{"peering", create(sdk.CreateRouteInput{DestinationCidrBlock: to, VpcPeeringConnectionId: new("pcx-1")}), value,
			"larder does not serve CreateRoute's VpcPeeringConnectionId: " +
				"a route leads to an internet gateway or to a NAT gateway"},
		{"replace what is not there", failure(s.ReplaceRoute(t.Context(), &sdk.ReplaceRouteInput{
			RouteTableId: &table, DestinationCidrBlock: to, GatewayId: &igw,
		})), value, "There is no route defined for '192.0.2.0/24' in the route table. Use CreateRoute instead."},
		{"delete what is not there", remove("192.0.2.0/24"), "InvalidRoute.NotFound",
			"no route with destination-cidr-block 192.0.2.0/24 in route table rtb-3"},
		{"delete the local route", remove("10.0.0.0/16"), value,
			"cannot remove local route 10.0.0.0/16 in route table rtb-3"},
	})
	want(t, "routes after the refusals", s.routes(t, table), "0.0.0.0/0 igw-1 active")
}

func TestRouteTableRefusals(t *testing.T) {
	s := newServer(t)
	vpc, far := s.vpc(t, "10.0.0.0/16"), s.vpc(t, "10.1.0.0/16")
	table, there, subnet := s.table(t, vpc), s.table(t, far), s.subnet(t, vpc, "10.0.0.0/24")
	association := s.associate(t, table, subnet)
	associate := func(table, subnet string) error {
		return failure(s.AssociateRouteTable(t.Context(),
			&sdk.AssociateRouteTableInput{RouteTableId: &table, SubnetId: &subnet}))
	}
	replace := func(association, table string) error {
		return failure(s.ReplaceRouteTableAssociation(t.Context(), &sdk.ReplaceRouteTableAssociationInput{
			AssociationId: &association, RouteTableId: &table,
		}))
	}
	remove := func(id string) error {
		return failure(s.DeleteRouteTable(t.Context(), &sdk.DeleteRouteTableInput{RouteTableId: &id}))
	}
	must(s.CreateRouteTable(t.Context(), &sdk.CreateRouteTableInput{VpcId: &vpc, ClientToken: new("used")}))(t)
	const value = "InvalidParameterValue"
	checkRefusals(t, []refusal{
		{"unknown VPC", failure(s.CreateRouteTable(t.Context(), &sdk.CreateRouteTableInput{VpcId: new("vpc-9")})),
			"InvalidVpcID.NotFound", "The vpc ID 'vpc-9' does not exist"},
		{"token of another", failure(s.CreateRouteTable(t.Context(),
			&sdk.CreateRouteTableInput{VpcId: &far, ClientToken: new("used")})),
			"IdempotentParameterMismatch",
			"The client token used was used by an earlier request with other parameters."},
		{"associate no table", associate("rtb-9", subnet), "InvalidRouteTableID.NotFound",
			"The routeTable ID 'rtb-9' does not exist"},
		{"associate no subnet", associate(table, "subnet-9"), "InvalidSubnetID.NotFound",
			"The subnet ID 'subnet-9' does not exist"},
		{"associate elsewhere", associate(there, subnet), value,
			"Route table rtb-4 and subnet subnet-1 belong to different networks"},
		{"associate twice", associate(table, subnet), "Resource.AlreadyAssociated",
			"the specified association for route table rtb-3 conflicts with an existing association"},
		{"replace unknown", replace("rtbassoc-9", table), "InvalidAssociationID.NotFound",
			"The association ID 'rtbassoc-9' does not exist"},
		{"replace by unknown", replace(association, "rtb-9"), "InvalidRouteTableID.NotFound",
			"The routeTable ID 'rtb-9' does not exist"},
		{"replace elsewhere", replace(association, there), value,
			"Route table rtb-4 and subnet subnet-1 belong to different networks"},
		{"replace main elsewhere", replace("rtbassoc-1", there), value,
			"Route table rtb-1 and route table rtb-4 belong to different networks"},
		{"disassociate main", failure(s.DisassociateRouteTable(t.Context(), &sdk.DisassociateRouteTableInput{
			AssociationId: new("rtbassoc-1"),
		})), value, "cannot disassociate the main route table association rtbassoc-1"},
		{"disassociate unknown", failure(s.DisassociateRouteTable(t.Context(), &sdk.DisassociateRouteTableInput{
			AssociationId: new("rtbassoc-9"),
		})), "InvalidAssociationID.NotFound", "The association ID 'rtbassoc-9' does not exist"},
		{"delete unknown", remove("rtb-9"), "InvalidRouteTableID.NotFound", "The routeTable ID 'rtb-9' does not exist"},
		{"delete main", remove("rtb-1"), "DependencyViolation",
			"The routeTable 'rtb-1' has dependencies and cannot be deleted."},
		{"delete used", remove(table), "DependencyViolation",
			"The routeTable 'rtb-3' has dependencies and cannot be deleted."},
	})
	remains := func() error { return failure(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &vpc})) }
	must(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: &subnet}))(t)
	servicetest.WantError(t, remains(), "DependencyViolation",
		"The vpc 'vpc-1' has dependencies and cannot be deleted.")
	for _, id := range []string{table, "rtb-5"} {
		must(s.DeleteRouteTable(t.Context(), &sdk.DeleteRouteTableInput{RouteTableId: &id}))(t)
	}
	if err := remains(); err != nil {
		t.Errorf("the VPC cannot be deleted without its route tables: %v", err)
	}
}
