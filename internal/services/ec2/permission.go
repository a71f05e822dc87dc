package ec2

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// An IpPermission is several rules in one: a protocol with its ports, and a list of peers.

// rulesIn are the rules that permissions make for a group, without ids.
func (s *Service) rulesIn(
	tx *store.Tx, g network.SecurityGroup, egress bool, permissions []types.IpPermission,
) ([]network.Rule, error) {
	if len(permissions) == 0 {
		return nil, missing("ipPermissions")
	}
	var rules []network.Rule
	for _, p := range permissions {
		traffic, err := trafficOf(p)
		if err != nil {
			return nil, err
		}
		traffic.GroupID, traffic.Egress = g.ID, egress
		peers, err := s.peersOf(tx, g, p)
		if err != nil {
			return nil, err
		}
		for _, peer := range peers {
			if err := checkDescription(peer.Description); err != nil {
				return nil, err
			}
			r := traffic
			r.CIDR, r.Group, r.Description = peer.CIDR, peer.Group, peer.Description
			rules = append(rules, r)
		}
	}
	return rules, nil
}

func checkDescription(description string) error {
	if plain(description) {
		return nil
	}
	return invalidValue("Invalid rule description. Valid descriptions are strings less than 256 characters from the " +
		"following set:  " +
		"a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
}

// trafficOf reads what a permission says of protocol and ports.
func trafficOf(p types.IpPermission) (network.Rule, error) {
	given, err := required("ipProtocol", p.IpProtocol)
	if err != nil {
		return network.Rule{}, err
	}
	r := network.Rule{From: -1, To: -1}
	if r.Protocol, err = protocol(given); err != nil {
		return r, err
	}
	switch r.Protocol {
	case "tcp", "udp":
		if p.FromPort == nil || p.ToPort == nil {
			return r, invalidValue("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		r.From, r.To = *p.FromPort, *p.ToPort
		if r.From < 0 || r.To < r.From || r.To > 65535 {
			return r, invalidValue("Invalid TCP/UDP port range (%d:%d)", r.From, r.To)
		}
	case "icmp", "icmpv6":
		if p.FromPort != nil {
			r.From = *p.FromPort
		}
		if p.ToPort != nil {
			r.To = *p.ToPort
		}
		if min(r.From, r.To) < -1 || max(r.From, r.To) > 255 {
			return r, invalidValue("Invalid ICMP type or code (%d:%d). Each is 0 to 255, or -1 for all.", r.From, r.To)
		}
	}
	return r, nil
}

// protocol gives a protocol the form in which EC2 keeps it. The numbers are IANA's.
func protocol(given string) (string, error) {
	switch given {
	case "tcp", "6":
		return "tcp", nil
	case "udp", "17":
		return "udp", nil
	case "icmp", "1":
		return "icmp", nil
	case "icmpv6", "58":
		return "icmpv6", nil
	case network.AnyProtocol, "all":
		return network.AnyProtocol, nil
	}
	if n, err := strconv.Atoi(given); err != nil || n < 0 || n > 255 || strconv.Itoa(n) != given {
		return "", invalidValue("Invalid value '%s' for IP protocol. Unknown protocol.", given)
	}
	return given, nil
}

// peersOf reads a permission's peers: the CIDR or Group, and the Description, of one rule each.
func (s *Service) peersOf(tx *store.Tx, g network.SecurityGroup, p types.IpPermission) ([]network.Rule, error) {
	var peers []network.Rule
	for _, r := range p.IpRanges {
		block, err := parsePeer(r.CidrIp, netip.Addr.Is4)
		if err != nil {
			return nil, err
		}
		peers = append(peers, network.Rule{CIDR: block, Description: aws.ToString(r.Description)})
	}
	for _, r := range p.Ipv6Ranges {
		block, err := parsePeer(r.CidrIpv6, netip.Addr.Is6)
		if err != nil {
			return nil, err
		}
		peers = append(peers, network.Rule{CIDR: block, Description: aws.ToString(r.Description)})
	}
	for _, u := range p.UserIdGroupPairs {
		id, err := s.peerGroup(tx, g, u)
		if err != nil {
			return nil, err
		}
		peers = append(peers, network.Rule{Group: id, Description: aws.ToString(u.Description)})
	}
	if len(peers) == 0 {
		return nil, refuse("MissingParameter",
			"Missing source specification: include source security group or CIDR information")
	}
	return peers, nil
}

// parsePeer reads an address range, and puts its host bits to zero as EC2 does.
func parsePeer(given *string, family func(netip.Addr) bool) (netip.Prefix, error) {
	block, err := netip.ParsePrefix(aws.ToString(given))
	if err != nil || !family(block.Addr()) {
		return block, invalidValue("CIDR block %s is malformed", aws.ToString(given))
	}
	return block.Masked(), nil
}

// peerGroup finds the group that a rule names: one of the same VPC.
func (s *Service) peerGroup(tx *store.Tx, g network.SecurityGroup, u types.UserIdGroupPair) (string, error) {
	id, err := required("groupId", u.GroupId)
	if err != nil {
		return "", err
	}
	peer, err := find(tx, network.SecurityGroups, id, groupNotFound)
	if err != nil {
		return "", err
	}
	if u.UserId != nil && *u.UserId != s.Account {
		return "", refuse("InvalidGroup.NotFound", "The security group '%s' does not belong to the account %s", id,
			*u.UserId)
	}
	if peer.VPCID != g.VPCID {
		return "", refuse("InvalidGroup.NotFound",
			"You have specified two resources that belong to different networks.")
	}
	return id, nil
}

// permissions puts rules of one direction together again: those of the same protocol and ports are one permission.
func (s *Service) permissions(rules []network.Rule) []types.IpPermission {
	slices.SortFunc(rules, func(a, b network.Rule) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
			cmp.Compare(a.CIDR.String(), b.CIDR.String()), cmp.Compare(a.Group, b.Group))
	})
	out := []types.IpPermission{}
	for i, r := range rules {
		if i == 0 || r.Protocol != rules[i-1].Protocol || r.From != rules[i-1].From || r.To != rules[i-1].To {
			out = append(out, newPermission(r))
		}
		s.addPeer(&out[len(out)-1], r)
	}
	return out
}

func newPermission(r network.Rule) types.IpPermission {
	p := types.IpPermission{
		IpProtocol: &r.Protocol, IpRanges: []types.IpRange{}, Ipv6Ranges: []types.Ipv6Range{},
		PrefixListIds: []types.PrefixListId{}, UserIdGroupPairs: []types.UserIdGroupPair{},
	}
	if r.HasPorts() {
		p.FromPort, p.ToPort = &r.From, &r.To
	}
	return p
}

func (s *Service) addPeer(p *types.IpPermission, r network.Rule) {
	var description *string
	if r.Description != "" {
		description = &r.Description
	}
	switch {
	case r.Group != "":
		p.UserIdGroupPairs = append(p.UserIdGroupPairs,
			types.UserIdGroupPair{GroupId: &r.Group, UserId: &s.Account, Description: description})
	case r.CIDR.Addr().Is4():
		p.IpRanges = append(p.IpRanges, types.IpRange{CidrIp: new(r.CIDR.String()), Description: description})
	default:
		p.Ipv6Ranges = append(p.Ipv6Ranges, types.Ipv6Range{CidrIpv6: new(r.CIDR.String()), Description: description})
	}
}
