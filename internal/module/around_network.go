package module

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// VPC is what modules/vpc makes: a network with a private subnet in each of three zones.
type VPC struct {
	CIDR    string
	Tags    map[string]string
	Subnets []Subnet
}

// Subnet is a subnet to make.
type Subnet struct {
	CIDR, Zone string
	Tags       map[string]string
}

type vpcInputs struct {
	common
	CIDRBlock         string
	AvailabilityZones []string // nil: the region's first three
}

func vpcTable() []InputOf[vpcInputs] {
	return append(commonInputs(func(in *vpcInputs) *common { return &in.common }),
		optional("cidr_block", "10.0.0.0/16", "Network of the VPC",
			func(in *vpcInputs) *string { return &in.CIDRBlock }, vpcNetwork),
		optional("availability_zones", []string(nil),
			"The three zones of the private data subnets; null for the first three of the region",
			func(in *vpcInputs) *[]string { return &in.AvailabilityZones }, threeZones).typed(cty.List(cty.String)),
	)
}

func vpcNetwork(s string) []problem {
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is4() || p.Bits() < 16 || p.Bits() > 20 {
		return bad(s,
			"is not an IPv4 network with room for the subnets: write one from /16 to /20, such as 10.0.0.0/16")
	}
	return nil
}

func threeZones(zones []string) []problem {
	if distinct := slices.Compact(slices.Sorted(slices.Values(zones))); zones != nil &&
		(len(distinct) != 3 || len(zones) != 3) {
		return []problem{{fmt.Sprint(zones), "are not three zones: name three, or leave it out"}}
	}
	return nil
}

func vpc(in vpcInputs, zones []string) *VPC {
	if in.AvailabilityZones != nil {
		zones = in.AvailabilityZones
	}
	network := netip.MustParsePrefix(in.CIDRBlock).Masked() // the check has parsed it
	v := &VPC{CIDR: in.CIDRBlock, Tags: in.tags("Name", in.name())}
	for i, zone := range zones {
		v.Subnets = append(v.Subnets, Subnet{CIDR: subnetOf(network, 21+i).String(), Zone: zone,
			Tags: in.tags("Name", in.name()+"-data-"+zone)})
	}
	return v
}

// subnetOf is Terraform's cidrsubnet with 8 bits more.
func subnetOf(network netip.Prefix, n int) netip.Prefix {
	addr := network.Addr().As4()
	shift := 32 - network.Bits() - 8
	value := uint32(addr[0])<<24 | uint32(addr[1])<<16 | uint32(addr[2])<<8 | uint32(addr[3]) + uint32(n)<<shift
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8),
		byte(value)}), network.Bits()+8)
}

// Security is what modules/security makes: the nodes' security group, and one for their clients.
type Security struct {
	VPCID          string
	Clients, Nodes SecurityGroup
	port           int32
	more           []string // more groups of clients
}

type clientInputs struct {
	common
	VPCID     string
	RedisPort int
	Clients   []string
}

func securityTable() []InputOf[clientInputs] {
	return append(commonInputs(func(in *clientInputs) *common { return &in.common }),
		required("vpc_id", "The VPC that Redis is in", func(in *clientInputs) *string { return &in.VPCID },
			form(`^vpc-([0-9a-f]{8}|[0-9a-f]{17})$`, "is not a VPC ID: write vpc- and 8 or 17 hexadecimal digits")),
		optional("redis_port", 6379, "Redis port", func(in *clientInputs) *int { return &in.RedisPort },
			between(1, 65535, "a TCP port can be")),
		optional("client_security_group_ids", []string{},
			"More security groups that may connect to Redis, such as that of an existing ECS service",
			func(in *clientInputs) *[]string { return &in.Clients }, each(groupID)),
	)
}

func security(in clientInputs) *Security {
	name := in.name() + "-redis"
	group := func(part, description string) SecurityGroup {
		return SecurityGroup{Name: name + "-" + part, Description: description + " of " + name,
			Tags: in.tags("Name", name+"-"+part), RuleTags: in.tags()}
	}
	return &Security{
		VPCID: in.VPCID, Clients: group("clients", "Clients"), Nodes: group("nodes", "Nodes"),
		port: int32(in.RedisPort), more: in.Clients,
	}
}

// WithRules returns the two groups with the rules that name each other: only clients come in to the nodes, which call
// nobody.
func (s Security) WithRules(clients, nodes string) (SecurityGroup, SecurityGroup) {
	s.Clients.Rules = []SecurityGroupRule{{Egress: true, Description: "To Redis", PeerGroup: nodes, Port: s.port}}
	s.Nodes.Rules = []SecurityGroupRule{{Description: "From the clients", PeerGroup: clients, Port: s.port}}
	for _, id := range s.more {
		s.Nodes.Rules = append(s.Nodes.Rules,
			SecurityGroupRule{Description: "From a client", PeerGroup: id, Port: s.port})
	}
	return s.Clients, s.Nodes
}
